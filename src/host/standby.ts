import type { Clock } from '../core/base/clock';
import { type Disposable, toDisposable } from '../core/base/disposable';
import type { AgentView, Engine } from '../core/engine';

/** How often the settings are looked at, and whether anything lives. */
const LOOK_MS = 2_000;

export interface StandbyOptions {
  readonly engine: Pick<Engine, 'status' | 'agents'>;
  readonly clock: Clock;
  /** Whether the person still wants a host, and this one. */
  readonly isWanted: () => boolean;
  /** How long nothing may live before the host ends. */
  readonly lingerMs: number;
  /** Called once. */
  readonly onEnd: (why: 'notWanted' | 'nothingLives' | 'blocked') => void;
}

/**
 * Decides when a host that was started by a window ends by itself: when it is not wanted any more, or when it owns the workspace
 * and nothing was to be supervised for a while. While a window owns it, it waits.
 */
export function watchStandby({ engine, clock, isWanted, lingerMs, onEnd }: StandbyOptions): Disposable {
  let idleSinceMs: number | undefined;
  const look = (): void => {
    const isIdle = engine.status.kind === 'ready' && !engine.agents.some(isSupervised);
    idleSinceMs = isIdle ? (idleSinceMs ?? clock.monotonicMs()) : undefined;
    const isOver = idleSinceMs !== undefined && clock.monotonicMs() - idleSinceMs >= lingerMs;
    if (!isWanted()) return onEnd('notWanted');
    if (engine.status.kind === 'blocked') return onEnd('blocked');
    if (isOver) return onEnd('nothingLives');
    timer = clock.setTimer(LOOK_MS, look);
  };
  let timer = clock.setTimer(LOOK_MS, look);
  return toDisposable(() => timer.dispose());
}

const RESTING: ReadonlySet<string> = new Set(['created', 'stopped', 'exited', 'failed', 'quarantined', 'retired']);

/** It lives, may live, or is to be started again. */
function isSupervised({ lifecycle }: Pick<AgentView, 'lifecycle'>): boolean {
  return !RESTING.has(lifecycle);
}

import type { Clock } from '../core/base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../core/base/disposable';
import type { AgentView, Engine } from '../core/engine';

/** How often everything is looked at although nothing was told: folders that cannot be watched, changes that were missed. */
const SLOW_LOOK_MS = 60_000;

export type StandbyEnd = 'notWanted' | 'nothingLives' | 'blocked' | 'windowWaits';

export interface StandbyOptions {
  readonly engine: Pick<Engine, 'status' | 'agents' | 'onDidChangeStatus' | 'onDidChangeAgent'>;
  readonly clock: Clock;
  /** Whether the person still wants a host, and this one. */
  readonly isWanted: () => boolean;
  /** Whether a window is there that has not had its turn: while one is open, it is to manage the agents. */
  readonly isWindowWaiting: () => Promise<boolean>;
  /** Calls back when the answer of `isWanted` or `isWindowWaiting` may have changed. */
  readonly watchWanted: (onChange: () => void) => Disposable;
  /** How long nothing may live before the host ends. */
  readonly lingerMs: number;
  /** Called once. */
  readonly onEnd: (why: StandbyEnd) => void;
}

/**
 * Decides when a host that was started by a window stops to work: when it is not wanted any more, or when it owns the workspace and
 * a window waits for it, or nothing was to be supervised for a while. While a window owns it, it waits, and does nothing at all.
 */
export function watchStandby(options: StandbyOptions): Disposable {
  const { engine, clock, isWanted, isWindowWaiting, watchWanted, lingerMs } = options;
  const owned = new DisposableStore();
  const next = owned.add(new MutableDisposable<Disposable>());
  let idleSinceMs: number | undefined;
  const look = (): void => {
    if (owned.isDisposed) return;
    const isIdle = engine.status.kind === 'ready' && !engine.agents.some(isSupervised);
    idleSinceMs = isIdle ? (idleSinceMs ?? clock.monotonicMs()) : undefined;
    const leftMs = idleSinceMs === undefined ? Infinity : idleSinceMs + lingerMs - clock.monotonicMs();
    const why = endOf(leftMs);
    if (why !== undefined) return end(why);
    next.value = clock.setTimer(Math.min(leftMs, SLOW_LOOK_MS), look);
    if (engine.status.kind === 'ready') void lookForWindow();
  };
  const lookForWindow = async (): Promise<void> => {
    if ((await isWindowWaiting()) && engine.status.kind === 'ready') end('windowWaits');
  };
  const end = (why: StandbyEnd): void => {
    if (owned.isDisposed) return;
    owned.dispose();
    options.onEnd(why);
  };
  const endOf = (leftMs: number): StandbyEnd | undefined => {
    if (!isWanted()) return 'notWanted';
    if (engine.status.kind === 'blocked') return 'blocked';
    return leftMs <= 0 ? 'nothingLives' : undefined;
  };
  owned.add(watchWanted(look));
  owned.add(engine.onDidChangeStatus(look));
  owned.add(
    engine.onDidChangeAgent(({ view, previous }) => {
      if (isSupervised(view) !== isSupervised(previous)) look();
    }),
  );
  look();
  return owned;
}

const RESTING: ReadonlySet<string> = new Set(['created', 'stopped', 'exited', 'failed', 'quarantined', 'retired']);

/** It lives, may live, or is to be started again. */
function isSupervised(agent: Pick<AgentView, 'lifecycle'> | undefined): boolean {
  return agent !== undefined && !RESTING.has(agent.lifecycle);
}

import { WakeableWait } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import type { ActivityObserver } from './activityObserver';
import type { AgentExit } from './agentHost';
import type { AgentType } from './agentType';
import type { Agent } from './baseAgent';
import type { SupervisorContext } from './supervisorPorts';

/** How the wait for readiness ended. */
export type Readying =
  | { readonly kind: 'ready' }
  | { readonly kind: 'exit'; readonly exit: AgentExit }
  | { readonly kind: 'lost' }
  | { readonly kind: 'deadline' };

/** Watches one run from before its launch, so that no exit is missed. */
export class RunWatch implements Disposable {
  readonly #owned = new DisposableStore();
  #exit: AgentExit | undefined;
  #isHostLost = false;
  readonly #news: WakeableWait;

  constructor(
    private readonly context: SupervisorContext,
    private readonly observer: ActivityObserver,
    private readonly agent: Agent,
    private readonly generation: number,
  ) {
    const { host, clock } = context;
    this.#news = new WakeableWait(clock);
    this.#owned.add(
      host.onDidExit((exit) => {
        if (exit.agentId !== agent.id || exit.generation !== generation) return;
        this.#exit ??= exit;
        this.#news.wake();
      }),
    );
    this.#owned.add(
      host.onDidChangeStatus((status) => {
        this.#isHostLost ||= status.kind !== 'ready';
        this.#news.wake();
      }),
    );
    this.#owned.add(observer.onDidObserve((seen) => seen.agentId === agent.id && this.#news.wake()));
    this.#owned.add(host.onDidSettleScreen((screen) => screen.agentId === agent.id && this.#news.wake()));
  }

  async waitUntilReady(type: AgentType, deadlineMs: number, signal: AbortSignal): Promise<Readying> {
    const { clock } = this.context;
    const launchedMs = clock.monotonicMs();
    for (;;) {
      signal.throwIfAborted();
      const nowMs = clock.monotonicMs();
      if (this.#exit) return { kind: 'exit', exit: this.#exit };
      if (this.#isHostLost) return { kind: 'lost' };
      const readyAtMs = this.#readyAtMs(type, launchedMs);
      if (readyAtMs <= nowMs) return { kind: 'ready' };
      if (deadlineMs <= nowMs) return { kind: 'deadline' };
      await this.#news.wait(Math.min(readyAtMs, deadlineMs) - nowMs, signal);
    }
  }

  /** The monotonic instant at which it counts as ready, as far as is known now. */
  #readyAtMs({ readiness }: AgentType, launchedMs: number): number {
    const { afterMs } = readiness;
    switch (readiness.when) {
      case 'alive':
        return launchedMs + afterMs;
      case 'settled':
        return this.observer.hasSettled(this.agent.id, this.generation) ? launchedMs : launchedMs + afterMs;
      case 'rule':
        return this.observer.hasMatched(this.agent.id, this.generation)
          ? launchedMs
          : launchedMs + (afterMs > 0 ? afterMs : Infinity);
    }
  }

  dispose(): void {
    this.#owned.dispose();
    this.#news.wake();
  }
}

import type { Clock } from '../../core/base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../../core/base/disposable';
import type { AgentView, Engine } from '../../core/engine';
import { isEnded } from '../agents/agentText';
import { CommandId } from '../manifest';
import { NotificationLevel } from '../settings';
import { hasWatched } from './watching';
import type { WindowPort } from './windowPort';

const RESUME = 'Resume Fleet';
/** Restarts by the agents' own policy come first. */
export const SETTLE_MS = 2_000;

/** Once, when the engine is ready for the first time: agents that should run are gone (a reboot, a killed tmux server); offers to bring them back. */
export class ResumePresenter implements Disposable {
  readonly #store = new DisposableStore();
  readonly #timer = this.#store.add(new MutableDisposable<Disposable>());
  #isDone = false;
  /** The offer is yet to be made. */
  #isSettling = false;
  #followsSinceMs: number | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    private readonly window: WindowPort,
    private readonly level: () => NotificationLevel,
    /** Epoch ms at which this window began: what ended before is old news. */
    private readonly startedAtMs: number,
  ) {
    this.#store.add(engine.onDidChangeStatus(() => this.#onStatus()));
    this.#onStatus();
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** The offer will tell that this agent ended: nobody else need tell it. */
  covers(agent: AgentView): boolean {
    return this.#isSettling && this.#isGone(agent) && this.level() !== NotificationLevel.None;
  }

  #onStatus(): void {
    const { status } = this.engine;
    if (status.kind === 'following') this.#followsSinceMs ??= this.clock.monotonicMs();
    if (this.#isDone || status.kind !== 'ready') return;
    this.#isDone = true;
    if (hasWatched(this.#followsSinceMs, this.clock)) return;
    this.#isSettling = true;
    this.#timer.value = this.clock.setTimer(SETTLE_MS, () => void this.#offer());
  }

  async #offer(): Promise<void> {
    this.#isSettling = false;
    const gone = this.engine.agents.filter((agent) => this.#isGone(agent));
    if (gone.length === 0 || this.level() === NotificationLevel.None) return;
    const answer = await this.window.show('information', goneText(gone), [RESUME]);
    if (answer === RESUME && !this.#store.isDisposed) this.window.run(CommandId.ResumeFleet);
  }

  /** It should run and does not, and nothing brings it back by itself. */
  #isGone(agent: AgentView): boolean {
    const isOver = isEnded(agent) || agent.lifecycle === 'lost';
    return agent.desired === 'running' && isOver && agent.sinceMs >= this.startedAtMs;
  }
}

/** `4 agents ended while VS Code was away: 3 of them can go on with their conversation.` */
export function goneText(agents: readonly AgentView[]): string {
  const count = agents.length === 1 ? '1 agent' : `${agents.length} agents`;
  const resumable = agents.filter((agent) => agent.isResumable).length;
  const head = `${count} ended while VS Code was away`;
  if (resumable === 0) return `${head}.`;
  if (agents.length === 1) return `${head}. It can go on with its conversation.`;
  return `${head}. ${resumable === agents.length ? 'All' : resumable} of them can go on with their conversation.`;
}

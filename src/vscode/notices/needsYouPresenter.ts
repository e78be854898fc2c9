import type { PermissionAnswer, PermissionRequest } from '../../core/agents/permissionRequest';
import type { Clock } from '../../core/base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../../core/base/disposable';
import type { Event } from '../../core/base/event';
import type { AgentView, AgentViewChange, Engine } from '../../core/engine';
import { isLive, stateWords } from '../agents/agentText';
import { errorLine, lastLine } from '../../core/agentTrouble';
import { CommandId } from '../manifest';
import { NotificationLevel } from '../settings';
import { canAct } from '../commands/control';
import { type Holding, NeedsQueue } from './needsQueue';
import type { OrderedStarts } from './orderedStarts';
import { APPROVE, DENY, GO_TO_AGENT, requestNotice, REVIEW } from './requestNotice';
import { hasWatched, type Watching } from './watching';
import type { WindowPort } from './windowPort';

const NEXT_AGENT = 'Go to Next';
/** Nobody has read a request within this time: a click was meant for what stood there before. */
export const READ_MS = 700;

/** Answers the very request that was shown. Tells failures to the person itself; never rejects. */
export type AnswerShown = (request: PermissionRequest, answer: PermissionAnswer) => Promise<void>;

/** Other messages that tell that an agent needs a person. */
export interface ToldElsewhere {
  /** One will tell of this agent. */
  readonly covers: (agent: AgentView) => boolean;
  /** One has told that this agent failed. */
  readonly onDidTell: Event<string>;
  /** Starts that were ordered here: whoever ordered one tells how it failed. */
  readonly starts: Pick<OrderedStarts, 'covers' | 'onDidEnd'>;
}

/**
 * Says that agents began to need the person: one message for all of them, only in the window that is looked at, and not about what
 * was so before this window came. Where the terminal of an agent is in front, it waits until the person turns away, or a while.
 */
export class NeedsYouPresenter implements Disposable {
  readonly #store = new DisposableStore();
  readonly #timer = this.#store.add(new MutableDisposable<Disposable>());
  readonly #queue = new NeedsQueue();
  readonly #startedAtMs: number;
  #isTelling = false;
  #isGreeted = false;
  #followsSinceMs: number | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    private readonly window: WindowPort,
    private readonly level: () => NotificationLevel,
    private readonly watching: Watching,
    /** The editor was away for so long that a word about the agents is welcome. */
    private readonly wasAway: () => boolean,
    private readonly answer: AnswerShown,
    private readonly elsewhere?: ToldElsewhere,
  ) {
    this.#startedAtMs = clock.nowMs();
    this.#store.add(engine.onDidChangeAgent((change) => this.#onAgent(change)));
    this.#store.add(engine.onDidChangeStatus(() => this.#onStatus()));
    this.#store.add(window.onDidFocus(() => this.#schedule()));
    this.#store.add(watching.onDidLeave(() => this.#onLeave()));
    if (elsewhere) {
      this.#store.add(elsewhere.onDidTell((id) => this.#onTold(id)));
      this.#store.add(elsewhere.starts.onDidEnd(() => this.#onStartEnded()));
    }
    this.#onStatus();
  }

  dispose(): void {
    this.#store.dispose();
    this.#queue.clear();
  }

  #onAgent({ id, view }: AgentViewChange): void {
    if (!this.#isTelling) return; // read when it begins
    const isNeeding = view !== undefined && isNeedOfPerson(view);
    if (view?.needsYou === 'failed' && this.elsewhere?.starts.covers(view)) return; // until its start has ended
    if (isNeeding && this.elsewhere?.covers(view)) this.#queue.greet([view]);
    else if (isNeeding) this.#queue.note(view, this.clock.monotonicMs());
    else if (!view?.isManagedElsewhere) this.#queue.forget(id); // seen from afar, what it needs is not known
    this.#schedule();
  }

  #onTold(id: string): void {
    const view = this.engine.agent(id);
    if (view?.needsYou === 'failed') this.#queue.greet([view]);
    this.#schedule();
  }

  /** A failure that was not told meanwhile is news now. */
  #onStartEnded(): void {
    for (const view of this.engine.agents)
      if (view.needsYou === 'failed') this.#onAgent({ id: view.id, view, previous: undefined });
  }

  #onLeave(): void {
    this.#queue.leave();
    this.#schedule();
  }

  get #holding(): Holding {
    const level = this.level();
    const isLoud = ({ needsYou }: AgentView): boolean =>
      level === NotificationLevel.All ||
      (level === NotificationLevel.Failures && (needsYou === 'failed' || needsYou === 'error'));
    return { watched: this.watching.watched, isLoud };
  }

  #schedule(): void {
    const dueMs = this.window.isFocused ? this.#queue.dueMs(this.#holding) : undefined; // else when it has the focus
    const delayMs = Math.max(0, (dueMs ?? 0) - this.clock.monotonicMs());
    this.#timer.value = dueMs === undefined ? undefined : this.clock.setTimer(delayMs, () => this.#onDue());
  }

  #onDue(): void {
    if (!this.window.isFocused) return; // waits for the focus
    void this.#show(this.#queue.take(this.#holding, this.clock.monotonicMs()));
    this.#schedule();
  }

  async #show(agents: readonly AgentView[]): Promise<void> {
    const [first] = agents;
    if (!first) return;
    const isFailure = agents.every((agent) => agent.needsYou === 'failed' || agent.needsYou === 'error');
    if (agents.length === 1 && first.request) return this.#showRequest(first, first.request);
    const buttons = agents.length > 1 ? [NEXT_AGENT] : [GO_TO_AGENT];
    const answer = await this.window.show(isFailure ? 'warning' : 'information', needsYouText(agents), buttons);
    if (this.#store.isDisposed) return;
    if (answer === NEXT_AGENT) this.window.run(CommandId.GoToNextWaitingAgent);
    if (answer === GO_TO_AGENT) this.window.run(CommandId.AttachAgent, first.id);
  }

  /** The answer goes to the request in the message, however long that has stood there (S24). */
  async #showRequest(agent: AgentView, request: PermissionRequest): Promise<void> {
    const { text, buttons } = requestNotice(agent, request);
    const shownAtMs = this.clock.monotonicMs();
    const picked = await this.window.show('information', text, buttons);
    if (this.#store.isDisposed) return;
    const isRead = this.clock.monotonicMs() - shownAtMs >= READ_MS;
    if (picked === GO_TO_AGENT) this.window.run(CommandId.AttachAgent, agent.id);
    if (picked === REVIEW || (picked === APPROVE && !isRead)) this.window.run(CommandId.ReviewRequest, agent.id);
    if (picked === APPROVE && isRead) await this.answer(request, { kind: 'allow' });
    if (picked === DENY) await this.answer(request, { kind: 'deny' });
  }

  #onStatus(): void {
    const { status, agents } = this.engine;
    if (status.kind === 'following') this.#followsSinceMs ??= this.clock.monotonicMs();
    if (canAct(status) && !this.#isTelling) {
      this.#isTelling = true;
      const isOld = ({ sinceMs }: AgentView): boolean => sinceMs < this.#startedAtMs;
      this.#queue.greet(agents.filter(isOld));
      for (const view of agents) this.#onAgent({ id: view.id, view, previous: undefined });
    }
    if (status.kind === 'ready' && !this.#isGreeted) this.#greet(agents);
  }

  /** Once, when the engine is ready for the first time; not in a window that watched the agents all the time. */
  #greet(agents: readonly AgentView[]): void {
    this.#isGreeted = true;
    const text = greetingText(agents);
    const isWanted = this.wasAway() && !hasWatched(this.#followsSinceMs, this.clock);
    if (!isWanted || text === undefined || this.level() !== NotificationLevel.All) return;
    this.#queue.greet(agents);
    void this.window.show('information', text, [GO_TO_AGENT]).then((answer) => {
      if (answer === GO_TO_AGENT && !this.#store.isDisposed) this.window.run(CommandId.GoToAgent);
    });
  }
}

/** Quarantine is told by its notice, a start that was refused by the answer to who ordered it. */
function isNeedOfPerson({ needsYou, reason }: AgentView): boolean {
  return needsYou !== undefined && needsYou !== 'quarantined' && !REFUSED_STARTS.has(reason);
}

/** Reasons of an agent whose start was refused before anything ran. */
const REFUSED_STARTS: ReadonlySet<string> = new Set(['command_not_found', 'folder_missing']);

/** `Reviewer needs approval.`, `3 agents wait for you: …`. */
export function needsYouText(agents: readonly AgentView[]): string {
  const [first] = agents;
  if (agents.length === 1 && first) {
    if (first.request) return requestNotice(first, first.request).text;
    const said = first.needsYou === 'failed' ? lastLine(first) : first.needsYou === 'error' ? errorLine(first) : '';
    return said === '' ? `${first.name}: ${stateWords(first)}.` : `${first.name}: ${stateWords(first)}: ${said}`;
  }
  return `${agents.length} agents wait for you: ${agents.map((agent) => `${agent.name} (${stateWords(agent)})`).join(', ')}.`;
}

/** `3 agents kept running while VS Code was away: 1 waits for you.`; undefined when none did. */
export function greetingText(agents: readonly AgentView[]): string | undefined {
  const live = agents.filter(isLive);
  if (live.length === 0) return undefined;
  const waiting = live.filter((agent) => agent.needsYou !== undefined).length;
  const subject = live.length === 1 ? '1 agent' : `${live.length} agents`;
  const end = waiting === 0 ? '.' : `: ${waiting} ${waiting === 1 ? 'waits' : 'wait'} for you.`;
  return `${subject} kept running while VS Code was away${end}`;
}

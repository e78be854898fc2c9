import type { AgentId } from '../../core/agents/agent';
import type { PermissionAnswer, PermissionRequest } from '../../core/agents/permissionRequest';
import type { Clock } from '../../core/base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../../core/base/disposable';
import type { AgentView, AgentViewChange, Engine } from '../../core/engine';
import { isLive, stateWords } from '../agents/agentText';
import { CommandId } from '../manifest';
import { NotificationLevel } from '../settings';
import { MERGE_MS } from './noticePresenter';
import { APPROVE, DENY, GO_TO_AGENT, requestNotice, REVIEW } from './requestNotice';
import { hasWatched } from './watching';
import type { WindowPort } from './windowPort';

const NEXT_AGENT = 'Go to Next';
/** Nobody has read a request within this time: a click was meant for what stood there before. */
export const READ_MS = 700;

/** Answers the very request that was shown. Tells failures to the person itself; never rejects. */
export type AnswerShown = (request: PermissionRequest, answer: PermissionAnswer) => Promise<void>;

/**
 * Says that agents began to need the person: one message for all of them, only in the window that is looked at,
 * not about an agent whose terminal is in front, and not about what was so before the engine was ready.
 */
export class NeedsYouPresenter implements Disposable {
  readonly #store = new DisposableStore();
  readonly #timer = this.#store.add(new MutableDisposable<Disposable>());
  readonly #waiting = new Set<AgentId>();
  #isGreeted = false;
  #followsSinceMs: number | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    private readonly window: WindowPort,
    private readonly level: () => NotificationLevel,
    private readonly watched: () => AgentId | undefined,
    /** The editor was away for so long that a word about the agents is welcome. */
    private readonly wasAway: () => boolean,
    private readonly answer: AnswerShown,
  ) {
    this.#store.add(engine.onDidChangeAgent((change) => this.#onAgent(change)));
    this.#store.add(engine.onDidChangeStatus(() => this.#greet()));
    this.#store.add(window.onDidFocus(() => this.#schedule()));
    this.#greet();
  }

  dispose(): void {
    this.#store.dispose();
    this.#waiting.clear();
  }

  #onAgent({ id, view, previous }: AgentViewChange): void {
    if (!view?.needsYou || !this.#isWanted(view)) {
      this.#waiting.delete(id);
      return;
    }
    const isNew = previous !== undefined && (previous.needsYou !== view.needsYou || isOtherRequest(previous, view));
    if (isNew && this.#isGreeted) this.#waiting.add(id);
    this.#schedule();
  }

  /** Quarantine is told by its notice, a start that was refused by the answer to who ordered it. */
  #isWanted({ needsYou, reason }: AgentView): boolean {
    if (needsYou === undefined || needsYou === 'quarantined' || REFUSED_STARTS.has(reason)) return false;
    if (this.level() === NotificationLevel.All) return true;
    return this.level() === NotificationLevel.Failures && (needsYou === 'failed' || needsYou === 'error');
  }

  #schedule(): void {
    if (this.#waiting.size === 0 || !this.window.isFocused) return;
    this.#timer.value = this.clock.setTimer(MERGE_MS, () => void this.#show());
  }

  async #show(): Promise<void> {
    if (!this.window.isFocused) return; // waits for the focus
    const watched = this.watched();
    const agents = [...this.#waiting].filter((id) => id !== watched).flatMap((id) => this.engine.agent(id) ?? []);
    this.#waiting.clear();
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

  /** Once, when the engine is ready for the first time; not in a window that watched the agents all the time. */
  #greet(): void {
    if (this.engine.status.kind === 'following') this.#followsSinceMs ??= this.clock.monotonicMs();
    if (this.#isGreeted || this.engine.status.kind !== 'ready') return;
    this.#isGreeted = true;
    const text = greetingText(this.engine.agents);
    const isWanted = this.wasAway() && !hasWatched(this.#followsSinceMs, this.clock);
    if (!isWanted || text === undefined || this.level() === NotificationLevel.None) return;
    void this.window.show('information', text, [GO_TO_AGENT]).then((answer) => {
      if (answer === GO_TO_AGENT && !this.#store.isDisposed) this.window.run(CommandId.GoToAgent);
    });
  }
}

/** It was answered, and the next question came before it could go on. */
function isOtherRequest(previous: AgentView, view: AgentView): boolean {
  return previous.request !== undefined && view.request !== undefined && previous.request.id !== view.request.id;
}

/** Reasons of an agent whose start was refused before anything ran. */
const REFUSED_STARTS: ReadonlySet<string> = new Set(['command_not_found', 'folder_missing']);

/** `Reviewer needs approval.`, `3 agents wait for you: …`. */
export function needsYouText(agents: readonly AgentView[]): string {
  const [first] = agents;
  if (agents.length === 1 && first) {
    return first.request ? requestNotice(first, first.request).text : `${first.name}: ${stateWords(first)}.`;
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

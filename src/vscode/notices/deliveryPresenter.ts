import type { AgentId } from '../../core/agents/agent';
import type { PromptReceipt } from '../../core/agents/delivery/promptDelivery';
import type { Clock } from '../../core/base/clock';
import { type Disposable, DisposableStore } from '../../core/base/disposable';
import type { Engine } from '../../core/engine';
import { type ResumeDesk, SEND_AGAIN } from '../commands/resumeDesk';
import { isLive } from '../agents/agentText';
import { CommandId } from '../manifest';
import type { PromptSender } from '../prompts/promptSender';
import { reasonWords } from '../../shared/receiptWords';
import { isTroubled } from '../prompts/receiptText';
import { NotificationLevel } from '../settings';
import { MergeTimer } from './mergeTimer';
import type { WindowPort } from './windowPort';

const SHOW_RECEIPTS = 'Show Receipts';
const ATTACH = 'Attach';

/**
 * Says that a prompt nobody waits for failed or may not have arrived: one that was queued, came from elsewhere, or was under way when
 * the engine was interrupted. Whoever sends from this window is told by the sender. One message for all that come together; those that a
 * program which ended may have taken along, whoever sent them, wait for each other until it has ended, and can be sent again from the message.
 */
export class DeliveryPresenter implements Disposable {
  readonly #store = new DisposableStore();
  readonly #timer: MergeTimer;
  readonly #waiting = new Map<string, PromptReceipt>();

  constructor(
    private readonly engine: Engine,
    clock: Clock,
    private readonly window: WindowPort,
    private readonly sender: Pick<PromptSender, 'isUnderWay'>,
    private readonly resume: Pick<ResumeDesk, 'sendAgain'>,
    private readonly level: () => NotificationLevel,
  ) {
    this.#timer = this.#store.add(new MergeTimer(clock, () => void this.#show()));
    this.#store.add(engine.onDidChangeReceipt((receipt) => this.#onReceipt(receipt)));
    this.#store.add(window.onDidFocus(() => this.#schedule()));
    this.#store.add(engine.onDidChangeAgent(({ id }) => this.#onAgent(id)));
  }

  dispose(): void {
    this.#store.dispose();
    this.#waiting.clear();
  }

  #onReceipt(receipt: PromptReceipt): void {
    const isNews = isTroubled(receipt) && receipt.reason !== 'lost'; // a person has just said that it is lost
    const isTold = this.sender.isUnderWay(receipt.agentId) && !isEnded(receipt);
    if (isNews && !isTold && this.level() !== NotificationLevel.None) this.#waiting.set(receipt.id, receipt);
    else this.#waiting.delete(receipt.id); // late evidence has settled it, or it was sent again
    this.#schedule();
  }

  #onAgent(id: AgentId): void {
    const isAwaited = [...this.#waiting.values()].some((receipt) => receipt.agentId === id && isEnded(receipt));
    if (isAwaited) this.#schedule();
  }

  /** Its program is being ended: others of its prompts may follow. */
  #isEnding(receipt: PromptReceipt): boolean {
    const agent = this.engine.agent(receipt.agentId);
    return isEnded(receipt) && agent !== undefined && isLive(agent) && agent.generation === receipt.generation;
  }

  #schedule(): void {
    if (this.#waiting.size === 0 || !this.window.isFocused) return;
    this.#timer.news();
  }

  async #show(): Promise<void> {
    if (!this.window.isFocused) return; // waits for the focus
    const receipts = [...this.#waiting.values()].filter((receipt) => !this.#isEnding(receipt));
    for (const { id } of receipts) this.#waiting.delete(id);
    const [first] = receipts;
    if (!first) return;
    const isOne = receipts.every(({ agentId }) => agentId === first.agentId);
    const text = deliveryText(receipts, (id) => this.engine.agent(id)?.name ?? id);
    const ended = receipts.filter(isEnded);
    const agent = isOne ? this.engine.agent(first.agentId) : undefined;
    const attach = agent && isLive(agent) ? [ATTACH] : [];
    const buttons = [...(ended.length > 0 ? [SEND_AGAIN] : []), SHOW_RECEIPTS, ...attach];
    const answer = await this.window.show('warning', text, buttons);
    if (this.#store.isDisposed) return;
    if (answer === SEND_AGAIN) await this.resume.sendAgain(ended);
    if (answer === ATTACH) this.window.run(CommandId.AttachAgent, first.agentId);
    if (answer === SHOW_RECEIPTS) this.window.run(CommandId.ShowReceipts, ...(isOne ? [first.agentId] : []));
  }
}

/** The end of a program took it along, or may have: it was being typed, or waited inside. */
function isEnded({ reason }: PromptReceipt): boolean {
  return reason === 'ended';
}

/** `A prompt to Reviewer did not arrive: the agent ended.`, `3 prompts to Reviewer may not have arrived: the agent ended.`, `3 prompts did not or may not have arrived: Reviewer, Builder.` */
export function deliveryText(receipts: readonly PromptReceipt[], nameOf: (id: AgentId) => string): string {
  const [first] = receipts;
  const isSame = (key: 'agentId' | 'state' | 'reason'): boolean => receipts.every((each) => each[key] === first?.[key]);
  if (first && isSame('agentId') && isSame('reason')) {
    const reason = reasonWords(first);
    const who = receipts.length === 1 ? 'A prompt' : `${receipts.length} prompts`;
    const one = first.state === 'failed' ? 'did not arrive' : 'may not have arrived';
    const what = isSame('state') ? one : 'did not or may not have arrived';
    return `${who} to ${nameOf(first.agentId)} ${what}${reason === '' ? '' : `: ${reason}`}.`;
  }
  const names = [...new Set(receipts.map(({ agentId }) => nameOf(agentId)))].join(', ');
  return `${receipts.length} prompts did not or may not have arrived: ${names}.`;
}

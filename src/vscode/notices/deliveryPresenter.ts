import type { AgentId } from '../../core/agents/agent';
import type { PromptReceipt } from '../../core/agents/delivery/promptDelivery';
import type { Clock } from '../../core/base/clock';
import { type Disposable, DisposableStore } from '../../core/base/disposable';
import type { Engine } from '../../core/engine';
import { type ResumeDesk, SEND_AGAIN } from '../commands/resumeDesk';
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
 * the engine was interrupted, or waited inside a program that ended. Whoever sends from this window is told by the sender. One message for
 * all that come together.
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
  }

  dispose(): void {
    this.#store.dispose();
    this.#waiting.clear();
  }

  #onReceipt(receipt: PromptReceipt): void {
    const isWanted = isTroubled(receipt) && this.level() !== NotificationLevel.None;
    const isTold = this.sender.isUnderWay(receipt.agentId) && !hasWaited(receipt);
    if (isWanted && !isTold) this.#waiting.set(receipt.id, receipt);
    else this.#waiting.delete(receipt.id); // late evidence has settled it
    this.#schedule();
  }

  #schedule(): void {
    if (this.#waiting.size === 0 || !this.window.isFocused) return;
    this.#timer.news();
  }

  async #show(): Promise<void> {
    if (!this.window.isFocused) return; // waits for the focus
    const receipts = [...this.#waiting.values()];
    this.#waiting.clear();
    const [first] = receipts;
    if (!first) return;
    const isOne = receipts.every(({ agentId }) => agentId === first.agentId);
    const text = deliveryText(receipts, (id) => this.engine.agent(id)?.name ?? id);
    const waited = receipts.filter(hasWaited);
    const buttons = [...(waited.length > 0 ? [SEND_AGAIN] : []), SHOW_RECEIPTS, ...(isOne ? [ATTACH] : [])];
    const answer = await this.window.show('warning', text, buttons);
    if (this.#store.isDisposed) return;
    if (answer === SEND_AGAIN) await this.resume.sendAgain(waited);
    if (answer === ATTACH) this.window.run(CommandId.AttachAgent, first.agentId);
    if (answer === SHOW_RECEIPTS) this.window.run(CommandId.ShowReceipts, ...(isOne ? [first.agentId] : []));
  }
}

/** It was taken for arrived, and may have waited inside a program that ended: its sender is not there any more. */
function hasWaited({ state, reason, steps }: PromptReceipt): boolean {
  return state === 'delivery_unknown' && reason === 'ended' && steps.acknowledged !== undefined;
}

/** `A prompt to Reviewer did not arrive: the agent ended.`, `3 prompts to Reviewer may not have arrived: the agent ended.`, `3 prompts did not or may not have arrived: Reviewer, Builder.` */
export function deliveryText(receipts: readonly PromptReceipt[], nameOf: (id: AgentId) => string): string {
  const [first] = receipts;
  const areAlike = receipts.every(
    ({ agentId, state, reason }) => agentId === first?.agentId && state === first.state && reason === first.reason,
  );
  if (first && areAlike) {
    const reason = reasonWords(first);
    const who = receipts.length === 1 ? 'A prompt' : `${receipts.length} prompts`;
    const what = first.state === 'failed' ? 'did not arrive' : 'may not have arrived';
    return `${who} to ${nameOf(first.agentId)} ${what}${reason === '' ? '' : `: ${reason}`}.`;
  }
  const names = [...new Set(receipts.map(({ agentId }) => nameOf(agentId)))].join(', ');
  return `${receipts.length} prompts did not or may not have arrived: ${names}.`;
}

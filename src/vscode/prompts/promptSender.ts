import type { AgentId } from '../../core/agents/agent';
import { AgentError, type AgentErrorCode } from '../../core/agents/agentErrors';
import type { PromptReceipt, SendPromptOptions } from '../../core/agents/delivery/promptDelivery';
import type { Clock } from '../../core/base/clock';
import { describeError, OrchestratorError } from '../../core/base/errors';
import { ignore, type Logger } from '../../core/base/log';
import type { AgentView, Engine } from '../../core/engine';
import { isAllowable, isDeniable } from '../approvals/requestText';
import { GatewayError } from '../../core/gateway/gatewayErrors';
import { isCancellation, messageFor } from '../errorMessages';
import { CommandId } from '../manifest';
import type { WindowPort } from '../notices/windowPort';
import { isResendable } from './receiptText';
import { type FailedResend, failedResendText, resendableNow } from './resending';

const REVIEW = 'Review Request';
const QUEUE = 'Send When Free';
const ATTACH = 'Attach';
const ARRIVED = 'It Arrived';
const SEND_AGAIN = 'Send Again';
const RECEIPTS = 'Show Receipts';

/** A delivery that is quicker needs no progress message. */
export const PROGRESS_AFTER_MS = 700;

/** Nothing was typed, nothing is kept: the person may let it wait, or look. */
const BLOCKED: ReadonlySet<string> = new Set<AgentErrorCode>([
  'agent.dialogOpen',
  'agent.draftInBox',
  'agent.inputHidden',
  'agent.notReady',
  'agent.paused',
]);

/** As {@link BLOCKED}: the prompt can wait until it can be typed. */
export function isBlocked(error: unknown): error is AgentError {
  return AgentError.is(error) && BLOCKED.has(error.code);
}

/** A prompt of which nothing was typed and nothing is kept. */
export interface RefusedPrompt {
  readonly id: AgentId;
  readonly error: unknown;
}

/** What became of a text that somebody holds. */
export interface PromptAttempt {
  readonly refused: readonly RefusedPrompt[];
  /** For one agent at least no receipt keeps the text. */
  readonly isUnkept: boolean;
}

/** How a failure of a delivery is told. The real one is `Reporter.failure`. */
export type TellFailure = (what: string, error: unknown) => void;

export interface PromptSenderParts {
  readonly engine: Engine;
  readonly window: WindowPort;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: TellFailure;
  /** Somebody else tells of all prompts together that a program which ended may have taken along; default: nobody does. */
  readonly leavesEnded?: () => boolean;
}

/**
 * Sends prompts and stays with the person until it is known what became of them: a blocked agent is named with the reason and the
 * ways on, a delivery that may have arrived is decided by the person and never typed again by itself.
 */
export class PromptSender {
  /** Agents with a delivery of this window under way: whoever ordered it is told, so nobody else is. */
  readonly #underWay = new Map<AgentId, number>();

  constructor(private readonly parts: PromptSenderParts) {}

  isUnderWay(id: AgentId): boolean {
    return this.#underWay.has(id);
  }

  /** To each of them at once. Never rejects; true when every one has it or keeps it in its queue. */
  async sendToAll(ids: readonly AgentId[], text: string, whenBlocked: 'refuse' | 'queue' = 'refuse'): Promise<boolean> {
    const deliver = (id: AgentId) => (options: SendPromptOptions) => this.parts.engine.sendPrompt(id, text, options);
    const results = await Promise.all(ids.map((id) => this.#deliver(id, deliver(id), whenBlocked)));
    return results.every(Boolean);
  }

  /** As {@link sendToAll}, for a caller who has the text and asks again: what was refused is not told, but returned. */
  async attempt(ids: readonly AgentId[], text: string, whenBlocked: 'refuse' | 'queue'): Promise<PromptAttempt> {
    const refused: RefusedPrompt[] = [];
    let isUnkept = false;
    const takeRefusal = (id: AgentId, error: unknown): boolean => {
      isUnkept ||= !hasReceipt(error);
      if (!isRefusal(error)) return false;
      refused.push({ id, error });
      return true;
    };
    await Promise.all(
      ids.map((id) => {
        const deliver = (options: SendPromptOptions) => this.parts.engine.sendPrompt(id, text, options);
        return this.#deliver(id, deliver, whenBlocked, (error) => takeRefusal(id, error));
      }),
    );
    return { refused, isUnkept };
  }

  /** The text of an earlier prompt, as a new delivery, once. Never rejects; true as in {@link sendToAll}. */
  async resend(receipt: PromptReceipt): Promise<boolean> {
    const { engine, window } = this.parts;
    const takeRefusal = (error: unknown): boolean => {
      if (!AgentError.is(error, 'agent.notAllowed')) return false;
      void window.show('warning', this.#failedText([{ receipt, error }], 0), []);
      return true;
    };
    // Asked for once more after a failure, it is the new one that did not arrive.
    const deliver = async (options: SendPromptOptions) => {
      const [last = receipt] = await resendableNow(engine, [receipt]);
      const isNewer = last.id !== receipt.id && last.state !== 'delivery_unknown';
      return engine.resendPrompt(isNewer ? last.id : receipt.id, options);
    };
    return this.#deliver(receipt.agentId, deliver, 'refuse', takeRefusal);
  }

  /** As {@link resendableNow}; undefined, and told, when it cannot be known. Never rejects. */
  async resendable(receipts: readonly PromptReceipt[]): Promise<readonly PromptReceipt[] | undefined> {
    try {
      return await resendableNow(this.parts.engine, receipts);
    } catch (error) {
      this.parts.tell('Send Again', error);
      return undefined;
    }
  }

  /** Each of these, in order; those that are blocked wait. What failed is told in one message. Never rejects. */
  async resendAll(receipts: readonly PromptReceipt[]): Promise<void> {
    const { engine, window } = this.parts;
    const failed: FailedResend[] = [];
    let sent = 0;
    for (const receipt of receipts) {
      const { agentId, id } = receipt;
      const deliver = (signal: AbortSignal) => engine.resendPrompt(id, { whenBlocked: 'queue', signal });
      this.#hold(agentId);
      try {
        await this.#withProgress(agentId, deliver);
        sent++;
      } catch (error) {
        if (!isCancellation(error)) failed.push({ receipt, error });
      } finally {
        this.#release(agentId);
      }
    }
    const [first] = failed;
    if (!first) return;
    const isOne = failed.every(({ receipt }) => receipt.agentId === first.receipt.agentId);
    const answer = await window.show('warning', this.#failedText(failed, sent), [RECEIPTS]);
    if (answer === RECEIPTS) window.run(CommandId.ShowReceipts, ...(isOne ? [first.receipt.agentId] : []));
  }

  /** Lets the person decide about a delivery that may have arrived. Never rejects; true when it has arrived in the end. */
  async settle(receipt: PromptReceipt): Promise<boolean> {
    const { window } = this.parts;
    const text = `It is not known whether the prompt to ${this.#name(receipt.agentId)} arrived. Nothing is typed again by itself. Look at its terminal, then decide.`;
    const answer = await window.show('warning', text, [ARRIVED, SEND_AGAIN, ATTACH]);
    if (answer === ATTACH) window.run(CommandId.AttachAgent, receipt.agentId);
    if (answer !== ARRIVED && answer !== SEND_AGAIN) return false;
    if (answer === SEND_AGAIN) return this.resend(receipt);
    return this.#settleArrived(receipt);
  }

  async #settleArrived(receipt: PromptReceipt): Promise<boolean> {
    try {
      await this.parts.engine.settleDelivery(receipt.id, 'arrived');
      return true;
    } catch (error) {
      this.parts.tell('Settle Delivery', error);
      return false;
    }
  }

  async #deliver(
    id: AgentId,
    deliver: (options: SendPromptOptions) => Promise<PromptReceipt>,
    whenBlocked: 'refuse' | 'queue',
    takeFailure: (error: unknown) => boolean = () => false,
  ): Promise<boolean> {
    this.#hold(id);
    let receiptId = '';
    const onBegin = (begun: string): void => void (receiptId = begun);
    try {
      const receipt = await this.#withProgress(id, (signal) => deliver({ whenBlocked, signal, onBegin }));
      this.#release(id);
      if (receipt.state === 'delivery_unknown') return await this.settle(receipt);
      return receipt.state !== 'failed' && receipt.state !== 'canceled';
    } catch (error) {
      this.#release(id);
      if (!takeFailure(error)) return this.#afterFailure(id, error, deliver, receiptId);
      this.parts.log.info('a prompt was refused', { agent: id, error: describeError(error) });
      return false;
    }
  }

  /** Progress only for what takes a moment: most deliveries are over before it could be read. */
  async #withProgress<T>(id: AgentId, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { window, clock } = this.parts;
    const abort = new AbortController();
    const running = work(abort.signal);
    const isOver = running.then(
      () => true,
      () => true,
    );
    const timer = clock.setTimer(PROGRESS_AFTER_MS, () => {
      void window.progress(`Sending the prompt to ${this.#name(id)}`, async (signal) => {
        signal.addEventListener('abort', () => abort.abort(signal.reason), { once: true });
        await isOver;
      });
    });
    try {
      return await running;
    } finally {
      timer.dispose();
    }
  }

  async #afterFailure(
    id: AgentId,
    error: unknown,
    deliver: (options: SendPromptOptions) => Promise<PromptReceipt>,
    receiptId: string,
  ): Promise<boolean> {
    if (isCancellation(error)) return false;
    const { window, tell } = this.parts;
    const receipt = AgentError.is(error, 'agent.deliveryUnknown') ? await this.#unknownOf(id) : undefined;
    if (receipt?.reason === 'ended' && this.parts.leavesEnded?.()) return false;
    if (receipt) return this.settle(receipt);
    const text = `${this.#name(id)}: ${messageFor(error)?.text ?? ''}`;
    if (isBlocked(error)) {
      const review =
        AgentError.is(error, 'agent.dialogOpen') && isAnswerable(this.parts.engine.agent(id)) ? [REVIEW] : [];
      const answer = await window.show('warning', text, [...review, QUEUE, ATTACH]);
      if (answer === REVIEW) window.run(CommandId.ReviewRequest, id);
      if (answer === ATTACH) window.run(CommandId.AttachAgent, id);
      return answer === QUEUE && this.#deliver(id, deliver, 'queue');
    }
    if (AgentError.is(error, 'agent.deliveryFailed')) {
      const answer = await window.show('error', text, [SEND_AGAIN, ATTACH, RECEIPTS]);
      if (answer === ATTACH) window.run(CommandId.AttachAgent, id);
      if (answer === RECEIPTS) window.run(CommandId.ShowReceipts, id);
      if (answer !== SEND_AGAIN) return false;
      const failed = await this.#recent(id, (receipt) => receipt.id === receiptId);
      return failed ? this.resend(failed) : this.#deliver(id, deliver, 'refuse'); // of a remote engine the id is not known
    }
    tell('Send Prompt', error);
    return false;
  }

  async #unknownOf(id: AgentId): Promise<PromptReceipt | undefined> {
    const last = this.parts.engine.agent(id)?.lastReceipt;
    const isOpen = (receipt: PromptReceipt): boolean => receipt.state === 'delivery_unknown' && isResendable(receipt);
    return last && isOpen(last) ? last : this.#recent(id, isOpen);
  }

  async #recent(id: AgentId, isWanted: (receipt: PromptReceipt) => boolean): Promise<PromptReceipt | undefined> {
    try {
      return (await this.parts.engine.receipts(id, 10)).find(isWanted);
    } catch (error) {
      ignore(this.parts.log, error, 'the failure itself is told');
      return undefined;
    }
  }

  #failedText(failed: readonly FailedResend[], sent: number): string {
    return failedResendText(failed, sent, ({ agentId }) => this.#name(agentId));
  }

  #hold(id: AgentId): void {
    this.#underWay.set(id, (this.#underWay.get(id) ?? 0) + 1);
  }

  #release(id: AgentId): void {
    const count = (this.#underWay.get(id) ?? 1) - 1;
    if (count > 0) this.#underWay.set(id, count);
    else this.#underWay.delete(id);
  }

  #name(id: AgentId): string {
    return this.parts.engine.agent(id)?.name ?? id;
  }
}

/** Nothing was typed and nothing is kept. Of a lost connection nobody knows. */
function isRefusal(error: unknown): boolean {
  return error instanceof OrchestratorError && !GatewayError.is(error) && !hasReceipt(error);
}

/** The text stays in the receipts of the agent, to be sent again from there. */
function hasReceipt(error: unknown): boolean {
  const isKept = AgentError.is(error, 'agent.deliveryFailed') || AgentError.is(error, 'agent.deliveryUnknown');
  return isKept || isCancellation(error);
}

/** What is in the way can be allowed or denied from this window. */
export function isAnswerable(view: AgentView | undefined): boolean {
  return view?.request !== undefined && (isAllowable(view.request) || isDeniable(view.request));
}

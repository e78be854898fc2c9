import type { AgentId } from '../../core/agents/agent';
import type { PromptReceipt } from '../../core/agents/delivery/promptDelivery';
import type { Clock } from '../../core/base/clock';
import type { Engine } from '../../core/engine';
import { ageWords } from '../agents/agentTooltip';
import { COMMAND_TITLES } from '../commandTitles';
import { CommandId } from '../manifest';
import type { Choice, DocumentsPort, WindowPort } from '../notices/windowPort';
import type { PromptSender } from './promptSender';
import { isResendable, receiptLine, receiptsText } from './receiptText';

export interface ReceiptDeskParts {
  readonly engine: Engine;
  readonly window: WindowPort;
  readonly documents: DocumentsPort;
  readonly sender: PromptSender;
  readonly clock: Clock;
}

const ALL = 'all';
/** More are in the document. */
const LONGEST_LIST = 30;

/** What a person does with the receipts of an agent: look, take back what waits, send again what was lost, settle what is not known. */
export class ReceiptDesk {
  constructor(private readonly parts: ReceiptDeskParts) {}

  /** The list, with the actions of the one that is picked. */
  async show(id: AgentId): Promise<void> {
    const { engine, window } = this.parts;
    const receipts = await engine.receipts(id);
    const choices = [
      { id: ALL, label: 'Show All as a Document', description: `${receipts.length} kept` },
      ...this.#choices(receipts.slice(0, LONGEST_LIST)),
    ];
    const picked = await window.choose(
      this.#title(CommandId.ShowReceipts, id),
      'Choose a prompt to act on it',
      choices,
    );
    if (picked === ALL) return this.#document(id, receipts);
    const receipt = receipts.find((candidate) => candidate.id === picked);
    if (receipt) await this.#act(receipt);
  }

  /** Takes back what waits: the one, or those that are picked. */
  async cancelQueued(id: AgentId): Promise<void> {
    const { engine, window } = this.parts;
    const waiting = (await engine.receipts(id)).filter(({ state }) => state === 'queued');
    const [first] = waiting;
    if (!first) return this.#sayNone(`No prompt waits for ${this.#name(id)}.`);
    if (waiting.length === 1) return engine.cancelPrompt(first.id);
    const all: Choice = { id: ALL, label: 'All of Them', description: `${waiting.length} prompts` };
    const question = this.#title(CommandId.CancelQueuedPrompt, id);
    const picked = await window.choose(question, 'Nothing of these was typed yet', [all, ...this.#choices(waiting)]);
    const wanted = waiting.filter((receipt) => picked === ALL || receipt.id === picked);
    for (const receipt of wanted) await engine.cancelPrompt(receipt.id);
  }

  /** Sends again what did not arrive. */
  async resend(id: AgentId): Promise<void> {
    const lost = (await this.parts.engine.receipts(id)).filter(isResendable);
    const [first] = lost;
    if (!first) return this.#sayNone(`No prompt to ${this.#name(id)} was lost.`);
    if (lost.length === 1) return this.#resend(first);
    const question = this.#title(CommandId.ResendPrompt, id);
    const picked = await this.parts.window.choose(
      question,
      'These did not arrive, or may not have',
      this.#choices(lost),
    );
    const receipt = lost.find((candidate) => candidate.id === picked);
    if (receipt) await this.#resend(receipt);
  }

  /** Of a `delivery_unknown` the person says first what became of it. */
  async #resend(receipt: PromptReceipt): Promise<void> {
    if (receipt.state === 'delivery_unknown') await this.parts.sender.settle(receipt);
    else await this.parts.sender.resend(receipt);
  }

  async #act(receipt: PromptReceipt): Promise<void> {
    const { engine, window } = this.parts;
    const isOpen = isResendable(receipt);
    if (isOpen && receipt.state === 'delivery_unknown') return void (await this.parts.sender.settle(receipt));
    const choices: Choice[] = [{ id: 'show', label: 'Show as a Document' }];
    if (receipt.state === 'queued')
      choices.unshift({ id: 'cancel', label: 'Take It Back', detail: 'Nothing was typed yet' });
    if (isOpen) choices.unshift({ id: 'resend', label: 'Send Again', detail: 'As a new delivery of the same text' });
    const picked = choices.length === 1 ? 'show' : await window.choose(receiptLine(receipt), receipt.excerpt, choices);
    if (picked === 'cancel') await engine.cancelPrompt(receipt.id);
    if (picked === 'resend') await this.#resend(receipt);
    if (picked === 'show') await this.#document(receipt.agentId, [receipt]);
  }

  async #document(id: AgentId, receipts: readonly PromptReceipt[]): Promise<void> {
    const name = this.#name(id);
    await this.parts.documents.show(`Prompts of ${name}.txt`, receiptsText(name, receipts), `prompts ${id}`);
  }

  #choices(receipts: readonly PromptReceipt[]): readonly Choice[] {
    const nowMs = this.parts.clock.nowMs();
    return receipts.map((receipt) => ({
      id: receipt.id,
      label: receipt.excerpt || '(no text)',
      description: ageWords(nowMs - receipt.createdAtMs),
      detail: receiptLine(receipt),
    }));
  }

  async #sayNone(text: string): Promise<void> {
    await this.parts.window.show('information', text, []);
  }

  /** The title of the command, and whose prompts it is about. */
  #title(command: CommandId, id: AgentId): string {
    return `${COMMAND_TITLES[command]}: ${this.#name(id)}`;
  }

  #name(id: AgentId): string {
    return this.parts.engine.agent(id)?.name ?? id;
  }
}

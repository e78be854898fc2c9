import type { AgentId } from '../../core/agents/agent';
import type { PromptReceipt } from '../../core/agents/delivery/promptDelivery';
import type { Engine, FleetResult, ReturnedAgent } from '../../core/engine';
import { CommandId } from '../manifest';
import type { DocumentsPort, WindowPort } from '../notices/windowPort';
import type { PromptSender } from '../prompts/promptSender';
import { receiptLine } from '../prompts/receiptText';
import {
  type FailedReturn,
  hasLosses,
  INTERRUPTED,
  interruptedPromptsOf,
  isCertainlyLost,
  lostPromptsOf,
  returnDocument,
  returnText,
} from './resumeText';

export const SEND_AGAIN = 'Send Again…';
const SHOW = 'Show';
const ATTACH = 'Attach';
const SHOW_LOG = 'Show Log';
const FILE_NAME = 'Brought Back.txt';
const HINT = 'What has arrived, or may have, is not picked';
const NOTHING_LEFT = 'Nothing is left to send again: these prompts have arrived, or were sent again since.';

export interface ResumeDeskParts {
  readonly engine: Engine;
  readonly window: WindowPort;
  readonly documents: DocumentsPort;
  readonly sender: PromptSender;
}

/** Brings agents back into their own conversations, says what these have lost, and offers to send again what had not arrived or was not answered. */
export class ResumeDesk {
  constructor(private readonly parts: ResumeDeskParts) {}

  /** @throws {AgentError} agent.cannotResume and whatever a start throws */
  async resume(id: AgentId): Promise<void> {
    const { engine, window } = this.parts;
    const name = engine.agent(id)?.name ?? id;
    const report = await window.progress(`Resuming the conversation of ${name}`, (signal) =>
      engine.resumeSession(id, signal),
    );
    const returned: readonly ReturnedAgent[] = [{ agentId: id, name, report }];
    if (hasLosses(returned)) await this.#tell(returnText(returned), returned, [], [ATTACH]); // else the row says it all
  }

  /** One message about a whole fleet: who came back and how, what was lost, what failed. Never rejects. */
  async tellFleet({ returned = [], failed, isCanceled }: FleetResult): Promise<void> {
    const text = `${isCanceled ? 'Cancelled. ' : ''}${returnText(returned, failed)}`;
    await this.#tell(text, returned, failed, failed.length > 0 ? [SHOW_LOG] : []);
  }

  async #tell(
    text: string,
    returned: readonly ReturnedAgent[],
    failed: readonly FailedReturn[],
    more: readonly string[],
  ): Promise<void> {
    const { window, documents } = this.parts;
    const lost = lostPromptsOf(returned);
    const interrupted = interruptedPromptsOf(returned);
    const severity = failed.length > 0 ? 'error' : 'information';
    const buttons = [
      ...(lost.length + interrupted.length > 0 ? [SEND_AGAIN] : []),
      ...(hasLosses(returned) || returned.length + failed.length > 1 ? [SHOW] : []),
      ...more,
    ];
    const answer = await window.show(severity, text, buttons);
    const [first] = returned;
    if (answer === SEND_AGAIN) await this.sendAgain(lost, interrupted);
    if (answer === SHOW) await documents.show(FILE_NAME, returnDocument(returned, failed));
    if (answer === SHOW_LOG) window.run(CommandId.ShowLog);
    if (answer === ATTACH && first) window.run(CommandId.AttachAgent, first.agentId);
  }

  /**
   * Of these what can be sent again by now. What certainly did not arrive is picked already; what may have arrived, and what would be in its
   * conversation a second time, is sent again only when the person picks it. Never rejects.
   */
  async sendAgain(lost: readonly PromptReceipt[], interrupted: readonly PromptReceipt[] = []): Promise<void> {
    const { engine, window, sender } = this.parts;
    const open = await sender.resendable([...interrupted, ...lost]);
    if (!open) return;
    if (open.length === 0) return void (await window.show('information', NOTHING_LEFT, []));
    const choices = open.map((receipt) => ({
      id: receipt.id,
      label: receipt.excerpt || '(no text)',
      description: engine.agent(receipt.agentId)?.name ?? receipt.agentId,
      detail: choiceDetail(receipt),
      isPicked: isCertainlyLost(receipt),
    }));
    const picked = await window.chooseMany('Send Again', HINT, choices);
    await sender.resendAll(open.filter(({ id }) => picked?.includes(id)));
  }
}

/** Why it is picked or not. */
function choiceDetail(receipt: PromptReceipt): string {
  if (receipt.state === 'acknowledged') return `${INTERRUPTED}: send it a second time`;
  const line = receiptLine(receipt);
  return receipt.state === 'delivery_unknown' ? `It may have arrived: look at the agent first; ${line}` : line;
}

import type { AgentId } from '../../core/agents/agent';
import type { Engine, ResumeReport } from '../../core/engine';
import { CommandId } from '../manifest';
import type { WindowPort } from '../notices/windowPort';
import type { PromptSender } from '../prompts/promptSender';

const SEND_AGAIN = 'Send Them Again';
const ATTACH = 'Attach';

export interface ResumeDeskParts {
  readonly engine: Engine;
  readonly window: WindowPort;
  readonly sender: PromptSender;
}

/** Brings an agent back into its own conversation, says what that has lost, and offers to send again what had not arrived. */
export class ResumeDesk {
  constructor(private readonly parts: ResumeDeskParts) {}

  /** @throws {AgentError} agent.cannotResume and whatever a start throws */
  async resume(id: AgentId): Promise<void> {
    const { engine, window, sender } = this.parts;
    const name = engine.agent(id)?.name ?? id;
    const report = await window.progress(`Resuming the conversation of ${name}`, (signal) =>
      engine.resumeSession(id, signal),
    );
    const text = lossText(name, report);
    if (text === undefined) return; // the row says it all
    const buttons = report.lostPrompts.length > 0 ? [SEND_AGAIN, ATTACH] : [ATTACH];
    const answer = await window.show('information', text, buttons);
    if (answer === ATTACH) window.run(CommandId.AttachAgent, id);
    if (answer !== SEND_AGAIN) return;
    const inOrder = [...report.lostPrompts].sort((a, b) => a.createdAtMs - b.createdAtMs);
    for (const receipt of inOrder) await sender.resend(receipt, 'queue');
  }
}

/** `Reviewer is back in its conversation. Lost: …`; undefined when nothing is lost. */
export function lossText(name: string, { losses, lostPrompts }: ResumeReport): string | undefined {
  const count = lostPrompts.length;
  const prompts =
    count === 0
      ? []
      : [count === 1 ? '1 prompt did not arrive before it ended' : `${count} prompts did not arrive before it ended`];
  const all = [...losses, ...prompts];
  return all.length === 0 ? undefined : `${name} is back in its conversation. Lost: ${all.join('; ')}.`;
}

import type { AgentId } from '../../core/agents/agent';
import type { Engine } from '../../core/engine';
import type { AgentFilter } from '../commands/agentPicker';
import type { AgentTargets } from '../commands/agentTargets';
import { demandControl } from '../commands/control';
import type { CommandHandlers } from '../commands/registerCommands';
import { type AgentCommand, CommandId } from '../manifest';
import type { ApprovalDesk } from './approvalDesk';

export interface ApprovalCommandParts {
  readonly engine: Engine;
  readonly targets: AgentTargets;
  readonly desk: ApprovalDesk;
}

const asks: AgentFilter = (agent) => !agent.isManagedElsewhere && agent.request !== undefined;

/** Commands that answer what one agent asks. Never several at once: each request is read by itself. */
export function approvalCommands({ engine, targets, desk }: ApprovalCommandParts): CommandHandlers {
  const withOne =
    (command: CommandId, act: (id: AgentId) => Promise<void>): AgentCommand =>
    async (row) => {
      demandControl(engine);
      const id = await targets.one(command, asks, row);
      if (id !== undefined) await act(id);
    };
  return {
    [CommandId.ReviewRequest]: withOne(CommandId.ReviewRequest, (id) => desk.review(id)),
    [CommandId.ApproveRequest]: withOne(CommandId.ApproveRequest, (id) => desk.approve(id)),
    [CommandId.DenyRequest]: withOne(CommandId.DenyRequest, (id) => desk.deny(id)),
    [CommandId.DenyRequestWithReason]: withOne(CommandId.DenyRequestWithReason, (id) => desk.denyWithReason(id)),
  };
}

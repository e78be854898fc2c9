import type { AgentId } from '../../core/agents/agent';
import type { Engine } from '../../core/engine';
import type { AgentFilter } from '../commands/agentPicker';
import { type AgentTargets, idOf } from '../commands/agentTargets';
import { demandControl } from '../commands/control';
import { COMMAND_TITLES } from '../commandTitles';
import type { CommandHandlers } from '../commands/registerCommands';
import { type AgentCommand, CommandId } from '../manifest';
import type { ApprovalDesk } from './approvalDesk';
import { asks, canApprove, canDeny, canDenyWithReason } from './requestFilters';

export interface ApprovalCommandParts {
  readonly engine: Engine;
  readonly targets: AgentTargets;
  readonly desk: ApprovalDesk;
}

/** Commands that answer what one agent asks. Never several at once: each request is read by itself. */
export function approvalCommands({ engine, targets, desk }: ApprovalCommandParts): CommandHandlers {
  const withOne =
    (command: CommandId, filter: AgentFilter, act: (id: AgentId) => Promise<void>): AgentCommand =>
    async (row) => {
      demandControl(engine);
      if (idOf(row) === undefined && !engine.agents.some(filter) && engine.agents.some(asks)) {
        const deniable = command === CommandId.DenyRequestWithReason ? engine.agents.filter(canDeny) : [];
        if (deniable.length > 0) return desk.sayNoReason(COMMAND_TITLES[command], deniable);
        return desk.sayOthers(COMMAND_TITLES[command], engine.agents.filter(asks));
      }
      const id = await targets.one(command, filter, row);
      if (id !== undefined) await act(id);
    };
  return {
    [CommandId.ReviewRequest]: withOne(CommandId.ReviewRequest, asks, (id) => desk.review(id)),
    [CommandId.ApproveRequest]: withOne(CommandId.ApproveRequest, canApprove, (id) => desk.approve(id)),
    [CommandId.DenyRequest]: withOne(CommandId.DenyRequest, canDeny, (id) => desk.deny(id)),
    [CommandId.DenyRequestWithReason]: withOne(CommandId.DenyRequestWithReason, canDenyWithReason, (id) =>
      desk.denyWithReason(id),
    ),
  };
}

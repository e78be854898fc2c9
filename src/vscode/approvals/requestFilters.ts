import type { AgentView } from '../../core/engine';
import { isManaged } from '../commands/agentFilters';
import type { AgentFilter } from '../commands/agentPicker';
import { isAllowable, isDeniable, isDrawn } from './requestText';

type Request = NonNullable<AgentView['request']>;

/** What can be answered in this way from here, or can be once its dialog is drawn. */
const asking =
  (canBe: (request: Request) => boolean): AgentFilter =>
  (agent) =>
    isManaged(agent) && agent.request !== undefined && (canBe(agent.request) || !isDrawn(agent.request));

/** It asks something, a permission or a question. */
export const asks: AgentFilter = asking(() => true);
/** It has a permission request: a question is never approved. */
export const canApprove: AgentFilter = (agent) => agent.request?.kind === 'permission' && asking(isAllowable)(agent);
export const canDeny: AgentFilter = asking(isDeniable);
export const canDenyWithReason: AgentFilter = asking((request) => isDeniable(request) && request.canGiveReason);

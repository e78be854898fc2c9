import { isEnded, isLive } from '../agents/agentText';
import type { AgentFilter } from './agentPicker';

/** Which agents each command is offered for: those that the engine takes it for. */
export const isManaged: AgentFilter = (agent) => !agent.isManagedElsewhere;
const isWaitingToStart: AgentFilter = (agent) => agent.lifecycle === 'backoff';

export const canPause: AgentFilter = (agent) => isManaged(agent) && agent.lifecycle === 'running';
export const canResume: AgentFilter = (agent) => isManaged(agent) && agent.lifecycle === 'paused';
export const canStop: AgentFilter = (agent) =>
  isManaged(agent) && (isLive(agent) || isWaitingToStart(agent) || agent.lifecycle === 'quarantined');
/** A person need not wait for a restart that is to come. */
export const canStart: AgentFilter = (agent) => isManaged(agent) && (isEnded(agent) || isWaitingToStart(agent));
export const canRestart: AgentFilter = (agent) => isManaged(agent) && (isLive(agent) || isWaitingToStart(agent));
export const isResumable: AgentFilter = (agent) => isManaged(agent) && agent.isResumable;
export const isQuarantined: AgentFilter = (agent) => isManaged(agent) && agent.lifecycle === 'quarantined';

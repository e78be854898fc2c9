import { nameKey } from '../../core/agents/agentSpec';
import type { AgentView, FleetPlan } from '../../core/engine';

/** Agents that were started for an entry of a fleet file and that `plan` does not name: those a person started are not among them. */
export function leftOut(plan: FleetPlan, agents: readonly AgentView[]): readonly AgentView[] {
  const isNamed = namedBy(plan);
  return agents.filter((agent) => agent.fleetName !== undefined && !isNamed(agent));
}

/** `Scout is not in the fleet file any more. It stays until you remove it.` */
export function leftOutText(agents: readonly AgentView[]): string {
  const names = agents.map(({ name }) => name).join(', ');
  return agents.length === 1
    ? `${names} is not in the fleet file any more. It stays until you remove it.`
    : `${agents.length} agents are not in the fleet file any more: ${names}. They stay until you remove them.`;
}

/**
 * By the entry that it was started for, or as the one that the plan found for an entry that was renamed (`matchFleet`). The name of the agent
 * itself says nothing: an agent that a person started may be called like an entry.
 */
function namedBy(plan: FleetPlan): (agent: AgentView) => boolean {
  const names = new Set(plan.agents.map(({ spec }) => nameKey(spec.name)));
  const ids = new Set(plan.agents.map(({ existing }) => existing));
  return ({ id, fleetName }) => fleetName !== undefined && (names.has(nameKey(fleetName)) || ids.has(id));
}

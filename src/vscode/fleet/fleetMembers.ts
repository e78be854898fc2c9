import { nameKey } from '../../core/agents/agentSpec';
import type { AgentView, FleetPlan } from '../../core/engine';
import type { Memory } from '../notices/windowPort';

export const MEMBERS_KEY = 'coreOrchestrator.fleetMembers';

/** Remembers which agents came from a fleet file, so that those it no longer names can be told from those a person started. */
export class FleetMembers {
  constructor(
    /** Of this workspace. */
    private readonly memory: Memory,
  ) {}

  /** Agents of an earlier fleet that are still there and that `plan` does not name. */
  leftOut(plan: FleetPlan, agents: readonly AgentView[]): readonly AgentView[] {
    const isNamed = namedBy(plan);
    const members = new Set(this.#remembered());
    return agents.filter((agent) => members.has(agent.id) && !isNamed(agent));
  }

  /** Call after {@link leftOut}: what was left out once stays known as long as it is there. */
  remember(plan: FleetPlan, agents: readonly AgentView[]): void {
    const isNamed = namedBy(plan);
    const earlier = new Set(this.#remembered());
    const members = agents.filter((agent) => isNamed(agent) || earlier.has(agent.id)).map(({ id }) => id);
    this.memory.set(MEMBERS_KEY, members);
  }

  #remembered(): readonly string[] {
    const stored = this.memory.get(MEMBERS_KEY);
    return Array.isArray(stored) ? stored.filter((id): id is string => typeof id === 'string') : [];
  }
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

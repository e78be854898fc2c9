import type { AgentId, AgentRecord, AgentSpec } from './agents/agent';
import { nameKey, parseAgentSpec } from './agents/agentSpec';

/** What is here for one entry of a fleet file. */
export interface FleetMatch {
  readonly id: AgentId;
  /** False: it only has the name; it is another agent, which a person started or another file brought. */
  readonly isSame: boolean;
}

/** An agent as far as it decides whose it is. */
export type FleetCandidate = Pick<AgentRecord, 'id' | 'spec' | 'fleetName'>;

/**
 * Which agents are those of a fleet file, by the names of its entries. An agent is an entry's if it was started for it (`fleetName`, which
 * stays when a person renames the agent); else if it has the entry's name and came from a fleet whose entry was renamed with it, or is in
 * everything what the entry says. One agent is never two entries'. Ids say nothing: `C++ Dev` and `C# Dev` begin with the same.
 */
export function matchFleet(
  specs: readonly AgentSpec[],
  agents: readonly FleetCandidate[],
): ReadonlyMap<string, FleetMatch> {
  const matches = new Map<string, FleetMatch>();
  const claimed = new Set<AgentId>();
  for (const { name } of specs) {
    const own = agents.filter(({ fleetName }) => fleetName !== undefined && nameKey(fleetName) === nameKey(name));
    const found = own.find((agent) => nameKey(agent.spec.name) === nameKey(name)) ?? own[0];
    if (!found) continue;
    claimed.add(found.id);
    matches.set(name, { id: found.id, isSame: true });
  }
  for (const spec of specs) {
    if (matches.has(spec.name)) continue;
    const named = agents.find((agent) => nameKey(agent.spec.name) === nameKey(spec.name));
    if (!named) continue;
    const isSame = !claimed.has(named.id) && (named.fleetName !== undefined || isEqual(named.spec, spec));
    if (isSame) claimed.add(named.id);
    matches.set(spec.name, { id: named.id, isSame });
  }
  return matches;
}

/** In everything but the case of the name. */
function isEqual(kept: AgentSpec, wanted: AgentSpec): boolean {
  const [one, other] = [parseAgentSpec({ ...kept, name: wanted.name }), parseAgentSpec(wanted)];
  return one.ok && other.ok && JSON.stringify(one.spec) === JSON.stringify(other.spec);
}

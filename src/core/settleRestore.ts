import type { AgentId, AgentRecord } from './agents/agent';
import { type AfterRestorePorts, wantWhatIs } from './afterRestore';
import { describeError } from './base/errors';
import type { Logger } from './base/log';
import { AGENTS } from './dataAgentStore';
import type { Collection, KeptRecord } from './data/dataStore';
import { FLEET_TYPES, type FleetTypes } from './fleetTypes';
import type { RestoredStore } from './workspace';

export interface SettleRestorePorts extends AfterRestorePorts {
  readonly fleetTypes: Pick<FleetTypes, 'has' | 'adopt'>;
}

/**
 * What an owner does once when a backup has taken the place of the store, before agents are adopted: the agents that live are carried over
 * ({@link wantWhatIs}), and of the types that came with fleet files those without which they could not be read or started again.
 * @throws what the host and the store throw; then it is done again at the next opening
 */
export async function settleRestore(ports: SettleRestorePorts, restored: RestoredStore): Promise<void> {
  const { fleetTypes, log } = ports;
  const { backup, former = [], settle } = restored;
  const agents = new Map<AgentId, AgentRecord>();
  for (const { id, value } of parsed(former, AGENTS, log)) {
    if (id !== value.id || !agents.has(value.id)) agents.set(value.id, value); // one beside a damaged record was written later
  }
  const carried = await wantWhatIs(ports, { agents, backup });
  const needed = new Set(carried.map(({ spec }) => spec.typeId));
  for (const { value } of parsed(former, FLEET_TYPES, log)) {
    if (!needed.has(value.id) || fleetTypes.has(value.id)) continue;
    try {
      await fleetTypes.adopt(value);
    } catch (error) {
      log.warn('an agent type was not carried over by a restore', { type: value.id, error: describeError(error) });
    }
  }
  settle();
}

/** Without what this version does not take: then the agent is shown under its id, and its type asked for again. */
function parsed<T>(
  records: readonly KeptRecord[],
  { kind, parse }: Collection<T>,
  log: Logger,
): readonly { readonly id: string; readonly value: T }[] {
  return records.flatMap(({ kind: of, id, json }) => {
    if (of !== kind) return [];
    try {
      return [{ id, value: parse(JSON.parse(json)) }];
    } catch (error) {
      log.warn('a record of the former store was not carried over', { kind, id, error: describeError(error) });
      return [];
    }
  });
}

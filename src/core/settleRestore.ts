import type { AgentId, AgentRecord } from './agents/agent';
import { type AfterRestorePorts, wantWhatIs } from './afterRestore';
import { describeError } from './base/errors';
import { AGENTS } from './dataAgentStore';
import { parseFormer } from './formerRecords';
import { FLEET_TYPES, type FleetTypes } from './fleetTypes';
import { settleDeliveries, type SettleDeliveriesPorts } from './settleDeliveries';
import type { RestoredStore } from './workspace';

export interface SettleRestorePorts extends AfterRestorePorts, SettleDeliveriesPorts {
  readonly fleetTypes: Pick<FleetTypes, 'adopt'>;
}

/**
 * What an owner does once when a backup has taken the place of the store, before agents are adopted: the agents that live are carried over
 * ({@link wantWhatIs}), of the types that came with fleet files those that they were started as, and what became of prompts
 * ({@link settleDeliveries}). Returns what a person must know, in sentences.
 * @throws what the host and the store throw; then it is done again at the next opening
 */
export async function settleRestore(ports: SettleRestorePorts, restored: RestoredStore): Promise<readonly string[]> {
  const { fleetTypes, log } = ports;
  const { backup, former = [], settle } = restored;
  const agents = new Map<AgentId, AgentRecord>();
  for (const { id, value } of parseFormer(former, AGENTS, log)) {
    if (id !== value.id || !agents.has(value.id)) agents.set(value.id, value); // one beside a damaged record was written later
  }
  const { carried, living } = await wantWhatIs(ports, { agents, backup });
  const needed = new Set(carried.map(({ record }) => record.spec.typeId));
  for (const { value } of parseFormer(former, FLEET_TYPES, log)) {
    if (!needed.has(value.id)) continue;
    try {
      await fleetTypes.adopt(value); // what runs was started as this one, also where the backup has an older one of its id
    } catch (error) {
      log.warn('an agent type was not carried over by a restore', { type: value.id, error: describeError(error) });
    }
  }
  await settleDeliveries(ports, restored, living);
  settle();
  return carried.flatMap(({ record, wasCalled }) =>
    wasCalled === undefined ? [] : [`"${wasCalled}" is called "${record.spec.name}" now, since its name is taken.`],
  );
}

import { AgentError } from './agents/agentErrors';
import type { AgentChange, AgentId, AgentRecord } from './agents/agent';
import type { AgentStore, Approval } from './agents/agentStore';
import { DataError } from './data/dataErrors';
import type { Collection, DataStore } from './data/dataStore';

/** Checked on the way in and out: enough to never hand a foreign shape to the supervisor. */
function objectWith<T>(
  what: string,
  fields: Readonly<Record<string, 'string' | 'number' | 'object'>>,
): (value: unknown) => T {
  return (value) => {
    if (typeof value !== 'object' || value === null) throw new DataError('data.invalid', `${what} is not an object`);
    const bad = Object.entries(fields).filter(
      ([key, type]) =>
        typeof (value as Record<string, unknown>)[key] !== type || (value as Record<string, unknown>)[key] === null,
    );
    if (bad.length > 0) throw new DataError('data.invalid', `${what} lacks ${bad.map(([key]) => key).join(', ')}`);
    return value as T; // every field that the code relies on was checked above
  };
}

export const AGENTS: Collection<AgentRecord> = {
  kind: 'agent',
  indexes: ['lifecycle'],
  parse: objectWith('agent', {
    id: 'string',
    spec: 'object',
    desired: 'string',
    lifecycle: 'string',
    activity: 'string',
    generation: 'number',
    evidence: 'object',
    restartsAtMs: 'object',
  }),
};

export const AGENT_CHANGES: Collection<AgentChange> = {
  kind: 'agentChange',
  indexes: ['agentId'],
  parse: objectWith('agent change', {
    id: 'string',
    agentId: 'string',
    generation: 'number',
    from: 'object',
    to: 'object',
  }),
};

export const APPROVALS: Collection<Approval> = {
  kind: 'approval',
  indexes: [],
  parse: objectWith('approval', { hash: 'string', shown: 'string', approvedAtMs: 'number' }),
};

/** The agents module's store on the workspace's DataStore. */
export class DataAgentStore implements AgentStore {
  constructor(private readonly store: DataStore) {}

  async load(): Promise<readonly AgentRecord[]> {
    const records = await this.store.find(AGENTS);
    return records
      .map((record) => record.value)
      .sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  }

  async save(
    record: AgentRecord,
    changes: readonly AgentChange[],
    expectedGeneration: number | undefined,
  ): Promise<void> {
    await this.store.tx((tx) => {
      const stored = tx.get(AGENTS, record.id);
      if (stored?.value.generation !== expectedGeneration) {
        throw new AgentError(
          'agent.conflict',
          `generation ${String(expectedGeneration)} was expected, ${String(stored?.value.generation)} is stored`,
          { agentId: record.id },
        );
      }
      tx.put(AGENTS, record.id, record);
      for (const change of changes) tx.put(AGENT_CHANGES, change.id, change);
    });
  }

  async changes(agentId: AgentId, limit: number): Promise<readonly AgentChange[]> {
    const records = await this.store.find(AGENT_CHANGES, {
      where: { agentId },
      orderBy: 'id',
      descending: true,
      limit,
    });
    return records.map((record) => record.value);
  }

  async forgetChanges(agentId: AgentId): Promise<void> {
    await this.store.tx((tx) => {
      for (const record of tx.find(AGENT_CHANGES, { where: { agentId } })) tx.delete(AGENT_CHANGES, record.id);
    });
  }

  async getApproval(hash: string): Promise<Approval | undefined> {
    return (await this.store.get(APPROVALS, hash))?.value;
  }

  async putApproval(approval: Approval): Promise<void> {
    await this.store.tx((tx) => tx.put(APPROVALS, approval.hash, approval));
  }
}

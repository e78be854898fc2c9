import { AgentError } from './agents/agentErrors';
import { type AgentChange, type AgentId, type AgentRecord, isAgentId } from './agents/agent';
import type { AgentStore, Approval } from './agents/agentStore';
import type { AnsweredRequest } from './agents/answeredRequest';
import { type DamagedRecords, findReadable, getReadable, newest, putAnew } from './damagedRecords';
import { DataError } from './data/dataErrors';
import type { Collection, DataStore, Tx } from './data/dataStore';

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
  texts: ['spec.name', 'spec.role', 'spec.team', 'spec.folder', 'spec.firstPrompt'],
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
  indexes: ['agentId', 'atMs'],
  texts: ['reason', 'evidence.*.detail'],
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
  // It names environment variables with their values. In stores of before the values were searched, too: that this is another declaration
  // has their index made anew, and until that is done no hit by such a word holds when it is checked on its record.
  texts: ['shown~'],
  parse: objectWith('approval', { hash: 'string', shown: 'string', approvedAtMs: 'number' }),
};

export const ANSWERS: Collection<AnsweredRequest> = {
  kind: 'answer',
  indexes: ['agentId', 'answeredAtMs'],
  texts: ['shown', 'title', 'reason'],
  parse: objectWith('answer', { id: 'string', agentId: 'string', shown: 'string', answeredAtMs: 'number' }),
};

/** Where the record of an agent is kept whose first one is damaged: that one stays as it is. No agent id contains a space. */
const besideDamaged = (id: AgentId): string => `${id} (recovered)`;

/** The agents module's store on the workspace's DataStore. */
export class DataAgentStore implements AgentStore {
  readonly #unreadableIds = new Set<AgentId>();
  /** Agents whose record is not kept under their id. */
  readonly #besideDamaged = new Set<AgentId>();

  constructor(
    private readonly store: DataStore,
    private readonly damage: DamagedRecords,
  ) {}

  get unreadableIds(): ReadonlySet<AgentId> {
    return this.#unreadableIds;
  }

  async load(): Promise<readonly AgentRecord[]> {
    const { records, damagedIds } = await findReadable(this.store, this.damage, AGENTS);
    const found = new Map<AgentId, AgentRecord>();
    for (const { id, value } of records) {
      const isBeside = id === besideDamaged(value.id);
      if (isBeside) this.#besideDamaged.add(value.id);
      if (isBeside || !found.has(value.id)) found.set(value.id, value); // the one beside was written later
    }
    for (const id of damagedIds.filter(isAgentId)) {
      this.#besideDamaged.add(id);
      if (!found.has(id)) this.#unreadableIds.add(id);
    }
    return [...found.values()].sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  }

  async save(
    record: AgentRecord,
    changes: readonly AgentChange[],
    expectedGeneration: number | undefined,
  ): Promise<void> {
    const key = this.#besideDamaged.has(record.id) ? besideDamaged(record.id) : record.id;
    const work = (tx: Tx): void => {
      const stored = tx.get(AGENTS, key);
      if (stored?.value.generation !== expectedGeneration) {
        throw new AgentError(
          'agent.conflict',
          `generation ${String(expectedGeneration)} was expected, ${String(stored?.value.generation)} is stored`,
          { agentId: record.id },
        );
      }
      tx.put(AGENTS, key, record);
      for (const change of changes) tx.put(AGENT_CHANGES, change.id, change);
    };
    await this.damage.watch(AGENTS.kind, record.id, () => this.store.tx(work));
    this.#unreadableIds.delete(record.id);
  }

  async changes(agentId: AgentId, limit: number): Promise<readonly AgentChange[]> {
    try {
      const query = { where: { agentId }, orderBy: 'id', descending: true, limit } as const;
      return (await this.store.find(AGENT_CHANGES, query)).map((record) => record.value);
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      const { records } = await findReadable(this.store, this.damage, AGENT_CHANGES, { agentId });
      return newest(records, limit).map((record) => record.value);
    }
  }

  async forgetChanges(agentId: AgentId): Promise<void> {
    const { records } = await findReadable(this.store, this.damage, AGENT_CHANGES, { agentId });
    await this.store.tx((tx) => {
      for (const record of records) tx.delete(AGENT_CHANGES, record.id);
    });
  }

  async getApproval(hash: string): Promise<Approval | undefined> {
    return (await getReadable(this.store, this.damage, APPROVALS, hash))?.value; // what cannot be read is asked for again
  }

  async putApproval(approval: Approval): Promise<void> {
    await putAnew(this.store, APPROVALS, approval.hash, approval);
  }

  async putAnswer(answer: AnsweredRequest): Promise<void> {
    await putAnew(this.store, ANSWERS, answer.id, answer);
  }
}

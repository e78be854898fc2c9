import type { Disposable } from '../base/disposable';
import { Emitter, type Event, type ListenerFailure } from '../base/event';
import type { AgentId, AgentRecord } from './agent';
import { AgentError } from './agentErrors';
import { nameKey } from './agentSpec';
import type { Agent } from './baseAgent';

/** A change of one agent: the agent, what was, what is. */
export interface AgentUpdate {
  readonly agent: Agent;
  readonly previous: AgentRecord;
  readonly current: AgentRecord;
}

/** The right to change records: exactly one is given out, to the AgentStateManager. */
export interface RegistryWriter {
  /** A record that is not there yet. A retired one only reserves its id. */
  add(record: AgentRecord): void;
  /** The next value of a record that is there. A retired one leaves the registry; its id stays reserved. */
  replace(record: AgentRecord): void;
  /** A removed one that comes back under its own id. */
  bringBack(record: AgentRecord): void;
}

/** Makes the agent object for a record; `read` gives its present value. */
export type AgentMaker = (id: AgentId, read: () => AgentRecord) => Agent;

/** Every agent of the workspace that is not removed. Reading is free; only the AgentStateManager writes. */
export class AgentRegistry implements Disposable {
  readonly #entries = new Map<AgentId, { readonly agent: Agent; record: AgentRecord }>();
  readonly #reserved = new Set<AgentId>();
  readonly #onDidAdd: Emitter<Agent>;
  readonly #onDidChange: Emitter<AgentUpdate>;
  readonly #onDidRemove: Emitter<AgentRecord>;
  #isClaimed = false;

  constructor(
    private readonly make: AgentMaker,
    onListenerFailure: ListenerFailure,
  ) {
    this.#onDidAdd = new Emitter(onListenerFailure);
    this.#onDidChange = new Emitter(onListenerFailure);
    this.#onDidRemove = new Emitter(onListenerFailure);
  }

  get onDidAdd(): Event<Agent> {
    return this.#onDidAdd.event;
  }

  get onDidChange(): Event<AgentUpdate> {
    return this.#onDidChange.event;
  }

  /** With the last record, whose lifecycle is `retired`. */
  get onDidRemove(): Event<AgentRecord> {
    return this.#onDidRemove.event;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** In order of creation. */
  list(): readonly Agent[] {
    return [...this.#entries.values()].map(({ agent }) => agent);
  }

  find(id: string): Agent | undefined {
    return this.#entries.get(id as AgentId)?.agent; // a key that is no AgentId is not in the map
  }

  /** @throws {AgentError} agent.notFound */
  get(id: string): Agent {
    const agent = this.find(id);
    if (!agent) throw new AgentError('agent.notFound', `no agent "${id.slice(0, 60)}"`, { agentId: id });
    return agent;
  }

  /** True for ids in use and for those of removed agents. */
  isIdTaken(id: AgentId): boolean {
    return this.#entries.has(id) || this.#reserved.has(id);
  }

  /** It was removed: its id is kept from everybody else. */
  isRemoved(id: AgentId): boolean {
    return this.#reserved.has(id);
  }

  /** Whether another agent than `except` already has this display name (case does not matter). */
  isNameTaken(name: string, except?: AgentId): boolean {
    const key = nameKey(name);
    return [...this.#entries.values()].some(({ record }) => record.id !== except && nameKey(record.spec.name) === key);
  }

  /** @throws {TypeError} when called a second time: there is one writer. */
  claimWriter(): RegistryWriter {
    if (this.#isClaimed) throw new TypeError('the registry has its writer');
    this.#isClaimed = true;
    return {
      add: (record) => this.#add(record),
      replace: (record) => this.#replace(record),
      bringBack: (record) => this.#bringBack(record),
    };
  }

  #add(record: AgentRecord): void {
    if (this.isIdTaken(record.id)) throw new TypeError(`agent ${record.id} is there already`);
    if (record.lifecycle === 'retired') {
      this.#reserved.add(record.id);
      return;
    }
    const cell = { record };
    const entry = Object.assign(cell, { agent: this.make(record.id, () => cell.record) });
    this.#entries.set(record.id, entry);
    this.#onDidAdd.fire(entry.agent);
  }

  #bringBack(record: AgentRecord): void {
    if (!this.isRemoved(record.id)) throw new TypeError(`agent ${record.id} was not removed`);
    this.#reserved.delete(record.id);
    this.#add(record);
  }

  #replace(record: AgentRecord): void {
    const entry = this.#entries.get(record.id);
    if (!entry) throw new TypeError(`agent ${record.id} is not there`);
    const previous = entry.record;
    entry.record = record;
    if (record.lifecycle === 'retired') {
      this.#entries.delete(record.id);
      this.#reserved.add(record.id);
      this.#onDidRemove.fire(record);
    } else {
      this.#onDidChange.fire({ agent: entry.agent, previous, current: record });
    }
  }

  dispose(): void {
    this.#onDidAdd.dispose();
    this.#onDidChange.dispose();
    this.#onDidRemove.dispose();
    this.#entries.clear();
  }
}

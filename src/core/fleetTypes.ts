import type { AgentType } from './agents/agentType';
import { requireAgentType } from './agents/agentTypeParser';
import type { AgentTypes } from './agentTypes';
import type { Disposable } from './base/disposable';
import { describeError } from './base/errors';
import type { Logger } from './base/log';
import { type DamagedRecords, findReadable, putAnew } from './damagedRecords';
import type { Collection, DataStore } from './data/dataStore';

/** Manifests that came with approved fleet files: their agents must be startable again without the file. */
export const FLEET_TYPES: Collection<AgentType> = { kind: 'fleetType', indexes: [], parse: requireAgentType };
/** Each is parsed by itself: one whose form is not taken must not keep the others, and all agents, from beginning. */
const AS_KEPT: Collection<unknown> = { kind: FLEET_TYPES.kind, indexes: [], parse: (value) => value };

/** Agent types from fleet files, known from the moment their fleet was approved and started, and kept. */
export class FleetTypes implements Disposable {
  readonly #registrations = new Map<string, { readonly text: string; readonly registration: Disposable }>();

  constructor(
    private readonly store: DataStore,
    private readonly types: AgentTypes,
    private readonly damage: DamagedRecords,
  ) {}

  has(typeId: string): boolean {
    return this.#registrations.has(typeId);
  }

  /** Registers what was kept. A type whose id meanwhile belongs to somebody else, or whose form is not taken, is left out and said. */
  async load(log: Logger): Promise<void> {
    const { records } = await findReadable(this.store, this.damage, AS_KEPT);
    const refused: string[] = [];
    for (const { id, value } of records) {
      let type: AgentType | undefined;
      try {
        type = requireAgentType(value);
        this.#register(type);
      } catch (error) {
        log.warn('an agent type of an earlier fleet is not available', { type: id, error: describeError(error) });
        if (!type) refused.push(id);
      }
    }
    this.damage.note(FLEET_TYPES.kind, refused);
  }

  /** @throws {AgentError} agent.typeInvalid – the id belongs to a type from elsewhere; and what the store throws */
  async adopt(type: AgentType): Promise<void> {
    if (this.#registrations.get(type.id)?.text === JSON.stringify(type)) return;
    this.#register(type);
    await putAnew(this.store, FLEET_TYPES, type.id, type);
  }

  #register(type: AgentType): void {
    this.#registrations.get(type.id)?.registration.dispose();
    this.#registrations.delete(type.id);
    this.#registrations.set(type.id, { text: JSON.stringify(type), registration: this.types.register(type) });
  }

  dispose(): void {
    for (const { registration } of this.#registrations.values()) registration.dispose();
    this.#registrations.clear();
  }
}

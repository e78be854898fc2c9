import { LIFECYCLE_WORDS } from '../../shared/stateWords';
import type { AgentId, AgentRecord, AgentSpec } from './agent';
import { AgentError } from './agentErrors';
import { agentIdFor, nameKey, requireAgentSpec } from './agentSpec';
import type { AgentStopper } from './agentStopper';
import { isLive } from './agentTransitions';
import type { Agent } from './baseAgent';
import { firstPromptNotice } from './firstPrompt';
import { type Ordered, orderEvidence, withOrder } from './orderEvidence';
import type { SupervisorContext } from './supervisorPorts';

/** Agents at rest that come from elsewhere. */
export interface Admission {
  /** Not there yet. */
  readonly added: readonly AgentRecord[];
  /** Removed here, under the same id: they come back. */
  readonly returned: readonly AgentRecord[];
  /** At rest here, as they will be. */
  readonly replaced: readonly AgentRecord[];
}

/** Who there is: creates, renames, changes and removes agents. Calls for one agent are made one at a time by the supervisor. */
export class AgentRoster {
  /** Ids and names of agents whose creation is on its way to the store. */
  readonly #claimed = new Map<AgentId, string>();
  #lastCreatedAtMs = 0;

  constructor(
    private readonly context: SupervisorContext,
    private readonly stopper: AgentStopper,
  ) {}

  /** @throws {AgentError} agent.invalidSpec, agent.nameTaken, agent.unknownType, and what the store throws */
  async create(spec: AgentSpec, actor: string, fleetName?: string): Promise<Agent> {
    const { factory, registry, state, store, clock } = this.context;
    const valid = requireAgentSpec(spec);
    factory.argv(valid); // type known, command given
    this.#requireFreeName(valid.name);
    const isTaken = (id: AgentId): boolean =>
      registry.isIdTaken(id) || this.#claimed.has(id) || store.unreadableIds.has(id);
    const id = agentIdFor(valid.name, isTaken);
    const nowMs = clock.nowMs();
    const record: AgentRecord = {
      id,
      spec: valid,
      ...(fleetName !== undefined && { fleetName }),
      desired: 'stopped',
      lifecycle: 'created',
      activity: 'unknown',
      generation: 0,
      reason: 'created',
      actor,
      evidence: [orderEvidence('created', actor, nowMs)],
      sinceMs: nowMs,
      createdAtMs: (this.#lastCreatedAtMs = Math.max(nowMs, this.#lastCreatedAtMs + 1)), // a fleet keeps its order
      restartsAtMs: [],
      isFirstPromptDone: valid.firstPrompt === undefined,
    };
    this.#claimed.set(id, valid.name);
    try {
      await state.create(record);
    } finally {
      this.#claimed.delete(id);
    }
    return registry.get(id);
  }

  /**
   * Takes in agents whose records `write` keeps; in the turn of those that are replaced.
   * @throws {AgentError} agent.nameTaken, agent.conflict (an id is taken, or not of a removed agent any more), agent.stillRunning; what `write`
   * throws. Nothing has changed then
   */
  async admit({ added, returned, replaced }: Admission, write: () => Promise<void>): Promise<void> {
    const { registry, state, store } = this.context;
    const claimed: AgentId[] = [];
    const claim = ({ id, spec, lifecycle }: AgentRecord, isFree: boolean): void => {
      if (!isFree || this.#claimed.has(id) || store.unreadableIds.has(id))
        throw new AgentError('agent.conflict', `the id ${id} is taken`, { agentId: id });
      if (lifecycle !== 'retired') this.#requireFreeName(spec.name);
      this.#claimed.set(id, spec.name);
      claimed.push(id);
    };
    try {
      for (const record of added) claim(record, !registry.isIdTaken(record.id));
      for (const record of returned) claim(record, registry.isRemoved(record.id));
      for (const { id, spec } of replaced) this.#requireReplaceable(registry.get(id), spec.name);
      await write();
      for (const record of [...added, ...returned]) state.admit(record);
    } finally {
      for (const id of claimed) this.#claimed.delete(id);
    }
    // Kept already: this is for those who have it in memory, and for its history.
    for (const { id, spec, sessionId, hasSessionTurn, isFirstPromptDone } of replaced) {
      const session = { sessionId: sessionId ?? null, hasSessionTurn: hasSessionTurn ?? false };
      const order = {
        actor: 'person',
        reason: 'imported',
        evidence: this.#beside('imported', 'person'),
      };
      await state.transition(id, 'present', { spec, ...session, isFirstPromptDone, ...order });
    }
  }

  /** @throws {AgentError} agent.stillRunning, agent.nameTaken */
  #requireReplaceable({ id, record }: Agent, name: string): void {
    const { lifecycle, desired } = record;
    if (desired !== 'stopped' || (lifecycle !== 'created' && lifecycle !== 'stopped'))
      throw new AgentError('agent.stillRunning', `${id} is ${LIFECYCLE_WORDS[lifecycle]}: stop it first`, {
        agentId: id,
      });
    this.#requireFreeName(name, id);
  }

  /** @throws {AgentError} agent.invalidSpec, agent.nameTaken, and what the store throws */
  async rename(agent: Agent, name: string, actor: string): Promise<void> {
    const spec = requireAgentSpec({ ...agent.record.spec, name });
    this.#requireFreeName(name, agent.id);
    const evidence = this.#beside('renamed', actor);
    await this.context.state.transition(agent.id, 'present', {
      spec,
      durability: 'before',
      actor,
      reason: 'renamed',
      evidence,
    });
  }

  /** @throws {AgentError} agent.stillRunning, agent.invalidSpec, agent.nameTaken, agent.unknownType, and what the store throws */
  async respecify(agent: Agent, spec: AgentSpec, actor: string, fleetName?: string): Promise<void> {
    const { lifecycle } = agent.record;
    const valid = requireAgentSpec(spec);
    this.context.factory.argv(valid); // type known, command given
    if (isLive(lifecycle)) {
      throw new AgentError('agent.stillRunning', `${agent.id} is ${LIFECYCLE_WORDS[lifecycle]}: stop it first`, {
        agentId: agent.id,
      });
    }
    this.#requireFreeName(valid.name, agent.id);
    const isSameEntry = fleetName === undefined || fleetName === agent.record.fleetName;
    if (isSameEntry && JSON.stringify(valid) === JSON.stringify(agent.record.spec)) return;
    const isSamePlace = valid.folder === agent.record.spec.folder && valid.typeId === agent.record.spec.typeId;
    await this.context.state.transition(agent.id, 'present', {
      spec: valid,
      ...(fleetName !== undefined && { fleetName }),
      ...(!isSamePlace && { sessionId: null, hasSessionTurn: false }), // a conversation belongs to its program and folder
      isFirstPromptDone: valid.firstPrompt === undefined,
      durability: 'before',
      actor,
      reason: 'respecified',
      evidence: this.#beside('changed', actor),
    });
  }

  /** Ends what is left of its last run, forgets what may be secret, keeps id, name and history. @throws {AgentError} agent.stillRunning */
  async retire(agent: Agent, actor: string, signal: AbortSignal): Promise<void> {
    const { lifecycle, generation } = agent.record;
    if (isLive(lifecycle) || lifecycle === 'backoff') {
      throw new AgentError('agent.stillRunning', `${agent.id} is ${LIFECYCLE_WORDS[lifecycle]}: stop it first`, {
        agentId: agent.id,
      });
    }
    await this.stopper.endLeftovers(agent, signal);
    await this.stopper.discard(agent);
    const { name, typeId, folder, role, team } = agent.record.spec;
    await this.context.state.transition(agent.id, generation, {
      lifecycle: 'retired',
      desired: 'stopped',
      spec: { name, typeId, folder, ...(role !== undefined && { role }), ...(team !== undefined && { team }) },
      process: null,
      sessionId: null,
      durability: 'before',
      actor,
      reason: 'removed',
      evidence: [orderEvidence('removed', actor, this.context.clock.nowMs())],
    });
    this.context.notices.resolve(firstPromptNotice(agent.id));
  }

  #beside(ordered: Ordered, actor: string): ReturnType<typeof withOrder> {
    return withOrder(orderEvidence(ordered, actor, this.context.clock.nowMs()));
  }

  #requireFreeName(name: string, except?: AgentId): void {
    const isClaimed = [...this.#claimed.values()].some((claimed) => nameKey(claimed) === nameKey(name));
    if (!isClaimed && !this.context.registry.isNameTaken(name, except)) return;
    throw new AgentError('agent.nameTaken', `another agent is called "${name}"`, {
      problems: [{ path: 'name', message: 'is taken' }],
    });
  }
}

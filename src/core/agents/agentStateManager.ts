import type { Clock } from '../base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../base/disposable';
import { Emitter, type Event } from '../base/event';
import type { Ids } from '../base/ids';
import { ignore, type Logger } from '../base/log';
import type { AgentChange, AgentId, AgentRecord, AgentSpec, ProcessIdentity } from './agent';
import { AgentError } from './agentErrors';
import type { AgentRegistry, RegistryWriter } from './agentRegistry';
import { Activity, type DesiredState, type Evidence, type ExitCause, type Lifecycle } from './agentState';
import type { AgentStore } from './agentStore';
import { isLegalStep, isObservable } from './agentTransitions';

/** What is to change. Absent: stays. `null`: is removed. */
export interface StateUpdate {
  readonly lifecycle?: Lifecycle;
  readonly activity?: Activity;
  readonly desired?: DesiredState;
  /** Begins the next generation (only together with `starting`, or when a newer one was found alive). */
  readonly nextGeneration?: number;
  readonly process?: ProcessIdentity | null;
  readonly ending?: readonly ProcessIdentity[];
  readonly exit?: ExitCause | null;
  readonly restartsAtMs?: readonly number[];
  readonly nextStartAtMs?: number | null;
  readonly isFirstPromptDone?: boolean;
  readonly sessionId?: string | null;
  readonly hasSessionTurn?: boolean;
  /** Another `sessionId` without one: not known. */
  readonly transcriptPath?: string;
  readonly spec?: AgentSpec;
  readonly fleetName?: string;
  /** `snake_case`. */
  readonly reason: string;
  readonly actor: string;
  /** Replaces what the state rests on, when given; a function is told at its turn what that is. */
  readonly evidence?: readonly Evidence[] | ((before: readonly Evidence[]) => readonly Evidence[]);
  /**
   * `before`: kept durably before anybody learns of it, and the promise rejects when that fails: for intentions (R17).
   * `behind`: a fact, announced at once and kept as soon as the store can. Default `behind`.
   */
  readonly durability?: 'before' | 'behind';
  /** Makes a line of the history even when nothing has moved. */
  readonly hasLine?: boolean;
  /** Looked at when the turn of this change comes: when aborted by then, nothing changes and the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Called as soon as the change is in effect, before a later change of the same agent has its turn. */
  readonly onApplied?: () => void;
}

export type TransitionResult =
  | { readonly kind: 'applied'; readonly record: AgentRecord }
  /** The fact is about another generation than the present one: logged, nothing changed (R19). */
  | { readonly kind: 'ignored'; readonly record: AgentRecord };

export interface StateChange {
  readonly agentId: AgentId;
  readonly previous: AgentRecord;
  readonly current: AgentRecord;
  /** The line of the history; undefined when only evidence or bookkeeping changed. */
  readonly change: AgentChange | undefined;
}

export interface StateManagerPorts {
  readonly registry: AgentRegistry;
  readonly store: AgentStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
}

/** A store that was read-only or busy is tried again after this long. */
const RETRY_SAVE_MS = 5_000;
/** Lines of history that wait for a store that does not take them; older ones of the same agent are dropped. */
const MAX_UNSAVED_CHANGES = 500;
/** Refusals of one start that are kept: they show a mistake of ours, which could repeat itself without end. */
const MAX_KEPT_REFUSALS = 20;

/**
 * The only writer of agents' state. Changes of one agent are applied one after the other in the order of the calls,
 * each checked against the transition table and the generation at its turn.
 */
export class AgentStateManager implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #writer: RegistryWriter;
  readonly #turns = new Map<AgentId, Promise<unknown>>();
  readonly #saves = new Map<AgentId, Promise<unknown>>();
  readonly #unsaved = new Map<AgentId, AgentChange[]>();
  readonly #storedGeneration = new Map<AgentId, number>();
  /** Kept refusals of each agent's present generation. */
  readonly #refusals = new Map<AgentId, { readonly generation: number; readonly count: number }>();
  readonly #retry = this.#owned.add(new MutableDisposable<Disposable>());
  readonly #onDidChangeState: Emitter<StateChange>;

  constructor(private readonly ports: StateManagerPorts) {
    const onFailure = (error: unknown): void => ports.log.error('a listener of agent state failed', { error });
    this.#onDidChangeState = this.#owned.add(new Emitter<StateChange>(onFailure));
    this.#writer = ports.registry.claimWriter();
  }

  get onDidChangeState(): Event<StateChange> {
    return this.#onDidChangeState.event;
  }

  /** Reads everything that was kept. Once, before anything else. */
  async load(): Promise<void> {
    const records = [...(await this.ports.store.load())].sort(
      (a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1),
    );
    for (const record of records) {
      this.#storedGeneration.set(record.id, record.generation);
      this.#writer.add(record);
    }
  }

  /** Keeps a new agent durably, then announces it. @throws {AgentError} agent.conflict, and what the store throws */
  async create(record: AgentRecord): Promise<void> {
    const change = this.#changeLine(record, record, { reason: record.reason, actor: record.actor });
    await this.ports.store.save(record, [change], undefined);
    this.#storedGeneration.set(record.id, record.generation);
    this.#writer.add(record);
  }

  /** Announces an agent whose record somebody else has kept already; also one that was removed and comes back. */
  admit(record: AgentRecord): void {
    this.#storedGeneration.set(record.id, record.generation);
    if (this.ports.registry.isRemoved(record.id)) this.#writer.bringBack(record);
    else this.#writer.add(record);
  }

  /**
   * Changes one agent. `generation` is the one the caller speaks of; another one than the present is ignored and reported.
   * Facts name their generation. What a person wants is about the agent, whatever generation it has by then: `present`.
   * @throws {AgentError} agent.notFound, agent.illegalTransition; with durability `before` also agent.conflict and what the store throws – then nothing has changed.
   */
  transition(id: AgentId, generation: number | 'present', update: StateUpdate): Promise<TransitionResult> {
    return this.#inTurn(id, () => this.#apply(id, generation, update));
  }

  /** Resolves when everything announced so far was handed to the store and answered. Never rejects. */
  async flush(): Promise<void> {
    await Promise.allSettled([...this.#turns.values()]);
    await Promise.allSettled([...this.#saves.values()]);
  }

  /** Agents with changes that the store did not take yet. */
  get unsavedCount(): number {
    return this.#unsaved.size;
  }

  dispose(): void {
    this.#owned.dispose();
  }

  #inTurn<T>(id: AgentId, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work, work);
    this.#turns.set(id, turn);
    void turn.then(
      () => this.#turns.get(id) === turn && this.#turns.delete(id),
      () => this.#turns.get(id) === turn && this.#turns.delete(id),
    );
    return turn;
  }

  async #apply(id: AgentId, generation: number | 'present', update: StateUpdate): Promise<TransitionResult> {
    update.signal?.throwIfAborted();
    const previous = this.ports.registry.get(id).record;
    const lifecycle = update.lifecycle ?? previous.lifecycle;
    if (generation !== 'present' && generation !== previous.generation) {
      this.#refuse(previous, generation, update, 'other_generation');
      return { kind: 'ignored', record: previous };
    }
    if (lifecycle !== previous.lifecycle && !isLegalStep(previous.lifecycle, lifecycle)) {
      this.#refuse(previous, previous.generation, update, 'illegal');
      this.#keepRefusal(previous, lifecycle, update);
      throw new AgentError(
        'agent.illegalTransition',
        `${id}: ${previous.lifecycle} → ${lifecycle} (${update.reason})`,
        { agentId: id },
      );
    }
    const current = this.#next(previous, update, lifecycle);
    const isWorthALine = worthALine(previous, current, update);
    const change = isWorthALine ? this.#changeLine(previous, current, update) : undefined;
    if (update.durability === 'before') {
      await this.#save(current, change);
    } else {
      this.#saveBehind(current, change);
    }
    this.#writer.replace(current);
    this.#onDidChangeState.fire({ agentId: id, previous, current, change });
    update.onApplied?.();
    return { kind: 'applied', record: current };
  }

  #next(previous: AgentRecord, update: StateUpdate, lifecycle: Lifecycle): AgentRecord {
    const activity = isObservable(lifecycle)
      ? (update.activity ?? (isObservable(previous.lifecycle) ? previous.activity : Activity.Unknown))
      : Activity.Unknown;
    const hasMoved = lifecycle !== previous.lifecycle || activity !== previous.activity;
    const hasChanged = hasMoved || worthALine(previous, previous, update);
    const { process, ending, exit, nextStartAtMs, sessionId, transcriptPath, ...kept } = previous;
    const isOtherSession = update.sessionId !== undefined && update.sessionId !== (sessionId ?? null);
    const isOtherProcess = update.process !== undefined || update.nextGeneration !== undefined;
    return {
      ...kept,
      spec: update.spec ?? previous.spec,
      ...(update.fleetName !== undefined && { fleetName: update.fleetName }),
      desired: update.desired ?? previous.desired,
      lifecycle,
      activity,
      generation: update.nextGeneration ?? previous.generation,
      ...optional('process', update.process, process),
      ...optional('ending', isOtherProcess ? null : update.ending, ending),
      ...optional('exit', update.exit, exit),
      ...optional('nextStartAtMs', update.nextStartAtMs, nextStartAtMs),
      ...optional('sessionId', update.sessionId, sessionId),
      ...(update.hasSessionTurn !== undefined && { hasSessionTurn: update.hasSessionTurn }),
      ...optional('transcriptPath', update.transcriptPath ?? (isOtherSession ? null : undefined), transcriptPath),
      restartsAtMs: update.restartsAtMs ?? previous.restartsAtMs,
      isFirstPromptDone: update.isFirstPromptDone ?? previous.isFirstPromptDone,
      reason: hasChanged ? update.reason : previous.reason,
      actor: hasChanged ? update.actor : previous.actor,
      evidence:
        (typeof update.evidence === 'function' ? update.evidence(previous.evidence) : update.evidence) ??
        previous.evidence,
      sinceMs: hasMoved ? this.ports.clock.nowMs() : previous.sinceMs,
    };
  }

  #changeLine(previous: AgentRecord, current: AgentRecord, update: Pick<StateUpdate, 'reason' | 'actor'>): AgentChange {
    return {
      id: this.ports.ids.next(),
      agentId: current.id,
      generation: current.generation,
      atMs: this.ports.clock.nowMs(),
      from: { lifecycle: previous.lifecycle, activity: previous.activity },
      to: { lifecycle: current.lifecycle, activity: current.activity },
      reason: update.reason,
      actor: update.actor,
      evidence: current.evidence,
    };
  }

  /** Saves of one agent go out in order; earlier lines that the store did not take go with them. */
  #save(record: AgentRecord, change: AgentChange | undefined): Promise<void> {
    const earlier = this.#saves.get(record.id) ?? Promise.resolve();
    const save = earlier
      .catch((error: unknown) => ignore(this.ports.log, error, 'whoever ordered it was told'))
      .then(async () => {
        const waiting = this.#unsaved.get(record.id) ?? [];
        const lines = change ? [...waiting, change] : waiting;
        await this.ports.store.save(record, lines, this.#storedGeneration.get(record.id));
        this.#storedGeneration.set(record.id, record.generation);
        this.#unsaved.delete(record.id);
      });
    this.#saves.set(record.id, save);
    return save;
  }

  #saveBehind(record: AgentRecord, change: AgentChange | undefined): void {
    this.#save(record, change).catch((error: unknown) => {
      const lines = [...(this.#unsaved.get(record.id) ?? []), ...(change ? [change] : [])];
      this.#unsaved.set(record.id, lines.slice(-MAX_UNSAVED_CHANGES));
      this.ports.log.warn('the state of an agent is not kept yet', { agent: record.id, error });
      if (AgentError.is(error, 'agent.conflict')) return; // another owner wrote: ours is not the truth any more
      this.#retry.value ??= this.ports.clock.setTimer(RETRY_SAVE_MS, () => this.#saveAgain());
    });
  }

  #saveAgain(): void {
    this.#retry.value = undefined;
    for (const id of this.#unsaved.keys()) {
      const agent = this.ports.registry.find(id);
      if (agent) this.#saveBehind(agent.record, undefined);
    }
  }

  /** The audit of a step that the table does not have: a line of the history on which nothing moves. */
  #keepRefusal(present: AgentRecord, to: Lifecycle, { reason, actor }: StateUpdate): void {
    const { id, generation, lifecycle, evidence } = present;
    const known = this.#refusals.get(id);
    const count = known?.generation === generation ? known.count : 0;
    if (count >= MAX_KEPT_REFUSALS) return;
    this.#refusals.set(id, { generation, count: count + 1 });
    const line = this.#changeLine(present, present, { reason: 'illegal_step_refused', actor });
    const detail = `refused: ${lifecycle} → ${to} is no legal step (${reason})`;
    const refusal: Evidence = { source: 'policy', detail, observedAtMs: line.atMs };
    this.#saveBehind(present, { ...line, evidence: [refusal, ...evidence] });
  }

  /** The log of refusals; an illegal step is kept in the history, too. */
  #refuse(previous: AgentRecord, generation: number, update: StateUpdate, why: 'illegal' | 'other_generation'): void {
    const { id: agentId, lifecycle: from, generation: presentGeneration } = previous;
    const { lifecycle: to = from, reason, actor } = update;
    const refused = { agentId, from, to, generation, presentGeneration, reason, actor };
    this.ports.log[why === 'illegal' ? 'error' : 'info'](`refused a change of an agent: ${why}`, refused);
  }
}

function worthALine(previous: AgentRecord, current: AgentRecord, update: StateUpdate): boolean {
  return (
    update.hasLine === true ||
    current.lifecycle !== previous.lifecycle ||
    current.activity !== previous.activity ||
    (update.desired !== undefined && update.desired !== previous.desired) ||
    (update.nextGeneration !== undefined && update.nextGeneration !== previous.generation) ||
    (update.spec !== undefined && update.spec !== previous.spec)
  );
}

function optional<K extends string, T>(
  key: K,
  update: T | null | undefined,
  previous: T | undefined,
): { readonly [P in K]?: T } {
  const value = update === undefined ? previous : (update ?? undefined);
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T }; // a computed key is typed as string
}

import { type AgentId, type AgentSpec, isWithoutRecord } from './agents/agent';
import { agentIdFor } from './agents/agentSpec';
import { AgentError } from './agents/agentErrors';
import type { AgentFactory } from './agents/agentFactory';
import type { AgentStore } from './agents/agentStore';
import type { AgentSupervisor } from './agents/agentSupervisor';
import type { Lifecycle } from './agents/agentState';
import type { Agent } from './agents/baseAgent';
import { hasEnded, isLive } from './agents/agentTransitions';
import type { AgentType } from './agents/agentType';
import { approvalHash, approvalText, isApproved, type Sha256 } from './agents/approval';
import { parseFleetFile } from './agents/fleetFile';
import type { Clock } from './base/clock';
import type { FleetPlan, FleetPlanEntry, FleetResult, FleetStep, ReturnedAgent } from './engine';
import { type FleetMatch, matchFleet } from './fleetMatch';

export interface FleetRunnerPorts {
  readonly supervisor: AgentSupervisor;
  readonly store: AgentStore;
  readonly factory: AgentFactory;
  /** Makes a type that an approved fleet file brings along known, now and after a restart of the engine. */
  readonly adoptType: (type: AgentType) => Promise<void>;
  /** True for ids of types that came with a fleet file. */
  readonly isFleetType: (typeId: string) => boolean;
  readonly clock: Clock;
  readonly sha256: Sha256;
}

/** Starting an agent is mostly waiting for it: a few beside each other, so that a large fleet does not stall the machine. */
const PARALLEL = 6;
/** Not running although nobody ordered a stop: after a crash, a lost terminal server, a reboot. */
const ENDED: ReadonlySet<Lifecycle> = new Set(['exited', 'failed', 'backoff']);
/** Plans that can still be approved or started; a person looks at one or two. */
const MAX_PLANS = 20;

/** What a plan needs to know again when it is approved or started: plans themselves come back from the user interface. */
interface Planned {
  readonly shown: string;
  readonly type: AgentType | undefined;
}

/** Plans, approves and starts what a fleet file asks for; stops everything. */
export class FleetRunner {
  /** The last plans, oldest first, each by hash: only what this engine planned, and so showed completely, can be approved. */
  readonly #plans: ReadonlyMap<string, Planned>[] = [];
  /** Fleets that are being started: a stop of everything ends them first. */
  readonly #starts = new Map<AbortController, Promise<unknown>>();

  constructor(private readonly ports: FleetRunnerPorts) {}

  async plan(text: string, fileName: string): Promise<FleetPlan> {
    const { factory, store, sha256 } = this.ports;
    const file = parseFleetFile(text, { workspaceFolder: folderOf(fileName), knownTypes: this.#knownTypes() });
    if (file.problems.length > 0) return { agents: [], problems: file.problems };
    const planned = new Map<string, Planned>();
    const matches = this.#match(file.agents);
    const entries = file.agents.map(async (spec): Promise<FleetPlanEntry> => {
      const own = file.types.find((type) => type.id === spec.typeId);
      const type = own ?? factory.get(spec.typeId);
      const hash = approvalHash(sha256, spec, type);
      const shown = approvalText(spec, type, factory.argvOf(type, spec));
      planned.set(hash, { shown, type: own });
      const existing = matches.get(spec.name)?.id;
      return {
        spec,
        hash,
        isApproved: await isApproved(store, hash),
        approvalText: shown,
        ...(existing && { existing }),
      };
    });
    this.#plans.push(planned);
    if (this.#plans.length > MAX_PLANS) this.#plans.shift();
    return { agents: await Promise.all(entries), problems: [] };
  }

  /** @throws {AgentError} agent.notApproved – for what is not part of one of the last 20 plans; and what the store throws */
  async approve(hashes: readonly string[]): Promise<void> {
    for (const hash of hashes) {
      const planned = this.#findPlanned(hash);
      if (!planned) throw new AgentError('agent.notApproved', 'only what was planned and shown can be approved');
      await this.ports.store.putApproval({
        hash,
        shown: planned.shown,
        approvedAtMs: this.ports.clock.nowMs(),
        actor: 'person',
      });
    }
  }

  /** @throws {AgentError} agent.notApproved – nothing was started; and what the store throws. A `stopAll` cancels it. */
  async start(plan: FleetPlan, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    const ending = new AbortController();
    const starting = this.#start(plan, onProgress, AbortSignal.any([signal, ending.signal]));
    this.#starts.set(ending, starting);
    try {
      return await starting;
    } finally {
      this.#starts.delete(ending);
    }
  }

  /**
   * Ends fleets that are being started, then stops every agent that runs, or whose start or restart is on its way. What has ended stays
   * as it is, with its reason. When it resolves, nothing that was ordered before it runs or will run, except what the result calls failed.
   */
  async stopAll(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    const reason = new AgentError('agent.superseded', 'a stop of all agents was ordered');
    for (const start of this.#starts.keys()) start.abort(reason);
    const starts = [...this.#starts.values()];
    const { supervisor } = this.ports;
    // By id: while a stop goes on, a person may rename an agent and give its name to another.
    const tried = new Set<AgentId>();
    const resting = new Map<AgentId, string>();
    const stop = async (agent: Agent): Promise<'done' | 'skipped'> => {
      const { id } = agent;
      if (!supervisor.isAtRest(id)) {
        tried.add(id);
        await supervisor.stop(id, { signal, keepsEnd: true });
        if (!hasEnded(agent.record.lifecycle)) return 'done';
      }
      resting.set(id, agent.record.spec.name);
      return 'skipped';
    };
    const stopEach = (agents: readonly Agent[]): Promise<FleetResult> =>
      this.#each(agents, ({ record }) => record.spec.name, stop, onProgress, signal);
    const first = await stopEach(supervisor.registry.list());
    await untilAborted(Promise.allSettled(starts), signal);
    // What was being created meanwhile, or was ordered to start after its turn had passed.
    const rest = supervisor.registry.list().filter(({ id }) => !supervisor.isAtRest(id) && !tried.has(id));
    if (rest.length === 0 || signal.aborted) return { ...first, isCanceled: signal.aborted };
    for (const { id } of rest) resting.delete(id);
    const second = await stopEach(rest);
    return {
      succeeded: [...first.succeeded, ...second.succeeded],
      skipped: [...resting.values()],
      failed: [...first.failed, ...second.failed],
      isCanceled: signal.aborted,
    };
  }

  /** Brings back what should run and does not: in its old conversation where there is one, else anew. The result says how each came back. */
  async resume(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    const { supervisor } = this.ports;
    const returned: ReturnedAgent[] = [];
    const isMissing = ({ record }: Agent): boolean => record.desired !== 'stopped' && ENDED.has(record.lifecycle);
    const resume = async (agent: Agent): Promise<'done' | 'skipped'> => {
      const { id, record } = agent;
      if (!isMissing(agent)) return 'skipped'; // its restart policy was quicker, or a person has stopped it
      const report = supervisor.isResumable(id) ? await supervisor.resumeSession(id, { signal }) : undefined;
      if (!report) await supervisor.start(id, { signal });
      returned.push({ agentId: id, name: record.spec.name, ...(report && { report }) });
      return 'done';
    };
    const missing = supervisor.registry.list().filter(isMissing);
    const result = await this.#each(missing, ({ record }) => record.spec.name, resume, onProgress, signal);
    return { ...result, returned };
  }

  async #start(plan: FleetPlan, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    for (const { spec, hash } of plan.agents) {
      const planned = this.#findPlanned(hash);
      // The hash is what was approved; what comes back with it must still be that.
      const type = planned?.type ?? this.ports.factory.get(spec.typeId);
      const isSame = planned && approvalHash(this.ports.sha256, spec, type) === hash;
      if (!isSame || !(await isApproved(this.ports.store, hash))) {
        throw new AgentError('agent.notApproved', `the command of "${spec.name}" is not approved`);
      }
    }
    for (const type of new Set(plan.agents.map(({ hash }) => this.#findPlanned(hash)?.type))) {
      if (type) await this.ports.adoptType(type);
    }
    const specs = plan.agents.map(({ spec }) => spec);
    const matches = this.#match(specs);
    const start = (spec: AgentSpec): Promise<'done' | 'skipped'> =>
      this.#startOne(spec, matches.get(spec.name), signal);
    const result = await this.#each(specs, ({ name }) => name, start, onProgress, signal);
    const nameNow = (name: string): string =>
      this.ports.supervisor.registry.find(matches.get(name)?.id ?? '')?.record.spec.name ?? name; // a person may have renamed it
    return { ...result, skipped: result.skipped.map(nameNow) };
  }

  #findPlanned(hash: string): Planned | undefined {
    return this.#plans.findLast((plan) => plan.has(hash))?.get(hash);
  }

  async #startOne(spec: AgentSpec, match: FleetMatch | undefined, signal: AbortSignal): Promise<'done' | 'skipped'> {
    const { supervisor } = this.ports;
    const agent = match && supervisor.registry.find(match.id);
    const fleetName = spec.name;
    if (!match || !agent) {
      this.#refuseDouble(spec.name);
      const { id } = await supervisor.create(spec, { fleetName });
      signal.throwIfAborted();
      await supervisor.start(id, { signal });
      return 'done';
    }
    const { id, record } = agent;
    if (!match.isSame) {
      const why = `another agent is called "${spec.name}", which this fleet did not start: rename one of them`;
      throw new AgentError('agent.nameTaken', why, { agentId: id });
    }
    if (isLive(record.lifecycle) || record.lifecycle === 'backoff') return 'skipped';
    if (record.lifecycle === 'quarantined')
      throw new AgentError('agent.quarantined', `${spec.name} is quarantined: release it first`, { agentId: id });
    await supervisor.respecify(id, { ...spec, name: record.spec.name }, { fleetName }); // a person may have renamed it
    await supervisor.start(id, { signal });
    return 'done';
  }

  /**
   * After a restore somebody may live of whom the store knows no more than the id. An entry whose agents get such ids may be its own.
   * @throws {AgentError} agent.nameTaken
   */
  #refuseDouble(name: string): void {
    const stem = agentIdFor(name, () => false);
    const isOfStem = (id: string): boolean =>
      id === stem || /^-\d+$/.test(id.startsWith(stem) ? id.slice(stem.length) : '');
    const living = this.ports.supervisor.registry.list().filter(({ record }) => isLive(record.lifecycle));
    const unknown = living.find(({ id, record }) => isWithoutRecord(record) && isOfStem(id));
    if (!unknown) return;
    const why = `"${unknown.record.spec.name}" runs, of which this store knows nothing but the id, and may be ${name}: restore the backup that knows it, or stop it first`;
    throw new AgentError('agent.nameTaken', why, { agentId: unknown.id });
  }

  async #each<T>(
    items: readonly T[],
    nameOf: (item: T) => string,
    work: (item: T) => Promise<'done' | 'skipped'>,
    onProgress: (step: FleetStep) => void,
    signal: AbortSignal,
  ): Promise<FleetResult> {
    const succeeded: string[] = [];
    const skipped: string[] = [];
    const failed: { readonly name: string; readonly error: unknown }[] = [];
    const queue = [...items];
    let done = 0;
    const worker = async (): Promise<void> => {
      for (let item = queue.shift(); item !== undefined && !signal.aborted; item = queue.shift()) {
        const name = nameOf(item);
        try {
          ((await work(item)) === 'done' ? succeeded : skipped).push(name);
          onProgress({ name, done: ++done, total: items.length });
        } catch (error) {
          if (signal.aborted) return;
          failed.push({ name, error });
          onProgress({ name, done: ++done, total: items.length, error });
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, worker));
    return { succeeded, skipped, failed, isCanceled: signal.aborted };
  }

  #match(specs: readonly AgentSpec[]): ReadonlyMap<string, FleetMatch> {
    return matchFleet(
      specs,
      this.ports.supervisor.registry.list().map(({ record }) => record),
    );
  }

  /** Types that came with a fleet file belong to that file: it may bring them again, another file must bring its own. */
  #knownTypes(): readonly string[] {
    return this.ports.factory
      .types()
      .map((type) => type.id)
      .filter((id) => !this.ports.isFleetType(id));
  }
}

/** Settles like `work`, or resolves as soon as the signal is aborted. */
function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', resolve, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', resolve));
  });
}

/** `…/<folder>/.vscode/agents.json` → `…/<folder>`. */
function folderOf(fileName: string): string {
  const parts = fileName.split('/');
  return parts.slice(0, parts.at(-2) === '.vscode' ? -2 : -1).join('/') || '/';
}

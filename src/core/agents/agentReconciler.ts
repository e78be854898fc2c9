import { type Disposable, DisposableStore, MutableDisposable } from '../base/disposable';
import { ignore } from '../base/log';
import type { AgentId, AgentRecord } from './agent';
import type { ActivityObserver } from './activityObserver';
import { type AdoptionDecision, decideAdoption } from './adoption';
import { AgentError } from './agentErrors';
import type { HostedAgent } from './agentHost';
import type { AgentRestarter } from './agentRestarter';
import { recordExit } from './agentStarter';
import type { AgentStopper } from './agentStopper';
import type { Evidence } from './agentState';
import { isLive } from './agentTransitions';
import type { Agent } from './baseAgent';
import { ProcessEnding } from './endProcesses';
import { orderEvidence, pauseEvidence, withOrder } from './orderEvidence';
import type { SupervisorContext } from './supervisorPorts';
import { cleanText } from './visibleText';

export interface ReconcilerParts {
  readonly observer: ActivityObserver;
  readonly stopper: AgentStopper;
  readonly restarter: AgentRestarter;
  /** Runs work in the agent's mailbox. */
  readonly inTurn: <T>(id: AgentId, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/** Compares what is kept with what the host has, agent by agent, and carries out `decideAdoption`. */
export class AgentReconciler implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #lostCheck = this.#owned.add(new MutableDisposable<Disposable>());
  #running: Promise<void> | undefined;
  #isAgain = false;

  constructor(
    private readonly context: SupervisorContext,
    private readonly parts: ReconcilerParts,
  ) {
    this.#owned.add(
      context.state.onDidChangeState(({ previous, current }) => {
        if (current.lifecycle === 'lost' && previous.lifecycle !== 'lost') this.#watchLost();
      }),
    );
  }

  /** Runs once at a time; a call during a run leads to one more run. Resolves when all agents were compared. */
  reconcile(): Promise<void> {
    if (this.#running) {
      this.#isAgain = true;
      return this.#running;
    }
    this.#running = this.#loop().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** The host cannot be asked: whoever may live is `lost`, nothing is started or ended. */
  async markLost(reason: string): Promise<void> {
    const agents = this.context.registry.list();
    await Promise.allSettled(
      agents.map((agent) => this.parts.inTurn(agent.id, () => this.#lose(agent, reason, false))),
    );
  }

  dispose(): void {
    this.#owned.dispose();
  }

  async #loop(): Promise<void> {
    do {
      this.#isAgain = false;
      await this.#once();
    } while (this.#isAgain && !this.#owned.isDisposed);
  }

  async #once(): Promise<void> {
    const { host, registry, log } = this.context;
    const agents = registry.list().map((agent) => ({ agent, seen: agent.record }));
    let hosted: readonly HostedAgent[];
    try {
      hosted = await host.list();
    } catch (error) {
      log.warn('the host could not be asked for its agents', { error });
      return this.markLost('the host could not be asked for its agents');
    }
    const byId = new Map(hosted.map((one) => [one.agentId, one]));
    const work = agents.map(({ agent, seen }) =>
      this.parts.inTurn(agent.id, async (signal) => {
        // Whatever changed it since knows better than this listing.
        if (agent.record.generation === seen.generation && agent.record.lifecycle === seen.lifecycle)
          await this.#compare(agent, byId.get(agent.id), signal);
      }),
    );
    const unknown = hosted.filter((one) => !registry.isIdTaken(one.agentId)).map((one) => this.#recover(one));
    const retired = hosted
      .filter((one) => registry.isIdTaken(one.agentId) && !registry.find(one.agentId))
      .map((one) => this.#endRetired(one));
    for (const result of await Promise.allSettled([...work, ...unknown, ...retired])) {
      if (result.status === 'rejected' && !this.#owned.isDisposed)
        log.error('an agent could not be compared with the host', { error: result.reason as unknown });
    }
    this.#watchLost();
  }

  async #compare(agent: Agent, hosted: HostedAgent | undefined, signal: AbortSignal): Promise<void> {
    const mustLook = hosted === undefined && isLive(agent.record.lifecycle);
    const leftovers = mustLook ? await this.parts.stopper.leftovers(agent) : 'unknown';
    await this.#carryOut(agent, decideAdoption({ record: agent.record, hosted, leftovers }), hosted, signal);
  }

  async #carryOut(
    agent: Agent,
    decision: AdoptionDecision,
    hosted: HostedAgent | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { stopper, restarter, observer } = this.parts;
    switch (decision.kind) {
      case 'leave':
        return;
      case 'adopt':
        await this.#adopt(agent, decision.generation, hosted);
        return observer.lookSoon(agent.id);
      case 'finishStop':
        await stopper.stop(agent, { actor: 'engine', reason: 'stop_finished' }, signal);
        if (agent.record.desired === 'running') restarter.startSoon(agent);
        return;
      case 'ended':
        await recordExit(this.context, agent, {
          agentId: agent.id, generation: agent.record.generation, cause: decision.cause, source: decision.source, observedAtMs: this.context.clock.nowMs(),
        }); // prettier-ignore
        observer.forget(agent.id);
        this.context.notices.resolve(`agent.orphan:${agent.id}`);
        return restarter.afterEnd(agent);
      case 'lost':
        return this.#lose(agent, decision.reason, decision.isOrphan);
      case 'endStray': {
        this.context.log.warn('ending a run that should not live', {
          agent: agent.id,
          generation: decision.hosted.generation,
          present: agent.record.generation,
        });
        await stopper.endRun(
          agent,
          { generation: decision.hosted.generation, process: decision.hosted.process },
          signal,
        );
        await stopper.discard(agent);
        return this.#compare(agent, undefined, signal);
      }
      case 'continue':
        return this.#continue(agent);
      case 'settle':
        return this.#settle(agent, signal);
    }
  }

  async #continue(agent: Agent): Promise<void> {
    const { lifecycle } = agent.record;
    if (lifecycle === 'backoff') this.parts.restarter.rearm(agent);
    else if (lifecycle === 'stopped') this.parts.restarter.startSoon(agent);
    else await this.parts.restarter.afterEnd(agent);
  }

  /** Carries out the stop of what waited for a restart. */
  async #settle(agent: Agent, signal: AbortSignal): Promise<void> {
    const { restarter, stopper } = this.parts;
    restarter.cancel(agent.id);
    await stopper.endLeftovers(agent, signal);
    await stopper.discard(agent);
    await this.context.state.transition(agent.id, agent.record.generation, {
      ...{ lifecycle: 'stopped', process: null, nextStartAtMs: null },
      ...{ durability: 'before', actor: 'engine', reason: 'stop_finished' },
      evidence: withOrder(orderEvidence('stop finished', 'engine', this.context.clock.nowMs())),
    });
  }

  /** By legal steps to `running` or `paused`; the process and its generation are what the host says. */
  async #adopt(agent: Agent, generation: number, hosted: HostedAgent | undefined): Promise<void> {
    const { state } = this.context;
    const isNewer = generation !== agent.record.generation;
    const evidence: Evidence[] = [{ source: 'adoption', detail: `found alive with generation ${generation}${isNewer ? `, recorded was ${agent.record.generation}` : ''}`, observedAtMs: this.context.clock.nowMs() }]; // prettier-ignore
    const process = hosted?.process ?? agent.record.process;
    const common = {
      actor: 'engine',
      reason: isNewer ? 'adopted_newer_generation' : 'adopted',
      evidence,
      ...(process && { process }),
    };
    const { lifecycle, desired } = agent.record;
    const asPaused = { ...common, evidence: [...pauseEvidence(agent.record.evidence), ...evidence] };
    if (!isNewer && (lifecycle === 'running' || lifecycle === 'paused')) {
      await state.transition(agent.id, generation, lifecycle === 'paused' ? asPaused : common);
      return;
    }
    if (isNewer)
      await state.transition(agent.id, agent.record.generation, { ...common, nextGeneration: generation, exit: null });
    if (!isLive(lifecycle))
      await state.transition(agent.id, generation, {
        ...common,
        lifecycle: 'starting',
        exit: null,
        nextStartAtMs: null,
      });
    if (agent.record.lifecycle !== 'running' && agent.record.lifecycle !== 'paused')
      await state.transition(agent.id, generation, { ...common, lifecycle: 'running' });
    if (desired === 'paused') await state.transition(agent.id, generation, { ...asPaused, lifecycle: 'paused' });
    this.parts.restarter.cancel(agent.id);
    this.context.notices.resolve(`agent.orphan:${agent.id}`);
  }

  async #lose(agent: Agent, reason: string, isOrphan: boolean): Promise<void> {
    const { state, notices, clock } = this.context;
    const { lifecycle, generation } = agent.record;
    if (!isLive(lifecycle)) return;
    const lost: Evidence = { source: 'adoption', detail: cleanText(reason), observedAtMs: clock.nowMs() };
    const update = {
      actor: 'engine',
      reason: isOrphan ? 'orphan_process' : 'host_lost',
      evidence: (before: readonly Evidence[]) => [lost, ...pauseEvidence(before)],
    };
    if (lifecycle === 'lost') await state.transition(agent.id, generation, update);
    else await state.transition(agent.id, generation, { lifecycle: 'lost', ...update });
    if (!isOrphan) return;
    notices.raise({
      fingerprint: `agent.orphan:${agent.id}`,
      level: 'critical',
      title: `${agent.record.spec.name} lives without a terminal`,
      detail: 'Its terminal is gone but its processes run on. Stop or restart it: that ends them first.',
      agentId: agent.id,
      atMs: clock.nowMs(),
    });
  }

  /** A tagged session that no record knows: shown, never restarted, since nothing is known of how it was started. */
  async #recover(hosted: HostedAgent): Promise<void> {
    const { state, clock, settings, registry } = this.context;
    const nowMs = clock.nowMs();
    if (hosted.liveness.kind !== 'alive') return;
    const name = registry.isNameTaken(hosted.agentId) ? `${hosted.agentId} (recovered)` : hosted.agentId;
    const record: AgentRecord = {
      id: hosted.agentId,
      spec: { name, typeId: 'command', folder: settings.recoveredFolder, restartPolicy: 'never' },
      desired: 'running',
      lifecycle: 'running',
      activity: 'unknown',
      generation: hosted.generation,
      ...(hosted.process && { process: hosted.process }),
      reason: 'recovered_without_record',
      actor: 'engine',
      evidence: [
        {
          source: 'adoption',
          detail: `found alive with generation ${hosted.generation}, without a record`,
          observedAtMs: nowMs,
        },
      ],
      sinceMs: nowMs,
      createdAtMs: nowMs,
      restartsAtMs: [],
      isFirstPromptDone: true,
    };
    await state.create(record);
    this.parts.observer.lookSoon(hosted.agentId);
  }

  /** A removed agent must not live. Without a recorded process its marker still finds it. */
  async #endRetired(hosted: HostedAgent): Promise<void> {
    const { host, processes, factory, clock, settings } = this.context;
    if (hosted.liveness.kind === 'unknown') return;
    const marker = factory.marker({ id: hosted.agentId, generation: hosted.generation });
    const result = await new ProcessEnding(processes, clock, {
      root: hosted.process,
      marker,
      graceMs: 5_000,
      killWaitMs: settings.killWaitMs,
    }).run();
    if (result.kind === 'survivors')
      throw new AgentError('agent.killFailed', `${hosted.agentId} was removed but lives`, { agentId: hosted.agentId });
    await host.discard(hosted.agentId);
  }

  /** Orphans and the like are looked at again until they are proved gone or found. */
  #watchLost(): void {
    const { registry, clock, settings, host, log } = this.context;
    const hasLost = registry.list().some((agent) => agent.record.lifecycle === 'lost');
    if (!hasLost || host.status.kind !== 'ready' || this.#lostCheck.value) return;
    this.#lostCheck.value = clock.setTimer(settings.lostCheckMs, () => {
      this.#lostCheck.value = undefined;
      this.reconcile().catch((error: unknown) => ignore(log, error, 'the supervisor left'));
    });
  }
}

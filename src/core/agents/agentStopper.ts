import { sleep } from '../base/clock';
import { describeError } from '../base/errors';
import { ignore } from '../base/log';
import type { ProcessIdentity } from './agent';
import { AgentError } from './agentErrors';
import type { Evidence, ExitCause } from './agentState';
import type { ActivityObserver } from './activityObserver';
import type { Agent } from './baseAgent';
import { type EndResult, ProcessEnding } from './endProcesses';
import type { QuitStep } from './agentType';
import { orderEvidence } from './orderEvidence';
import type { Order, SupervisorContext } from './supervisorPorts';

/** Between two quit steps, so that a program can act on the first: 150 ms, measured with line editors that debounce input. */
const QUIT_STEP_MS = 150;

/** Ends agents and proves it. Calls for one agent are made one at a time by the supervisor. */
export class AgentStopper {
  constructor(
    private readonly context: SupervisorContext,
    private readonly observer: ActivityObserver,
  ) {}

  /**
   * From any live state to `stopped`. The desired state must have been persisted before (R17).
   * @throws {AgentError} agent.killFailed – survivors, the agent is `failed`; agent.stillRunning – nothing could be proved, the agent is `lost`
   */
  async stop(agent: Agent, order: Order, signal?: AbortSignal): Promise<void> {
    const { host, state, clock, log } = this.context;
    const { generation } = agent.record;
    const before = agent.record;
    if (before.lifecycle !== 'stopping')
      await state.transition(agent.id, generation, {
        lifecycle: 'stopping',
        durability: 'before',
        ...order,
        evidence: [orderEvidence('stop begun', order.actor, clock.nowMs())],
      });
    this.context.faultPoints?.hit('stopping.kept');
    let cause: ExitCause | undefined = before.exit;
    const listening = host.onDidExit((exit) => {
      if (exit.agentId === agent.id && exit.generation === generation) cause = exit.cause;
    });
    try {
      const canAsk = before.lifecycle === 'running' || before.lifecycle === 'paused' || before.lifecycle === 'starting';
      const result = await this.#end(agent, canAsk, signal);
      if (result.kind === 'survivors') return await this.#reportSurvivors(agent, generation, result.processes, order);
      this.context.faultPoints?.hit('end.proved');
      this.observer.forget(agent.id);
      await this.discard(agent);
      this.context.faultPoints?.hit('terminal.closed');
      await state.transition(agent.id, generation, {
        lifecycle: 'stopped', process: null, exit: cause ?? {}, nextStartAtMs: null, durability: 'before', ...order,
        evidence: [this.#evidence(`every process of it is gone (${result.strongest === 'nothing' ? 'none was left' : `after: ${result.strongest}`})`)],
      }); // prettier-ignore
      this.context.faultPoints?.hit('end.kept');
      this.context.notices.resolve(`agent.killFailed:${agent.id}`);
      this.context.notices.resolve(`agent.orphan:${agent.id}`);
    } catch (error) {
      if (signal?.aborted || AgentError.is(error) || agent.record.lifecycle !== 'stopping') throw error;
      log.warn('the end of an agent could not be proved', { agent: agent.id, error });
      const detail = `its processes could not be looked at: ${describeError(error)}`;
      await state.transition(agent.id, generation, {
        lifecycle: 'lost',
        actor: 'engine',
        reason: 'end_not_proved',
        evidence: [this.#evidence(detail)],
      });
      throw new AgentError('agent.stillRunning', `${agent.id}: its end could not be proved`, {
        agentId: agent.id,
        cause: error,
      });
    } finally {
      listening.dispose();
    }
  }

  /**
   * Ends what is left of an earlier run, without asking: before a restart, or a generation that is over (R12).
   * @throws {AgentError} agent.stillRunning – something lives on, or nothing could be proved
   */
  async endRun(
    agent: Agent,
    run: { readonly generation: number; readonly process: ProcessIdentity | undefined },
    signal?: AbortSignal,
  ): Promise<EndResult & { kind: 'gone' }> {
    const marker = this.context.factory.marker({ id: agent.id, generation: run.generation });
    try {
      const result = await this.#ending(agent, run, marker).run(signal);
      if (result.kind === 'gone') return result;
      throw new AgentError(
        'agent.stillRunning',
        `${agent.id}: ${result.processes.length} processes of generation ${run.generation} live on`,
        { agentId: agent.id },
      );
    } catch (error) {
      if (signal?.aborted || AgentError.is(error)) throw error;
      throw new AgentError('agent.stillRunning', `${agent.id}: its earlier processes could not be looked at`, {
        agentId: agent.id,
        cause: error,
      });
    }
  }

  /**
   * The same for an agent at rest. Without a recorded process its run was proved gone when it came to rest: then only
   * what a person has detached on purpose could still carry its mark, and that is left alone.
   */
  async endLeftovers(agent: Agent, signal?: AbortSignal): Promise<EndResult & { kind: 'gone' }> {
    const { generation, process } = agent.record;
    return process ? this.endRun(agent, { generation, process }, signal) : { kind: 'gone', strongest: 'nothing' };
  }

  /** Whether processes of the recorded run live. Never rejects. */
  async leftovers(agent: Agent): Promise<'alive' | 'gone' | 'unknown'> {
    const { processes, factory, log } = this.context;
    const { process, generation, ending = [] } = agent.record;
    const marker = factory.marker({ id: agent.id, generation });
    try {
      const living = process ? await processes.family([process, ...ending], marker) : await processes.marked(marker);
      return living.length > 0 ? 'alive' : 'gone';
    } catch (error) {
      log.warn('processes could not be looked at', { agent: agent.id, error });
      return 'unknown';
    }
  }

  /** Removes the terminal if the host can be asked; what remains is removed before the next start. */
  async discard(agent: Agent): Promise<void> {
    if (this.context.host.status.kind !== 'ready') return;
    try {
      await agent.discard();
    } catch (error) {
      ignore(this.context.log, error, 'a dead terminal stays until the next start');
    }
  }

  #end(agent: Agent, canAsk: boolean, signal?: AbortSignal): Promise<EndResult> {
    const marker = this.context.factory.marker(agent.record);
    const quit = agent.type?.quit ?? [];
    const ask =
      canAsk && quit.length > 0
        ? (family: readonly ProcessIdentity[]) => this.#quit(agent, quit, family, signal)
        : undefined;
    return this.#ending(agent, agent.record, marker, ask).run(signal);
  }

  #ending(
    agent: Agent,
    { generation, process }: { readonly generation: number; readonly process?: ProcessIdentity | undefined },
    marker: string,
    ask?: (family: readonly ProcessIdentity[]) => Promise<boolean>,
  ): ProcessEnding {
    const { processes, clock, settings, faultPoints } = this.context;
    const isPresent = generation === agent.record.generation;
    const graceMs = agent.type?.graceMs ?? 5_000;
    return new ProcessEnding(processes, clock, {
      root: process,
      marker,
      known: (isPresent && agent.record.ending) || [],
      graceMs,
      killWaitMs: settings.killWaitMs,
      ...(ask && { askPolitely: ask }),
      ...(isPresent && { keep: (seen) => this.#keepSeen(agent, generation, seen) }),
      ...(faultPoints && { onPoint: (point) => faultPoints.hit(point) }),
    });
  }

  /** Never rejects: a store that does not take it is no reason to let the run live. */
  async #keepSeen(agent: Agent, generation: number, seen: readonly ProcessIdentity[]): Promise<void> {
    try {
      await this.context.state.transition(agent.id, generation, {
        ending: seen,
        durability: 'before',
        actor: 'engine',
        reason: 'end_begun',
      });
    } catch (error) {
      ignore(this.context.log, error, 'only a crash of the engine during this end could leave one of them');
    }
  }

  /** Whether the program was asked at all. */
  async #quit(
    agent: Agent,
    steps: readonly QuitStep[],
    family: readonly ProcessIdentity[],
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { clock, processes, log } = this.context;
    // The launch script stays to report how the program ended, unless it is all there is.
    const others = family.filter((one) => one.pid !== agent.record.process?.pid);
    const programs = others.length > 0 ? others : family;
    let isAsked = false;
    try {
      for (const [index, step] of steps.entries()) {
        if (index > 0) await sleep(clock, QUIT_STEP_MS, signal);
        if ('signal' in step) for (const one of programs) await processes.signal(one, step.signal);
        else if (!(await this.#isTypable(agent))) return isAsked;
        else if ('keys' in step) await agent.press(step.keys);
        else await agent.submit(step.text, signal);
        isAsked = true;
      }
    } catch (error) {
      signal?.throwIfAborted();
      ignore(log, error, 'the polite way failed, SIGTERM follows');
    }
    return isAsked;
  }

  /** A dialog would be answered by what is typed (measured: it approves). */
  async #isTypable(agent: Agent): Promise<boolean> {
    const reading = await this.observer.look(agent);
    return reading.activity !== 'awaiting_approval' && reading.activity !== 'awaiting_input';
  }

  async #reportSurvivors(
    agent: Agent,
    generation: number,
    survivors: readonly ProcessIdentity[],
    order: Order,
  ): Promise<never> {
    const detail = `${survivors.length} processes survived SIGKILL: ${survivors.map((one) => one.pid).join(', ')}`;
    await this.context.state.transition(agent.id, generation, {
      lifecycle: 'failed', actor: order.actor, reason: 'kill_failed', evidence: [this.#evidence(detail)], durability: 'before',
    }); // prettier-ignore
    this.context.notices.raise({
      fingerprint: `agent.killFailed:${agent.id}`,
      level: 'critical',
      title: `${agent.record.spec.name} could not be stopped`,
      detail,
      agentId: agent.id,
      atMs: this.context.clock.nowMs(),
    });
    throw new AgentError('agent.killFailed', `${agent.id}: ${detail}`, { agentId: agent.id });
  }

  #evidence(detail: string): Evidence {
    return { source: 'process', detail, observedAtMs: this.context.clock.nowMs() };
  }
}

import { describeError, OrchestratorError } from '../base/errors';
import { LIFECYCLE_WORDS } from '../../shared/stateWords';
import { lastGeneration, type ProcessIdentity } from './agent';
import { AgentError } from './agentErrors';
import type { AgentExit } from './agentHost';
import type { Evidence } from './agentState';
import { isStartable } from './agentTransitions';
import type { AgentType } from './agentType';
import type { ActivityObserver } from './activityObserver';
import type { AgentStopper } from './agentStopper';
import type { Agent } from './baseAgent';
import { ENDED, lastWords, wordsEvidence } from './lastWords';
import { FirstPrompt, firstPromptNotice } from './firstPrompt';
import type { StateUpdate } from './agentStateManager';
import { orderEvidence } from './orderEvidence';
import { type Readying, RunWatch } from './runWatch';
import type { Order, SupervisorContext } from './supervisorPorts';
import { newSessionId, requireResumable, resumeObjection } from './sessionResume';
import { cleanText } from './visibleText';

export interface StartOrder extends Order {
  /** Start only if `running` is still desired when its turn comes (restarts). */
  readonly isAutomatic: boolean;
  /** May start from `quarantined`. */
  readonly isRelease?: boolean;
  /** Go on with the conversation it had: `required`, or refuse to start; `preferred`, or begin a new one. Absent: a new one. */
  readonly resume?: 'required' | 'preferred';
}

/**
 * One start: prove the earlier run gone → claim the next generation in the store (one of several racers wins) → check
 * command and folder → launch → wait until ready → first prompt. Calls for one agent are made one at a time.
 */
export class AgentStarter {
  readonly #firstPrompt: FirstPrompt;

  constructor(
    private readonly context: SupervisorContext,
    private readonly observer: ActivityObserver,
    private readonly stopper: AgentStopper,
  ) {
    this.#firstPrompt = new FirstPrompt(context);
  }

  /**
   * Resolves when the agent runs, or has ended with code 0 already.
   * @throws {AgentError} agent.hostUnavailable, agent.quarantined, agent.stillRunning, agent.unknownType, agent.invalidSpec,
   * agent.conflict – nothing was started; agent.folderMissing, agent.commandNotFound, agent.endedEarly, agent.startDeadline – the
   * agent is `failed`; agent.cannotResume – nothing was started, or its program refused: then the agent is `failed` and nothing restarts
   * it by itself; agent.launchUnknown – it is `lost`; the signal's reason – it may be `starting`, the caller stops it
   */
  async start(agent: Agent, order: StartOrder, signal: AbortSignal): Promise<void> {
    const { settings, clock } = this.context;
    const { lifecycle, spec, desired } = agent.record;
    if (order.resume === 'required') requireResumable(agent.record, agent.type);
    if (lifecycle === 'running' || (order.isAutomatic && desired !== 'running')) return;
    this.#checkState(agent, order);
    const type = this.context.factory.get(spec.typeId);
    const argv = this.context.factory.argv(spec);
    const deadlineMs = clock.monotonicMs() + settings.startDeadlineMs;
    await this.#proveEarlierRunGone(agent, signal);
    const isResume = order.resume !== undefined && resumeObjection(agent.record, type) === undefined;
    const generation = await this.#claim(agent, type, isResume, order, signal);
    const run = new RunWatch(this.context, this.observer, agent, generation);
    try {
      await this.#launch(agent, type, argv, order, isResume, signal);
      const outcome = await run.waitUntilReady(type, deadlineMs, signal);
      if (isResume && type.session?.endsWhenUnknown && outcome.kind === 'exit' && outcome.exit.cause.code !== 0)
        await this.#refused(agent, outcome.exit, order);
      await this.#settle(agent, generation, outcome, order, signal);
    } catch (error) {
      await this.#settleUnexpected(agent, generation, error, signal);
      throw error;
    } finally {
      run.dispose();
    }
    if (agent.record.lifecycle === 'running' && agent.record.generation === generation)
      await this.#firstPrompt.type(agent, type, signal);
  }

  #checkState(agent: Agent, order: StartOrder): void {
    const { lifecycle } = agent.record;
    if (this.context.host.status.kind !== 'ready')
      throw new AgentError('agent.hostUnavailable', 'agents cannot be started now', { agentId: agent.id });
    if (lifecycle === 'quarantined' && !order.isRelease) {
      throw new AgentError('agent.quarantined', `${agent.id} was restarted too often and waits for release`, {
        agentId: agent.id,
      });
    }
    if (!isStartable(lifecycle) && lifecycle !== 'quarantined') {
      const code = lifecycle === 'paused' ? 'agent.paused' : 'agent.stillRunning'; // to go on is another order
      throw new AgentError(code, `${agent.id} is ${LIFECYCLE_WORDS[lifecycle]}`, { agentId: agent.id });
    }
  }

  /** R12: pid and start time of the recorded run, its tree, group and session. What is left is ended first. */
  async #proveEarlierRunGone(agent: Agent, signal: AbortSignal): Promise<void> {
    const { generation } = agent.record;
    if (generation === 0) return;
    if ((await agent.probe()).kind === 'alive') {
      // A terminal with our name that we believe to be over: the reconciliation decides, never a start.
      throw new AgentError('agent.stillRunning', `${agent.id} has a living terminal`, { agentId: agent.id });
    }
    const result = await this.stopper.endLeftovers(agent, signal);
    if (result.strongest !== 'nothing') {
      this.context.log.info('ended what was left of the earlier run', {
        agent: agent.id,
        generation,
        by: result.strongest,
      });
    }
  }

  /** `signal` counts until the claim is made: a stop that was kept before it leaves nothing to start (R17). */
  async #claim(
    agent: Agent,
    type: AgentType,
    isResume: boolean,
    order: StartOrder,
    signal: AbortSignal,
  ): Promise<number> {
    const { generation, spec } = agent.record;
    const next = lastGeneration(agent.record) + 1;
    const session = isResume
      ? {}
      : { sessionId: type.session?.id === 'ours' ? newSessionId(this.context.ids) : null, hasSessionTurn: false };
    await this.#transition(agent, generation, {
      signal,
      lifecycle: 'starting',
      desired: 'running',
      nextGeneration: next,
      process: null,
      nextStartAtMs: null,
      isFirstPromptDone: isResume || spec.firstPrompt === undefined,
      ...session,
      durability: 'before',
      actor: order.actor,
      reason: order.reason,
      evidence: [orderEvidence('start ordered', order.actor, this.context.clock.nowMs())],
      ...(order.isRelease && { restartsAtMs: [] }),
    });
    this.context.notices.resolve(`agent.cannotStart:${agent.id}`);
    this.context.notices.resolve(firstPromptNotice(agent.id));
    return next;
  }

  async #launch(
    agent: Agent,
    type: AgentType,
    argv: readonly string[],
    order: StartOrder,
    isResume: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { environment, checks, host } = this.context;
    const { spec, generation } = agent.record;
    const base = await environment.read(signal);
    signal.throwIfAborted();
    if (!(await checks.isFolder(spec.folder)))
      return this.#cannotStart(
        agent,
        order,
        'folder_missing',
        new AgentError('agent.folderMissing', `no folder ${spec.folder}`, { agentId: agent.id }),
      );
    const env = this.context.factory.environmentOf(agent.record, base);
    const program = argv[0] ?? '';
    if ((await checks.findCommand(program, env['PATH'] ?? '', spec.folder)) === undefined) {
      const hint = type.installHint ? ` (${type.installHint})` : '';
      return this.#cannotStart(
        agent,
        order,
        'command_not_found',
        new AgentError(
          'agent.commandNotFound',
          `no program "${program}"${program.includes('/') ? '' : ' on the PATH'}${hint}`,
          { agentId: agent.id },
        ),
      );
    }
    signal.throwIfAborted();
    let process: ProcessIdentity;
    try {
      await host.discard(agent.id); // the dead terminal of the earlier run; the generation was claimed, so no racer's
      process = await agent.launch({ ...base, isResume }, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return this.#launchFailed(agent, error);
    }
    await this.#transition(agent, generation, {
      process, actor: 'engine', reason: 'launched', evidence: [this.#evidence('process', `launched as process ${process.pid}`)],
    }); // prettier-ignore
  }

  /** A failure that trying again does not cure: nothing restarts it by itself. */
  async #cannotStart(agent: Agent, order: StartOrder, reason: string, error: AgentError): Promise<never> {
    await this.#transition(agent, agent.record.generation, {
      lifecycle: 'failed', desired: 'stopped', actor: 'engine', reason, evidence: [this.#evidence('policy', error.detail)],
    }); // prettier-ignore
    if (order.actor === 'person') throw error; // who ordered it is told by the error
    this.context.notices.raise({
      fingerprint: `agent.cannotStart:${agent.id}`,
      level: 'error',
      title: `${agent.record.spec.name} cannot be started`,
      detail: error.detail,
      agentId: agent.id,
      atMs: this.context.clock.nowMs(),
    });
    throw error;
  }

  async #launchFailed(agent: Agent, error: unknown): Promise<never> {
    const detail = describeError(error);
    if (!(error instanceof OrchestratorError) || error.disposition === 'retry') {
      // No answer is no proof that nothing was started.
      await this.#transition(agent, agent.record.generation, {
        lifecycle: 'lost',
        actor: 'engine',
        reason: 'launch_unknown',
        evidence: [this.#evidence('policy', detail)],
      });
      throw new AgentError('agent.launchUnknown', `${agent.id}: ${detail}`, { agentId: agent.id, cause: error });
    }
    await this.#transition(agent, agent.record.generation, {
      lifecycle: 'failed', desired: 'stopped', actor: 'engine', reason: 'launch_failed', evidence: [this.#evidence('policy', detail)],
    }); // prettier-ignore
    throw error;
  }

  /** The program ended instead of going on with its conversation: it says why on its last screen. */
  async #refused(agent: Agent, exit: AgentExit, order: StartOrder): Promise<never> {
    const words = cleanText((await lastWords(agent, exit.generation, this.context.log)).slice(-3).join(' '));
    const detail = `it did not go on with its conversation (${describeCause(exit)})${words === '' ? '' : `: ${words}`}`;
    this.observer.forget(agent.id);
    await this.#transition(agent, exit.generation, {
      lifecycle: 'failed', exit: exit.cause, actor: 'engine', reason: 'cannot_resume',
      evidence: [{ source: exit.source, detail, observedAtMs: exit.observedAtMs }],
      // What was ordered was this conversation: nothing else is started in its place, unless the policy ordered the start.
      ...(order.resume === 'required' ? { desired: 'stopped' } : { hasSessionTurn: false }),
    }); // prettier-ignore
    throw new AgentError('agent.cannotResume', `${agent.id}: ${detail}`, { agentId: agent.id });
  }

  async #settle(
    agent: Agent,
    generation: number,
    outcome: Readying,
    order: StartOrder,
    signal: AbortSignal,
  ): Promise<void> {
    switch (outcome.kind) {
      case 'ready': {
        const reading = this.observer.last(agent.id, generation);
        const evidence =
          reading?.evidence ?? this.#evidence('process', 'its process is alive; nothing is known of its screen yet');
        await this.#transition(agent, generation, {
          lifecycle: 'running', activity: reading?.activity ?? 'unknown', actor: order.actor, reason: 'ready', evidence: [evidence],
        }); // prettier-ignore
        return;
      }
      case 'exit': {
        await recordExit(this.context, agent, outcome.exit);
        this.observer.forget(agent.id);
        if (outcome.exit.cause.code === 0) return;
        throw new AgentError(
          'agent.endedEarly',
          `${agent.id} ended before it was ready (${describeCause(outcome.exit)})`,
          { agentId: agent.id },
        );
      }
      case 'lost':
        await this.#transition(agent, generation, {
          lifecycle: 'lost', actor: 'engine', reason: 'host_lost', evidence: [this.#evidence('pane', 'the terminal server disappeared during the start')],
        }); // prettier-ignore
        throw new AgentError('agent.launchUnknown', `${agent.id}: the terminal server disappeared`, {
          agentId: agent.id,
        });
      case 'deadline':
        await this.#endLate(agent, generation, signal);
        this.observer.forget(agent.id);
        await this.#transition(agent, generation, {
          lifecycle: 'failed', process: null, exit: {}, actor: 'engine', reason: 'start_deadline_missed',
          evidence: [this.#evidence('policy', `not ready within ${Math.round(this.context.settings.startDeadlineMs / 1000)} s; ended`)],
        }); // prettier-ignore
        throw new AgentError('agent.startDeadline', `${agent.id} was not ready in time`, { agentId: agent.id });
    }
  }

  /** What could not be ended is lost, not failed: nothing may be started beside it. */
  async #endLate(agent: Agent, generation: number, signal: AbortSignal): Promise<void> {
    try {
      await this.stopper.endRun(agent, { generation, process: agent.record.process }, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const detail = `not ready in time, and its end could not be proved: ${describeError(error)}`;
      await this.#transition(agent, generation, {
        lifecycle: 'lost',
        actor: 'engine',
        reason: 'end_not_proved',
        evidence: [this.#evidence('process', detail)],
      });
      throw error;
    }
  }

  /** A failure that no step accounts for: what was started, if anything, is for the reconciliation to find out. */
  async #settleUnexpected(agent: Agent, generation: number, error: unknown, signal: AbortSignal): Promise<void> {
    const { record } = agent;
    if (signal.aborted || record.lifecycle !== 'starting' || record.generation !== generation) return;
    await this.#transition(agent, generation, {
      lifecycle: 'lost',
      actor: 'engine',
      reason: 'start_failed',
      evidence: [this.#evidence('policy', cleanText(describeError(error)))],
    });
  }

  async #transition(agent: Agent, generation: number, update: StateUpdate): Promise<void> {
    const result = await this.context.state.transition(agent.id, generation, update);
    if (result.kind === 'ignored')
      throw new AgentError('agent.superseded', `${agent.id}: generation ${generation} is over`, { agentId: agent.id });
  }

  #evidence(source: Evidence['source'], detail: string): Evidence {
    return { source, detail, observedAtMs: this.context.clock.nowMs() };
  }
}

/**
 * From a live state to `exited` (code 0) or `failed` (anything else, also an unknown cause), then what a failed one said last. The
 * recorded process stays until the whole run is proved gone.
 */
export async function recordExit(context: SupervisorContext, agent: Agent, exit: AgentExit): Promise<void> {
  const { state, log } = context;
  const isFailure = exit.cause.code !== 0;
  const ended = { source: exit.source, detail: `${ENDED}${describeCause(exit)}`, observedAtMs: exit.observedAtMs };
  const reason = exitReason(exit);
  const { generation } = exit;
  const lifecycle = isFailure ? 'failed' : 'exited';
  await state.transition(agent.id, generation, {
    lifecycle,
    exit: exit.cause,
    actor: 'engine',
    reason,
    evidence: [ended],
  });
  const isPresent = (): boolean => agent.record.generation === generation && agent.record.lifecycle === 'failed';
  if (!isFailure || !isPresent()) return;
  const words = wordsEvidence(await lastWords(agent, generation, log), exit.observedAtMs);
  if (words.length > 0 && isPresent())
    await state.transition(agent.id, generation, { actor: 'engine', reason, evidence: [ended, ...words] });
}

function exitReason({ cause }: AgentExit): string {
  if (cause.code === 0) return 'exited';
  if (cause.signal) return 'killed';
  return cause.code === undefined ? 'ended_unknown' : 'exit_code';
}

export function describeCause({ cause }: Pick<AgentExit, 'cause'>): string {
  if (cause.signal !== undefined) return cause.signal;
  return cause.code === undefined ? 'cause unknown' : `code ${cause.code}`;
}

import { secondsText } from '../base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../base/disposable';
import { describeError } from '../base/errors';
import type { AgentId } from './agent';
import { AgentError } from './agentErrors';
import type { Evidence } from './agentState';
import type { StartOrder } from './agentStarter';
import type { Agent } from './baseAgent';
import { ENDED, endEvidence, wordsOf } from './lastWords';
import { RestartBudget } from './restartBudget';
import type { SupervisorContext } from './supervisorPorts';

/** While the host cannot be used, a due restart looks again after this long. */
const HOST_RETRY_MS = 1_000;

/** Applies restart policies: back-off, quarantine, and the timers between. */
export class AgentRestarter implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #timers = new Map<AgentId, MutableDisposable<Disposable>>();

  constructor(
    private readonly context: SupervisorContext,
    private readonly start: (id: AgentId, order: StartOrder) => Promise<void>,
  ) {}

  /** Decides what follows if the agent has ended by itself while it was to run; otherwise does nothing. */
  async afterEnd(agent: Agent): Promise<void> {
    const { state, clock, settings, random, log } = this.context;
    const { lifecycle, desired, generation, exit, spec, restartsAtMs } = agent.record;
    if (this.#owned.isDisposed || desired !== 'running' || (lifecycle !== 'exited' && lifecycle !== 'failed')) return;
    if (!settings.isAutomaticStartAllowed()) return;
    const budget = new RestartBudget(spec.restartPolicy ?? 'on_failure', restartsAtMs, settings.restart);
    const decision = budget.next(exit ?? {}, clock.nowMs(), random());
    if (decision.kind === 'rest') return;
    if (decision.kind === 'quarantine') return this.#quarantine(agent, decision.restarts);
    const nextStartAtMs = clock.nowMs() + decision.delayMs;
    log.info('an agent will be restarted', { agent: agent.id, delayMs: decision.delayMs });
    await state.transition(agent.id, generation, {
      lifecycle: 'backoff', restartsAtMs: decision.budget.restartsAtMs, nextStartAtMs, actor: 'policy', reason: 'restart_planned',
      evidence: [{ source: 'policy', detail: `restart ${decision.budget.restartsAtMs.length} of ${settings.restart.maxRestarts} in ${secondsText(decision.delayMs)}`, observedAtMs: clock.nowMs() }, ...endEvidence(agent.record.evidence)],
    }); // prettier-ignore
    this.#arm(agent.id, decision.delayMs);
  }

  /** After adoption: a restart that was waiting, waits for the rest of its time, at most the longest delay. */
  rearm(agent: Agent): void {
    const { clock, settings } = this.context;
    const restMs = (agent.record.nextStartAtMs ?? 0) - clock.nowMs();
    this.#arm(agent.id, Math.min(Math.max(0, restMs), settings.restart.maxDelayMs));
  }

  /** A start that an order had begun and a crash interrupted. */
  startSoon(agent: Agent): void {
    this.#arm(agent.id, 0);
  }

  /** No restart from now on, until the next exit. */
  cancel(id: AgentId): void {
    this.#timers.get(id)?.dispose();
    this.#timers.delete(id);
  }

  /** The notice of quarantine is over. */
  forgive(id: AgentId): void {
    this.cancel(id);
    this.context.notices.resolve(`agent.quarantined:${id}`);
  }

  dispose(): void {
    this.#owned.dispose();
    for (const id of [...this.#timers.keys()]) this.cancel(id);
  }

  #arm(id: AgentId, delayMs: number): void {
    if (this.#owned.isDisposed) return;
    const timer = this.#timers.get(id) ?? new MutableDisposable<Disposable>();
    this.#timers.set(id, timer);
    timer.value = this.context.clock.setTimer(delayMs, () => this.#onDue(id));
  }

  #onDue(id: AgentId): void {
    const { registry, host, settings } = this.context;
    const agent = registry.find(id);
    this.cancel(id);
    if (this.#owned.isDisposed || agent?.record.desired !== 'running') return;
    if (!settings.isAutomaticStartAllowed()) return;
    if (host.status.kind !== 'ready') return this.#arm(id, HOST_RETRY_MS);
    const order: StartOrder = { actor: 'policy', reason: 'restarted', isAutomatic: true, resume: 'preferred' };
    this.start(id, order).catch((error: unknown) => this.#onFailure(agent, error));
  }

  /** Not begun at all: the earlier run could not be proved gone, or the store did not take it. Later again, and a person is told. */
  #onFailure(agent: Agent, error: unknown): void {
    const { log, notices, clock, settings } = this.context;
    log.warn('a restart failed', { agent: agent.id, error });
    const { lifecycle, desired, spec } = agent.record;
    const isWaiting = desired === 'running' && (lifecycle === 'backoff' || lifecycle === 'stopped');
    if (!isWaiting || this.#timers.has(agent.id) || this.#owned.isDisposed || AgentError.is(error, 'agent.conflict'))
      return;
    this.#arm(agent.id, settings.restart.maxDelayMs);
    notices.raise({
      fingerprint: `agent.cannotStart:${agent.id}`,
      level: 'error',
      title: `${spec.name} cannot be restarted`,
      detail: describeError(error),
      agentId: agent.id,
      atMs: clock.nowMs(),
    });
  }

  async #quarantine(agent: Agent, restarts: number): Promise<void> {
    const { state, notices, clock, settings } = this.context;
    const { generation, lifecycle } = agent.record;
    const nowMs = clock.nowMs();
    const end = endEvidence(agent.record.evidence);
    const detail = `${restarts} automatic ${restarts === 1 ? 'restart' : 'restarts'} within ${Math.round(settings.restart.windowMs / 60_000)} minutes`;
    const update = {
      actor: 'policy',
      reason: 'restarted_too_often',
      evidence: [{ source: 'policy', detail, observedAtMs: nowMs }, ...end],
    } as const;
    if (lifecycle === 'exited') await state.transition(agent.id, generation, { lifecycle: 'backoff', ...update });
    await state.transition(agent.id, generation, { lifecycle: 'quarantined', nextStartAtMs: null, ...update });
    notices.raise({
      fingerprint: `agent.quarantined:${agent.id}`,
      level: 'error',
      title: `${agent.record.spec.name} is quarantined`,
      detail: `${detail}: it is not restarted until a person releases it.${endWords(end)}`,
      agentId: agent.id,
      atMs: nowMs,
    });
  }
}

/** ` It last ended with code 1: "Error: no space left on device".` */
function endWords(evidence: readonly Evidence[]): string {
  const ended = evidence.find(({ detail }) => detail.startsWith(ENDED))?.detail.slice(ENDED.length);
  const line = wordsOf(evidence).at(-1);
  if (ended === undefined) return '';
  return ` It last ended with ${ended}${line === undefined ? '' : `: "${line}"`}.`;
}

import { type Disposable, DisposableStore } from '../base/disposable';
import { Emitter, type Event } from '../base/event';
import { ignore } from '../base/log';
import type { AgentId } from './agent';
import type { OscSequence, SettledScreen } from './agentHost';
import type { AgentType } from './agentType';
import { isObservable } from './agentTransitions';
import { pauseEvidence } from './orderEvidence';
import { isScreenFact, resolveActivity, type Verdict } from './activityResolver';
import type { Agent } from './baseAgent';
import { type Reading, readScreen, readSilence, SILENCE_RULE } from './screenReader';
import type { AgentSignal } from './signals/agentSignal';
import { explainState } from './signals/explainState';
import type { StateExplanation } from './signals/stateExplanation';
import { readStatusFile, statusFilePlace } from './signals/statusFile';
import { TypeReader } from './signals/typeReader';
import { WatchedRun } from './signals/watchedRun';
import type { SupervisorContext } from './supervisorPorts';

/** What was found out about an agent. */
export interface Observation {
  readonly agentId: AgentId;
  readonly generation: number;
  readonly reading: Reading;
}

/** What the observer needs of the supervisor. */
export type ObserverContext = Pick<
  SupervisorContext,
  'host' | 'registry' | 'state' | 'factory' | 'clock' | 'log' | 'statusFiles'
>;

/** 20 ms: the least time between two looks that nobody but us asked for. */
const MIN_LOOK_MS = 20;
/** 1 s: somebody looks at the scroll-back and something waits to be seen. */
const BLIND_LOOK_MS = 1_000;
const MAX_FAILED_LOOKS = 5;
/** 200 ms after a look that failed: the host may just be coming back. */
const FAILED_LOOK_MS = 200;

/**
 * Finds out what agents do: collects what hooks, titles, OSC, status files and settled screens say of each run, lets the resolver weigh it, asks for
 * the looks that are missing, and writes the result through the state manager. Idle agents cost nothing: no event, no timer.
 */
export class ActivityObserver implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #watched = new Map<AgentId, WatchedRun>();
  readonly #readers = new WeakMap<AgentType, TypeReader>();
  readonly #onDidObserve: Emitter<Observation>;

  constructor(private readonly context: ObserverContext) {
    const { host, log } = context;
    this.#onDidObserve = this.#owned.add(
      new Emitter<Observation>((error) => log.error('a listener of observations failed', { error })),
    );
    this.#owned.add(host.onDidSettleScreen((screen) => this.#onScreen(screen)));
    this.#owned.add(host.onDidOsc((osc) => this.#onOsc(osc)));
    this.#owned.add(host.onDidOutput(({ agentId, generation }) => this.#onOutput(agentId, generation)));
  }

  /** Something was found out and accepted; fires for the same activity again. Used to see readiness. */
  get onDidObserve(): Event<Observation> {
    return this.#onDidObserve.event;
  }

  /** What was last accepted for this generation, if anything. */
  last(id: AgentId, generation: number): Reading | undefined {
    return this.#find(id, generation)?.accepted;
  }

  /** True once a screen of this generation has settled, whatever it showed. */
  hasSettled(id: AgentId, generation: number): boolean {
    return this.#find(id, generation)?.hasSettled ?? false;
  }

  /** True once a rule of its type has matched a screen of this generation that was accepted. */
  hasMatched(id: AgentId, generation: number): boolean {
    const run = this.#find(id, generation);
    if (!run || (run.accepted?.activity ?? 'unknown') === 'unknown') return false;
    return run.facts.screens.some(({ kind }) => kind === 'rule');
  }

  /** Reads the screen now, as it is, without confirmation: is a dialog up? @throws as AgentHost.capture; agent.unknownType */
  async look(agent: Agent): Promise<Reading> {
    const screen = await agent.capture();
    return readScreen(this.#reader(this.context.factory.get(agent.record.spec.typeId)).all, screen);
  }

  /** Looks at an agent without waiting for a change: after adoption. Failure is only logged. */
  lookSoon(id: AgentId): void {
    const agent = this.context.registry.find(id);
    agent?.capture().then(
      (screen) => this.#onScreen(screen),
      (error: unknown) => ignore(this.context.log, error, 'the screen will be read at its next change'),
    );
  }

  /** Takes what a hook said. News of another run than the present one is logged and changes nothing (R19). */
  signal(signal: AgentSignal): void {
    const agent = this.#watchable(signal.agentId, signal.generation);
    if (!agent) {
      const { agentId, generation, source, detail } = signal;
      this.context.log.info('ignored a signal of a run that is not observed', { agent: agentId, generation, source, detail }); // prettier-ignore
      return;
    }
    const run = this.#watch(agent);
    run.addSignal(signal);
    this.#resolve(agent, run);
  }

  /** Why it says what it says. @throws {AgentError} agent.notFound */
  explain(id: AgentId): StateExplanation {
    const { record, type } = this.context.registry.get(id);
    const run = this.#find(record.id, record.generation);
    const known = { agentId: record.id, generation: record.generation };
    const degraded = type ? [...this.context.factory.degraded(type, known), ...Object.values(type.unseen ?? {})] : [];
    return explainState(record, degraded, run && { facts: run.facts, verdict: run.verdict });
  }

  /** The run has ended: timers go. */
  forget(id: AgentId): void {
    this.#watched.get(id)?.dispose();
    this.#watched.delete(id);
  }

  dispose(): void {
    for (const id of [...this.#watched.keys()]) this.forget(id);
    this.#owned.dispose();
  }

  #onScreen(screen: SettledScreen): void {
    const agent = this.#watchable(screen.agentId, screen.generation);
    if (!agent?.type) return;
    const run = this.#watch(agent);
    const reader = this.#reader(agent.type);
    this.#armSilence(agent, run, reader);
    const isRead = run.addScreen(reader, screen);
    this.#resolve(agent, run);
    if (!isRead && run.lookAgain.value) this.#lookIn(agent, run, BLIND_LOOK_MS);
  }

  #onOsc({ agentId, generation, code, text }: OscSequence): void {
    const agent = this.#watchable(agentId, generation);
    if (!agent?.type) return;
    const run = this.#watch(agent);
    if (run.addOsc(this.#reader(agent.type), code, text)) this.#resolve(agent, run);
  }

  /** Weighs everything that is known now, asks for the look that is missing, accepts what is clear. */
  #resolve(agent: Agent, run: WatchedRun): void {
    const { clock } = this.context;
    const shown = run.verdict?.activity ?? 'unknown';
    const { verdict, lookInMs } = resolveActivity(run.facts, shown, clock.monotonicMs());
    this.#lookIn(agent, run, lookInMs);
    if (!verdict) return;
    const isNews = run.accept(verdict);
    const reading = run.accepted;
    if (!reading) return;
    this.#onDidObserve.fire({ agentId: agent.id, generation: run.generation, reading });
    if (isNews || run.isRetryOver) this.publish(agent.id, run.generation);
    this.#armRetry(agent, run);
  }

  #lookIn(agent: Agent, run: WatchedRun, lookInMs: number | undefined): void {
    const { clock } = this.context;
    run.lookAgain.value =
      lookInMs === undefined
        ? undefined
        : clock.setTimer(Math.max(MIN_LOOK_MS, lookInMs), () => this.#look(agent, run));
    if (lookInMs === 0 && run.look === 'none') this.#look(agent, run);
  }

  /** One capture at a time; what is asked for meanwhile is looked at once more after it. */
  #look(agent: Agent, run: WatchedRun): void {
    if (this.#watched.get(agent.id) !== run) return;
    if (run.look !== 'none') {
      run.look = 'again';
      return;
    }
    run.look = 'running';
    run.lookAgain.value = undefined;
    agent
      .capture()
      .then(
        (screen) => {
          run.failedLooks = 0;
          this.#onScreen(screen);
        },
        (error: unknown) => {
          ignore(this.context.log, error, 'looked at again soon, or at its next change');
          if (this.#watched.get(agent.id) === run && ++run.failedLooks < MAX_FAILED_LOOKS)
            this.#lookIn(agent, run, FAILED_LOOK_MS);
        },
      )
      .finally(() => {
        const isAgain = run.look === 'again';
        run.look = 'none';
        if (isAgain && this.#watched.get(agent.id) === run) this.#lookIn(agent, run, MIN_LOOK_MS);
      });
  }

  /** Writes what was last accepted into the agent's state, if it is observable. Called again when it becomes so. */
  publish(id: AgentId, generation: number): void {
    const agent = this.context.registry.find(id);
    const run = this.#find(id, generation);
    if (!agent || !run?.accepted || !isObservable(agent.record.lifecycle)) return;
    const { activity, evidence } = run.accepted;
    this.#write(agent, generation, {
      activity,
      evidence: [evidence],
      reason: run.verdict ? reasonOf(run.verdict) : 'no_rule_matches',
    });
  }

  #write(
    agent: Agent,
    generation: number,
    update: { activity: Reading['activity']; evidence: readonly Reading['evidence'][]; reason: string },
  ): void {
    this.context.state
      .transition(agent.id, generation, {
        ...update,
        evidence: (before) => [...update.evidence, ...pauseEvidence(before)],
        actor: 'engine',
      })
      .catch((error: unknown) => ignore(this.context.log, error, 'the agent is gone meanwhile'));
  }

  #onOutput(id: AgentId, generation: number): void {
    const run = this.#find(id, generation);
    const agent = this.context.registry.find(id);
    if (agent?.type?.silence && run) this.#armSilence(agent, run, this.#reader(agent.type));
  }

  #armSilence(agent: Agent, run: WatchedRun, reader: TypeReader): void {
    const { silence } = reader.all;
    if (!silence) return;
    run.silence.value = this.context.clock.setTimer(silence.afterMs, () => {
      if (this.#watched.get(agent.id) === run) void this.#readSilence(agent, run, reader, silence.afterMs);
    });
  }

  async #readSilence(agent: Agent, run: WatchedRun, reader: TypeReader, silentMs: number): Promise<void> {
    try {
      const screen = await agent.capture();
      if (this.#watched.get(agent.id) !== run || (run.accepted?.activity ?? 'unknown') !== 'unknown') return;
      const reading = readSilence(reader.all, screen, silentMs);
      if (!reading || run.accepted?.rule === reading.rule) return;
      run.accepted = reading;
      this.publish(agent.id, run.generation);
    } catch (error) {
      ignore(this.context.log, error, 'the terminal is gone');
    }
  }

  /** A type that retries without a word: after a while of work without an event that is said. One timer, only while it works. */
  #armRetry(agent: Agent, run: WatchedRun): void {
    const silentMs = agent.type?.silentRetryMs;
    if (silentMs === undefined) return;
    if (run.isRetryOver) run.retryToldForMs = undefined;
    if (run.verdict?.activity !== 'busy') {
      run.retryToldForMs = undefined;
      run.retry.value = undefined;
      return;
    }
    if (run.retry.value || run.retryToldForMs !== undefined) return; // it looks at the time of the newest event when it comes
    const { clock } = this.context;
    run.retry.value = clock.setTimer(Math.max(0, run.eventAtMs + silentMs - clock.monotonicMs()), () => {
      run.retry.value = undefined;
      const current = run.verdict;
      if (this.#watched.get(agent.id) !== run || current?.activity !== 'busy') return;
      if (clock.monotonicMs() - run.eventAtMs >= silentMs) this.#tellRetry(agent, run, silentMs);
      else this.#armRetry(agent, run);
    });
  }

  #tellRetry(agent: Agent, run: WatchedRun, silentMs: number): void {
    if (!run.accepted || !isObservable(agent.record.lifecycle)) return;
    run.retryToldForMs = run.eventAtMs;
    const detail = `possibly retrying: ${Math.round(silentMs / 1000)} s of work without an event or progress`;
    const evidence = [
      { source: 'screen' as const, detail, observedAtMs: this.context.clock.nowMs() },
      run.accepted.evidence,
    ];
    this.#write(agent, run.generation, { activity: 'busy', evidence, reason: 'possibly_retrying' });
  }

  /** The agent, when this is its present run and what it does has a meaning. */
  #watchable(id: AgentId, generation: number): Agent | undefined {
    const agent = this.#owned.isDisposed ? undefined : this.context.registry.find(id);
    if (agent?.record.generation !== generation) return undefined;
    const { lifecycle } = agent.record;
    return isObservable(lifecycle) || lifecycle === 'starting' ? agent : undefined;
  }

  #find(id: AgentId, generation: number): WatchedRun | undefined {
    const run = this.#watched.get(id);
    return run?.generation === generation ? run : undefined;
  }

  #watch(agent: Agent): WatchedRun {
    let run = this.#find(agent.id, agent.record.generation);
    if (!run) {
      this.forget(agent.id);
      run = new WatchedRun(agent.record.generation, this.context.clock, showsOldErrors(agent));
      this.#watched.set(agent.id, run);
    }
    this.#watchStatusFile(agent, run);
    return run;
  }

  /** From the first sign of life on: then the program itself runs, in the environment that says where its files are. */
  #watchStatusFile({ id, type, record }: Agent, run: WatchedRun): void {
    const { process } = record;
    const rule = type?.statusFile;
    if (!rule || !process || !this.context.statusFiles || run.statusFile.value) return;
    run.statusFile.value = this.context.statusFiles.watch(statusFilePlace(rule, process.pid), (text, modifiedAtMs) => {
      const agent = this.#watchable(id, run.generation);
      if (!agent || this.#watched.get(id) !== run) return;
      if (run.addStatus(readStatusFile(rule, text, process), modifiedAtMs)) this.#resolve(agent, run);
    });
  }

  #reader(type: AgentType): TypeReader {
    const reader = this.#readers.get(type) ?? new TypeReader(type, this.context.factory.shellName);
    this.#readers.set(type, reader);
    return reader;
  }
}

const SIGNAL_REASONS = { hook: 'hook', title: 'title_rule', osc: 'osc_rule', status_file: 'status_file' } as const;

/**
 * What its screen shows of errors is of an earlier turn, until its hooks tell of the next one: it has just begun in a conversation in
 * which an earlier run had turns, or it was found alive and was last known to be idle.
 */
function showsOldErrors({ record, type }: Agent): boolean {
  const isToldOfTurns = type?.hooks?.some(({ promptPath }) => promptPath !== undefined) ?? false;
  if (!isToldOfTurns || record.hasSessionTurn !== true) return false;
  return record.lifecycle === 'starting' || record.activity === 'idle';
}

/** The reason code of a change of activity. */
function reasonOf({ by, why }: Verdict): string {
  if (!isScreenFact(by)) return SIGNAL_REASONS[by.source];
  if (by.reading.isRetry) return 'retrying';
  if (why === 'contradicted') return 'screen_contradicts';
  if (by.kind === 'overlay') return 'overlay';
  return by.kind === 'rule' || by.reading.rule === SILENCE_RULE ? 'screen_rule' : 'no_rule_matches';
}

import { type Disposable, DisposableStore, MutableDisposable } from '../base/disposable';
import { Emitter, type Event } from '../base/event';
import { ignore } from '../base/log';
import type { AgentId } from './agent';
import type { SettledScreen } from './agentHost';
import type { AgentType } from './agentType';
import { isObservable } from './agentTransitions';
import { type ActivityState, resolveActivity } from './activityResolver';
import type { Agent } from './baseAgent';
import { compileScreen, type CompiledScreen, type Reading, readScreen, readSilence } from './screenReader';
import type { SupervisorContext } from './supervisorPorts';

/** One accepted look at an agent. */
export interface Observation {
  readonly agentId: AgentId;
  readonly generation: number;
  readonly reading: Reading;
}

interface Watched {
  readonly generation: number;
  state: ActivityState;
  accepted: Reading | undefined;
  hasSettled: boolean;
  readonly lookAgain: MutableDisposable<Disposable>;
  readonly silence: MutableDisposable<Disposable>;
}

/** Turns settled screens into activity: reads them by the type's rules, waits for confirmation, writes through the state manager. */
export class ActivityObserver implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #watched = new Map<AgentId, Watched>();
  readonly #compiled = new WeakMap<AgentType, CompiledScreen>();
  readonly #onDidObserve: Emitter<Observation>;

  constructor(private readonly context: SupervisorContext) {
    const { host, log } = context;
    this.#onDidObserve = this.#owned.add(
      new Emitter<Observation>((error) => log.error('a listener of observations failed', { error })),
    );
    this.#owned.add(host.onDidSettleScreen((screen) => this.#onScreen(screen)));
    this.#owned.add(host.onDidOutput(({ agentId, generation }) => this.#onOutput(agentId, generation)));
  }

  /** A settled screen was read and accepted; fires for the same activity again. Used to see readiness. */
  get onDidObserve(): Event<Observation> {
    return this.#onDidObserve.event;
  }

  /** What was last accepted for this generation, if anything. */
  last(id: AgentId, generation: number): Reading | undefined {
    const watched = this.#watched.get(id);
    return watched?.generation === generation ? watched.accepted : undefined;
  }

  /** True once a screen of this generation has settled, whatever it showed. */
  hasSettled(id: AgentId, generation: number): boolean {
    const watched = this.#watched.get(id);
    return watched?.generation === generation && watched.hasSettled;
  }

  /** Reads the screen now, as it is, without confirmation: is a dialog up? @throws as AgentHost.capture; agent.unknownType */
  async look(agent: Agent): Promise<Reading> {
    const screen = await agent.capture();
    return readScreen(this.#compile(this.context.factory.get(agent.record.spec.typeId)), screen);
  }

  /** Looks at an agent without waiting for a change: after adoption. Failure is only logged. */
  lookSoon(id: AgentId): void {
    const agent = this.context.registry.find(id);
    agent?.capture().then(
      (screen) => this.#onScreen(screen),
      (error: unknown) => ignore(this.context.log, error, 'the screen will be read at its next change'),
    );
  }

  /** The run has ended: timers go. */
  forget(id: AgentId): void {
    const watched = this.#watched.get(id);
    watched?.lookAgain.dispose();
    watched?.silence.dispose();
    this.#watched.delete(id);
  }

  dispose(): void {
    for (const id of [...this.#watched.keys()]) this.forget(id);
    this.#owned.dispose();
  }

  #onScreen(screen: SettledScreen): void {
    if (this.#owned.isDisposed) return;
    const agent = this.context.registry.find(screen.agentId);
    const type = agent?.type;
    if (!agent || !type || screen.generation !== agent.record.generation || !isWatchable(agent)) return;
    const watched = this.#watch(agent);
    watched.hasSettled = true;
    const compiled = this.#compile(type);
    this.#armSilence(agent, watched, compiled);
    if (screen.isInCopyMode && compiled.rules.every(({ rule }) => rule.where === 'bottom')) return; // an old picture says nothing
    this.#accept(agent, watched, readScreen(compiled, screen));
  }

  #accept(agent: Agent, watched: Watched, reading: Reading): void {
    const resolution = resolveActivity(watched.state, reading, this.context.clock.monotonicMs());
    watched.state = resolution.state;
    watched.lookAgain.value =
      resolution.lookAgainMs === undefined
        ? undefined
        : this.context.clock.setTimer(
            resolution.lookAgainMs,
            () => this.#watched.get(agent.id) === watched && this.lookSoon(agent.id),
          );
    if (!resolution.isAccepted) return;
    const isNews = watched.accepted?.activity !== reading.activity || watched.accepted.rule !== reading.rule;
    watched.accepted = reading;
    this.#onDidObserve.fire({ agentId: agent.id, generation: watched.generation, reading });
    if (isNews) this.publish(agent.id, watched.generation);
  }

  /** Writes what was last accepted into the agent's state, if it is observable. Called again when it becomes so. */
  publish(id: AgentId, generation: number): void {
    const agent = this.context.registry.find(id);
    const reading = this.last(id, generation);
    if (!agent || !reading || !isObservable(agent.record.lifecycle)) return;
    const { activity, evidence } = reading;
    this.context.state
      .transition(id, generation, {
        activity,
        evidence: [evidence],
        reason: reading.rule === '' ? 'no_rule_matches' : 'screen_rule',
        actor: 'engine',
      })
      .catch((error: unknown) => ignore(this.context.log, error, 'the agent is gone meanwhile'));
  }

  #onOutput(id: AgentId, generation: number): void {
    const watched = this.#watched.get(id);
    const type = this.context.registry.find(id)?.type;
    const agent = this.context.registry.find(id);
    if (agent && type && watched?.generation === generation) this.#armSilence(agent, watched, this.#compile(type));
  }

  #armSilence(agent: Agent, watched: Watched, compiled: CompiledScreen): void {
    const { silence } = compiled;
    if (!silence) return;
    watched.silence.value = this.context.clock.setTimer(silence.afterMs, () => {
      if (this.#watched.get(agent.id) === watched) void this.#readSilence(agent, watched, compiled, silence.afterMs);
    });
  }

  async #readSilence(agent: Agent, watched: Watched, compiled: CompiledScreen, silentMs: number): Promise<void> {
    try {
      const screen = await agent.capture();
      if (this.#watched.get(agent.id) !== watched) return;
      const reading = readSilence(compiled, screen, silentMs);
      if (!reading || watched.accepted?.rule === reading.rule) return;
      watched.accepted = reading;
      this.publish(agent.id, watched.generation);
    } catch (error) {
      ignore(this.context.log, error, 'the terminal is gone');
    }
  }

  #watch(agent: Agent): Watched {
    const present = this.#watched.get(agent.id);
    const { generation } = agent.record;
    if (present?.generation === generation) return present;
    this.forget(agent.id);
    const watched: Watched = {
      generation,
      state: { activity: 'unknown' },
      accepted: undefined,
      hasSettled: false,
      lookAgain: new MutableDisposable(),
      silence: new MutableDisposable(),
    };
    this.#watched.set(agent.id, watched);
    return watched;
  }

  #compile(type: AgentType): CompiledScreen {
    const compiled = this.#compiled.get(type) ?? compileScreen(type, this.context.factory.shellName);
    this.#compiled.set(type, compiled);
    return compiled;
  }
}

function isWatchable(agent: Agent): boolean {
  return isObservable(agent.record.lifecycle) || agent.record.lifecycle === 'starting';
}

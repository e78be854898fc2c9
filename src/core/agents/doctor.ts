import { type Clock, secondsText, WakeableWait } from '../base/clock';
import type { Diagnosis } from '../base/diagnosis';
import { DisposableStore } from '../base/disposable';
import { describeError } from '../base/errors';
import type { Ids } from '../base/ids';
import { ignore, type Logger } from '../base/log';
import type { AgentFactory } from './agentFactory';
import type { AgentHost, SettledScreen } from './agentHost';
import type { AgentSupervisor } from './agentSupervisor';
import type { AgentType } from './agentType';
import type { Agent } from './baseAgent';
import { agentEnvironment, type BaseEnvironment, type Environment } from './environment';
import { hasInputBox, readBox } from './inputBox';
import type { LaunchChecks } from './launchChecks';
import { hasHooks } from './signals/injection';
import { fillTemplate } from './signals/templates';
import { cleanText } from './visibleText';

/** What is right and wrong with a type on the program that is installed here. */
export interface DoctorReport {
  readonly typeId: string;
  /** As the program says; undefined when it could not be asked. */
  readonly programVersion?: string;
  /** On which the manifest's facts were seen. */
  readonly knownVersions: readonly string[];
  readonly checks: readonly Diagnosis[];
}

/** What the doctor needs of the machine. Implemented by `node/nodeTrialRun.ts`. */
export interface TrialRun {
  /** Runs a program to its end, without a shell, at most `timeoutMs`; resolves with the beginning of what it printed. @throws system errors, the signal's reason */
  run(program: string, args: readonly string[], options: { readonly env: Environment; readonly folder: string; readonly timeoutMs: number }, signal: AbortSignal): Promise<{ readonly code: number | undefined; readonly output: string }>; // prettier-ignore
  /** An empty folder of its own, by its real path. */
  makeFolder(): Promise<{ readonly path: string; remove(): Promise<void> }>;
}

export interface DoctorPorts {
  readonly supervisor: Pick<AgentSupervisor, 'create' | 'start' | 'stop' | 'remove' | 'hooks'>;
  readonly factory: AgentFactory;
  readonly host: Pick<AgentHost, 'onDidSettleScreen'>;
  readonly environment: BaseEnvironment;
  readonly checks: LaunchChecks;
  readonly trial: TrialRun;
  /** Where agents of this workspace usually work. */
  readonly workspaceFolder: () => string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
}

const VERSION_TIMEOUT_MS = 15_000;
/** From ready to the first hook and the empty box: the slowest program took 15 s. */
const LOOK_TIMEOUT_MS = 20_000;
/** 2 s: a question that stands so long waits for a person, and nothing more comes by itself. */
const ASKING_MS = 2_000;
const VERSION = /\d{1,6}\.\d{1,6}(?:\.\d{1,9})?(?:-[\w.]{1,40})?/;

/**
 * Checks a type on the program that is installed: looks for it, asks its version, starts it as an agent that is seen while it runs, waits for
 * its first hook and its input box, and ends it. It starts in an empty folder of its own, or, by its manifest, where agents work: in a new folder
 * it would only ask whether that is trusted. Nothing is typed, so nothing reaches a model and no question (of trust, of a login) is answered.
 */
export class Doctor {
  constructor(private readonly ports: DoctorPorts) {}

  /** @throws {AgentError} agent.unknownType; the signal's reason – what was started is ended */
  async examine(typeId: string, signal: AbortSignal): Promise<DoctorReport> {
    const { factory } = this.ports;
    const type = factory.get(typeId);
    if (type.doctor?.folder === 'workspace') return this.#examineIn(type, this.ports.workspaceFolder(), signal);
    const folder = await this.ports.trial.makeFolder();
    try {
      return await this.#examineIn(type, folder.path, signal);
    } finally {
      await folder.remove().catch((error: unknown) => ignore(this.ports.log, error, 'an empty folder stays behind'));
    }
  }

  async #examineIn(type: AgentType, folder: string, signal: AbortSignal): Promise<DoctorReport> {
    const { environment, checks } = this.ports;
    const knownVersions = type.doctor?.knownVersions ?? [];
    const report = (list: readonly Diagnosis[], programVersion?: string): DoctorReport => ({
      typeId: type.id, knownVersions, checks: list, ...(programVersion !== undefined && { programVersion }),
    }); // prettier-ignore
    if (type.command.includes('{command}')) {
      const detail = 'Agents of this type run the command that a person gives; there is no program to check.';
      return report([{ id: 'program', label: 'Program', level: 'info', detail }]);
    }
    const base = await environment.read(signal);
    const env = agentEnvironment({ ...base, type: type.env, spec: undefined, own: {} });
    const [name = ''] = this.ports.factory.argvOf(type, { name: type.label, typeId: type.id, folder });
    const program = await checks.findCommand(name, env['PATH'] ?? '', folder);
    if (program === undefined) return report([missing(type, name)]);
    const version = type.detect ? await this.#version(type, program, { env, folder }, signal) : undefined;
    const found: readonly Diagnosis[] = [
      { id: 'program', label: 'Program', level: 'ok', detail: program },
      ...(type.detect ? [versionCheck(version, knownVersions)] : []),
    ];
    return report([...found, ...(await this.#run(type, folder, signal))], version);
  }

  async #version(
    type: AgentType,
    program: string,
    at: { readonly env: Environment; readonly folder: string },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    try {
      const args = type.doctor?.versionArgs ?? ['--version'];
      const { output } = await this.ports.trial.run(program, args, { ...at, timeoutMs: VERSION_TIMEOUT_MS }, signal);
      return VERSION.exec(output)?.[0];
    } catch (error) {
      signal.throwIfAborted();
      ignore(this.ports.log, error, 'the program did not tell its version');
      return undefined;
    }
  }

  async #run(type: AgentType, folder: string, signal: AbortSignal): Promise<readonly Diagnosis[]> {
    const { supervisor, ids } = this.ports;
    const args = (type.doctor?.args ?? []).map((template) => fillTemplate(template, { folder }));
    const agent = await supervisor.create(
      {
        name: `Check of ${type.label} ${ids.next().slice(-4)}`.slice(0, 80),
        typeId: type.id,
        folder,
        args,
        restartPolicy: 'never',
      },
      { actor: 'engine' },
    );
    const look = new FirstLook(this.ports, agent, type);
    try {
      const started = await this.#start(agent, signal);
      const seen = started.level === 'ok' ? await look.wait(signal) : [];
      return [started, ...seen, await this.#stop(agent)];
    } finally {
      look.dispose();
      await supervisor
        .remove(agent.id, { actor: 'engine', stopFirst: true })
        .catch((error: unknown) => this.ports.log.warn('an agent of a check stays behind', { agent: agent.id, error }));
    }
  }

  async #start(agent: Agent, signal: AbortSignal): Promise<Diagnosis> {
    const label = 'Start';
    try {
      const beganMs = this.ports.clock.monotonicMs();
      await this.ports.supervisor.start(agent.id, { actor: 'engine', signal });
      const took = secondsText(this.ports.clock.monotonicMs() - beganMs);
      if (agent.record.lifecycle === 'running')
        return { id: 'start', label, level: 'ok', detail: `ready after ${took}` };
      return { id: 'start', label, level: 'warning', detail: `it ended by itself after ${took}` };
    } catch (error) {
      signal.throwIfAborted();
      return {
        id: 'start',
        label,
        level: 'error',
        detail: cleanText(describeError(error)),
        advice: 'Run it in a terminal once and see what it says.',
      };
    }
  }

  /** The supervisor proves that every process is gone, or says so. */
  async #stop(agent: Agent): Promise<Diagnosis> {
    try {
      await this.ports.supervisor.stop(agent.id, { actor: 'engine' });
      const detail = agent.record.evidence[0]?.detail ?? 'every process of it is gone';
      return { id: 'stop', label: 'Stop', level: 'ok', detail };
    } catch (error) {
      return { id: 'stop', label: 'Stop', level: 'error', detail: cleanText(describeError(error)) };
    }
  }
}

/** Waits for what a program tells and shows by itself: its first hook, its empty input box. */
class FirstLook {
  readonly #owned = new DisposableStore();
  #hook: string | undefined;
  #hasBox = false;
  #askingSinceMs: number | undefined;
  readonly #news: WakeableWait;

  constructor(
    private readonly ports: DoctorPorts,
    private readonly agent: Agent,
    private readonly type: AgentType,
  ) {
    this.#news = new WakeableWait(ports.clock);
    this.#owned.add(
      ports.supervisor.hooks.onDidReceive(({ agentId, event }) => {
        if (agentId !== agent.id) return;
        this.#hook ??= event;
        this.#news.wake();
      }),
    );
    this.#owned.add(ports.host.onDidSettleScreen((screen) => screen.agentId === agent.id && this.#read(screen)));
  }

  async wait(signal: AbortSignal): Promise<readonly Diagnosis[]> {
    const { clock, log } = this.ports;
    const deadlineMs = clock.monotonicMs() + LOOK_TIMEOUT_MS;
    await this.agent.capture().then(
      (screen) => this.#read(screen),
      (error: unknown) => ignore(log, error, 'the screen is read when it changes'),
    );
    while (!this.#isDone && clock.monotonicMs() < deadlineMs && this.agent.record.lifecycle === 'running') {
      signal.throwIfAborted();
      if (!this.#isAsking) this.#askingSinceMs = undefined;
      else if (clock.monotonicMs() - (this.#askingSinceMs ??= clock.monotonicMs()) >= ASKING_MS) break;
      const leftMs = deadlineMs - clock.monotonicMs();
      await this.#news.wait(Math.min(leftMs, 500), signal); // an end of the agent is seen, too
    }
    signal.throwIfAborted();
    return [this.#hooksCheck(), ...(hasInputBox(this.type) ? [this.#boxCheck()] : [])];
  }

  dispose(): void {
    this.#owned.dispose();
  }

  get #isDone(): boolean {
    return (this.#hook !== undefined || !this.#tellsAtStart) && (this.#hasBox || !hasInputBox(this.type));
  }

  get #tellsAtStart(): boolean {
    const isInjected = this.ports.factory.degraded(this.type).length === 0;
    return isInjected && hasHooks(this.type) && this.type.doctor?.firstHook !== undefined;
  }

  get #isAsking(): boolean {
    const { activity } = this.agent.record;
    return !this.#hasBox && (activity === 'awaiting_input' || activity === 'awaiting_approval');
  }

  #read(screen: SettledScreen): void {
    this.#hasBox ||= readBox(this.type, screen).kind === 'empty';
    this.#news.wake();
  }

  #hooksCheck(): Diagnosis {
    const id = 'hooks';
    const label = 'Hooks';
    if (this.#hook !== undefined) return { id, label, level: 'ok', detail: `it reported ${cleanText(this.#hook, 80)}` };
    const [why] = this.ports.factory.degraded(this.type);
    if (why !== undefined) return { id, label, level: 'info', detail: why };
    if (!hasHooks(this.type)) return { id, label, level: 'info', detail: 'programs of this type have none' };
    if (!this.#tellsAtStart)
      return { id, label, level: 'info', detail: 'this program reports nothing before its first prompt' };
    if (this.#isAsking) return this.#notChecked(id, label);
    return {
      id,
      label,
      level: this.#hasBox ? 'error' : 'warning',
      detail: 'it did not report its start',
      advice: 'Without hooks its activity comes from the screen only.',
    };
  }

  #notChecked(id: string, label: string): Diagnosis {
    const { folder } = this.agent.record.spec;
    const detail = `not checked: in ${cleanText(folder)} it asks something first (whether to trust the folder, a login)`;
    return { id, label, level: 'warning', detail, advice: whatToAnswer(this.type) };
  }

  #boxCheck(): Diagnosis {
    const check = { id: 'box', label: 'Input box' };
    if (this.#hasBox) return { ...check, level: 'ok', detail: 'recognised, empty' };
    if (this.#isAsking) return this.#notChecked(check.id, check.label);
    return {
      ...check,
      level: 'warning',
      detail: 'not recognised',
      advice: 'Prompts are refused while its input box is not seen.',
    };
  }
}

/** A question whose answer the program does not keep for the next run in this folder is not worth an advice. */
function whatToAnswer(type: AgentType): string {
  return type.doctor?.folder === 'workspace'
    ? 'Answer it once in a terminal in this folder, then run the doctor again.'
    : 'If it is a login, answer it once in a terminal, then run the doctor again.';
}

function missing(type: AgentType, name: string): Diagnosis {
  return {
    id: 'program', label: 'Program', level: 'error', detail: `no program "${cleanText(name)}" on the PATH that agents get`,
    ...(type.installHint !== undefined && { advice: type.installHint }),
  }; // prettier-ignore
}

function versionCheck(version: string | undefined, known: readonly string[]): Diagnosis {
  const check = { id: 'version', label: 'Version' };
  if (version === undefined) return { ...check, level: 'warning', detail: 'the program did not tell its version' };
  if (known.length === 0) return { ...check, level: 'info', detail: `${version}; not tried with any version` };
  if (known.includes(version)) return { ...check, level: 'ok', detail: version };
  return { ...check, level: 'info', detail: `${version}; its screens and hooks were seen with ${known.join(', ')}` };
}

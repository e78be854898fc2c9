import type { Disposable } from '../base/disposable';
import { toDisposable } from '../base/disposable';
import { Emitter, type Event, type ListenerFailure } from '../base/event';
import type { AgentId, AgentRecord, AgentSpec } from './agent';
import { AgentError } from './agentErrors';
import type { LaunchSpec } from './agentHost';
import { invalidSpec } from './agentSpec';
import type { AgentType } from './agentType';
import { requireAgentType } from './agentTypeParser';
import { AGENT_VARIABLE, GENERATION_VARIABLE, POINTER_VARIABLE } from '../../shared/gatewayProtocol';
import { agentEnvironment, type Environment } from './environment';
import type { LaunchTools } from './launchTools';
import type { HomeFolders, KnownHome, Run } from './signals/homePlan';
import { canInject, hasHooks, inject, sessionArgs } from './signals/injection';
import type { Sha256 } from './signals/templates';

export interface AgentFactoryOptions {
  /** The user's shell, absolute. */
  readonly shell: string;
  /** Node, or what runs as Node with ELECTRON_RUN_AS_NODE=1. */
  readonly execPath: string;
  /** The bundled demo agent, absolute. */
  readonly demoAgent: string;
  /** Distinguishes the agents of this workspace in their processes' environment: 1–64 of [a-z0-9]. */
  readonly workspaceId: string;
  /** Through what agents reach us; absent while it is not installed: then nothing is injected, and agents are known from their screens only. */
  readonly tools?: LaunchTools;
  /** Needed for types that start with a settings folder of their own; without it they start with the user's, uninjected. */
  readonly homes?: HomeFolders;
  /** Lower-case hex; needed for types that state the hash of what is injected. */
  readonly sha256?: Sha256;
}

/** Facts of one launch that are not kept with the agent. */
export interface LaunchBase {
  readonly process: Readonly<Record<string, string | undefined>>;
  readonly loginShell: Environment | undefined;
  /** Go on with the conversation `record.sessionId`. Default: a new one. */
  readonly isResume?: boolean;
}

/** The variable that marks every process of an agent; proves that a process is ours when its parents are gone (R12). */
export const MARKER_VARIABLE = 'CORE_ORCHESTRATOR_RUN';

/**
 * Makes agents' launches from agent types. Types are data; an unknown one is a typed error, never a guess.
 * Held by the supervisor; extensions add types through it.
 */
export class AgentFactory implements Disposable {
  readonly #types = new Map<string, AgentType>();
  /** Of the newest run of each agent, when its program's settings keep its hooks from being run. */
  readonly #silences = new Map<AgentId, KnownHome>();
  readonly #onDidChangeTypes: Emitter<readonly AgentType[]>;

  constructor(
    private readonly options: AgentFactoryOptions,
    builtIn: readonly AgentType[],
    onListenerFailure: ListenerFailure,
  ) {
    this.#onDidChangeTypes = new Emitter(onListenerFailure);
    for (const type of builtIn) this.#types.set(type.id, type);
  }

  /** All types, after one was added or removed. */
  get onDidChangeTypes(): Event<readonly AgentType[]> {
    return this.#onDidChangeTypes.event;
  }

  /**
   * Adds a type from outside; disposing removes it, running agents are not touched.
   * @throws {AgentError} agent.typeInvalid – with all problems; an id that is in use is one of them.
   */
  register(manifest: unknown): Disposable {
    const type = requireAgentType(manifest);
    if (this.#types.has(type.id)) {
      throw new AgentError('agent.typeInvalid', `the type "${type.id}" exists already`, {
        problems: [{ path: 'id', message: `"${type.id}" is in use` }],
      });
    }
    this.#types.set(type.id, type);
    this.#onDidChangeTypes.fire(this.types());
    return toDisposable(() => {
      this.#types.delete(type.id);
      this.#onDidChangeTypes.fire(this.types());
    });
  }

  /** In order of registration, built-in ones first. */
  types(): readonly AgentType[] {
    return [...this.#types.values()];
  }

  find(typeId: string): AgentType | undefined {
    return this.#types.get(typeId);
  }

  /** @throws {AgentError} agent.unknownType */
  get(typeId: string): AgentType {
    const type = this.#types.get(typeId);
    if (!type) throw new AgentError('agent.unknownType', `no agent type "${typeId.slice(0, 60)}"`);
    return type;
  }

  /** The name of the user's shell, for patterns of screen rules. */
  get shellName(): string {
    return this.options.shell.split('/').pop() ?? 'sh';
  }

  /** The whole command of an agent as a vector. @throws {AgentError} agent.unknownType, agent.invalidSpec (`command` missing) */
  argv(spec: AgentSpec): readonly string[] {
    return this.argvOf(this.get(spec.typeId), spec);
  }

  /** The same for a type that need not be registered (yet). @throws {AgentError} agent.invalidSpec (`command` missing) */
  argvOf(type: AgentType, spec: AgentSpec): readonly string[] {
    return [...this.#command(type, spec), ...(spec.args ?? [])];
  }

  #command(type: AgentType, spec: AgentSpec): readonly string[] {
    const { shell, execPath, demoAgent } = this.options;
    const paths: Readonly<Record<string, string>> = {
      '{shell}': shell,
      '{execPath}': execPath,
      '{demoAgent}': demoAgent,
    };
    const command = type.command.flatMap((part) =>
      part === '{command}' ? (spec.command ?? []) : [paths[part] ?? part],
    );
    if (command.length === 0) throw invalidSpec([{ path: 'command', message: `is needed for the type "${type.id}"` }]);
    return command;
  }

  /**
   * What the host needs to start this generation of `record`; `launchFolder` is the private folder of this launch. The environment
   * names where the gateway is found, never a token.
   * @throws as {@link argv}; system errors of the user's settings folder, for types that have one of their own
   */
  async createLaunch(record: AgentRecord, base: LaunchBase, launchFolder: string): Promise<LaunchSpec> {
    const { id, generation, spec, sessionId } = record;
    const type = this.get(spec.typeId);
    const { tools } = this.options;
    const env = this.environmentOf(record, base);
    const homeFolder = this.options.homes?.folder({ agentId: id, generation });
    const places = {
      launchFolder,
      folder: spec.folder,
      sessionId,
      env,
      ...(homeFolder !== undefined && { homeFolder }),
    };
    const isInjected = tools !== undefined && this.#canInject(type);
    const injected = isInjected
      ? inject(type, { ...places, tools, ...(this.options.sha256 && { sha256: this.options.sha256 }) })
      : undefined;
    if (injected?.home && this.options.homes)
      this.noteHome(await this.options.homes.make({ agentId: id, generation }, injected.home));
    const files = injected?.files ?? {};
    return {
      agentId: id,
      generation,
      folder: spec.folder,
      argv: [
        ...this.#command(type, spec),
        ...sessionArgs(type, sessionId, base.isResume === true),
        ...(injected?.args ?? []),
        ...(spec.args ?? []),
      ],
      env: { ...env, ...injected?.env },
      ...(Object.keys(files).length > 0 && { files }),
    };
  }

  /** The environment of this generation of `record`, without what a type injects. */
  environmentOf(record: AgentRecord, base: Omit<LaunchBase, 'isResume'>): Environment {
    const { id, generation, spec } = record;
    const { tools } = this.options;
    return agentEnvironment({
      process: base.process,
      loginShell: base.loginShell,
      type: this.get(spec.typeId).env,
      spec: spec.env,
      own: {
        [MARKER_VARIABLE]: this.marker(record),
        [AGENT_VARIABLE]: id,
        [GENERATION_VARIABLE]: String(generation),
        ...(tools && { [POINTER_VARIABLE]: tools.pointerFile }),
      },
      ...(tools && { firstOnPath: tools.folder }),
    });
  }

  /** The home that a run was started with, by this engine or by an earlier one. */
  noteHome(home: KnownHome): void {
    if (home.silence === undefined) this.#silences.delete(home.agentId);
    else this.#silences.set(home.agentId, home);
  }

  /** What is not known of agents of this type (of one run, when it is named), or not possible, in words for people. */
  degraded(type: AgentType, run?: Run): readonly string[] {
    const noted = run && this.#silences.get(run.agentId);
    if (noted?.silence !== undefined && noted.generation === run?.generation) return [noted.silence];
    if (hasHooks(type) && this.#canInject(type)) return [];
    if (type.command.includes('{demoAgent}')) return []; // made for its screen rules: they tell all that it does
    if (type.screenRules.length === 0) return ['no hooks, no screen rules: only alive or ended is known'];
    return ['no hooks: activity comes from the screen only'];
  }

  #canInject(type: AgentType): boolean {
    const { tools, homes, sha256 } = this.options;
    return canInject(type, { tools: tools !== undefined, homes: homes !== undefined, sha256: sha256 !== undefined });
  }

  /** The value of {@link MARKER_VARIABLE} for one agent and generation. */
  marker(run: { readonly id: string; readonly generation: number }): string {
    return `${this.options.workspaceId}:${run.id}:${run.generation}`;
  }

  dispose(): void {
    this.#onDidChangeTypes.dispose();
  }
}

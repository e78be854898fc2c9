import { type AgentFactory } from './agents/agentFactory';
import { AgentError } from './agents/agentErrors';
import type { AgentType } from './agents/agentType';
import { requireAgentType } from './agents/agentTypeParser';
import type { BaseEnvironment } from './agents/environment';
import type { LaunchChecks } from './agents/launchChecks';
import { agentEnvironment } from './agents/environment';
import { type Disposable, DisposableStore, toDisposable } from './base/disposable';
import { Emitter, type Event, type ListenerFailure } from './base/event';
import type { AgentTypeInfo } from './engine';

/**
 * Agent types as people choose them: the built-in ones and those added by extensions, and whether their program is there.
 * Outlives the factories of single owner sessions and keeps them supplied.
 */
export class AgentTypes implements Disposable {
  #builtIn: readonly AgentType[] | undefined;
  readonly #foreign = new Map<string, unknown>();
  readonly #availability = new Map<string, AgentTypeInfo['availability']>();
  readonly #factories = new Map<AgentFactory, DisposableStore>();
  readonly #onDidChange: Emitter<void>;
  readonly onDidChange: Event<void>;

  /** Reading the manifests that ship takes milliseconds: not before somebody asks. */
  constructor(
    private readonly readBuiltIn: () => readonly AgentType[],
    onListenerFailure: ListenerFailure,
  ) {
    this.#onDidChange = new Emitter(onListenerFailure);
    this.onDidChange = this.#onDidChange.event;
  }

  get builtIn(): readonly AgentType[] {
    return (this.#builtIn ??= this.readBuiltIn());
  }

  get #all(): readonly AgentType[] {
    return [...this.builtIn, ...[...this.#foreign.values()].map(requireAgentType)];
  }

  get infos(): readonly AgentTypeInfo[] {
    return this.#all.map((type) => ({
      id: type.id,
      label: type.label,
      icon: type.icon,
      description: type.description ?? '',
      availability: type.detect ? (this.#availability.get(type.detect.command) ?? 'unknown') : 'installed',
      installHint: type.installHint ?? '',
      isBuiltIn: !this.#foreign.has(type.id),
      canReceivePrompts: type.prompt.canPaste,
      needsCommand: type.command.includes('{command}'),
    }));
  }

  /** @throws {AgentError} agent.typeInvalid – with all problems; an id that is in use is one of them */
  register(manifest: unknown): Disposable {
    const type = requireAgentType(manifest);
    if (this.#all.some((known) => known.id === type.id)) {
      throw new AgentError('agent.typeInvalid', `the type "${type.id}" exists already`, {
        problems: [{ path: 'id', message: `"${type.id}" is in use` }],
      });
    }
    this.#foreign.set(type.id, manifest);
    const registrations = [...this.#factories].map(([factory, owned]) => owned.add(factory.register(manifest)));
    this.#onDidChange.fire();
    return toDisposable(() => {
      this.#foreign.delete(type.id);
      for (const registration of registrations) registration.dispose();
      this.#onDidChange.fire();
    });
  }

  /** Gives `factory` every added type, now and later, until disposed. */
  supply(factory: AgentFactory): Disposable {
    const owned = new DisposableStore();
    for (const manifest of this.#foreign.values()) owned.add(factory.register(manifest));
    this.#factories.set(factory, owned);
    return toDisposable(() => {
      this.#factories.delete(factory);
      owned.dispose();
    });
  }

  /** Looks for each type's program on the path agents get. */
  async lookFor(environment: BaseEnvironment, checks: LaunchChecks, signal: AbortSignal): Promise<void> {
    const base = await environment.read(signal);
    const path = agentEnvironment({ ...base, type: undefined, spec: undefined, own: {} })['PATH'] ?? '';
    for (const command of new Set(this.#all.flatMap((type) => type.detect?.command ?? []))) {
      const found = await checks.findCommand(command, path, '/');
      if (signal.aborted) return;
      this.#availability.set(command, found ? 'installed' : 'missing');
    }
    this.#onDidChange.fire();
  }

  dispose(): void {
    this.#onDidChange.dispose();
    for (const owned of this.#factories.values()) owned.dispose();
    this.#factories.clear();
  }
}

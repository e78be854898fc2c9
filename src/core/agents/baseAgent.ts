import { type Clock, sleep } from '../base/clock';
import type { AgentId, AgentRecord, ProcessIdentity } from './agent';
import type { AgentFactory, LaunchBase } from './agentFactory';
import type { AgentHost, AgentKey, SettledScreen } from './agentHost';
import type { Liveness } from './agentState';
import type { AgentType } from './agentType';

/**
 * One agent: what is kept of it, and what can be done with its terminal. Whether something *may* be done is the
 * supervisor's business; an agent does what it is told. Owned by the AgentRegistry.
 */
export interface Agent {
  readonly id: AgentId;
  /** The present record; a new value after each change. */
  readonly record: AgentRecord;
  /** Undefined when its type is not registered (any more). */
  readonly type: AgentType | undefined;
  /** Starts the process of the record's generation. @throws tmux.alreadyExists and others of AgentHost.launch; agent.unknownType, agent.invalidSpec */
  launch(base: LaunchBase, signal?: AbortSignal): Promise<ProcessIdentity>;
  /** Pastes `text`, waits the type's pause, presses its submit key. @throws as AgentHost.paste and press */
  submit(text: string, signal?: AbortSignal): Promise<void>;
  press(keys: readonly AgentKey[]): Promise<void>;
  capture(): Promise<SettledScreen>;
  /** Never rejects. */
  probe(): Promise<Liveness>;
  /** Removes the terminal; its processes must have ended. Idempotent. */
  discard(): Promise<void>;
}

/** The ordinary agent: a terminal at an {@link AgentHost}. */
export class BaseAgent implements Agent {
  constructor(
    readonly id: AgentId,
    private readonly read: () => AgentRecord,
    private readonly host: AgentHost,
    private readonly factory: AgentFactory,
    private readonly clock: Clock,
  ) {}

  get record(): AgentRecord {
    return this.read();
  }

  get type(): AgentType | undefined {
    return this.factory.find(this.record.spec.typeId);
  }

  async launch(base: LaunchBase, signal?: AbortSignal): Promise<ProcessIdentity> {
    const { record } = this;
    const folder = this.host.launchFolder(record.id, record.generation);
    const spec = await this.factory.createLaunch(record, base, folder);
    signal?.throwIfAborted();
    return this.host.launch(spec, signal);
  }

  async submit(text: string, signal?: AbortSignal): Promise<void> {
    const { submitKey, submitDelayMs } = this.factory.get(this.record.spec.typeId).prompt;
    signal?.throwIfAborted();
    await this.host.paste(this.id, text);
    await sleep(this.clock, submitDelayMs, signal);
    await this.host.press(this.id, [submitKey]);
  }

  press(keys: readonly AgentKey[]): Promise<void> {
    return this.host.press(this.id, keys);
  }

  capture(): Promise<SettledScreen> {
    return this.host.capture(this.id);
  }

  probe(): Promise<Liveness> {
    return this.host.probe(this.id);
  }

  discard(): Promise<void> {
    return this.host.discard(this.id);
  }
}

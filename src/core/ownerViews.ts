import { AgentConditions } from './agents/agentConditions';
import type { AgentFactory } from './agents/agentFactory';
import type { AgentId } from './agents/agent';
import type { AgentSupervisor } from './agents/agentSupervisor';
import type { Agent } from './agents/baseAgent';
import { viewOfRecord } from './agentViews';
import { type Disposable, DisposableStore } from './base/disposable';
import type { ViewBoard } from './viewBoard';

/** Puts what the owner knows of each agent on the board: one row for one agent that changed. */
export class OwnerViews implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #conditions = new AgentConditions();

  constructor(
    private readonly supervisor: AgentSupervisor,
    private readonly board: ViewBoard,
    factory: AgentFactory,
  ) {
    const { registry } = supervisor;
    this.#owned.add(registry.onDidAdd((agent) => this.#put(agent)));
    this.#owned.add(registry.onDidChange(({ agent }) => this.#put(agent)));
    this.#owned.add(registry.onDidRemove(({ id }) => this.#remove(id)));
    this.#owned.add(supervisor.onDidChangeReceipt(({ agentId }) => this.#refresh(agentId)));
    this.#owned.add(supervisor.onDidChangeRequest(({ agentId }) => this.#refresh(agentId)));
    this.#owned.add(supervisor.onDidChangeUsage((agentId) => this.#refresh(agentId)));
    this.#owned.add(factory.onDidChangeTypes(() => this.#showAll()));
    this.#showAll();
  }

  #showAll(): void {
    this.board.replaceAll(this.supervisor.registry.list().map((agent) => this.#view(agent)));
  }

  #refresh(id: AgentId): void {
    const agent = this.supervisor.registry.find(id);
    if (agent) this.#put(agent);
  }

  #put(agent: Agent): void {
    this.board.put(this.#view(agent));
  }

  #remove(id: AgentId): void {
    this.#conditions.forget(id);
    this.board.remove(id);
  }

  #view({ id, record, type }: Agent): ReturnType<typeof viewOfRecord> {
    const { supervisor } = this;
    return viewOfRecord(record, type, {
      ...supervisor.promptsOf(id),
      request: supervisor.request(id),
      isResumable: supervisor.isResumable(id),
      conditions: this.#conditions.of(record, type),
      degraded: supervisor.degraded(id),
      usage: supervisor.usage(id),
    });
  }

  dispose(): void {
    this.#owned.dispose();
  }
}

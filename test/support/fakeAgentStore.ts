import type { AgentChange, AgentId, AgentRecord } from '../../src/core/agents/agent';
import { AgentError } from '../../src/core/agents/agentErrors';
import type { AgentStore, Approval } from '../../src/core/agents/agentStore';
import type { AnsweredRequest } from '../../src/core/agents/answeredRequest';

/** An AgentStore in memory. What was saved survives the objects that use it: give it to the next supervisor to play a crash. */
export class FakeAgentStore implements AgentStore {
  readonly records = new Map<AgentId, AgentRecord>();
  readonly lines: AgentChange[] = [];
  readonly approvals = new Map<string, Approval>();
  readonly answers = new Map<string, AnsweredRequest>();
  readonly unreadableIds = new Set<AgentId>();
  /** While set, every write rejects with it. */
  failure: Error | undefined;

  async load(): Promise<readonly AgentRecord[]> {
    await Promise.resolve();
    return [...this.records.values()];
  }

  async save(
    record: AgentRecord,
    changes: readonly AgentChange[],
    expectedGeneration: number | undefined,
  ): Promise<void> {
    await Promise.resolve();
    if (this.failure) throw this.failure;
    const stored = this.records.get(record.id)?.generation;
    if (stored !== expectedGeneration) {
      throw new AgentError(
        'agent.conflict',
        `expected generation ${expectedGeneration ?? 'none'}, stored is ${stored ?? 'none'}`,
      );
    }
    this.records.set(record.id, structuredClone(record));
    this.lines.push(...structuredClone(changes));
  }

  async changes(agentId: AgentId, limit: number): Promise<readonly AgentChange[]> {
    await Promise.resolve();
    return this.lines.filter((line) => line.agentId === agentId).reverse().slice(0, limit); // prettier-ignore
  }

  async getApproval(hash: string): Promise<Approval | undefined> {
    await Promise.resolve();
    return this.approvals.get(hash);
  }

  async putApproval(approval: Approval): Promise<void> {
    await Promise.resolve();
    if (this.failure) throw this.failure;
    this.approvals.set(approval.hash, approval);
  }

  async putAnswer(answer: AnsweredRequest): Promise<void> {
    await Promise.resolve();
    if (this.failure) throw this.failure;
    this.answers.set(answer.id, structuredClone(answer));
  }
}

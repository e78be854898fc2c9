import type { AgentChange, AgentId, AgentRecord } from './agent';
import type { AnsweredRequest } from './answeredRequest';

/** That a person agreed to run exactly this. */
export interface Approval {
  /** SHA-256 of the canonical content, lower-case hex. */
  readonly hash: string;
  /** What was shown, complete. */
  readonly shown: string;
  readonly approvedAtMs: number;
  readonly actor: string;
}

/**
 * Where agents are kept. The agents module owns this port; the Orchestrator puts it on the DataStore,
 * `test/support/fakeAgentStore.ts` fakes it. Calls for one agent are made one at a time.
 */
export interface AgentStore {
  /** Everything that can be read, retired agents too: their ids are never given away again. */
  load(): Promise<readonly AgentRecord[]>;
  /** Agents whose record is damaged, as the last `load` found them: their ids are not given away, and one that lives is shown again. */
  readonly unreadableIds: ReadonlySet<AgentId>;
  /**
   * Keeps `record` and its `changes` in one transaction; resolves once both are durable.
   * `expectedGeneration` is the generation that must be stored now (`undefined`: there must be no record): the compare
   * and swap that lets one of several racing starts win (R12).
   * @throws {AgentError} agent.conflict – another generation is stored; and whatever the store itself throws (`data.readOnly`, `data.fenced`).
   */
  save(record: AgentRecord, changes: readonly AgentChange[], expectedGeneration: number | undefined): Promise<void>;
  /** The history of one agent, newest first, at most `limit` lines. */
  changes(agentId: AgentId, limit: number): Promise<readonly AgentChange[]>;
  getApproval(hash: string): Promise<Approval | undefined>;
  putApproval(approval: Approval): Promise<void>;
  /** Keeps what an agent asked and how it was answered; one of the same id is replaced. @throws what the store throws */
  putAnswer(answer: AnsweredRequest): Promise<void>;
}

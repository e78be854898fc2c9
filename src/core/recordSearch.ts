import { redact } from '../shared/redact';
import type { PromptDelivery } from './agents/delivery/promptDelivery';
import type { AgentChange, AgentId, AgentRecord } from './agents/agent';
import type { Approval } from './agents/agentStore';
import { type AnsweredRequest, answerWords } from './agents/answeredRequest';
import { AGENT_CHANGES, AGENTS, ANSWERS, APPROVALS } from './dataAgentStore';
import { DELIVERIES } from './dataDeliveryStore';
import type { Collection, DataStore } from './data/dataStore';
import type { SearchHit } from './data/search/dataSearch';
import type { SearchSnippet } from './data/search/searchDocument';

/**
 * What can be looked for: prompts, agents (name, role, team, folder, first prompt), as `approval` what a person approved to run and what agents asked and was
 * answered, and as `history` why and by what evidence an agent came into a state.
 */
export type FoundKind = 'prompt' | 'agent' | 'approval' | 'history';

export interface SearchRequest {
  /** Words that must all be there, `"a phrase"`, `begin*`; at most 1 000 characters. Nothing in it is a command. */
  readonly query: string;
  /** Default all. */
  readonly kinds?: readonly FoundKind[];
  /** 1–200; default 50. */
  readonly limit?: number;
  /** Only what is older than the {@link FoundRecord.position} of the last answer's end. */
  readonly before?: number;
}

/** Texts are what people and programs wrote: untrusted. */
export interface FoundRecord {
  readonly kind: FoundKind;
  readonly id: string;
  /** The agent it is about; approvals of what may run have none. It may be gone. */
  readonly agentId?: AgentId;
  /** State of a prompt; name of an agent; who approved; what was answered, and where; the state that began. */
  readonly about: string;
  readonly atMs: number;
  readonly snippet: SearchSnippet;
  /** The beginning of the text: at most 2 000 characters. */
  readonly text: string;
  readonly isTextCut: boolean;
  readonly position: number;
}

export interface SearchAnswer {
  /** What was made last comes first. */
  readonly found: readonly FoundRecord[];
  /** False while older records are still being made ready for searching: some may be missing. */
  readonly isComplete: boolean;
}

const kept: Readonly<Record<FoundKind, readonly string[]>> = {
  prompt: [DELIVERIES.kind],
  agent: [AGENTS.kind],
  approval: [APPROVALS.kind, ANSWERS.kind],
  history: [AGENT_CHANGES.kind],
};
const searched = [DELIVERIES, AGENTS, APPROVALS, ANSWERS, AGENT_CHANGES] as unknown as readonly Collection<never>[]; // declared only
const shownLength = 2_000;

/** Looks through what the owner keeps. */
export class RecordSearch {
  #declared: Promise<unknown> | undefined;

  constructor(private readonly store: DataStore) {}

  /** Has the texts of records from before this version made ready, so that nobody waits for it later. @throws {DataError} as `DataStore.find` */
  async prepare(): Promise<void> {
    this.#declared ??= Promise.all(searched.map((collection) => this.store.find(collection, { limit: 0 })));
    await this.#declared;
  }

  /** @throws {DataError} data.invalid (too long, a bad limit), data.corrupt, data.io, data.closed, data.fenced */
  async search({ query, kinds, limit = 50, before }: SearchRequest): Promise<SearchAnswer> {
    await this.prepare();
    const { hits, isComplete } = await this.store.search(query, {
      kinds: (kinds ?? (Object.keys(kept) as readonly FoundKind[])).flatMap((kind) => kept[kind]), // the keys of a record of FoundKind
      limit: Math.min(limit, 200),
      ...(before !== undefined && { before }),
    });
    return { found: hits.map(foundOf), isComplete };
  }
}

/** Never more of a record than this: agents' environments hold secrets, and so do approvals, which name them. */
function foundOf(hit: SearchHit): FoundRecord {
  const { kind, id, snippet, position, createdAtMs, value } = hit;
  const common = { id, snippet, position };
  if (kind === DELIVERIES.kind) {
    const { agentId, state, createdAtMs: atMs, text } = value as PromptDelivery; // what this collection keeps
    return { kind: 'prompt', ...common, agentId, about: state, atMs, ...cut(text) };
  }
  if (kind === AGENTS.kind) {
    const { id: agentId, spec, createdAtMs: atMs } = value as AgentRecord; // what this collection keeps
    return { kind: 'agent', ...common, agentId, about: spec.name, atMs, ...cut(spec.firstPrompt ?? '') };
  }
  if (kind === ANSWERS.kind) {
    const { agentId, outcome, via, shown, answeredAtMs: atMs } = value as AnsweredRequest; // what this collection keeps
    return { kind: 'approval', ...common, agentId, about: answerWords({ outcome, via }), atMs, ...cut(shown) };
  }
  if (kind === AGENT_CHANGES.kind) {
    const { agentId, to, reason, evidence, atMs } = value as AgentChange; // what this collection keeps
    const why = [reason, ...evidence.map(({ detail }) => detail)].join(': ');
    return { kind: 'history', ...common, agentId, about: `${to.lifecycle}, ${to.activity}`, atMs, ...cut(why) };
  }
  const { actor, shown, approvedAtMs: atMs = createdAtMs } = value as Approval; // what this collection keeps
  return { kind: 'approval', ...common, about: actor, atMs, ...cut(redact(shown)) };
}

function cut(text: string): Pick<FoundRecord, 'text' | 'isTextCut'> {
  const isTextCut = text.length > shownLength;
  return { text: isTextCut ? text.slice(0, shownLength) : text, isTextCut };
}

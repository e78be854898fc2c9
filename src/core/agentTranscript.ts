import type { AgentChange, AgentId, AgentRecord } from './agents/agent';
import { type AnsweredRequest, answerWords } from './agents/answeredRequest';
import type { PromptDelivery } from './agents/delivery/promptDelivery';
import { AGENT_CHANGES, AGENTS, ANSWERS, APPROVALS } from './dataAgentStore';
import { DELIVERIES } from './dataDeliveryStore';
import type { Collection, DataRecord } from './data/dataStore';
import type { Snapshot } from './data/exchange/snapshot';
import { markdownSections } from './data/processing/markdownExport';
import type { DataTransformation, JsonObject } from './data/processing/dataTransformation';

/** A section: a heading, facts, and perhaps a text. */
interface Entry {
  readonly atMs: number;
  readonly section: JsonObject;
}

/**
 * What was said to each agent, what it asked and what became of it, in order of time; then what a person approved to run; last the same of
 * agents whose own record is damaged or gone. For people. Only the ids of the agents are held.
 */
export async function* transcripts(snapshot: Snapshot): AsyncGenerator<readonly JsonObject[]> {
  const told = new Set<AgentId>();
  for await (const agents of snapshot.read(AGENTS)) {
    for (const { value } of agents) {
      told.add(value.id);
      yield [headOf(value)];
      const where = { agentId: value.id };
      // Ids are ULIDs, so that records by id are records by time.
      yield* merged(
        entries(snapshot.read(DELIVERIES, where), entryOfPrompt),
        entries(snapshot.read(AGENT_CHANGES, where), entryOfChange),
        entries(snapshot.read(ANSWERS, where), entryOfAnswer),
      );
    }
  }
  for await (const approvals of snapshot.read(APPROVALS))
    yield [...approvals]
      .sort((a, b) => a.value.approvedAtMs - b.value.approvedAtMs)
      .map(({ value }) => ({
        title: `${timeOf(value.approvedAtMs)} Approved by ${value.actor}`,
        hash: value.hash,
        body: value.shown,
      }));
  yield* ofNoAgent(snapshot, told);
}

async function* ofNoAgent(snapshot: Snapshot, told: ReadonlySet<AgentId>): AsyncGenerator<readonly JsonObject[]> {
  const rest = <T extends { readonly agentId: AgentId }>(collection: Collection<T>, entryOf: (value: T) => Entry) =>
    entries(without(snapshot.read(collection), told), (value) => {
      const { atMs, section } = entryOf(value);
      return { atMs, section: { ...section, agent: value.agentId } };
    });
  let isFirst = true;
  const all = merged(rest(DELIVERIES, entryOfPrompt), rest(AGENT_CHANGES, entryOfChange), rest(ANSWERS, entryOfAnswer));
  for await (const sections of all) {
    if (isFirst) yield [{ title: 'Agents that cannot be read', detail: 'their own records are damaged or gone' }];
    isFirst = false;
    yield sections;
  }
}

async function* without<T extends { readonly agentId: AgentId }>(
  pages: AsyncIterable<readonly DataRecord<T>[]>,
  told: ReadonlySet<AgentId>,
): AsyncGenerator<readonly DataRecord<T>[]> {
  for await (const page of pages) yield page.filter(({ value }) => !told.has(value.agentId));
}

/** Markdown of {@link transcripts}; no text of an agent becomes markup. */
export function transcriptFormat(): DataTransformation<JsonObject, string> {
  const fields = [
    'id',
    'agent',
    'type',
    'folder',
    'state',
    'answer',
    'tool',
    'reason',
    'by',
    'rule',
    'evidence',
    'detail',
    'hash',
  ];
  return markdownSections({ title: 'title', fields, body: 'body' });
}

function headOf({ id, spec, lifecycle, activity, sinceMs }: AgentRecord): JsonObject {
  const state = `${lifecycle}, ${activity} since ${timeOf(sinceMs)}`;
  return { title: `Agent ${spec.name}`, id, type: spec.typeId, folder: spec.folder, state };
}

function entryOfPrompt({
  text,
  state,
  createdAtMs,
  stateAtMs,
  actor,
  evidence,
  reason,
  detail,
}: PromptDelivery): Entry {
  return {
    atMs: createdAtMs,
    section: {
      title: `${timeOf(createdAtMs)} Prompt`,
      by: actor,
      state: `${state} at ${timeOf(stateAtMs)}`,
      reason: reason ?? null,
      evidence: evidence ?? null,
      detail: detail ?? null,
      body: text,
    },
  };
}

function entryOfChange({ atMs, to, reason, actor, evidence }: AgentChange): Entry {
  const state = `${to.lifecycle}, ${to.activity}`;
  const section = { title: `${timeOf(atMs)} ${state}`, by: actor, reason, evidence: evidence[0]?.detail ?? null };
  return { atMs, section };
}

/** In the place of its answer; who asks one thing at a time is answered in that order. */
function entryOfAnswer(answer: AnsweredRequest): Entry {
  const { kind, tool, title, shown, isCut, rule, reason, actor, askedAtMs, answeredAtMs } = answer;
  return {
    atMs: answeredAtMs,
    section: {
      title: `${timeOf(answeredAtMs)} ${kind === 'question' ? 'Question' : 'Request'}`,
      answer: `${answerWords(answer)}, asked at ${timeOf(askedAtMs)}`,
      tool: tool ?? null,
      reason: reason ?? null,
      by: actor,
      rule: rule ?? null,
      detail: isCut ? 'it told more than was kept' : null,
      body: shown === '' ? title : shown,
    },
  };
}

async function* entries<T>(
  pages: AsyncIterable<readonly { readonly value: T }[]>,
  entryOf: (value: T) => Entry,
): AsyncGenerator<Entry> {
  for await (const page of pages) for (const { value } of page) yield entryOf(value);
}

const batch = 256;

async function* merged(...sources: readonly AsyncIterator<Entry>[]): AsyncGenerator<readonly JsonObject[]> {
  const heads = await Promise.all(sources.map((source) => source.next()));
  let sections: JsonObject[] = [];
  for (;;) {
    let first: { readonly at: number; readonly entry: Entry } | undefined;
    for (const [at, head] of heads.entries())
      if (!head.done && (!first || head.value.atMs < first.entry.atMs)) first = { at, entry: head.value };
    if (!first) break;
    sections.push(first.entry.section);
    heads[first.at] = (await sources[first.at]?.next()) ?? { done: true, value: undefined };
    if (sections.length < batch) continue;
    yield sections;
    sections = [];
  }
  if (sections.length > 0) yield sections;
}

/** ISO 8601, UTC. */
function timeOf(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : 'an unknown time';
}

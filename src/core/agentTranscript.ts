import type { AgentChange, AgentRecord } from './agents/agent';
import type { PromptDelivery } from './agents/delivery/promptDelivery';
import { AGENT_CHANGES, AGENTS, APPROVALS } from './dataAgentStore';
import { DELIVERIES } from './dataDeliveryStore';
import type { Snapshot } from './data/exchange/snapshot';
import { markdownSections } from './data/processing/markdownExport';
import type { DataTransformation, JsonObject } from './data/processing/dataTransformation';

/** A section: a heading, facts, and perhaps a text. */
interface Entry {
  readonly atMs: number;
  readonly section: JsonObject;
}

/** What was said to each agent and what became of it, in order of time; then what a person approved. For people. */
export async function* transcripts(snapshot: Snapshot): AsyncGenerator<readonly JsonObject[]> {
  for await (const agents of snapshot.read(AGENTS)) {
    for (const { value } of agents) {
      yield [headOf(value)];
      const where = { agentId: value.id };
      // Ids are ULIDs, so that records by id are records by time.
      yield* merged(
        entries(snapshot.read(DELIVERIES, where), entryOfPrompt),
        entries(snapshot.read(AGENT_CHANGES, where), entryOfChange),
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
}

/** Markdown of {@link transcripts}; no text of an agent becomes markup. */
export function transcriptFormat(): DataTransformation<JsonObject, string> {
  const fields = ['id', 'type', 'folder', 'state', 'reason', 'by', 'evidence', 'detail', 'hash'];
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

async function* entries<T>(
  pages: AsyncIterable<readonly { readonly value: T }[]>,
  entryOf: (value: T) => Entry,
): AsyncGenerator<Entry> {
  for await (const page of pages) for (const { value } of page) yield entryOf(value);
}

const batch = 256;

async function* merged(a: AsyncIterator<Entry>, b: AsyncIterator<Entry>): AsyncGenerator<readonly JsonObject[]> {
  let [left, right] = [await a.next(), await b.next()];
  let sections: JsonObject[] = [];
  while (!left.done || !right.done) {
    if (!left.done && (right.done || left.value.atMs <= right.value.atMs)) {
      sections.push(left.value.section);
      left = await a.next();
    } else if (!right.done) {
      sections.push(right.value.section);
      right = await b.next();
    }
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

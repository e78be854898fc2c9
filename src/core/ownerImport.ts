import type { ImportedAgent, ImportProblem } from '../shared/importReport';
import { REDACTED, redact } from '../shared/redact';
import { type AgentChange, type AgentId, type AgentRecord, type AgentSpec, lastGeneration } from './agents/agent';
import type { AgentSupervisor } from './agents/agentSupervisor';
import { nameKey, parseAgentSpec } from './agents/agentSpec';
import { isLegalStep } from './agents/agentTransitions';
import { isFinal, type PromptDelivery } from './agents/delivery/promptDelivery';
import type { Clock } from './base/clock';
import type { Ids } from './base/ids';
import { AGENT_CHANGES, AGENTS, ANSWERS, APPROVALS } from './dataAgentStore';
import { DELIVERIES } from './dataDeliveryStore';
import type { DataStore } from './data/dataStore';
import { importData } from './data/exchange/dataImport';
import type {
  ImportKind,
  ImportKinds,
  ImportPlan,
  NeverImported,
  PlannedRecord,
  Prepared,
} from './data/exchange/importPlan';
import { importProblem } from './data/exchange/importReader';
import type { JsonObject } from './data/processing/dataTransformation';
import { redactor } from './data/processing/redactStep';
import { DEAD_LETTERS } from './data/processing/deadLetterStore';
import { PIPELINES } from './data/processing/pipelineStore';
import { nothing } from './data/validation/composeRules';
import type { DataValidator } from './data/validation/dataValidator';
import { printable } from './data/validation/validationRule';
import type { EngineCalls } from './engineCalls';
import { FLEET_TYPES } from './fleetTypes';
import { SECRET_PLACES } from './ownerExport';
import type { Workspace } from './workspace';

export interface OwnerImportPorts {
  readonly store: DataStore;
  readonly validator: Pick<DataValidator, 'validate'>;
  readonly supervisor: Pick<AgentSupervisor, 'registry' | 'isAtRest' | 'admit'>;
  readonly workspace: Pick<Workspace, 'importFiles' | 'breathe'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Imports of what {@link createExporter} wrote. Agents come in stopped; nothing is started, approved or typed. */
export function createImporter(ports: OwnerImportPorts): EngineCalls['importData'] {
  const { store, validator, supervisor, workspace, clock } = ports;
  const clean = redactor({ paths: SECRET_PLACES });
  return (request, onProgress, signal) =>
    importData(
      {
        ...{ store, clock, files: workspace.importFiles, newDigest: () => workspace.importFiles.newDigest() },
        breathe: () => workspace.breathe(),
        kinds: () => importKinds(ports),
        validate: (kind, value, recordId) => problemsOf(validator, kind, value, recordId),
        clean: (value) => clean({ value })['value'] as JsonObject, // an object stays one
        apply: (plan, write) => supervisor.admit(admissionOf(plan), write),
      },
      request,
      (done) => onProgress({ name: 'records', done, total: 0 }),
      signal,
    );
}

/** What a value breaks: stricter than what is kept, since a property that nobody knows here may mean anything. */
function problemsOf(
  validator: Pick<DataValidator, 'validate'>,
  kind: string,
  value: unknown,
  recordId: string,
): readonly ImportProblem[] {
  const { problems } = validator.validate(kind, value, { recordId });
  const found = problems.filter(({ severity, code }) => severity === 'error' || code === nothing.code);
  if (found.length > 0 || kind !== AGENTS.kind) return found.map(importProblem);
  const { spec, lifecycle } = value as AgentRecord; // valid by the rules of its kind
  if (lifecycle === 'retired') return [];
  const parsed = parseAgentSpec(spec);
  if (parsed.ok) return [];
  return parsed.problems.map(({ path, message }) => ({
    path: `/spec/${path.replaceAll('.', '/')}`,
    rule: 'agentSpec',
    code: 'agentSpec',
    message,
  }));
}

/** For one reading of one file: agents' names are counted as they come. */
function importKinds({ supervisor, clock, ids }: OwnerImportPorts): ImportKinds {
  const names = new Set<string>();
  const isAtRest = (id: string): boolean => supervisor.registry.find(id) !== undefined && supervisor.isAtRest(id);
  const agent: ImportKind = {
    prepare: (value) => {
      const record = value as unknown as AgentRecord;
      const prepared = prepareAgent(record);
      return 'reason' in prepared ? prepared : { ...prepared, also: wayToRest(record, clock.nowMs(), ids) };
    },
    essenceOf: (value) => {
      const { id, spec, createdAtMs, lifecycle } = value as unknown as AgentRecord;
      return lifecycle === 'retired' ? { id, createdAtMs } : { id, spec, createdAtMs };
    },
    removal: (here, theirs) => removalOf(here as unknown as AgentRecord, theirs as unknown as AgentRecord, clock, ids),
    isSameThing: (here, theirs) => here['createdAtMs'] === theirs['createdAtMs'] && here['lifecycle'] !== 'retired',
    mayAdd: (value) => {
      const { spec, lifecycle } = value as unknown as AgentRecord;
      const key = nameKey(spec.name);
      if (lifecycle === 'retired') return undefined;
      if (names.has(key) || supervisor.registry.isNameTaken(spec.name)) return 'nameTaken';
      names.add(key);
      return undefined;
    },
    mayReplace: (here, theirs) => {
      const id = here['id'] as AgentId; // the id under which it is kept
      const { spec } = theirs as unknown as AgentRecord;
      if (!isAtRest(id)) return 'agentLives';
      return supervisor.registry.isNameTaken(spec.name, id) ? 'nameTaken' : undefined;
    },
    merge: (here, theirs) => mergedAgent(here as unknown as AgentRecord, theirs as unknown as AgentRecord),
    showOf: (value) => shownAgent(value as unknown as AgentRecord),
  };
  const owner = { kind: AGENTS.kind, idOf: (value: JsonObject) => String(value['agentId']) };
  const ownerLives = ({ agentId }: { readonly agentId: AgentId }): boolean =>
    supervisor.registry.find(agentId) !== undefined && !isAtRest(agentId);
  const history: ImportKind = {
    owner,
    prepare: (value) => ({ value, changes: [] }),
    mayReplace: (here) => (ownerLives(here as unknown as AgentChange) ? 'agentLives' : undefined),
  };
  const prompt: ImportKind = {
    owner,
    prepare: (value) => prepareDelivery(value as unknown as PromptDelivery),
    mayReplace: (here) => {
      const delivery = here as unknown as PromptDelivery;
      return !isFinal(delivery.state) || ownerLives(delivery) ? 'agentLives' : undefined;
    },
  };
  // Data that says what is done with data, when a person runs it. A kind of step that is not there is told then.
  const pipeline: ImportKind = {
    prepare: (value) => (holdsRedacted(value) ? { reason: 'redacted' } : { value, changes: [] }),
  };
  return new Map<string, ImportKind | NeverImported>([
    [AGENTS.kind, agent],
    [AGENT_CHANGES.kind, history],
    [ANSWERS.kind, history],
    [DELIVERIES.kind, prompt],
    [PIPELINES.kind, pipeline],
    [DEAD_LETTERS.kind, { prepare: (value) => ({ value, changes: [] }) }],
    [APPROVALS.kind, { never: 'trustDecision', titleOf: approvalTitle }],
    // A type of a fleet file says what is run; it came in with an approval.
    [FLEET_TYPES.kind, { never: 'trustDecision', titleOf: ({ id }) => `the agent type ${String(id)}` }],
  ]);
}

function holdsRedacted(value: JsonObject): boolean {
  return JSON.stringify(value).includes(REDACTED);
}

/** At rest, without anything of a run: no process, no conversation, no restart that waits. */
function prepareAgent(given: AgentRecord): Prepared {
  const { id, spec, fleetName, lifecycle, generation, exit, createdAtMs, sinceMs } = given;
  const cleaned = withoutRedacted(spec);
  if (!cleaned) return { reason: 'redacted' };
  const isRetired = lifecycle === 'retired';
  const record: AgentRecord = {
    id,
    spec: cleaned.spec,
    ...(fleetName !== undefined && { fleetName }),
    desired: 'stopped',
    lifecycle: isRetired || lifecycle === 'created' ? lifecycle : 'stopped',
    activity: 'unknown',
    generation,
    ...(exit && { exit }),
    reason: 'imported',
    actor: 'person',
    evidence: [{ source: 'person', detail: CAME_IN, observedAtMs: sinceMs }],
    sinceMs,
    createdAtMs,
    restartsAtMs: [],
    isFirstPromptDone: cleaned.spec.firstPrompt === undefined,
  };
  return { value: record as unknown as JsonObject, id, changes: isRetired ? [] : cleaned.changes };
}

/**
 * An agent that was removed here comes back at rest, as the next one of its own generations (R12, R19); its id is given to nobody else, and one that is here is
 * not removed by a file.
 */
function removalOf(here: AgentRecord, theirs: AgentRecord, clock: Clock, ids: Ids): Prepared | undefined {
  const isRemoved = here.lifecycle === 'retired';
  if (!isRemoved) return theirs.lifecycle === 'retired' ? { reason: 'removedThere' } : undefined;
  if (here.createdAtMs !== theirs.createdAtMs) return { reason: 'idRetired' };
  if (theirs.lifecycle === 'retired') return undefined;
  const { exit: _theirs, ...rest } = theirs;
  const { exit } = here.generation < theirs.generation ? theirs : here;
  const generation = Math.max(lastGeneration(here), theirs.generation);
  const atMs = clock.nowMs();
  const back: AgentRecord = { ...rest, lifecycle: 'stopped', generation, ...(exit && { exit }), sinceMs: atMs };
  const also = [importLine(back, here, { lifecycle: 'stopped', activity: 'unknown' }, atMs, ids)];
  return { value: back as unknown as JsonObject, changes: ['it was removed here: it comes back, stopped'], also };
}

/** Whose command was approved, its first words, and its folder, as they were shown (`approvalText`). */
function approvalTitle({ shown }: JsonObject): string | undefined {
  if (typeof shown !== 'string') return undefined;
  const lineOf = (name: string): string | undefined => new RegExp(`^  ${name}: (.+)$`, 'm').exec(shown)?.[1];
  const [command, folder] = [lineOf('command'), lineOf('folder')];
  if (command === undefined || folder === undefined) return shown;
  const [whose = ''] = shown.split('\n', 1);
  const words = command.split(' ');
  return `${whose}: ${words.slice(0, TITLE_WORDS).join(' ')}${words.length > TITLE_WORDS ? ' …' : ''}, in ${folder}`;
}

/** The lines of its history from what it was when it was exported to `stopped`, by legal steps. */
function wayToRest(record: AgentRecord, atMs: number, ids: Ids): readonly PlannedRecord[] {
  const { lifecycle, activity } = record;
  if (lifecycle === 'created' || lifecycle === 'stopped' || lifecycle === 'retired') return [];
  const states: AgentChange['to'][] = [{ lifecycle, activity }];
  if (!isLegalStep(lifecycle, 'stopped')) states.push({ lifecycle: 'lost', activity: 'unknown' }); // it may live where it was exported
  states.push({ lifecycle: 'stopped', activity: 'unknown' });
  return states.slice(1).map((to, index) => importLine(record, states[index] ?? to, to, atMs, ids));
}

function importLine(
  { id, generation }: AgentRecord,
  { lifecycle, activity }: AgentChange['from'],
  to: AgentChange['to'],
  atMs: number,
  ids: Ids,
): PlannedRecord {
  const line: AgentChange = {
    ...{ id: ids.next(), agentId: id, generation, atMs, from: { lifecycle, activity }, to },
    ...{ reason: 'imported', actor: 'person' },
    evidence: [{ source: 'person', detail: CAME_IN, observedAtMs: atMs }],
  };
  return { kind: AGENT_CHANGES.kind, id: line.id, value: line as unknown as JsonObject };
}

/** Undefined: what it runs is not known without what was left out. */
function withoutRedacted(
  spec: AgentSpec,
): { readonly spec: AgentSpec; readonly changes: readonly string[] } | undefined {
  const { env, firstPrompt, ...rest } = spec;
  if (JSON.stringify(rest).includes(REDACTED)) return undefined;
  const changes: string[] = [];
  const isPromptLost = firstPrompt?.includes(REDACTED) === true;
  if (isPromptLost) changes.push('its first prompt is left out: it held a secret');
  const kept = Object.entries(env ?? {}).filter(([, value]) => !value.includes(REDACTED));
  const lost = Object.keys(env ?? {}).filter((name) => env?.[name]?.includes(REDACTED));
  if (lost.length > 0) {
    const names = printable(lost.join(', '), 200);
    changes.push(`without the environment variables ${names}: their values were left out of the export`);
  }
  return {
    spec: {
      ...rest,
      ...(kept.length > 0 && { env: Object.fromEntries(kept) }),
      ...(firstPrompt !== undefined && !isPromptLost && { firstPrompt }),
    },
    changes,
  };
}

/** The agent that is here, with the other spec: as `AgentSupervisor.respecify` makes it. */
function mergedAgent(here: AgentRecord, { spec }: AgentRecord): JsonObject {
  const { sessionId, hasSessionTurn, nextStartAtMs: _waiting, ...rest } = here;
  const isSamePlace = spec.folder === here.spec.folder && spec.typeId === here.spec.typeId;
  const merged: AgentRecord = {
    ...rest,
    spec,
    ...(isSamePlace && sessionId !== undefined && { sessionId }),
    ...(isSamePlace && hasSessionTurn !== undefined && { hasSessionTurn }),
    isFirstPromptDone: spec.firstPrompt === undefined,
    reason: 'imported',
    actor: 'person',
  };
  return merged as unknown as JsonObject;
}

/** What waited is taken back, what was under way is unknown: an import types nothing. */
function prepareDelivery(delivery: PromptDelivery): Prepared {
  const { state } = delivery;
  if (isFinal(state)) return { value: delivery as unknown as JsonObject, changes: [] };
  const after = state === 'queued' ? 'canceled' : 'delivery_unknown';
  const { reason: _waited, ...rest } = delivery;
  const ended: PromptDelivery = {
    ...rest,
    state: after,
    ...(after === 'delivery_unknown' && { reason: 'interrupted' }),
    detail: `it was "${state}" when it was exported; nothing is typed by an import`,
    steps: { ...delivery.steps, [after]: delivery.stateAtMs },
  };
  return { value: ended as unknown as JsonObject, changes: [`"${state}" has become "${after}"`] };
}

/** Of an approved command. */
const CAME_IN = 'it came in with an import, at rest';
const TITLE_WORDS = 6;
const SHOWN_LENGTH = 500;
const SHOWN_PARTS = 40;

/** What is shown of one agent: a few hundred of them fit into an answer of the gateway. */
function shownAgent({ id, spec }: AgentRecord): Omit<ImportedAgent, 'isReplaced'> {
  const shown = (text: string): string => printable(redact(text), SHOWN_LENGTH);
  const { name, typeId, folder, command = [], args = [], env = {}, firstPrompt } = spec;
  return {
    ...{ id, name: shown(name), typeId, folder: shown(folder) },
    command: shortList([...command, ...args]).map(shown),
    env: shortList(Object.keys(env)).map((variable) => printable(variable)),
    ...(firstPrompt !== undefined && { firstPrompt: shown(firstPrompt) }),
  };
}

function shortList(items: readonly string[]): readonly string[] {
  const more = items.length - SHOWN_PARTS;
  return more > 0 ? [...items.slice(0, SHOWN_PARTS), `… ${more} more`] : items;
}

function admissionOf({ added, returned, replaced }: ImportPlan): Parameters<AgentSupervisor['admit']>[0] {
  const agents = (records: ImportPlan['added']): readonly AgentRecord[] =>
    records.filter(({ kind }) => kind === AGENTS.kind).map(({ value }) => value as unknown as AgentRecord);
  return { added: agents(added), returned: agents(returned), replaced: agents(replaced) };
}

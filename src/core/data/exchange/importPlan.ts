import type {
  ImportedAgent,
  ImportEntry,
  ImportProblem,
  ImportReason,
  ImportReport,
} from '../../../shared/importReport';
import type { Collection, DataRecord, DataStore, PreparedPut } from '../dataStore';
import { DataError } from '../dataErrors';
import type { JsonObject } from '../processing/dataTransformation';
import { encodeValue } from '../recordCodec';
import { isPlainObject, printable } from '../validation/validationRule';
import type { FoundRecord, ReadFile } from './importReader';
import { Room, Tally } from './importTally';

/** What comes of a valid value on its way in. */
export type Prepared =
  | {
      readonly value: JsonObject;
      /** Under which it is kept; default the id that it has in the file. */
      readonly id?: string;
      /** What was changed, in words. */
      readonly changes: readonly string[];
      /** Records that tell of its coming, written with it when it is new; they are in no count. */
      readonly also?: readonly PlannedRecord[];
    }
  | { readonly reason: ImportReason };

/** How records of a kind come in. Pure. */
export interface ImportKind {
  readonly prepare: (value: JsonObject) => Prepared;
  /** What of a prepared value must be equal for two records to be the same. Default: all of it. */
  readonly essenceOf?: (value: JsonObject) => unknown;
  /** The record here is about the same thing, although it differs. Default: yes. */
  readonly isSameThing?: (here: JsonObject, theirs: JsonObject) => boolean;
  /**
   * What is done when one of both says that its thing was removed: what is written in the place of the one that is here (it comes back), or why nothing
   * is. Undefined: they are compared as any two. `theirs` is prepared.
   */
  readonly removal?: (here: JsonObject, theirs: JsonObject) => Prepared | undefined;
  /** What keeps a new one from being added, or one from coming back. */
  readonly mayAdd?: (value: JsonObject) => ImportReason | undefined;
  /** What keeps the one that is here from being replaced. */
  readonly mayReplace?: (here: JsonObject, theirs: JsonObject) => ImportReason | undefined;
  /** What is written in the place of the one that is here. Default: what comes in. */
  readonly merge?: (here: JsonObject, theirs: JsonObject) => JsonObject;
  /** The record that it belongs to, which is there, or comes in before it. */
  readonly owner?: { readonly kind: string; readonly idOf: (value: JsonObject) => string };
  /** What a person must see of it before it comes in. */
  readonly showOf?: (value: JsonObject) => Omit<ImportedAgent, 'isReplaced'>;
}

/** Of each kind that a file may hold: how it comes in, or why it never does. */
export type ImportKinds = ReadonlyMap<string, ImportKind | NeverImported>;

export interface NeverImported {
  readonly never: ImportReason;
  /** What it is about, for a person; nothing is known of the value. */
  readonly titleOf: (value: JsonObject) => string | undefined;
}

export interface PlanPorts {
  readonly store: Pick<DataStore, 'get'>;
  readonly kinds: ImportKinds;
  /** Everything that is wrong with a value of a kind; errors only. */
  readonly validate: (kind: string, value: unknown, recordId: string) => readonly ImportProblem[];
  /** A value without secrets, as an export leaves them out. */
  readonly clean: (value: JsonObject) => JsonObject;
  readonly breathe: () => Promise<void> | undefined;
}

/** What would be, or is, written. */
export interface ImportPlan {
  readonly report: Omit<ImportReport, 'file'>;
  readonly puts: readonly PreparedPut[];
  /** Of those that belong to no other record. */
  readonly added: readonly PlannedRecord[];
  /** Of things that were removed here and come back. */
  readonly returned: readonly PlannedRecord[];
  readonly replaced: readonly PlannedRecord[];
}

export interface PlannedRecord {
  readonly kind: string;
  readonly id: string;
  /** As it will be kept. */
  readonly value: JsonObject;
}

/** Problems told of one record. */
const MAX_PROBLEMS = 10;
/** Names in paths are the file's. */
const MAX_PATH_LENGTH = 300;
/** Records of the store that are asked for together. */
const LOOKED_UP_TOGETHER = 64;

interface Candidate {
  readonly record: number;
  readonly kind: string;
  readonly id: string;
  readonly how: ImportKind;
  readonly value: JsonObject;
  readonly changes: readonly string[];
  readonly also: readonly PlannedRecord[];
}

type Outcome = Pick<ImportEntry, 'verdict' | 'reason' | 'title' | 'problems' | 'changes'>;

/** Collects the records of one file, then compares them with what is kept. */
export class ImportPlanner {
  readonly #candidates: Candidate[] = [];
  readonly #seen = new Set<string>();
  readonly #tally = new Tally();
  /** Records that do not come in, by kind and id: nothing that belongs to them does, either. */
  readonly #refused = new Set<string>();

  constructor(
    private readonly ports: PlanPorts,
    private readonly options: { readonly replace: boolean },
  ) {}

  /** Checks it by the rules of its kind, and remembers what comes in of it. */
  add({ record, kind, id, value }: FoundRecord): void {
    const refuse = (outcome: Outcome): void => {
      this.#refused.add(`${kind}\0${id}`);
      this.#tally.note({ record, kind, id, ...outcome });
    };
    const how = this.ports.kinds.get(kind);
    if (!how) return refuse(invalid('/kind', 'kind.unknown', 'is no kind of record that this version knows'));
    if ('never' in how) {
      const title = how.titleOf(this.ports.clean(value)) ?? id;
      return refuse({ verdict: 'skipped', reason: how.never, title: printable(title, MAX_PATH_LENGTH) });
    }
    const problems = this.ports.validate(kind, value, id);
    if (problems.length > 0)
      return refuse({ verdict: 'invalid', problems: problems.slice(0, MAX_PROBLEMS).map(inValue) });
    const prepared = how.prepare(value);
    if ('reason' in prepared) return refuse({ verdict: 'skipped', reason: prepared.reason });
    const key = prepared.id ?? id;
    const place = `${kind}\0${key}`;
    if (this.#seen.has(place)) return refuse(invalid('/id', 'id.twice', 'stands in the file twice'));
    this.#seen.add(place);
    this.#candidates.push({
      record,
      kind,
      id: key,
      how,
      value: prepared.value,
      changes: prepared.changes,
      also: prepared.also ?? [],
    });
  }

  refuse(place: Pick<FoundRecord, 'record' | 'kind' | 'id'>, problems: readonly ImportProblem[]): void {
    this.#refused.add(`${place.kind}\0${place.id}`);
    this.#tally.note({ ...place, verdict: 'invalid', problems: problems.slice(0, MAX_PROBLEMS).map(shortened) });
  }

  /** Compares with what is kept at this moment; owners first. @throws what the store throws; the signal's reason */
  async plan(file: ReadFile, signal: AbortSignal | undefined): Promise<ImportPlan> {
    const all = this.#candidates.splice(0); // each is let go once it is judged
    const owners = all.filter(({ how }) => !how.owner);
    const rest = all.filter(({ how }) => how.owner);
    all.length = 0;
    const judged = new PlanRun(this.ports, this.options, file.isRedacted, this.#tally, this.#refused);
    await judged.judgeAll(owners, signal);
    await judged.judgeAll(rest, signal);
    const { counts, countsByKind, countsByReason, entries, isCut } = this.#tally;
    const { puts, added, returned, replaced, agents } = judged;
    const shown = new Room();
    const named = agents.filter((agent) => shown.take(agent));
    const report = {
      ...{ ...file, counts, countsByKind, countsByReason, entries, isApplied: false },
      ...{ isCut: isCut || named.length < agents.length, agents: named },
    };
    return { report, puts, added, returned, replaced };
  }
}

/** One comparison with the store. */
class PlanRun {
  readonly puts: PreparedPut[] = [];
  readonly added: PlannedRecord[] = [];
  readonly returned: PlannedRecord[] = [];
  readonly replaced: PlannedRecord[] = [];
  readonly agents: ImportedAgent[] = [];
  /** By kind and id: whether what belongs to it may come in. */
  readonly #owners = new Map<string, boolean>();

  constructor(
    private readonly ports: PlanPorts,
    private readonly options: { readonly replace: boolean },
    private readonly isRedacted: boolean,
    private readonly tally: Tally,
    refused: ReadonlySet<string>,
  ) {
    for (const place of refused) this.#owners.set(place, false);
  }

  /** Empties `candidates`. */
  async judgeAll(candidates: Candidate[], signal: AbortSignal | undefined): Promise<void> {
    candidates.reverse(); // what is taken from the end is taken in no time
    while (candidates.length > 0) {
      signal?.throwIfAborted();
      const some = candidates.splice(-LOOKED_UP_TOGETHER).reverse();
      await this.#learnOwners(some);
      const here = await Promise.all(some.map(({ kind, id }) => lookUp(this.ports.store, kind, id)));
      for (const [index, candidate] of some.entries()) this.#judge(candidate, here[index]);
      await this.ports.breathe();
    }
  }

  /** Owners that are not in the file may be in the store. */
  async #learnOwners(candidates: readonly Candidate[]): Promise<void> {
    const unknown = new Map<string, readonly [kind: string, id: string]>();
    for (const { how, value } of candidates) {
      if (!how.owner) continue;
      const { kind } = how.owner;
      const id = how.owner.idOf(value);
      const key = `${kind}\0${id}`;
      if (!this.#owners.has(key)) unknown.set(key, [kind, id]);
    }
    await Promise.all(
      [...unknown].map(async ([key, [kind, id]]) => {
        const found = await lookUp(this.ports.store, kind, id);
        this.#owners.set(key, found !== undefined);
      }),
    );
  }

  #judge(candidate: Candidate, here: DataRecord | 'damaged' | undefined): void {
    const { record, kind, id, how } = candidate;
    const outcome = this.#outcome(candidate, here);
    const changes = isWritten(outcome) ? [...(outcome.changes ?? []), ...candidate.changes] : [];
    this.tally.note({ record, kind, id, ...outcome, ...(changes.length > 0 && { changes }) });
    if (how.owner) return;
    const isOurs =
      isPlainRecord(here) &&
      outcome.reason !== 'damagedHere' &&
      (how.isSameThing?.(here.value, candidate.value) ?? true);
    this.#owners.set(`${kind}\0${id}`, isWritten(outcome) || outcome.verdict === 'identical' || isOurs);
  }

  #outcome(candidate: Candidate, here: DataRecord | 'damaged' | undefined): Outcome {
    const { how, value } = candidate;
    if (how.owner && this.#owners.get(`${how.owner.kind}\0${how.owner.idOf(value)}`) !== true)
      return { verdict: 'skipped', reason: 'agentLeftOut' };
    if (here === 'damaged') return { verdict: 'conflicting', reason: 'damagedHere' };
    if (!here) return this.#add(candidate);
    // What is here is looked at by the hooks of its kind, which rely on its rules.
    if (!isPlainRecord(here) || this.ports.validate(candidate.kind, here.value, here.id).length > 0)
      return { verdict: 'conflicting', reason: 'damagedHere' };
    if (this.#isEqual(candidate, here.value)) return { verdict: 'identical' };
    const removal = how.removal?.(here.value, value);
    if (removal) return this.#bringBack(candidate, removal, here.version);
    if (!this.options.replace) return { verdict: 'conflicting' };
    // What lost its secrets must not take the place of what has them.
    if (this.isRedacted && JSON.stringify(value).includes(REDACTED_MARK))
      return { verdict: 'conflicting', reason: 'redacted' };
    const reason = how.mayReplace?.(here.value, value);
    if (reason) return { verdict: 'conflicting', reason };
    this.#write(candidate, how.merge?.(here.value, value) ?? value, here.version, this.replaced);
    return { verdict: 'replaced' };
  }

  #bringBack(candidate: Candidate, removal: Prepared, version: number): Outcome {
    if ('reason' in removal) return { verdict: 'conflicting', reason: removal.reason };
    const reason = candidate.how.mayAdd?.(candidate.value);
    if (reason) return { verdict: 'skipped', reason };
    this.#write(candidate, removal.value, version, this.returned);
    this.#tellOf(removal.also ?? []);
    return { verdict: 'new', changes: removal.changes };
  }

  #add(candidate: Candidate): Outcome {
    const reason = candidate.how.mayAdd?.(candidate.value);
    if (reason) return { verdict: 'skipped', reason };
    this.#write(candidate, candidate.value, 0, this.added);
    this.#tellOf(candidate.also);
    return { verdict: 'new' };
  }

  #write({ kind, id, how }: Candidate, value: JsonObject, expectedVersion: number, list: PlannedRecord[]): void {
    this.puts.push({ kind, id, json: encodeValue(value), expectedVersion });
    if (!how.owner) list.push({ kind, id, value });
    const shown = how.showOf?.(value);
    if (shown) this.agents.push({ ...shown, isReplaced: list === this.replaced });
  }

  #tellOf(records: readonly PlannedRecord[]): void {
    for (const { kind, id, value } of records)
      this.puts.push({ kind, id, json: encodeValue(value), expectedVersion: 0 });
  }

  /** The one here is compared as it would be if it had been exported and came in. */
  #isEqual({ how, value }: Candidate, here: JsonObject): boolean {
    const essenceOf = how.essenceOf ?? ((whole: JsonObject): unknown => whole);
    const prepared = how.prepare(this.isRedacted ? this.ports.clean(here) : here);
    if ('reason' in prepared) return false;
    return encodeValue({ is: essenceOf(prepared.value) }) === encodeValue({ is: essenceOf(value) });
  }
}

/** What an export writes where a secret was. */
const REDACTED_MARK = '[redacted]';

function isWritten({ verdict }: Outcome): boolean {
  return verdict === 'new' || verdict === 'replaced';
}

function isPlainRecord(here: DataRecord | 'damaged' | undefined): here is DataRecord & { readonly value: JsonObject } {
  return here !== undefined && here !== 'damaged' && isPlainObject(here.value);
}

/** The record as it is kept, whatever its collection says of it. */
async function lookUp(
  store: Pick<DataStore, 'get'>,
  kind: string,
  id: string,
): Promise<DataRecord | 'damaged' | undefined> {
  const collection: Collection<unknown> = { kind, indexes: [], parse: (value) => value };
  try {
    return await store.get(collection, id);
  } catch (error) {
    if (DataError.is(error, 'data.corrupt')) return 'damaged';
    if (DataError.is(error, 'data.invalid')) return undefined; // an id that nothing can be kept under
    throw error;
  }
}

function invalid(path: string, code: string, message: string): Outcome {
  return { verdict: 'invalid', problems: [{ path, rule: 'record', code, message }] };
}

function shortened(problem: ImportProblem): ImportProblem {
  return { ...problem, path: printable(problem.path, MAX_PATH_LENGTH) };
}

function inValue(problem: ImportProblem): ImportProblem {
  return { ...problem, path: printable(`/value${problem.path}`, MAX_PATH_LENGTH) };
}

import type { ImportEntry, ImportReason, ImportReport, ImportVerdict } from '../../../shared/importReport';

/** More entries, or agents, than this are counted only: the report fits into an answer of the gateway. */
const MAX_NAMED = 200;
/** Characters of JSON of all entries, and as many of all agents. */
const MAX_NAMED_LENGTH = 256 * 1024;
const MAX_KINDS = 100;

/** What of a list goes into a report. */
export class Room {
  #count = 0;
  #length = 0;

  /** False: it is full. */
  take(item: object): boolean {
    this.#count += 1;
    if (this.#count > MAX_NAMED || this.#length > MAX_NAMED_LENGTH) return false;
    this.#length += JSON.stringify(item).length;
    return this.#length <= MAX_NAMED_LENGTH;
  }
}

/** Counts everything, names the first. */
export class Tally {
  readonly counts: Record<ImportVerdict, number> = {
    ...{ new: 0, identical: 0, conflicting: 0 },
    ...{ replaced: 0, invalid: 0, skipped: 0 },
  };
  readonly countsByReason: Partial<Record<ImportReason, number>> = {};
  readonly entries: ImportEntry[] = [];
  readonly #byKind = new Map<string, Partial<Record<ImportVerdict, number>>>();
  readonly #room = new Room();
  isCut = false;

  get countsByKind(): ImportReport['countsByKind'] {
    return Object.fromEntries(this.#byKind);
  }

  note(entry: ImportEntry): void {
    const { verdict, reason, kind, changes } = entry;
    this.counts[verdict] += 1;
    if (reason) this.countsByReason[reason] = (this.countsByReason[reason] ?? 0) + 1;
    this.#noteKind(kind, verdict);
    if ((verdict === 'new' || verdict === 'identical') && !changes) return;
    if (this.#room.take(entry)) this.entries.push(entry);
    else this.isCut = true;
  }

  #noteKind(kind: string, verdict: ImportVerdict): void {
    let counts = this.#byKind.get(kind);
    if (!counts) {
      if (this.#byKind.size >= MAX_KINDS) return void (this.isCut = true);
      this.#byKind.set(kind, (counts = {}));
    }
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
}

import type { Change } from '../dataStore';
import type { IntegrityCode, IntegritySeverity } from './integrityReport';

/** Records whose last entry is held in memory; those that came later are not compared, which is told. */
export const MAX_JOURNAL_RECORDS = 200_000;

export interface JournalFinding {
  readonly code: IntegrityCode;
  readonly severity: IntegritySeverity;
  readonly kind?: string;
  readonly id?: string;
  readonly message: string;
}

/** What the journal of changes says is there, read oldest first. */
export class JournalCheck {
  /** By kind and id: the version that was written last; 0: removed. */
  readonly #versions = new Map<string, number>();
  #first: number | undefined;
  #last = 0;
  /** Entries of records that were too many. */
  #leftOut = 0;
  #isCut = false;
  readonly #gaps: JournalFinding[] = [];

  constructor(private readonly maxRecords = MAX_JOURNAL_RECORDS) {}

  /** Whether it holds every change since the store was made. */
  get isComparable(): boolean {
    return !this.#isCut && (this.#first ?? 1) === 1 && this.#gaps.length === 0;
  }

  get findings(): readonly JournalFinding[] {
    return this.#gaps;
  }

  add({ seq, kind, id, op, version }: Change): void {
    if (this.#first === undefined) this.#first = seq;
    else if (seq !== this.#last + 1)
      this.#gaps.push({
        code: 'journal.gap',
        severity: 'error',
        message: `the journal goes from change ${this.#last} to change ${seq}`,
      });
    this.#last = seq;
    const key = keyOf(kind, id);
    // Nothing leaves the map meanwhile: what found no room once finds none later.
    if (this.#versions.size < this.maxRecords || this.#versions.has(key))
      this.#versions.set(key, op === 'put' ? version : 0);
    else this.#leftOut++;
  }

  /** What was not compared with the records, in words; undefined: nothing, or it is told as a finding of its own. */
  get unseen(): string | undefined {
    if (this.#isCut || this.#gaps.length > 0) return undefined;
    if ((this.#first ?? 1) !== 1)
      return `the journal begins with change ${this.#first}: records were not compared with it`;
    if (this.#leftOut === 0) return undefined;
    return `the journal tells of more than ${this.maxRecords} records: ${this.#leftOut} of its entries, of those that came last, were not compared with their records`;
  }

  /** It cannot be read to its end: nothing is said of records. */
  cut(): void {
    this.#isCut = true;
  }

  /** What the journal says about a record that is there. Each record is asked for once: {@link missing} tells the others. */
  compare(kind: string, id: string, version: number): JournalFinding | undefined {
    const key = keyOf(kind, id);
    const said = this.#versions.get(key);
    this.#versions.delete(key);
    if (said === version || (said === undefined && this.#leftOut > 0)) return undefined;
    const words =
      said === undefined ? 'does not know it' : said === 0 ? 'says that it was removed' : `says version ${said}`;
    return {
      code: 'journal.record',
      severity: 'error',
      kind,
      id,
      message: `it is there in version ${version}, and the journal ${words}`,
    };
  }

  /** It is there, and cannot be read. */
  forget(kind: string, id: string): void {
    this.#versions.delete(keyOf(kind, id));
  }

  /** Records of `kinds` that should be there and were not asked for. */
  *missing(kinds: ReadonlySet<string>): Generator<JournalFinding> {
    for (const [key, version] of this.#versions) {
      const at = key.indexOf('\0');
      const [kind, id] = [key.slice(0, at), key.slice(at + 1)];
      if (version === 0 || !kinds.has(kind)) continue;
      const message = `the journal says version ${version}, and the record is not there`;
      yield { code: 'journal.record', severity: 'error', kind, id, message };
    }
  }
}

function keyOf(kind: string, id: string): string {
  return `${kind}\0${id}`;
}

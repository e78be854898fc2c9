import { DataError } from '../dataErrors';
import type { DataStore } from '../dataStore';
import type { StoreCheckReport, StoreFinding } from '../durableStore';
import type { DataValidator } from '../validation/dataValidator';
import type { AnyCollection, IntegrityModel, RunClaim, Suspicion, TerminalFact } from './integrityModel';
import {
  advice,
  bySeverity,
  findingKey,
  type IntegrityFinding,
  type IntegrityFix,
  IntegrityPhase,
  type IntegrityProgress,
  type IntegrityReport,
  MAX_FINDINGS,
} from './integrityReport';
import { JournalCheck, type JournalFinding } from './journalCheck';
import { readJournal, readRecords } from './readRecords';
import { RecordChecks } from './recordChecks';
import { compareTerminals, unknownTerminals } from './terminalChecks';

export interface IntegrityPorts {
  readonly store: Pick<DataStore, 'find' | 'get' | 'changes' | 'snapshot' | 'health'>;
  /** The check of the file, beside writers (`DurableStore.check('full')`); absent: the store has none. */
  readonly checkFile?: (options: { readonly signal?: AbortSignal }) => Promise<StoreCheckReport>;
  /** Everything that is kept. */
  readonly collections: readonly AnyCollection[];
  readonly validator: Pick<DataValidator, 'validate'>;
  readonly model: IntegrityModel;
  /** What tmux has; rejects when it cannot be asked. Absent: it is not compared. */
  readonly terminals?: () => Promise<readonly TerminalFact[]>;
  /** Lets the event loop turn. */
  readonly breathe: () => Promise<void>;
}

export interface IntegrityOptions {
  /** Told after each page and at each phase. */
  readonly onProgress?: (progress: IntegrityProgress) => void;
  /** Ends the check; it changes nothing, so nothing is left behind. */
  readonly signal?: AbortSignal;
  /** Records that are compared with the journal, 1 or more. Default 200 000: some 30 MB. */
  readonly maxJournalRecords?: number;
}

/** Rules in which one record fails; the others are seen when these are mended. */
const PROBLEMS_PER_RECORD = 5;
/** No record is lost by it, but no backup is made of a store that is not whole. */
const journalAdvice =
  'The records are checked one by one beside it, and no new backup is made until it is mended. Restore the newest backup that is whole; before that, use Export Data, and import afterwards what the backup does not have.';
/** More are of no use to a person. */
const MAX_SUSPICIONS = 5 * MAX_FINDINGS;

/**
 * Looks for everything that can be wrong with what is kept: the file, every record by the rules of its kind, references,
 * sequences, the journal, and drift between records and tmux. Beside writers and without changing anything: a suspicion
 * about records that were written meanwhile is not told, but counted (`settled`).
 * @throws what the store throws, but for damaged records and a damaged journal, which are findings; the signal's reason
 */
export function runIntegrityJob(ports: IntegrityPorts, options: IntegrityOptions = {}): Promise<IntegrityReport> {
  return new IntegrityJob(ports, options).run();
}

class IntegrityJob {
  readonly #checks: RecordChecks;
  readonly #journal: JournalCheck;
  readonly #findings: IntegrityFinding[] = [];
  readonly #suspicions: Suspicion[] = [];
  readonly #kinds: ReadonlySet<string>;
  #lastSeq = 0;
  #records = 0;
  #changes = 0;
  #sessions: number | undefined;
  #settled = 0;

  constructor(
    private readonly ports: IntegrityPorts,
    private readonly options: IntegrityOptions,
  ) {
    this.#journal = new JournalCheck(options.maxJournalRecords);
    this.#kinds = new Set(ports.collections.map(({ kind }) => kind));
    this.#checks = new RecordChecks(
      ports.model,
      (kind, id, value) =>
        ports.validator.validate(kind, value, { recordId: id }, { maxProblems: PROBLEMS_PER_RECORD }).problems,
    );
  }

  async run(): Promise<IntegrityReport> {
    await this.#checkFile();
    await this.#readJournal();
    await this.#readRecords();
    await this.#compareTerminals();
    await this.#settle();
    const findings = this.#distinctFindings();
    return {
      isWhole: !findings.some(({ severity }) => severity !== 'info'),
      findings: findings.slice(0, MAX_FINDINGS),
      isCut: findings.length > MAX_FINDINGS || this.#suspicions.length >= MAX_SUSPICIONS,
      records: this.#records,
      changes: this.#changes,
      sessions: this.#sessions,
      settled: this.#settled,
    };
  }

  async #pause(phase: IntegrityPhase, done: number): Promise<void> {
    this.options.signal?.throwIfAborted();
    this.options.onProgress?.({ phase, done });
    await this.ports.breathe();
    this.options.signal?.throwIfAborted();
  }

  async #checkFile(): Promise<void> {
    await this.#pause(IntegrityPhase.File, 0);
    const { signal } = this.options;
    const report = await this.ports.checkFile?.(signal ? { signal } : {});
    this.#findings.push(...(report?.findings ?? []).map((finding) => this.#fileFinding(finding)));
  }

  #fileFinding(found: StoreFinding): IntegrityFinding {
    const { code, kind, id } = found;
    const message = found.message.replace(/\.$/, ''); // our findings end where who shows them goes on
    const about = { ...(kind !== undefined && { kind }), ...(id !== undefined && { id }) };
    const severity = code === 'check.highWater' || code === 'check.search' ? 'warning' : 'error';
    return { code, severity, ...about, message, fix: this.#fileFix(found) };
  }

  /** Of one damaged record its kind decides; a backup is offered beside it. */
  #fileFix({ code, kind, id, fix }: StoreFinding): IntegrityFix {
    if (code === 'check.change' || code === 'check.changeGap') return advice(journalAdvice);
    if (code === 'check.record' && kind !== undefined && id !== undefined && this.#kinds.has(kind))
      return this.ports.model.fixOf(kind, id, undefined);
    if (code === 'check.search') return advice('It is being made anew; nothing must be done.');
    if (fix === undefined) return advice('It is mended with the next change; nothing must be done.');
    switch (fix) {
      case 'deleteRecord':
        return advice('Restore the newest backup that is whole.');
      case 'restoreBackup':
        return advice(
          'Restore the newest backup that is whole. Copy the data folder first: then nothing of it is lost.',
        );
      case 'acceptMissingChanges':
        return advice('Restore a backup, or choose in the notice about missing changes to go on without them.');
    }
  }

  async #readJournal(): Promise<void> {
    await this.#pause(IntegrityPhase.Journal, 0);
    const { seq } = this.ports.store.health;
    try {
      for await (const page of readJournal(this.ports.store)) {
        for (const change of page) this.#journal.add(change);
        this.#lastSeq = page.at(-1)?.seq ?? this.#lastSeq;
        this.#changes += page.length;
        await this.#pause(IntegrityPhase.Journal, this.#changes);
      }
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      this.#cutJournal();
      this.#lastSeq = seq; // what is written from now on is read behind the damage
    }
    const fix = advice(journalAdvice);
    this.#findings.push(...this.#journal.findings.map((found) => ({ ...found, fix })));
    const { unseen } = this.#journal;
    if (unseen === undefined) return;
    const nothing = advice('Nothing must be done: each record was checked by its checksum and its rules.');
    this.#findings.push({ code: 'journal.notCompared', severity: 'info', message: unseen, fix: nothing });
  }

  /** Told once: by the check of the file, which names the entry, or here. */
  #cutJournal(): void {
    this.#journal.cut();
    if (this.#findings.some(({ code }) => code === 'check.change' || code === 'check.changeGap')) return;
    const message = `an entry of the journal behind change ${this.#lastSeq} is missing or altered`;
    this.#findings.push({ code: 'journal.damaged', severity: 'error', message, fix: advice(journalAdvice) });
  }

  async #readRecords(): Promise<void> {
    const byKind = new Map(this.ports.collections.map((collection) => [collection.kind, collection]));
    for (const kind of this.#checks.order([...this.#kinds])) {
      const collection = byKind.get(kind);
      if (!collection) continue;
      for await (const { records, damagedIds } of readRecords(this.ports.store, collection)) {
        for (const id of damagedIds) {
          this.#journal.forget(kind, id);
          this.#suspect(this.#checks.damaged(kind, id, 'it is not what was written, and is not served'));
        }
        for (const record of records) {
          for (const suspicion of this.#checks.check(record)) this.#suspect(suspicion);
          this.#suspectJournal(this.#journal.compare(kind, record.id, record.version));
        }
        this.#records += records.length;
        await this.#pause(IntegrityPhase.Records, this.#records);
      }
    }
    for (const found of this.#journal.missing(this.#kinds)) this.#suspectJournal(found);
  }

  #suspectJournal(found: JournalFinding | undefined): void {
    if (!found || !this.#journal.isComparable) return;
    const { kind = '', id = '' } = found;
    const fix = advice('Restore the newest backup that is whole if the record matters; otherwise go on.');
    this.#suspect({ finding: { ...found, fix }, seen: [{ kind, id }] });
  }

  #suspect(suspicion: Suspicion): void {
    if (this.#suspicions.length < MAX_SUSPICIONS) this.#suspicions.push(suspicion);
  }

  async #compareTerminals(): Promise<void> {
    const { runs } = this.ports.model;
    const collection = this.ports.collections.find(({ kind }) => kind === runs?.kind);
    const ask = this.ports.terminals;
    if (!runs || !ask || !collection) return;
    await this.#pause(IntegrityPhase.Terminals, 0);
    const claims = async (): Promise<readonly RunClaim[]> => {
      const found: RunClaim[] = [];
      for await (const { records } of readRecords(this.ports.store, collection))
        found.push(...records.flatMap(({ value }) => runs.read(value) ?? []));
      return found;
    };
    const before = await claims();
    let facts: readonly TerminalFact[];
    try {
      facts = await untilAborted(ask(), this.options.signal);
    } catch {
      this.options.signal?.throwIfAborted();
      this.#findings.push(unknownTerminals()); // whatever it was: nothing is known of them
      return;
    }
    this.#sessions = facts.length;
    const known = new Set(this.#checks.damagedIds(runs.kind));
    const drift = compareTerminals(runs.kind, before, facts, await claims());
    this.#findings.push(...drift.filter(({ id = '' }) => !known.has(id))); // of a damaged record it is known already
    await this.#pause(IntegrityPhase.Terminals, facts.length);
  }

  /** What was written since the journal was read may have been seen half before and half after. */
  async #settle(): Promise<void> {
    const touched = await this.#touched();
    for (const { finding, seen } of this.#suspicions) {
      if (seen.some(({ kind, id }) => touched.has(`${kind}\0${id}`))) this.#settled++;
      else this.#findings.push(finding);
    }
  }

  /** What was written since the journal was read, as far as that can be read. */
  async #touched(): Promise<ReadonlySet<string>> {
    const touched = new Set<string>();
    try {
      for await (const page of readJournal(this.ports.store, this.#lastSeq))
        for (const { kind, id } of page) touched.add(`${kind}\0${id}`);
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      this.#cutJournal();
    }
    return touched;
  }

  /** The check of the file and the reading of the records both tell of a damaged record: once is enough. */
  #distinctFindings(): readonly IntegrityFinding[] {
    const place = ({ kind, id }: IntegrityFinding): string => `${kind}\0${id}`;
    const told = new Set(this.#findings.filter(({ code }) => code === 'check.record').map(place));
    const byKey = new Map<string, IntegrityFinding>();
    for (const finding of this.#findings) {
      const isTold = finding.code === 'record.damaged' && told.has(place(finding));
      if (!isTold && !byKey.has(findingKey(finding))) byKey.set(findingKey(finding), finding);
    }
    return bySeverity([...byKey.values()]);
  }
}

/** Settles as `work`, but not after an abort: what it waits for may hang. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error); // whatever the caller aborts with
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

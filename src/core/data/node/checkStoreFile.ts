import fs from 'node:fs';
import { DataError } from '../dataErrors';
import {
  type CheckDepth,
  type MaintenanceOptions,
  maxFindings,
  maxListed,
  type StoreContents,
  type StoreCheckReport,
  type StoreFinding,
} from '../durableStore';
import { frozenFiles } from './frozenFiles';
import { type SqlEngine, SqlEngineError } from './sqlEngine';
import { openSqlJsReader } from './sqlJsEngine';
import { applicationId, isOfSearch, newestSchema, number } from './storeSchema';
import { type CheckedChange, readCheckedChanges, readCheckedRecords, readPage } from './storeSql';

/** What to check; plain data, so that it can cross threads. */
export interface CheckTask {
  /** A main file that is complete by itself and does not change meanwhile. */
  readonly file: string;
  readonly wasmFile: string;
  readonly depth: CheckDepth;
  /** Highest change noted beside the store; `damaged` when the note is; absent when there is none. */
  readonly notedSeq?: number | 'damaged';
  /** Has {@link StoreCheckReport.contents} made, with the values of this kind. */
  readonly listed?: string;
}

const pageRows = 500;
/** Every so often is told how far a check is. */
const toldRows = 20_000;

/**
 * Looks at a whole store file and tells all that is wrong. Never throws for damage. Memory: one page of rows.
 * @throws {DataError} data.io when the file cannot be read; data.engineUnavailable
 */
export async function checkStoreFile(
  task: CheckTask,
  onProgress?: MaintenanceOptions['onProgress'],
): Promise<StoreCheckReport> {
  if (!fs.existsSync(task.file)) throw new DataError('data.io', `${task.file} is not there`);
  const check = new FileCheck(task, onProgress);
  let engine: SqlEngine | undefined;
  try {
    engine = await openSqlJsReader(task.file, task.wasmFile, frozenFiles(task.file));
    check.run(engine);
  } catch (error) {
    check.note(error, 'The file cannot be read as a database');
  } finally {
    engine?.close();
  }
  return check.report();
}

class FileCheck {
  readonly #findings: StoreFinding[] = [];
  #isCut = false;
  #records = 0;
  #changes = 0;
  #seq = 0;
  #contents: StoreContents | undefined;

  #lookedAt = 0;

  constructor(
    private readonly task: CheckTask,
    private readonly onProgress: MaintenanceOptions['onProgress'],
  ) {}

  run(engine: SqlEngine): void {
    if (!this.#isOurs(engine)) return;
    this.#checkStructure(engine);
    this.#part(() => (this.#seq = number(engine, 'SELECT max(seq) FROM changes')));
    this.#part(() => (this.#records = number(engine, 'SELECT count(*) FROM records')));
    this.#part(() => (this.#changes = number(engine, 'SELECT count(*) FROM changes')));
    if (this.task.depth === 'full') {
      this.#part(() => this.#checkRecords(engine));
      this.#part(() => this.#checkChanges(engine));
    }
    const { listed } = this.task;
    if (listed !== undefined) this.#part(() => (this.#contents = contentsOf(engine, listed)));
    this.#checkHighWater();
  }

  report(): StoreCheckReport {
    const findings = this.#findings;
    const { depth } = this.task;
    const counts = { records: this.#records, changes: this.#changes, seq: this.#seq };
    return {
      isWhole: findings.every(({ code }) => code === 'check.search'),
      findings,
      isCut: this.#isCut,
      depth,
      ...counts,
      ...(this.#contents && { contents: this.#contents }),
    };
  }

  /** An error of the database is a finding; anything else is thrown. */
  note(error: unknown, what: string): void {
    if (error instanceof SqlEngineError && error.errno !== undefined) {
      throw new DataError('data.io', `${what}: ${error.message}`, { cause: error });
    }
    if (!(error instanceof SqlEngineError)) throw error;
    this.#add({ code: 'check.structure', message: `${what}: ${error.message}.`, fix: 'restoreBackup' });
  }

  #isOurs(engine: SqlEngine): boolean {
    const isMarked = number(engine, 'PRAGMA application_id') === applicationId;
    const version = number(engine, 'PRAGMA user_version');
    if (!isMarked) this.#add({ code: 'check.foreign', message: 'The file is not a store of this product.' });
    else if (version > newestSchema) {
      this.#add({ code: 'check.foreign', message: `A newer version of this product wrote it (schema ${version}).` });
    }
    return isMarked && version <= newestSchema;
  }

  #checkStructure(engine: SqlEngine): void {
    const pragma = this.task.depth === 'full' ? 'integrity_check' : 'quick_check';
    this.#part(() => {
      for (const [line] of engine.all(`PRAGMA ${pragma}(100)`)) {
        if (line === 'ok') continue;
        if (isOfSearch(String(line))) {
          this.#add({
            code: 'check.search',
            message: 'The index of texts is damaged; it is made anew from the records.',
          });
          continue;
        }
        this.#add({ code: 'check.structure', message: `${String(line)}.`, fix: 'restoreBackup' });
      }
    });
  }

  #checkRecords(engine: SqlEngine): void {
    for (let after = Number.MIN_SAFE_INTEGER; ;) {
      const rows = readCheckedRecords(engine, after, pageRows);
      for (const { kind, id, isWhole } of rows) {
        if (isWhole) continue;
        const message = `The record ${JSON.stringify(id)} of ${JSON.stringify(kind)} is damaged; it is not served.`;
        this.#add({ code: 'check.record', kind, id, message, fix: 'restoreBackup' });
      }
      const last = rows.at(-1);
      if (!last) return;
      after = last.row;
      this.#advance(rows.length);
    }
  }

  #checkChanges(engine: SqlEngine): void {
    let previous: number | undefined;
    for (let after = Number.MIN_SAFE_INTEGER; ;) {
      const rows: readonly CheckedChange[] = readCheckedChanges(engine, after, pageRows);
      for (const { seq, isWhole } of rows) {
        if (!isWhole) this.#addChange('check.change', `Entry ${seq} of the journal of changes is damaged.`);
        if (previous !== undefined && seq !== previous + 1) {
          this.#addChange('check.changeGap', `Entries ${previous + 1} to ${seq - 1} of the journal are missing.`);
        }
        previous = seq;
      }
      const last = rows.at(-1);
      if (!last) return;
      after = last.seq;
      this.#advance(rows.length);
    }
  }

  #advance(rows: number): void {
    const before = this.#lookedAt;
    this.#lookedAt += rows;
    if (Math.floor(this.#lookedAt / toldRows) === Math.floor(before / toldRows)) return;
    this.onProgress?.({ phase: 'checking', done: this.#lookedAt, total: this.#records + this.#changes });
  }

  #checkHighWater(): void {
    const { notedSeq } = this.task;
    if (notedSeq === 'damaged') {
      this.#add({ code: 'check.highWater', message: 'The note of the highest change beside the store is damaged.' });
    } else if (notedSeq !== undefined && notedSeq > this.#seq) {
      const message = `Changes ${this.#seq + 1} to ${notedSeq} were acknowledged but are not in the store.`;
      this.#add({ code: 'check.missingChanges', message, fix: 'acceptMissingChanges' });
    }
  }

  #addChange(code: StoreFinding['code'], message: string): void {
    this.#add({ code, message, fix: 'restoreBackup' });
  }

  /** Each once: what keeps one part from being read may keep others, too. */
  #add(finding: StoreFinding): void {
    const { code, message } = finding;
    if (this.#findings.some((one) => one.code === code && one.message === message)) return;
    if (this.#findings.length < maxFindings) this.#findings.push(finding);
    else this.#isCut = true;
  }

  #part(body: () => void): void {
    try {
      body();
    } catch (error) {
      this.note(error, 'A part of the file cannot be read');
    }
  }
}

function contentsOf(engine: SqlEngine, kind: string): StoreContents {
  const lastChangeAtMs = number(engine, 'SELECT at FROM changes ORDER BY seq DESC LIMIT 1');
  const whole = readPage(engine, { kind, where: [] }, maxListed).filter(({ isWhole }) => isWhole);
  const values = whole.map(({ record }): unknown => JSON.parse(record.json));
  return { values, ...(lastChangeAtMs > 0 && { lastChangeAtMs }) };
}

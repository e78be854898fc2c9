import type { ImportIntegrity, ImportProblem } from '../../../shared/importReport';
import type { JsonObject } from '../processing/dataTransformation';
import { allOf, object, text } from '../validation/composeRules';
import { isPlainObject, type ValidationProblem } from '../validation/validationRule';
import { runRules } from '../validation/validationRun';
import { length, range, type } from '../validation/valueRules';
import { ExchangeError } from './exchangeErrors';
import { END_ID, EXPORT_FORMAT, EXPORT_KIND, HEADER_ID } from './exportFormat';
import { notAnExport, RecordScanner, type ScanEnd, type ScannedRecord, type ScanLimits } from './recordScanner';

/** What an import takes at most: all of it is held until it is written in one transaction. */
export interface ImportLimits extends ScanLimits {
  readonly maxFileBytes: number;
  readonly maxRecords: number;
}

export const IMPORT_LIMITS: ImportLimits = {
  maxFileBytes: 256 * 1024 * 1024,
  maxRecords: 100_000,
  maxRecordBytes: 4 * 1024 * 1024,
  maxDepth: 72, // a value has 64, its record some more
  maxGapBytes: 4_096,
};

/** A file that is read once from its beginning. */
export interface ImportSource {
  readonly sizeBytes: number;
  /** @throws {ExchangeError} exchange.fileUnreadable */
  read(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

export interface ImportFiles {
  /** A plain file. @throws {ExchangeError} exchange.fileUnreadable; exchange.fileUnusable for a name that is not absolute */
  open(file: string): Promise<ImportSource>;
}

/** SHA-256. */
export interface Digest {
  update(bytes: Uint8Array): void;
  /** Of everything so far, hex. */
  hex(): string;
}

/** A record of the file, as it stands there. */
export interface FoundRecord {
  /** Its number in the file, from 1. */
  readonly record: number;
  readonly kind: string;
  readonly id: string;
  readonly value: JsonObject;
}

export interface ReadHandlers {
  readonly onRecord: (record: FoundRecord) => void;
  /** A record that cannot be one; `kind` and `id` as far as they can be told. */
  readonly onInvalid: (record: Pick<FoundRecord, 'record' | 'kind' | 'id'>, problems: readonly ImportProblem[]) => void;
  /** Asked after every record: what it returns is awaited. */
  readonly breathe: () => Promise<void> | undefined;
}

/** What a file says of itself. */
export interface ReadFile {
  readonly format: 'ndjson' | 'json';
  readonly fingerprint: string;
  readonly integrity: ImportIntegrity;
  readonly isRedacted: boolean;
  readonly exportedAtMs: number | null;
  readonly records: number;
}

const count = allOf(type('integer'), range({ min: 0 }));
const name = allOf(text, length({ min: 1, max: 200 }));

const recordRule = object({
  ...{ kind: name, id: name, value: type('object') },
  ...{ version: count, createdAtMs: count, updatedAtMs: count, epoch: count },
});

/**
 * Reads a whole export, record by record, and hands each on. Nothing but the structure of records is checked here. Of one of ours that ends in the midst of a
 * record, the records before it are handed on.
 * @throws {ExchangeError} exchange.fileUnreadable, exchange.notAnExport, exchange.unknownFormat, exchange.newer, exchange.tooLarge; the signal's reason
 */
export async function readExport(
  source: ImportSource,
  ports: { readonly digest: Digest; readonly schemaVersion: number; readonly limits: ImportLimits },
  handlers: ReadHandlers,
  signal: AbortSignal | undefined,
): Promise<ReadFile> {
  const { limits } = ports;
  if (source.sizeBytes > limits.maxFileBytes) throw tooLarge(`the file has more than ${limits.maxFileBytes} bytes`);
  const reader = new ExportReader(ports, handlers);
  const scanner = new RecordScanner(limits);
  let readBytes = 0;
  for await (const chunk of source.read()) {
    signal?.throwIfAborted();
    if (readBytes === 0) refuseDatabase(chunk);
    readBytes += chunk.length;
    if (readBytes > limits.maxFileBytes) throw tooLarge(`the file has more than ${limits.maxFileBytes} bytes`);
    for (const scanned of scanner.push(chunk)) {
      reader.take(scanned);
      const pause = handlers.breathe();
      if (!pause) continue;
      await pause;
      signal?.throwIfAborted();
    }
  }
  return reader.end(scanner.finish(), scanner.format);
}

class ExportReader {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #digest: Digest;
  #record = 0;
  #format = 0;
  #isRedacted = false;
  #exportedAtMs: number | null = null;
  /** Of records that are not about the export. */
  #count = 0;
  #hasEnd = false;
  #isChanged = false;

  constructor(
    private readonly ports: { readonly digest: Digest; readonly schemaVersion: number; readonly limits: ImportLimits },
    private readonly handlers: ReadHandlers,
  ) {
    this.#digest = ports.digest;
  }

  take({ gap, bytes }: ScannedRecord): void {
    this.#digest.update(gap);
    this.#record += 1;
    if (this.#hasEnd) this.#isChanged = true;
    const parsed = this.#parse(bytes);
    if (isPlainObject(parsed) && parsed['kind'] === EXPORT_KIND) this.#takeAbout(parsed);
    else this.#takeRecord(parsed);
    this.#digest.update(bytes);
  }

  /** @throws {ExchangeError} exchange.notAnExport */
  end({ rest, cutIn }: ScanEnd, format: 'ndjson' | 'json'): ReadFile {
    this.#digest.update(rest);
    if (cutIn !== undefined && this.#format === 0) throw notAnExport(`it ends in the midst of ${cutIn}`);
    if (this.#record === 0) throw notAnExport('it holds no records');
    return {
      ...{ format, integrity: this.#integrity(cutIn), fingerprint: this.#digest.hex(), records: this.#count },
      ...{ isRedacted: this.#isRedacted, exportedAtMs: this.#exportedAtMs },
    };
  }

  #integrity(cutIn: ScanEnd['cutIn']): ImportIntegrity {
    if (this.#format === 0) return 'unknown'; // not of ours
    if (this.#isChanged || (this.#hasEnd && cutIn === 'a record')) return 'changed';
    if (cutIn !== undefined) return 'cut';
    if (this.#hasEnd) return 'whole';
    return this.#format >= EXPORT_FORMAT ? 'cut' : 'unknown';
  }

  #parse(bytes: Uint8Array): unknown {
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch (cause) {
      throw notAnExport(`record ${this.#record} is not UTF-8`, { cause });
    }
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      // The parser's own message quotes the text.
      throw notAnExport(`record ${this.#record} is no JSON`, {
        cause: cause instanceof Error ? cause.name : undefined,
      });
    }
  }

  #takeAbout(about: JsonObject): void {
    const { id, value } = about;
    if (id === HEADER_ID && this.#record === 1 && isPlainObject(value)) return this.#takeHeader(value);
    if (id === END_ID && !this.#hasEnd && isPlainObject(value)) {
      this.#hasEnd = true;
      if (value['records'] !== this.#count || value['sha256'] !== this.#digest.hex()) this.#isChanged = true;
      return;
    }
    this.#isChanged = true; // joined, or made by hand
  }

  #takeHeader({ format, schemaVersion, isRedacted, atMs }: JsonObject): void {
    if (!Number.isSafeInteger(format) || (format as number) < 1) throw notAnExport('its header names no format');
    const own = this.ports.schemaVersion;
    if ((format as number) > EXPORT_FORMAT || (typeof schemaVersion === 'number' && schemaVersion > own))
      throw new ExchangeError(
        'exchange.newer',
        `a newer version of this product wrote the file (format ${String(format)}, schema ${String(Number(schemaVersion))}; known are ${EXPORT_FORMAT} and ${own})`,
      );
    this.#format = format as number; // a whole number, just asked
    this.#isRedacted = isRedacted !== false; // in doubt
    this.#exportedAtMs = Number.isSafeInteger(atMs) ? (atMs as number) : null;
  }

  #takeRecord(parsed: unknown): void {
    this.#count += 1;
    const { maxRecords } = this.ports.limits;
    if (this.#count > maxRecords) throw tooLarge(`the file holds more than ${maxRecords} records`);
    const { ok, problems } = runRules([recordRule], parsed);
    const fields = isPlainObject(parsed) ? parsed : {};
    const [kind, id] = [textOf(fields['kind']), textOf(fields['id'])];
    const place = { record: this.#record, kind, id };
    if (ok) this.handlers.onRecord({ ...place, value: fields['value'] as JsonObject }); // an object, says the rule
    else this.handlers.onInvalid(place, problems.map(importProblem)); // prettier-ignore
  }
}

export function importProblem({ path, rule, code, message }: ValidationProblem): ImportProblem {
  return { path, rule, code, message };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 200) : '';
}

function tooLarge(why: string): ExchangeError {
  return new ExchangeError('exchange.tooLarge', `${why}, more than one import takes`);
}

const SQLITE = 'SQLite format 3\0';

function refuseDatabase(chunk: Uint8Array): void {
  const isDatabase = [...SQLITE].every((letter, at) => chunk[at] === letter.charCodeAt(0));
  if (isDatabase) throw unknownFormat('a database');
}

const NOT_IMPORTED: Readonly<Record<string, string>> = {
  csv: 'CSV, which does not keep what is a number and what is a text',
  md: 'Markdown, which is for reading',
  markdown: 'Markdown, which is for reading',
  sqlite: 'a database',
  sqlite3: 'a database',
  db: 'a database',
};

/** Says at once what its name says already. @throws {ExchangeError} exchange.unknownFormat */
export function refuseByName(file: string): void {
  const what = NOT_IMPORTED[/\.([A-Za-z0-9]+)$/.exec(file)?.[1]?.toLowerCase() ?? ''];
  if (what !== undefined) throw unknownFormat(what);
}

function unknownFormat(what: string): ExchangeError {
  return new ExchangeError(
    'exchange.unknownFormat',
    `the file is ${what}; imported are exports as NDJSON or JSON, and backups are restored`,
  );
}

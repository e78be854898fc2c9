import { ExchangeError } from './exchangeErrors';

export interface ScanLimits {
  /** Bytes of one record as it stands in the file. */
  readonly maxRecordBytes: number;
  /** Nesting of one record. */
  readonly maxDepth: number;
  /** Bytes between two records: blanks and line ends. */
  readonly maxGapBytes: number;
}

/** One JSON text of the file, and the bytes between it and the one before. */
export interface ScannedRecord {
  readonly gap: Uint8Array;
  readonly bytes: Uint8Array;
}

/** How a file ends. */
export interface ScanEnd {
  /** The bytes after the last record. */
  readonly rest: Uint8Array;
  /** What it ends in the midst of; undefined: it is complete. */
  readonly cutIn?: 'a record' | 'a list';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const LINE_FEED = 0x0a;

/** What may come next between records. */
type Place =
  | 'begin'
  | 'element' // a list was opened, or a comma came: a record must follow
  | 'first' // a list was opened: a record or its end
  | 'after' // a record of a list: a comma or the end
  | 'line' // lines: a record, or the end of the file
  | 'lineAfter' // lines: the line must end
  | 'end';

/**
 * Divides the bytes of a JSON list of objects, or of objects in lines, into records, without reading them: memory is one record, whatever the file
 * is. Which of both it is is said by the first byte that is no blank.
 * Call `push` with every portion, `finish` at the end, and take what they give. Afterwards `format` says which it was.
 */
export class RecordScanner {
  #place: Place = 'begin';
  #format: 'ndjson' | 'json' | undefined;
  #gap: number[] = [];
  /** Of the record under way; empty when there is none. */
  #parts: Uint8Array[] = [];
  #length = 0;
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  constructor(private readonly limits: ScanLimits) {}

  get format(): 'ndjson' | 'json' {
    return this.#format ?? 'ndjson';
  }

  /** The records that end in `chunk`. @throws {ExchangeError} exchange.notAnExport, exchange.tooLarge */
  *push(chunk: Uint8Array): Generator<ScannedRecord> {
    let begin = this.#depth > 0 ? 0 : -1;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.#depth === 0) {
        if (this.#between(byte)) begin = at;
        continue;
      }
      if (!this.#within(byte)) continue;
      this.#keep(chunk.subarray(begin, at + 1));
      begin = -1;
      yield this.#take();
    }
    if (begin >= 0) this.#keep(chunk.subarray(begin));
  }

  finish(): ScanEnd {
    const gap = Uint8Array.from(this.#gap);
    if (this.#depth > 0) return { rest: joined([gap, ...this.#parts], gap.length + this.#length), cutIn: 'a record' };
    const isOpen = this.#place === 'first' || this.#place === 'element' || this.#place === 'after';
    return { rest: gap, ...(isOpen && { cutIn: 'a list' }) };
  }

  /** True when a record begins. */
  #between(byte: number): boolean {
    if (byte === OPEN) {
      this.#beginRecord();
      return true;
    }
    if (this.#gap.push(byte) > this.limits.maxGapBytes) throw notAnExport('there is too much between two records');
    if (byte === LINE_FEED && this.#place === 'lineAfter') this.#place = 'line';
    if (byte === LINE_FEED || byte === 0x20 || byte === 0x09 || byte === 0x0d) return false;
    if (byte === OPEN_LIST && this.#place === 'begin') {
      this.#place = 'first';
      this.#format = 'json';
    } else if (byte === CLOSE_LIST && (this.#place === 'first' || this.#place === 'after')) this.#place = 'end';
    else if (byte === COMMA && this.#place === 'after') this.#place = 'element';
    else throw notAnExport('there is something else than records');
    return false;
  }

  #beginRecord(): void {
    if (this.#place === 'begin') this.#format = 'ndjson';
    else if (this.#place !== 'first' && this.#place !== 'element' && this.#place !== 'line')
      throw notAnExport('a record stands where none can');
    this.#place = this.#format === 'json' ? 'after' : 'lineAfter';
    this.#depth = 1;
  }

  /** True when the record has ended with this byte. */
  #within(byte: number): boolean {
    if (this.#isInText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#isInText = false;
      return false;
    }
    if (byte === QUOTE) this.#isInText = true;
    else if (byte === OPEN || byte === OPEN_LIST) {
      if (++this.#depth > this.limits.maxDepth)
        throw notAnExport(`a record has more than ${this.limits.maxDepth} levels`);
    } else if (byte === CLOSE || byte === CLOSE_LIST) return --this.#depth === 0;
    else if (byte === LINE_FEED && this.#format === 'ndjson') throw notAnExport('a line ends in the midst of a record');
    return false;
  }

  #keep(bytes: Uint8Array): void {
    this.#length += bytes.length;
    const { maxRecordBytes } = this.limits;
    if (this.#length > maxRecordBytes)
      throw new ExchangeError('exchange.tooLarge', `a record has more than ${maxRecordBytes} bytes`);
    this.#parts.push(new Uint8Array(bytes)); // a copy: the portion is not ours, and a slice of a Buffer is a view
  }

  #take(): ScannedRecord {
    const [only] = this.#parts;
    const bytes = this.#parts.length === 1 && only ? only : joined(this.#parts, this.#length);
    const gap = Uint8Array.from(this.#gap);
    this.#parts = [];
    this.#length = 0;
    this.#gap = [];
    return { gap, bytes };
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function notAnExport(why: string, options?: ErrorOptions): ExchangeError {
  return new ExchangeError('exchange.notAnExport', `the file is no export of this product: ${why}`, options);
}

import fs from 'node:fs';
import { crc32c } from '../recordCodec';
import { errnoCode, type FileSystem } from './fileSystem';

/** Each copy has a disk sector of its own, so that a torn write damages one of them. */
const slotBytes = 512;

/** What the file said when it was opened. */
export type HighWaterFound =
  | { readonly kind: 'none' }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'seq'; readonly seq: number };

/**
 * The highest acknowledged change, kept beside the store in two checksummed copies. SQLite ends a damaged
 * write-ahead log in silence, as if the rest had never been written; a store that opens below this number has lost
 * acknowledged changes and says so.
 *
 * Written after every durable commit, right behind its acknowledgement, with one small write and *no* sync: what a killed
 * process wrote is kept by the system, and after a power loss the number on disk can only be too low (the log was
 * synced first), which makes the check weaker for some seconds of work but never raises a false alarm.
 * Synced when the store is closed.
 */
export class HighWater {
  readonly found: HighWaterFound;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(2 * slotBytes);
  #isClosed = false;

  constructor(
    path: string,
    private readonly files: FileSystem,
  ) {
    this.#fd = files.open(path, fs.constants.O_RDWR | fs.constants.O_CREAT);
    this.found = this.#read();
  }

  write(seq: number): void {
    const text = slotText(seq);
    this.#buffer.fill(0x20);
    for (const at of [0, slotBytes]) {
      encoder.encodeInto(text, this.#buffer.subarray(at));
      this.#buffer[at + slotBytes - 1] = 0x0a;
    }
    this.files.write(this.#fd, this.#buffer, 0, this.#buffer.length, 0);
  }

  sync(): void {
    this.files.dataSync(this.#fd);
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.files.close(this.#fd);
  }

  #read(): HighWaterFound {
    const buffer = new Uint8Array(2 * slotBytes);
    const length = this.files.read(this.#fd, buffer, 0, buffer.length, 0);
    return length === 0 ? { kind: 'none' } : parseHighWater(buffer.subarray(0, length));
  }
}

/** Reads the number without opening the file for writing. */
export function readHighWater(path: string): HighWaterFound {
  try {
    const bytes = fs.readFileSync(path);
    return bytes.length === 0 ? { kind: 'none' } : parseHighWater(bytes);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return { kind: 'none' };
    throw error;
  }
}

/** The higher of the copies that are whole. */
export function parseHighWater(bytes: Uint8Array): HighWaterFound {
  let highest = -1;
  for (const at of [0, slotBytes]) {
    const text = decoder.decode(bytes.subarray(at, at + slotBytes)).trimEnd();
    const seq = Number(/^core-orchestrator seq (\d{1,15}) [0-9a-f]{8}$/.exec(text)?.[1] ?? -1);
    if (seq >= 0 && slotText(seq) === text) highest = Math.max(highest, seq);
  }
  return highest < 0 ? { kind: 'damaged' } : { kind: 'seq', seq: highest };
}

function slotText(seq: number): string {
  const text = `core-orchestrator seq ${seq}`;
  return `${text} ${crc32c(text).toString(16).padStart(8, '0')}`;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

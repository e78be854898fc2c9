import { type MessagePort, Worker } from 'node:worker_threads';
import { DataError } from '../dataErrors';
import type { KeptRecord } from '../dataStore';
import type { PlainQuery } from '../recordQuery';
import { frozenFiles } from './frozenFiles';
import type { SqlEngine } from './sqlEngine';
import { openSqlJsReader } from './sqlJsEngine';
import { fromWireError, toWireError, type WireError } from './storeProtocol';
import { readPage } from './storeSql';

/** What a reading thread is made for; plain data. */
export interface ReaderTask {
  /** A main file that is complete by itself and does not change until the thread has ended. */
  readonly read: string;
  readonly wasmFile: string;
}

export interface PageQuestion {
  readonly kind: string;
  readonly where: PlainQuery['where'];
  /** Id of the last record of the page before. */
  readonly after?: string;
}

export interface Page {
  readonly records: readonly KeptRecord[];
  /** Records of this page that are not what was written. */
  readonly damagedIds: readonly string[];
  /** Where the next page begins; absent: this is the last one. */
  readonly next?: string;
}

type ReaderRequest = { readonly id: number; readonly question: PageQuestion };
type ReaderReply =
  | { readonly id: number; readonly page: Page }
  | { readonly id: number; readonly error: WireError }
  | { readonly isOpen: true }
  | { readonly openError: WireError };

/** Rows of one SELECT; so many largest records is the most that is held at once. */
const selectRows = 64;
const pageRows = 512;
const pageBytes = 1024 * 1024;

/** Runs in the reading thread: answers one question after the other. */
export async function serveReader(port: MessagePort, task: ReaderTask): Promise<void> {
  const post = (reply: ReaderReply): void => port.postMessage(reply);
  let engine: SqlEngine;
  try {
    engine = await openSqlJsReader(task.read, task.wasmFile, frozenFiles(task.read));
  } catch (error) {
    post({ openError: toWireError(error) });
    return port.close();
  }
  port.on('message', ({ id, question }: ReaderRequest) => {
    try {
      post({ id, page: pageOf(engine, question) });
    } catch (error) {
      post({ id, error: toWireError(error) });
    }
  });
  post({ isOpen: true });
}

function pageOf(engine: SqlEngine, { kind, where, after }: PageQuestion): Page {
  const records: KeptRecord[] = [];
  const damagedIds: string[] = [];
  let length = 0;
  let next = after;
  while (records.length < pageRows && length < pageBytes) {
    const rows = readPage(engine, kind, where, next, selectRows);
    for (const { record, isWhole } of rows) {
      next = record.id;
      length += record.json.length;
      if (isWhole) records.push(record);
      else damagedIds.push(record.id);
    }
    if (rows.length < selectRows) return { records, damagedIds };
  }
  return { records, damagedIds, ...(next !== undefined && { next }) };
}

/** A reading thread, from the thread that asks. */
export interface StoreReader {
  /** @throws {DataError} data.io, data.corrupt */
  page(question: PageQuestion): Promise<Page>;
  /** Ends the thread. Idempotent. */
  close(): Promise<void>;
}

export type OpenReader = (file: string) => Promise<StoreReader>;

/** Reads in threads of their own, from the bundle `workerFile`. */
export function readInThread(workerFile: string, wasmFile: string): OpenReader {
  return async (file) => {
    const task: ReaderTask = { read: file, wasmFile };
    const reader = new ThreadReader(
      new Worker(workerFile, {
        ...{ workerData: task, name: 'store reader', execArgv: [], env: {} },
        // What it reads is handed on at once: more room would only be filled.
        resourceLimits: { maxYoungGenerationSizeMb: 8 },
      }),
    );
    try {
      await reader.opened;
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  };
}

class ThreadReader implements StoreReader {
  readonly #waiting = new Map<
    number,
    { readonly resolve: (page: Page) => void; readonly reject: (error: unknown) => void }
  >();
  readonly opened: Promise<void>;
  #nextId = 1;
  #end: DataError | undefined;

  constructor(private readonly worker: Worker) {
    this.opened = new Promise((resolve, reject) => {
      worker.on('message', (reply: ReaderReply) => {
        if ('isOpen' in reply) return resolve();
        if ('openError' in reply) return reject(fromWireError(reply.openError));
        const waiting = this.#waiting.get(reply.id);
        this.#waiting.delete(reply.id);
        if ('page' in reply) waiting?.resolve(reply.page);
        else waiting?.reject(fromWireError(reply.error));
      });
      const onEnd = (cause?: unknown): void => {
        this.#end ??= new DataError('data.io', 'the reading of the store has ended', { cause });
        reject(this.#end); // of no effect once it is open
        for (const waiting of this.#waiting.values()) waiting.reject(this.#end);
        this.#waiting.clear();
      };
      worker.on('error', onEnd);
      worker.on('exit', () => onEnd());
    });
  }

  page(question: PageQuestion): Promise<Page> {
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, question } satisfies ReaderRequest);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

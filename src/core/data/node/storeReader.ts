import { Worker } from 'node:worker_threads';
import { DataError } from '../dataErrors';
import type { Page, PageQuestion, ReaderReply, ReaderRequest, ReaderTask } from './readingThread';
import { fromWireError } from './storeProtocol';

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

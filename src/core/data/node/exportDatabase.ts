import { Worker } from 'node:worker_threads';
import { DataError } from '../dataErrors';
import type { KeptRecord } from '../dataStore';
import type { ExportHeader } from '../exchange/exportFormat';
import type { DatabaseReply, DatabaseRequest, DatabaseTask } from './databaseThread';
import { fromWireError } from './storeProtocol';

/** The thread, from the thread that has the records. One request at a time. */
export class ExportDatabase {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { readonly resolve: () => void; readonly reject: (error: unknown) => void }>();
  readonly #opened: Promise<void>;
  #nextId = 0;
  #end: DataError | undefined;

  /** @param workerFile the bundle of `storeWorker.ts` */
  constructor(workerFile: string, task: DatabaseTask) {
    this.#worker = new Worker(workerFile, { workerData: task, name: 'store export', execArgv: [], env: {} });
    this.#worker.on('message', ({ id, error }: DatabaseReply) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(fromWireError(error));
      else waiting?.resolve();
    });
    const onEnd = (cause?: unknown): void => {
      this.#end ??= new DataError('data.io', 'the making of the file has ended', { cause });
      for (const waiting of this.#waiting.values()) waiting.reject(this.#end);
      this.#waiting.clear();
    };
    this.#worker.on('error', onEnd);
    this.#worker.on('exit', () => onEnd());
    this.#opened = this.#wait(this.#nextId++);
    this.#opened.catch(() => undefined); // met by the first request
  }

  /** Resolves when they are in the file. @throws {DataError} */
  write(records: readonly KeptRecord[]): Promise<void> {
    return this.#ask((id) => ({ id, records }));
  }

  restart(): Promise<void> {
    return this.#ask((id) => ({ id, restart: true }));
  }

  finish(header: ExportHeader): Promise<void> {
    return this.#ask((id) => ({ id, finish: header }));
  }

  /** Ends the thread, whatever it does. Idempotent. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask(make: (id: number) => DatabaseRequest): Promise<void> {
    await this.#opened;
    if (this.#end) throw this.#end;
    const id = this.#nextId++;
    const done = this.#wait(id);
    this.#worker.postMessage(make(id));
    await done;
  }

  #wait(id: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}

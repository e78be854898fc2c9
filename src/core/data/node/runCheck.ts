import { Worker } from 'node:worker_threads';
import { DataError } from '../dataErrors';
import type { MaintenanceStep, StoreCheckReport } from '../durableStore';
import type { RunCheck } from './storeMaintenance';
import { fromWireError, type WireError } from './storeProtocol';

/** What a thread that checks posts: how far it is, and once how it ended. */
export type CheckMessage =
  | { readonly step: MaintenanceStep }
  | { readonly report: StoreCheckReport }
  | { readonly error: WireError };

/** Checks in a thread of its own, from the bundle `workerFile`; ended with it when it is aborted. */
export function checkInThread(workerFile: string): RunCheck {
  return (task, signal, onProgress) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const worker = new Worker(workerFile, { workerData: task, name: 'store check', execArgv: [], env: {} });
      let outcome: (() => void) | undefined;
      const onAbort = (): void => {
        outcome = () => reject(signal.reason);
        void worker.terminate();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      worker.on('message', (message: CheckMessage) => {
        if ('step' in message) return onProgress?.(message.step);
        outcome ??= () => ('report' in message ? resolve(message.report) : reject(fromWireError(message.error)));
      });
      worker.on('error', (cause) => {
        outcome ??= () => reject(new DataError('data.io', 'the check of the store has failed', { cause }));
      });
      worker.on('exit', () => {
        signal.removeEventListener('abort', onAbort);
        if (outcome) outcome();
        else reject(new DataError('data.io', 'the check of the store has ended without a result'));
      });
    });
}

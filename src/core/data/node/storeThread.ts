import { isMainThread, type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { SystemClock } from '../../base/clock';
import type { LogFields, Logger } from '../../base/log';
import { formatFields } from '../../base/log';
import { type CheckTask, checkStoreFile } from './checkStoreFile';
import { archiveAndTell, type ArchiveMessage, type ArchiveTask } from './archiveWriter';
import { openStoreSession, type StoreSettings } from './openStoreSession';
import type { AtStoreFaultPoint } from './storeFaultPoints';
import { type DatabaseTask, serveExportDatabase } from './databaseThread';
import type { CheckMessage } from './runCheck';
import { type StoreReply, type StoreRequest, toWireError } from './storeProtocol';
import { type ReaderTask, serveReader } from './readingThread';
import { StoreServer } from './storeServer';

/** What the store's thread posts: replies, or a line for the log. */
export type WorkerMessage =
  | { readonly replies: readonly StoreReply[] }
  | { readonly level: keyof Logger; readonly line: string };

/** Everything that has arrived by now, in order, without waiting for further turns of the event loop. */
function takeAll(port: MessagePort, first: readonly StoreRequest[]): readonly StoreRequest[] {
  const all = [...first];
  for (;;) {
    const next = receiveMessageOnPort(port) as { readonly message: readonly StoreRequest[] } | undefined; // our protocol
    if (!next) return all;
    all.push(...next.message);
  }
}

function portLogger(port: MessagePort): Logger {
  const write =
    (level: keyof Logger) =>
    (message: string, fields?: LogFields): void =>
      port.postMessage({ level, line: message + formatFields(fields) } satisfies WorkerMessage);
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
}

/** Runs a store in this thread for the thread that made it. Ends by itself after `close`. */
async function serve(port: MessagePort, settings: StoreSettings, at: AtStoreFaultPoint | undefined): Promise<void> {
  const post = (replies: readonly StoreReply[]): void => port.postMessage({ replies } satisfies WorkerMessage);
  const clock = new SystemClock();
  try {
    const { session, report } = await openStoreSession(settings, { clock, log: portLogger(port), ...(at && { at }) });
    const server = new StoreServer(session, clock, post, () => port.close());
    port.on('message', (requests: readonly StoreRequest[]) => server.handle(takeAll(port, requests)));
    post([{ type: 'opened', state: session.state, report }]);
  } catch (error) {
    post([{ type: 'openFailed', error: toWireError(error) }]);
    port.close();
  }
}

/** Checks one file and ends. */
async function check(port: MessagePort, task: CheckTask): Promise<void> {
  let message: CheckMessage;
  try {
    message = { report: await checkStoreFile(task, (step) => port.postMessage({ step } satisfies CheckMessage)) };
  } catch (error) {
    message = { error: toWireError(error) };
  }
  port.postMessage(message);
}

function tellOnce(port: MessagePort): (message: ArchiveMessage) => void {
  return (message) => port.postMessage(message);
}

/** Does what this thread was made for: serves a store, checks or reads one file, or makes one of an export. `at` is told where the store's work has come to. */
export function runStoreThread(at?: AtStoreFaultPoint): void {
  if (isMainThread || !parentPort) return;
  const given = workerData as StoreSettings | CheckTask | ArchiveTask | ReaderTask | DatabaseTask; // what openDataStore and those beside it passed
  if ('depth' in given) void check(parentPort, given);
  else if ('archive' in given) void archiveAndTell(given, tellOnce(parentPort));
  else if ('read' in given) void serveReader(parentPort, given);
  else if ('database' in given) void serveExportDatabase(parentPort, given);
  else void serve(parentPort, given, at);
}

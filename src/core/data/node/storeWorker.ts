import { isMainThread, type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { SystemClock } from '../../base/clock';
import type { LogFields, Logger } from '../../base/log';
import { formatFields } from '../../base/log';
import { openStoreSession, type StoreSettings } from './openStoreSession';
import { type StoreReply, type StoreRequest, toWireError } from './storeProtocol';
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
async function serve(port: MessagePort, settings: StoreSettings): Promise<void> {
  const post = (replies: readonly StoreReply[]): void => port.postMessage({ replies } satisfies WorkerMessage);
  const clock = new SystemClock();
  try {
    const { session, report } = await openStoreSession(settings, { clock, log: portLogger(port) });
    const server = new StoreServer(session, clock, post, () => port.close());
    port.on('message', (requests: readonly StoreRequest[]) => server.handle(takeAll(port, requests)));
    post([{ type: 'opened', state: session.state, report }]);
  } catch (error) {
    post([{ type: 'openFailed', error: toWireError(error) }]);
    port.close();
  }
}

if (!isMainThread && parentPort) void serve(parentPort, workerData as StoreSettings); // what openDataStore passed

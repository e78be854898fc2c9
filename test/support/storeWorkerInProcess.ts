import { checkHere } from './checkHere';
import { SystemClock } from '../../src/core/base/clock';
import { silentLogger } from '../../src/core/base/log';
import type { FileSystem } from '../../src/core/data/node/fileSystem';
import { connectStore } from '../../src/core/data/node/openDataStore';
import { openStoreSession, type StoreSettings } from '../../src/core/data/node/openStoreSession';
import type { StartThread } from '../../src/core/data/node/storeConnection';
import { type StoreReply, type StoreRequest, toWireError } from '../../src/core/data/node/storeProtocol';
import { StoreServer } from '../../src/core/data/node/storeServer';
import { wasmFile } from './storeWorker';

/** A writable store without a workspace lock. */
export const defaultSettings: StoreSettings = {
  folder: '',
  wasmFile,
  epoch: 1,
  isFenced: false,
  hasStaleWriter: false,
  onDamage: 'reject',
  acceptMissingChanges: false,
  engine: 'sql.js',
};

/** The real store without a thread, so that its file calls can be made to fail. */
export function openInProcess(
  folder: string,
  files: FileSystem,
  settings: Partial<StoreSettings> = {},
): ReturnType<typeof connectStore> {
  const all = { ...defaultSettings, folder, ...settings };
  return connectStore(inProcess(all, files), all.epoch, { wasmFile, runCheck: checkHere });
}

function inProcess(settings: StoreSettings, files: FileSystem): StartThread {
  return (onReplies, onExit) => {
    const clock = new SystemClock();
    const post = (replies: readonly StoreReply[]): void => void setImmediate(() => onReplies(structuredClone(replies)));
    const exit = (): void => void setImmediate(() => setImmediate(() => onExit()));
    let server: StoreServer | undefined;
    const waiting: StoreRequest[] = [];
    openStoreSession(settings, { clock, log: silentLogger, files }).then(
      ({ session, report }) => {
        server = new StoreServer(session, clock, post, exit);
        post([{ type: 'opened', state: session.state, report }]);
      },
      (error: unknown) => {
        post([{ type: 'openFailed', error: toWireError(error) }]);
        exit();
      },
    );
    return {
      post: (requests) => {
        waiting.push(...structuredClone(requests));
        setImmediate(() => {
          if (waiting.length > 0) server?.handle(waiting.splice(0));
        });
      },
      terminate: async () => server?.dispose(),
    };
  };
}

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { findStore } from '../../src/core/data/node/storeFiles';
import { temporaryFolder } from './storeWorker';

const run = promisify(execFile);

/** No change is missing in the journal. */
export const journalIsWhole = 'SELECT count(*) = (SELECT max(seq) FROM changes) FROM changes';

/** What Debian's sqlite3 says about the structure of the store in `folder`, and answers to `sql`; it opens a copy. */
export async function sqlite3Check(folder: string, sql = ''): Promise<string> {
  const store = findStore(folder);
  if (!store) throw new Error(`there is no store in ${folder}`);
  const { folder: copy, remove } = temporaryFolder();
  try {
    for (const suffix of ['', '-wal', '-journal'])
      // node:sqlite removes its log when it is closed; a journal is there while a store is being made
      if (fs.existsSync(store.main + suffix)) fs.copyFileSync(store.main + suffix, path.join(copy, `copy.db${suffix}`));
    return (await run('sqlite3', [path.join(copy, 'copy.db'), `PRAGMA integrity_check; ${sql}`])).stdout;
  } finally {
    remove();
  }
}

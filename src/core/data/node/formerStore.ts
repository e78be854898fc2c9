import type { Logger } from '../../base/log';
import { describeError } from '../../base/errors';
import type { KeptRecord } from '../dataStore';
import { hasAsideLog } from './storeFiles';
import type { PageCursor } from './storeSql';
import type { OpenReader } from './storeReader';
import type { AppliedRestore } from './storeRestore';

/**
 * The records of `kinds` in the store that a restore has replaced, without those that are damaged: from what was put aside, or, where
 * that was not closed, from the backup that was made of it. Undefined when neither can be read.
 */
export async function readFormerStore(
  { replacedFile, backup, presentBackup }: AppliedRestore,
  kinds: readonly string[],
  openReader: OpenReader,
  log: Logger,
): Promise<readonly KeptRecord[] | undefined> {
  if (replacedFile === undefined) return backup === undefined ? undefined : []; // the note was lost, or there was no store
  const aside = hasAsideLog(replacedFile) ? [] : [replacedFile];
  for (const file of [...aside, ...(presentBackup === undefined ? [] : [presentBackup])]) {
    try {
      return await readAll(file, kinds, openReader);
    } catch (error) {
      log.warn('the store that a restore has replaced cannot be read', { file, error: describeError(error) });
    }
  }
  return undefined;
}

async function readAll(file: string, kinds: readonly string[], openReader: OpenReader): Promise<readonly KeptRecord[]> {
  const records: KeptRecord[] = [];
  const reader = await openReader(file);
  try {
    for (const kind of kinds) {
      let after: PageCursor | undefined;
      do {
        const page = await reader.page({ kind, where: [], ...(after && { after }) });
        records.push(...page.records);
        after = page.next;
      } while (after);
    }
  } finally {
    await reader.close();
  }
  return records;
}

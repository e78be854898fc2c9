import type { Logger } from '../../base/log';
import { describeError } from '../../base/errors';
import type { KeptRecord } from '../dataStore';
import { hasAsideLog } from './storeFiles';
import type { PageCursor } from './storeSql';
import type { OpenReader } from './storeReader';
import type { AppliedRestore } from './storeRestore';

/** Records of a kind; `where`: only those with these values, on declared indexes or as their `id`, if they hold it. */
export interface FormerQuestion {
  readonly kind: string;
  readonly where?: Readonly<Record<string, string>>;
}

export interface FormerRecords {
  readonly records: readonly KeptRecord[];
  /** False: they are of a backup, and more may have been written after it was made. */
  readonly isLast: boolean;
}

/**
 * The records that answer `questions` in the store that a restore has replaced, without those that are damaged: from what was put aside, or,
 * where that was not closed, from the backup that was made of it. Undefined when neither can be read.
 */
export async function readFormerStore(
  { replacedFile, backup, presentBackup }: AppliedRestore,
  questions: readonly FormerQuestion[],
  openReader: OpenReader,
  log: Logger,
): Promise<FormerRecords | undefined> {
  if (replacedFile === undefined) return backup === undefined ? undefined : { records: [], isLast: true }; // the note was lost, or there was no store
  const aside = hasAsideLog(replacedFile) ? [] : [replacedFile];
  for (const file of [...aside, ...(presentBackup === undefined ? [] : [presentBackup])]) {
    try {
      return { records: await readAll(file, questions, openReader), isLast: file === replacedFile };
    } catch (error) {
      log.warn('the store that a restore has replaced cannot be read', { file, error: describeError(error) });
    }
  }
  return undefined;
}

async function readAll(
  file: string,
  questions: readonly FormerQuestion[],
  openReader: OpenReader,
): Promise<readonly KeptRecord[]> {
  const records: KeptRecord[] = [];
  const reader = await openReader(file);
  try {
    for (const { kind, where = {} } of questions) {
      let after: PageCursor | undefined;
      do {
        const page = await reader.page({ kind, where: Object.entries(where), ...(after && { after }) });
        records.push(...page.records);
        after = page.next;
      } while (after);
    }
  } finally {
    await reader.close();
  }
  return records;
}

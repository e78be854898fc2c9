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
  /** Only so many of them, those with the last ids, the last first; default all, by id. */
  readonly newest?: number;
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
  restored: AppliedRestore,
  questions: readonly FormerQuestion[],
  openReader: OpenReader,
  log: Logger,
): Promise<FormerRecords | undefined> {
  const { replacedFile, backup } = restored;
  if (replacedFile === undefined) return backup === undefined ? undefined : { records: [], isLast: true }; // the note was lost, or there was no store
  for (const file of filesOf(restored)) {
    try {
      const records: KeptRecord[] = [];
      for await (const page of pagesOf(file, questions, openReader)) records.push(...page);
      return { records, isLast: file === replacedFile };
    } catch (error) {
      logUnreadable(log, file, error);
    }
  }
  return undefined;
}

/**
 * The same in pages, for more than memory should hold at once. Where a file cannot be read to its end, the pages of the next one follow: a
 * record may come twice. None where nothing can be read.
 */
export async function* formerPages(
  restored: AppliedRestore,
  questions: readonly FormerQuestion[],
  openReader: OpenReader,
  log: Logger,
): AsyncGenerator<readonly KeptRecord[]> {
  for (const file of filesOf(restored)) {
    try {
      yield* pagesOf(file, questions, openReader);
      return;
    } catch (error) {
      logUnreadable(log, file, error);
    }
  }
}

function filesOf({ replacedFile, presentBackup }: AppliedRestore): readonly string[] {
  if (replacedFile === undefined) return [];
  const aside = hasAsideLog(replacedFile) ? [] : [replacedFile];
  return [...aside, ...(presentBackup === undefined ? [] : [presentBackup])];
}

async function* pagesOf(
  file: string,
  questions: readonly FormerQuestion[],
  openReader: OpenReader,
): AsyncGenerator<readonly KeptRecord[]> {
  const reader = await openReader(file);
  try {
    for (const { kind, where = {}, newest } of questions) {
      let left = newest ?? Infinity;
      let after: PageCursor | undefined;
      do {
        const order = { descending: newest !== undefined, ...(after && { after }) };
        const page = await reader.page({ kind, where: Object.entries(where), ...order });
        const records = page.records.slice(0, left);
        left -= records.length;
        yield records;
        after = page.next;
      } while (after && left > 0);
    }
  } finally {
    await reader.close();
  }
}

function logUnreadable(log: Logger, file: string, error: unknown): void {
  log.warn('the store that a restore has replaced cannot be read', { file, error: describeError(error) });
}

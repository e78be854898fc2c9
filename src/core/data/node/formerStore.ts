import type { Logger } from '../../base/log';
import { describeError } from '../../base/errors';
import type { KeptRecord } from '../dataStore';
import { hasAsideLog } from './storeFiles';
import type { PageCursor } from './storeSql';
import type { OpenReader, StoreReader } from './storeReader';
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
  /** False: the file is damaged, and these are what could be read. */
  readonly isWhole: boolean;
}

/**
 * The records that answer `questions` in the store that a restore has replaced, without those that are damaged: from what was put aside, or,
 * where that was not closed or cannot be read to its end, from the backup that was made of it. Where no file can be read to its end, those of
 * the first that holds any are what is known. Undefined when there are none.
 */
export async function readFormerStore(
  restored: AppliedRestore,
  questions: readonly FormerQuestion[],
  openReader: OpenReader,
  log: Logger,
): Promise<FormerRecords | undefined> {
  const { replacedFile, backup } = restored;
  if (replacedFile === undefined)
    return backup === undefined ? undefined : { records: [], isLast: true, isWhole: true }; // the note was lost, or there was no store
  let parts: FormerRecords | undefined;
  for (const file of filesOf(restored)) {
    const records: KeptRecord[] = [];
    let isWhole = true;
    const onUnreadable = (error: unknown): void => {
      isWhole = false;
      logUnreadable(log, file, error);
    };
    for await (const page of pagesOf(file, questions, openReader, onUnreadable)) records.push(...page);
    const found = { records, isLast: file === replacedFile, isWhole };
    if (isWhole) return found;
    if (records.length > 0) parts ??= found;
  }
  return parts;
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
    let isWhole = true;
    yield* pagesOf(file, questions, openReader, (error) => {
      isWhole = false;
      logUnreadable(log, file, error);
    });
    if (isWhole) return;
  }
}

function filesOf({ replacedFile, presentBackup }: AppliedRestore): readonly string[] {
  if (replacedFile === undefined) return [];
  const aside = hasAsideLog(replacedFile) ? [] : [replacedFile];
  return [...aside, ...(presentBackup === undefined ? [] : [presentBackup])];
}

/** A question that meets damage does not keep the others from being answered. */
async function* pagesOf(
  file: string,
  questions: readonly FormerQuestion[],
  openReader: OpenReader,
  onUnreadable: (error: unknown) => void,
): AsyncGenerator<readonly KeptRecord[]> {
  let reader: StoreReader;
  try {
    reader = await openReader(file);
  } catch (error) {
    return onUnreadable(error);
  }
  try {
    for (const question of questions) {
      try {
        yield* answersOf(reader, question);
      } catch (error) {
        onUnreadable(error);
      }
    }
  } finally {
    await reader.close();
  }
}

async function* answersOf(
  reader: StoreReader,
  { kind, where = {}, newest }: FormerQuestion,
): AsyncGenerator<readonly KeptRecord[]> {
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

function logUnreadable(log: Logger, file: string, error: unknown): void {
  log.warn('the store that a restore has replaced cannot be read', { file, error: describeError(error) });
}

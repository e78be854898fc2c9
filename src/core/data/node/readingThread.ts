import type { MessagePort } from 'node:worker_threads';
import type { Below, KeptRecord } from '../dataStore';
import type { PlainQuery } from '../recordQuery';
import { frozenFiles } from './frozenFiles';
import type { SqlEngine } from './sqlEngine';
import { openSqlJsReader } from './sqlJsEngine';
import { toWireError, type WireError } from './storeProtocol';
import { type PageCursor, readPage } from './storeSql';

/** What a reading thread is made for; plain data. */
export interface ReaderTask {
  /** A main file that is complete by itself and does not change until the thread has ended. */
  readonly read: string;
  readonly wasmFile: string;
}

export interface PageQuestion {
  readonly kind: string;
  readonly where: PlainQuery['where'];
  readonly below?: Below;
  /** The last by id first; not with `below`. */
  readonly descending?: boolean;
  /** The last record of the page before. */
  readonly after?: PageCursor;
}

export interface Page {
  readonly records: readonly KeptRecord[];
  /** Records of this page that are not what was written. */
  readonly damagedIds: readonly string[];
  /** Where the next page begins; absent: this is the last one. */
  readonly next?: PageCursor;
}

export type ReaderRequest = { readonly id: number; readonly question: PageQuestion };
export type ReaderReply =
  | { readonly id: number; readonly page: Page }
  | { readonly id: number; readonly error: WireError }
  | { readonly isOpen: true }
  | { readonly openError: WireError };

/** Rows of one SELECT; so many largest records is the most that is held at once. */
const selectRows = 64;
/**
 * Small pages: what is under way when the nursery is collected makes it grow, and it does not shrink while records go on coming (Node.js 24: to 128 MB
 * with pages of 512).
 */
const pageRows = 64;
const pageBytes = 256 * 1024;

/** Runs in the reading thread: answers one question after the other. */
export async function serveReader(port: MessagePort, task: ReaderTask): Promise<void> {
  const post = (reply: ReaderReply): void => port.postMessage(reply);
  let engine: SqlEngine;
  try {
    engine = await openSqlJsReader(task.read, task.wasmFile, frozenFiles(task.read));
  } catch (error) {
    post({ openError: toWireError(error) });
    return port.close();
  }
  port.on('message', ({ id, question }: ReaderRequest) => {
    try {
      post({ id, page: pageOf(engine, question) });
    } catch (error) {
      post({ id, error: toWireError(error) });
    }
  });
  post({ isOpen: true });
}

function pageOf(engine: SqlEngine, { after, ...question }: PageQuestion): Page {
  const records: KeptRecord[] = [];
  const damagedIds: string[] = [];
  let length = 0;
  let next = after;
  while (records.length < pageRows && length < pageBytes) {
    const rows = readPage(engine, { ...question, ...(next && { after: next }) }, selectRows);
    for (const { record, isWhole, cursor } of rows) {
      next = cursor;
      length += record.json.length;
      if (isWhole) records.push(record);
      else damagedIds.push(record.id);
    }
    if (rows.length < selectRows) return { records, damagedIds };
  }
  return { records, damagedIds, ...(next && { next }) };
}

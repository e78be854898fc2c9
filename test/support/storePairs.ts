import assert from 'node:assert/strict';
import { SystemClock } from '../../src/core/base/clock';
import { silentLogger } from '../../src/core/base/log';
import { type FileSystem, nodeFileSystem } from '../../src/core/data/node/fileSystem';
import { openStoreSession, type StoreSettings } from '../../src/core/data/node/openStoreSession';
import type { StoreReply, TxRequest } from '../../src/core/data/node/storeProtocol';
import type { StoreSession } from '../../src/core/data/node/storeSession';
import type { StoredRecord } from '../../src/core/data/recordCodec';
import { defaultSettings } from './storeWorkerInProcess';

export type Opened = Awaited<ReturnType<typeof openStoreSession>>;

/** A store in this thread. */
export function open(
  folder: string,
  files: FileSystem = nodeFileSystem,
  settings: Partial<StoreSettings> = {},
): Promise<Opened> {
  const ports = { clock: new SystemClock(), log: silentLogger, files };
  return openStoreSession({ ...defaultSettings, folder, ...settings }, ports);
}

let nextRequest = 1;

export interface Pair {
  readonly pair: number;
  readonly n: number;
  readonly fill?: number;
  /** Its second half is refused: nothing of it may be found. */
  readonly isRefused?: boolean;
}

/** One transaction of two records that always say the same. */
function requestOf({ pair, n, fill = 0, isRefused = false }: Pair): TxRequest {
  const json = JSON.stringify({ fill: 'x'.repeat(fill), n });
  const ops = ['left', 'right'].map((side) => ({
    ...({ op: 'put', kind: 'pair', id: `${side}${pair}`, json } as const),
    expectedVersion: isRefused && side === 'right' ? 1_000_000 : undefined,
  }));
  return { type: 'tx', id: nextRequest++, nowMs: 1, isDurable: true, ops };
}

/** Commits transactions together. Returns those that were acknowledged. */
export function putGroup(session: StoreSession, pairs: readonly Pair[]): readonly Pair[] {
  session.declare('pair', ['n']);
  const requests = pairs.map(requestOf);
  const done = new Set(session.commit(requests).flatMap((reply) => (reply.type === 'done' ? reply.ids : [])));
  return pairs.filter((_, i) => done.has(requests[i]?.id ?? 0));
}

/** One alone, with the housekeeping that follows; true when it was acknowledged. */
export function putPair(session: StoreSession, pair: number, n: number, fill = 0): boolean {
  const acked = putGroup(session, [{ pair, n, fill }]);
  session.tidy();
  return acked.length === 1;
}

/** Answers with every record, or with what has failed. */
export function everything(session: StoreSession): StoreReply & { readonly type: 'answer' } {
  const query = { where: [], orderBy: 'id', descending: false, limit: undefined };
  const reply = session.answer(0, { of: 'records', kind: 'pair', query });
  assert.ok(reply.type === 'answer');
  return reply;
}

function numberIn(record: StoredRecord): number {
  return (JSON.parse(record.json) as { readonly n: number }).n;
}

/** The numbers of all that it holds. */
export function numbersOf(session: StoreSession): readonly number[] {
  return (everything(session).records ?? []).map(numberIn);
}

/** Both of every pair say the same, and no pair is behind what was acknowledged. */
export function assertPairs(session: StoreSession, acked: ReadonlyMap<number, number>, where: string): void {
  const reply = everything(session);
  assert.equal(reply.error, undefined, where);
  const found = new Map((reply.records ?? []).map((record) => [record.id, numberIn(record)]));
  for (const [id, n] of found)
    if (id.startsWith('left')) assert.equal(found.get(id.replace('left', 'right')), n, where);
  for (const [pair, n] of acked) {
    assert.ok((found.get(`left${pair}`) ?? -1) >= n, `${where}: pair ${pair} lost what was acknowledged (${n})`);
  }
}

/** The same numbers for the same seed (Lehmer; Park and Miller 1988). */
export function seeded(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

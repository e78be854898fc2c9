import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AgentChange } from '../../../src/core/agents/agent';
import { AGENT_CHANGES, AGENTS } from '../../../src/core/dataAgentStore';
import type { DurableStore } from '../../../src/core/data/durableStore';
import { openSqlJsEngine } from '../../../src/core/data/node/sqlJsEngine';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { ValidatedStore } from '../../../src/core/data/validation/validatedStore';
import { createKeptValidator } from '../../../src/core/keptRules';
import { DamagedRecords, findReadable } from '../../../src/core/damagedRecords';
import { createOwnerIntegrity, type OwnerIntegrity } from '../../../src/core/ownerIntegrity';
import { agentId, aRecord, aSpec } from '../../support/builders';
import { openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';

describe('the check of what is kept, on a store in a file', () => {
  let folder: string;
  let remove: () => void;
  let store: DurableStore;

  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(async () => {
    await store.close();
    remove();
  });

  const open = async (): Promise<OwnerIntegrity> => {
    ({ store } = await openFileStore(folder));
    return createOwnerIntegrity({
      store: new ValidatedStore(store, createKeptValidator(new SystemClock())),
      checkFile: (options) => store.check('full', options),
      validator: createKeptValidator(new SystemClock()),
      host: { list: async () => [] },
      reconcile: async () => undefined,
      breathe: () => new Promise((resolve) => setImmediate(resolve)),
    });
  };
  const line = (nr: number): AgentChange => ({
    ...{ id: `0${nr}`, agentId: agentId('a'), generation: 1, atMs: nr, reason: 'x', actor: 'engine', evidence: [] },
    ...{ from: { lifecycle: 'running', activity: 'idle' }, to: { lifecycle: 'running', activity: 'busy' } },
  });

  it('finds a flipped byte, reads all other records, and removes the damaged one when it is told to', async () => {
    let integrity = await open();
    await store.tx((tx) => {
      tx.put(AGENTS, 'a', aRecord({ id: agentId('a'), spec: aSpec({ name: 'a' }), desired: 'stopped', generation: 1 }));
      for (const nr of [1, 2, 3]) tx.put(AGENT_CHANGES, line(nr).id, line(nr));
    });
    assert.deepEqual((await integrity.check()).findings, []);
    await store.close();
    const main = findStore(folder)?.main ?? assert.fail('there is no store');
    const bytes = readFileSync(main);
    const at = bytes.indexOf('"actor":"engine","agentId":"a","atMs":2');
    assert.ok(at > 0);
    bytes[at + 10] = (bytes[at + 10] ?? 0) ^ 1;
    writeFileSync(main, bytes);

    integrity = await open();
    const report = await integrity.check();
    assert.deepEqual(
      report.findings.map(({ code, kind, id, fix }) => `${code} ${kind} ${id} ${fix.kind}`),
      ['check.record agentChange 02 deleteRecord'],
    );
    assert.equal(report.records, 3);
    const [{ fix }] = report.findings as [(typeof report.findings)[number]]; // just compared
    if (fix.kind !== 'advice') await integrity.fix(fix);
    const after = await integrity.check();
    assert.deepEqual([after.isWhole, after.records, after.findings], [true, 3, []]);
  });

  const aHistory = (): Promise<void> =>
    store.tx((tx) => {
      tx.put(AGENTS, 'a', aRecord({ id: agentId('a'), spec: aSpec({ name: 'a' }), desired: 'stopped', generation: 1 }));
      for (const nr of [1, 2, 3, 4, 5]) tx.put(AGENT_CHANGES, line(nr).id, line(nr));
    });
  /** Of a closed store. */
  const alter = async (sql: string): Promise<void> => {
    const engine = await openSqlJsEngine(findStore(folder)?.main ?? assert.fail('there is no store'), wasmFile);
    engine.exec(sql);
    engine.checkpoint();
    engine.close();
  };

  for (const [what, sql, code] of [
    ['lost an entry', 'DELETE FROM changes WHERE seq = 3', 'check.changeGap'],
    ['has an altered entry', "UPDATE changes SET id = '09' WHERE seq = 3", 'check.change'],
  ] as const)
    it(`a journal that ${what} is a finding with what to do, and every record is looked at`, async () => {
      let integrity = await open();
      await aHistory();
      await store.close();
      await alter(sql);
      integrity = await open();
      const report = await integrity.check();
      assert.deepEqual(
        report.findings.map((found) => `${found.code} ${found.severity} ${found.fix.kind}`),
        [`${code} error advice`],
      );
      const [{ fix }] = report.findings as [(typeof report.findings)[number]]; // just compared
      assert.match(fix.kind === 'advice' ? fix.text : '', /Restore.*Export Data/);
      assert.deepEqual([report.isWhole, report.records], [false, 6]);
      await store.tx((tx) => tx.put(AGENT_CHANGES, line(6).id, line(6)));
      assert.equal((await integrity.check()).findings.length, 1);
    });

  it('a damaged record beside a damaged journal: both are findings, and all other records are read and served', async () => {
    await open();
    await aHistory();
    await store.close();
    await alter("DELETE FROM changes WHERE seq = 3; UPDATE records SET version = 7 WHERE id = '02'");
    const integrity = await open();
    const report = await integrity.check();
    assert.deepEqual(report.findings.map(({ code, id = '' }) => `${code} ${id}`.trim()).sort(), ['check.changeGap', 'check.record 02']); // prettier-ignore
    assert.equal(report.records, 5);
    const raised: string[] = [];
    const notices = {
      raise: ({ detail = '' }: { readonly detail?: string }) => void raised.push(detail),
      resolve: () => undefined,
    };
    const damage = new DamagedRecords({ notices, clock: new SystemClock(), log: silentLogger });
    const { records, damagedIds } = await findReadable(store, damage, AGENT_CHANGES);
    assert.deepEqual([records.map(({ id }) => id), damagedIds], [['01', '03', '04', '05'], ['02']]);
    assert.match(raised.join(), /1 line of history/);
  });
});

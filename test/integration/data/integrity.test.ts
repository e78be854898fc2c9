import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AgentChange } from '../../../src/core/agents/agent';
import { AGENT_CHANGES, AGENTS } from '../../../src/core/dataAgentStore';
import type { DurableStore } from '../../../src/core/data/durableStore';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { SystemClock } from '../../../src/core/base/clock';
import { ValidatedStore } from '../../../src/core/data/validation/validatedStore';
import { createKeptValidator } from '../../../src/core/keptRules';
import { createOwnerIntegrity, type OwnerIntegrity } from '../../../src/core/ownerIntegrity';
import { agentId, aRecord, aSpec } from '../../support/builders';
import { openFileStore, temporaryFolder } from '../../support/storeWorker';

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
});

import assert from 'node:assert/strict';
import { inspectBackup } from '../../../src/core/backupInspection';
import type { InspectedFile, StoreKeeper } from '../../../src/core/data/storeCare';
import { agentId, aRecord, aSpec } from '../../support/builders';

describe('looking at a backup', () => {
  const usable = { isUsable: true, file: '/x.db', sizeBytes: 1, seq: 5, records: 7, schemaVersion: 2 } as const;

  function look(found: InspectedFile): ReturnType<typeof inspectBackup> {
    const asked: string[] = [];
    const keeper = {
      inspectBackup: async (file: string, kind: string) => (asked.push(`${file} ${kind}`), found),
    } as Partial<StoreKeeper> as StoreKeeper; // nothing else is asked
    return inspectBackup(keeper, '/x.db', {}).finally(() => assert.deepEqual(asked, ['/x.db agent']));
  }

  it('tells whose agents are in it, by name and folder only, without those that were removed', async () => {
    const scout = aRecord({ id: agentId('scout'), spec: aSpec({ name: 'Scout', folder: '/shop', env: { KEY: 'x' } }) });
    const removed = aRecord({ id: agentId('gone'), lifecycle: 'retired' });
    const values = [scout, removed, null, 'x', {}, { id: 'a', spec: { name: 1 } }];
    const found = await look({ ...usable, contents: { lastChangeAtMs: 9, values } });
    const agents = [{ id: 'scout', name: 'Scout', folder: '/shop' }];
    assert.deepEqual(found, { ...usable, lastChangeAtMs: 9, agents });
    assert.deepEqual(await look(usable), { ...usable, agents: [] });
  });

  it('tells why it cannot be used', async () => {
    const unusable = { isUsable: false, why: 'newer', detail: 'schema 99' } as const;
    assert.deepEqual(await look(unusable), unusable);
  });
});

import assert from 'node:assert/strict';
import type { DataStatus } from '../../../src/core/engine';
import { storeDiagnoses } from '../../../src/core/storeDiagnosis';

describe('what Check Setup says about the store', () => {
  const status: DataStatus = {
    ...{ engine: 'sql.js 1.16.0 (file)', schemaVersion: 1, seq: 7, isReadOnly: false, backups: [] },
    ...{ mainBytes: 40_960, walBytes: 4096, backupBytes: 0, asideBytes: 0, archiveBytes: 0, file: '/data/store-1.db' },
  };
  const said = (now: DataStatus): readonly string[] =>
    storeDiagnoses(now).map(({ label, detail }) => `${label}: ${detail}`);

  it('has a line about the archive once there is one, with its size and place', () => {
    const without = ['Store: sql.js 1.16.0 (file), 41 KB, log 5 KB', 'Backups: none yet', 'Last full check of the store: none yet; it is checked by itself every week']; // prettier-ignore
    assert.deepEqual(said(status), without);
    const archived = said({ ...status, archive: '/data/archive', archiveBytes: 3_100_000 });
    assert.deepEqual(archived, [...without.slice(0, 2), 'Archive of old records: 3.1 MB in /data/archive', without[2]]);
  });
});

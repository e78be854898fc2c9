import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { DataError, type DataErrorCode } from '../../../src/core/data/dataErrors';
import { nodeFileSystem } from '../../../src/core/data/node/fileSystem';
import { hasNodeSqlite } from '../../../src/core/data/node/nodeSqliteEngine';
import { openSqlEngine } from '../../../src/core/data/node/openSqlEngine';
import { proveWrites } from '../../../src/core/data/node/proveWrites';
import type { SqlEngine } from '../../../src/core/data/node/sqlEngine';
import { migrate } from '../../../src/core/data/node/storeSchema';
import { temporaryFolder, wasmFile } from '../../support/storeWorker';

describe('the self-test of an engine', () => {
  let folder: string;
  let remove: () => void;
  let engine: SqlEngine;
  const id = hasNodeSqlite() ? 'node:sqlite' : 'sql.js';
  const file = (name = 'store-1.db'): string => path.join(folder, name);
  beforeEach(async () => {
    ({ folder, remove } = temporaryFolder());
    engine = await openSqlEngine(id, file(), { wasmFile });
    migrate(engine);
  });
  afterEach(() => {
    engine.close();
    remove();
  });
  const prove = (mainFile = file()): void => proveWrites(engine, nodeFileSystem, mainFile, 1);
  const fails = (code: DataErrorCode, body: () => void): void =>
    assert.throws(body, (error) => DataError.is(error, code));

  it('passes where commits wait for the disk and stand in the log', () => {
    prove();
    prove();
    assert.equal(engine.get("SELECT value FROM meta WHERE name = 'epoch'")?.[0], 2);
  });

  it('finds a mark that lies across two pieces of a long log', () => {
    engine.begin(true);
    engine.exec('CREATE TABLE long(text TEXT)');
    for (let row = 0; row < 60; row++) engine.run('INSERT INTO long VALUES(?)', ['x'.repeat(5_000 + row)]);
    engine.commit();
    for (let time = 0; time < 40; time++) prove();
  });

  it('fails where a commit does not wait for the disk', () => {
    engine.exec('PRAGMA synchronous=NORMAL');
    fails('data.engineUnavailable', () => prove());
    assert.equal(engine.get("SELECT value FROM meta WHERE name = 'probe'")?.[0], 0, 'nothing was written');
  });

  it('fails where what was written is not in the file, whatever the engine says', () => {
    fs.copyFileSync(file(), file('other.db'));
    fs.copyFileSync(`${file()}-wal`, `${file('other.db')}-wal`);
    fails('data.engineUnavailable', () => prove(file('other.db')));
  });

  it('tells a store that has lost its own numbers from an engine that does not write', () => {
    engine.exec("UPDATE meta SET name = 'epoci' WHERE name = 'epoch'");
    fails('data.corrupt', () => prove());
  });
});

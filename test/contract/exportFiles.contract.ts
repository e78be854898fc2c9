import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { KeptRecord } from '../../src/core/data/dataStore';
import type { ExportFiles } from '../../src/core/data/exchange/dataExport';
import { ExchangeError } from '../../src/core/data/exchange/exchangeErrors';
import { EXPORT_FORMAT, type ExportHeader } from '../../src/core/data/exchange/exportFormat';

export interface ExportFilesFixture {
  readonly files: ExportFiles;
  /** A name that may be used. */
  readonly file: string;
  /** What is under the name; undefined: nothing. */
  text(): Promise<string | undefined>;
  /** Ids of the records of the database under the name; undefined: nothing. */
  ids(): Promise<readonly string[] | undefined>;
  /** How many files there are, whatever their names. */
  count(): Promise<number>;
  dispose(): Promise<void>;
}

const header: ExportHeader = { format: EXPORT_FORMAT, schemaVersion: 1, seq: 1, atMs: 1, isRedacted: true };
const record = (id: string): KeptRecord => ({
  ...{ kind: 'note', id, version: 1, createdAtMs: 1, updatedAtMs: 1, epoch: 1 },
  json: '{"text":"of a record"}',
});
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What an export needs of the place it is written to. */
export function exportFilesContract(open: () => Promise<ExportFilesFixture>): void {
  let fixture: ExportFilesFixture;
  let files: ExportFiles;
  let file: string;
  beforeEach(async () => {
    fixture = await open();
    ({ files, file } = fixture);
  });
  afterEach(() => fixture.dispose());

  it('a text is there when it is finished, whole, and its size and digest are those of its bytes', async () => {
    const writer = await files.create(file, { overwrite: false });
    await writer.write('one €');
    await writer.write(' two');
    assert.equal(await fixture.text(), undefined);
    assert.equal(writer.digest(), sha256('one € two'));
    assert.equal(await writer.finish(), Buffer.byteLength('one € two'));
    await writer.abandon();
    assert.equal(await fixture.text(), 'one € two');
  });

  for (const [what, second] of [
    ['shorter', 'b'.repeat(1_000)],
    ['longer', 'b'.repeat(3_000_000)],
  ] as const)
    it(`R5 nothing of what was written before a restart is in it, be the second text ${what} than the first`, async () => {
      const writer = await files.create(file, { overwrite: false });
      for (let i = 0; i < 3; i++) await writer.write('a'.repeat(500_000));
      await writer.restart();
      await writer.write(second);
      assert.equal(writer.digest(), sha256(second));
      assert.equal(await writer.finish(), second.length);
      assert.ok((await fixture.text()) === second, 'it is not what was written last');
    });

  it('R5 a write that nobody waited for any more is taken back by a restart', async () => {
    const writer = await files.create(file, { overwrite: false });
    const left = writer.write('a'.repeat(8_000_000)); // as a run leaves it whose source failed
    await writer.restart();
    await writer.write('second');
    await left;
    assert.equal(await writer.finish(), 6);
    assert.equal(await fixture.text(), 'second');
  });

  it('R5 a database holds what was written since the last restart', async () => {
    const database = await files.createDatabase(file, { overwrite: false });
    await database.writeRecords(Array.from({ length: 300 }, (_, i) => record(`old ${i}`)));
    await database.restart();
    await database.writeRecords([record('a'), record('b')]);
    await database.finish(header);
    await database.abandon();
    assert.deepEqual(await fixture.ids(), ['a', 'b']);
  });

  it('what is given up leaves nothing, and what is there is replaced only by those who are told to', async () => {
    const given = await files.create(file, { overwrite: false });
    await given.write('half');
    await given.abandon();
    assert.equal(await fixture.count(), 0);
    const first = await files.create(file, { overwrite: false });
    await first.write('first');
    await first.finish();
    await assert.rejects(files.create(file, { overwrite: false }), (error) =>
      ExchangeError.is(error, 'exchange.fileExists'),
    );
    assert.equal(await fixture.text(), 'first');
    const second = await files.create(file, { overwrite: true });
    await second.write('second');
    await second.finish();
    assert.deepEqual([await fixture.text(), await fixture.count()], ['second', 1]);
  });
}

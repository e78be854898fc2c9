import assert from 'node:assert/strict';
import fs from 'node:fs';
import { HighWater, parseHighWater, readHighWater } from '../../../../../src/core/data/node/highWater';
import { nodeFileSystem } from '../../../../../src/core/data/node/fileSystem';
import { mountTypeOf, refuseNetworkFolder } from '../../../../../src/core/data/node/safeFolder';
import { kindOf } from '../../../../../src/core/data/node/nodeSqliteEngine';
import { explain } from '../../../../../src/core/data/node/openStoreSession';
import { SqlEngineError, type SqlErrorKind } from '../../../../../src/core/data/node/sqlEngine';
import { classify } from '../../../../../src/core/data/node/sqlJsEngine';
import { nativeOpenFlags } from '../../../../../src/core/data/node/sqlJsFiles';
import { checkWasm, redirectImports } from '../../../../../src/core/data/node/sqlJsImports';
import { DataError, type DataErrorCode } from '../../../../../src/core/data/dataErrors';
import { temporaryFolder, wasmFile } from '../../../../support/storeWorker';

const isError = (code: DataErrorCode) => (error: unknown) => DataError.is(error, code) || assert.fail(String(error));

describe('the highest acknowledged change beside the store', () => {
  it('survives a flipped bit anywhere: the other copy speaks, or none does', () => {
    const { folder, remove } = temporaryFolder();
    try {
      const path = `${folder}/high`;
      const highWater = new HighWater(path, nodeFileSystem);
      assert.deepEqual(highWater.found, { kind: 'none' });
      highWater.write(41);
      highWater.write(42);
      highWater.close();
      highWater.close();
      const whole = fs.readFileSync(path);
      assert.deepEqual(readHighWater(path), { kind: 'seq', seq: 42 });
      for (let bit = 0; bit < whole.length * 8; bit++) {
        const bytes = Buffer.from(whole);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.deepEqual(parseHighWater(bytes), { kind: 'seq', seq: 42 }, `bit ${bit}`);
      }
      assert.deepEqual(parseHighWater(whole.subarray(0, 512)), { kind: 'seq', seq: 42 });
      assert.deepEqual(parseHighWater(Buffer.alloc(1024)), { kind: 'damaged' });
      assert.deepEqual(readHighWater(`${folder}/none`), { kind: 'none' });
    } finally {
      remove();
    }
  });
});

describe('the pinned build of sql.js', () => {
  it('is the one in the package, and no other', () => {
    const bytes = fs.readFileSync(wasmFile);
    checkWasm(bytes);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    assert.throws(() => checkWasm(bytes), isError('data.engineUnavailable'));
  });

  it('is refused when its imports are not those of the table', () => {
    assert.throws(() => redirectImports({ a: {} }, [], (_, call) => call), isError('data.engineUnavailable'));
    const wanted = Array.from({ length: 40 }, (_, i) => ({ module: 'a', name: `n${i}` }));
    const calls = Object.fromEntries(wanted.map(({ name }) => [name, () => 0]));
    assert.throws(() => redirectImports({ a: calls }, wanted, (_, call) => call), isError('data.engineUnavailable'));
    const letters = wanted.map((item, i) => (i === 0 ? { module: 'a', name: 'q' } : item));
    const wrongArity = { a: { ...calls, q: (one: number) => one } };
    assert.throws(() => redirectImports(wrongArity, letters, (_, call) => call), isError('data.engineUnavailable'));
  });

  it('has its open flags translated to those of this platform', () => {
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_TRUNC, O_WRONLY } = fs.constants;
    assert.equal(nativeOpenFlags(0o2 | 0o100 | 0o100000 | 0o2000000), O_RDWR | O_CREAT);
    assert.equal(nativeOpenFlags(0o1 | 0o200 | 0o1000 | 0o400000), O_WRONLY | O_EXCL | O_TRUNC | O_NOFOLLOW);
    assert.equal(nativeOpenFlags(0), 0);
  });

  it('has its failures told apart', () => {
    assert.equal(classify('disk I/O error', { call: 'write', code: 'ENOSPC' }), 'full');
    assert.equal(classify('disk I/O error', { call: 'sync', code: 'ENOSPC' }), 'io');
    assert.equal(classify('disk I/O error', { call: 'write', code: 'EIO' }), 'io');
    assert.equal(classify('database disk image is malformed', undefined), 'corrupt');
    assert.equal(classify('malformed JSON', undefined), 'other', 'one value, not the file');
    assert.equal(classify('file is not a database', undefined), 'corrupt');
    assert.equal(classify('near "x": syntax error', undefined), 'other');
    assert.equal(classify('no such column: locking protocol', undefined), 'other');
  });

  it('is not called damaged for want of memory, or for what others do with the file', () => {
    const texts: Readonly<Record<string, number>> = {
      'access permission denied': 3,
      'database is locked': 5,
      'database table is locked: sqlite_schema': 6,
      'out of memory': 7,
      'attempt to write a readonly database': 8,
      'disk I/O error': 10,
      'unable to open database file': 14,
      'locking protocol': 15,
    };
    const codeOf = (kind: SqlErrorKind): unknown => (explain(new SqlEngineError(kind, 'why')) as DataError).code;
    for (const [text, errcode] of Object.entries(texts)) {
      const ofNode = kindOf(Object.assign(new Error(text), { errcode: errcode | (1 << 8) }));
      assert.deepEqual([codeOf(classify(text, undefined)), codeOf(ofNode)], ['data.io', 'data.io'], text);
    }
    for (const errcode of [1, 11, 26]) assert.equal(codeOf(kindOf(Object.assign(new Error(''), { errcode }))), 'data.corrupt'); // prettier-ignore
  });
});

describe('the kind of a file system', () => {
  const linux = [
    '22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw',
    '90 22 0:50 / /home/me/with\\040space rw - fuse.sshfs me@host:/ rw',
    '91 22 0:51 / /home/me/local rw - fuse.gocryptfs /x rw',
  ].join('\n');

  it('is read from the deepest mount point', () => {
    assert.equal(mountTypeOf('/home/me/with space/a', linux), 'fuse.sshfs');
    assert.equal(mountTypeOf('/home/me/with spaces', linux), 'ext4');
    const mac = '/dev/disk3s1 on / (apfs, local)\nhost:/vol on /Users/me/net (nfs, nodev)';
    assert.equal(mountTypeOf('/Users/me/net/x', mac), 'nfs');
    assert.equal(mountTypeOf('/Users/me', mac), 'apfs');
  });

  it('decides by number where it says enough, by the mount where it does not', async () => {
    const check = (type: number, table = ''): Promise<void> =>
      refuseNetworkFolder('/', { platform: 'linux', statfs: () => ({ type }), mounts: async () => table });
    for (const type of [0x6969, 0xfe534d42, 0xff534d42 | 0, 0x01021997]) {
      await assert.rejects(check(type), isError('data.networkFileSystem'));
    }
    await check(0xef53); // ext4
    const fuse = (name: string): string => `1 0 0:1 / / rw - ${name} x rw`;
    await assert.rejects(check(0x65735546, fuse('fuse.sshfs')), isError('data.networkFileSystem'));
    await check(0x65735546, fuse('fuse.gocryptfs'));
  });
});

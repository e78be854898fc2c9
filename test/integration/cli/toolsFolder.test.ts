import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../src/core/base/log';
import { installTools } from '../../../src/core/node/toolsFolder';
import { type ProgramEnd, runProgram } from '../../support/runProgram';

/** What a shell could trip over: blanks, quotes, dollars, a backslash, a line break, a leading dash. */
const NASTY = '-a b\'c"d$HOME`e`\\f\ng';

describe('the folder of what agents call', () => {
  let root: string;
  let storageFolder: string;
  let distFolder: string;

  beforeEach(() => {
    root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tools-')));
    storageFolder = path.join(root, NASTY);
    distFolder = path.join(root, 'dist');
    fs.mkdirSync(distFolder);
    writeProgram('1');
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  const writeProgram = (version: string): void =>
    fs.writeFileSync(
      path.join(distFolder, 'orc.js'),
      `console.log(JSON.stringify({ version: '${version}', args: process.argv.slice(2), electron: process.env.ELECTRON_RUN_AS_NODE, options: process.env.NODE_OPTIONS }))`,
    );
  const install = (execPath = process.execPath) =>
    installTools({ storageFolder, distFolder, execPath, pointerFile: '/p', log: silentLogger });
  const run = async (file: string, args: readonly string[], env: Record<string, string> = {}): Promise<ProgramEnd> =>
    runProgram(file, args, { env });
  const stamps = (): unknown =>
    fs
      .readdirSync(path.join(storageFolder, 'bin'))
      .sort()
      .map((name) => [name, fs.statSync(path.join(storageFolder, 'bin', name)).ino]);

  it('holds an orc that works from any path and passes every argument on', async () => {
    const { folder, orc, pointerFile } = await install();
    assert.deepEqual(
      [folder, orc, pointerFile],
      [path.join(storageFolder, 'bin'), path.join(storageFolder, 'bin', 'orc'), '/p'],
    );
    const args = ['hook', NASTY, '', '*', '--', '$(id)'];
    const { code, stdout } = await run(orc, args, { NODE_OPTIONS: '--require=/no/such/file' });
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), { version: '1', args, electron: '1' });
  });

  it('S8 is the user’s alone', async () => {
    const { folder, orc } = await install();
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
    assert.equal(fs.statSync(orc).mode & 0o777, 0o700);
    for (const name of fs.readdirSync(folder)) assert.equal(fs.statSync(path.join(folder, name)).mode & 0o077, 0);
    fs.chmodSync(folder, 0o755);
    await assert.rejects(install(), { code: 'data.folderUnsafe' });
  });

  it('writes nothing when nothing has changed, and mends what was changed', async () => {
    const { orc } = await install();
    const before = stamps();
    await install();
    assert.deepEqual(stamps(), before);
    fs.writeFileSync(orc, 'exit 1');
    fs.chmodSync(orc, 0o600);
    await install();
    assert.equal((await run(orc, [])).code, 0);
  });

  it('keeps its path over updates, and the programs that may be starting', async () => {
    const { folder, orc } = await install();
    const first = fs.readdirSync(folder).filter((name) => name.startsWith('orc-'));
    for (const version of ['2', '3', '4', '5']) {
      writeProgram(version);
      assert.equal((await install()).orc, orc);
      assert.equal((JSON.parse((await run(orc, [])).stdout) as { version: string }).version, version);
    }
    const copies = (): readonly string[] => fs.readdirSync(folder).filter((name) => name.startsWith('orc-'));
    assert.equal(copies().length, 5); // all of them are of this hour
    for (const [index, name] of [...first, ...copies().filter((each) => each !== first[0])].entries())
      fs.utimesSync(path.join(folder, name), index, index);
    await install();
    assert.equal(copies().length, 3);
    assert.ok(!copies().includes(first[0] ?? ''));
    assert.ok(!fs.readdirSync(folder).some((name) => name.endsWith('.tmp')));
  });

  it('never shows a half-written orc to an agent that calls it during updates', async () => {
    const { orc } = await install();
    let isOver = false;
    const calls = (async () => {
      const ends: ProgramEnd[] = [];
      while (!isOver) ends.push(await run(orc, ['hook']));
      return ends;
    })();
    for (let version = 2; version < 30; version++) {
      writeProgram(String(version));
      await install();
    }
    isOver = true;
    for (const { code, stderr } of await calls) assert.deepEqual([code, stderr], [0, '']);
  });

  it('takes node from the PATH when its runtime has vanished; without one a hook still ends well', async () => {
    const gone = path.join(root, 'gone');
    const { orc } = await install(gone);
    assert.equal((await run(orc, ['status'])).code, 0);
    const env = { PATH: path.join(root, 'empty') };
    fs.mkdirSync(env.PATH);
    const sh = (args: readonly string[]) => runProgram('/bin/sh', [orc, ...args], { env });
    assert.deepEqual([(await sh(['hook', 'Stop'])).code, (await sh(['hook', 'Stop'])).stderr], [0, '']);
    const { code, stderr } = await sh(['status']);
    assert.equal(code, 3);
    assert.match(stderr, /runtime for it is missing/);
  });

  it('ends a hook well when the program is gone', async () => {
    const { folder, orc } = await install();
    for (const name of fs.readdirSync(folder).filter((each) => each.endsWith('.js')))
      fs.rmSync(path.join(folder, name));
    assert.equal((await run(orc, ['hook', 'Stop'])).code, 0);
    assert.equal((await run(orc, ['status'])).code, 3);
  });

  it('brings the opencode plugin along when there is one', async () => {
    fs.writeFileSync(path.join(distFolder, 'opencodePlugin.js'), 'export {}');
    const { folder } = await install();
    assert.equal(fs.readFileSync(path.join(folder, 'opencodePlugin.js'), 'utf8'), 'export {}');
  });

  it('is a script that a strict POSIX shell reads', async () => {
    const { orc } = await install();
    execFileSync('/bin/sh', ['-n', orc]);
  });
});

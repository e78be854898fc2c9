import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import { NodeHomeFolders } from '../../../src/core/agents/node/nodeHomeFolders';
import type { HomePlan } from '../../../src/core/agents/signals/homePlan';
import { silentLogger } from '../../../src/core/base/log';

const run = { agentId: 'a' as AgentId, generation: 1 };
const LONG_AGO = new Date(Date.now() - 60_000);

describe('homes of runs', () => {
  let folder: string;
  let homes: NodeHomeFolders;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'homes-'));
    homes = new NodeHomeFolders({ folder: join(folder, 'homes'), log: silentLogger });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const plan = (changes: Partial<HomePlan> = {}): HomePlan => ({
    base: folder, folder: '.x', settingsFile: 'settings.json', settings: { hooks: ['ours'] },
    besides: ['.agents', '.env'], keepFolders: ['tmp'], keepFiles: ['login.json'], ...changes,
  }); // prettier-ignore
  const theirs = (...path: readonly string[]): string => join(folder, '.x', ...path);
  const mine = (...path: readonly string[]): string => join(homes.folder(run), '.x', ...path);
  const read = (path: string): string => readFileSync(path, 'utf8');
  /** As the person left it, some time before the run. */
  const had = (name: string, text: string): void => {
    mkdirSync(join(theirs(name), '..'), { recursive: true });
    writeFileSync(theirs(name), text);
    utimesSync(theirs(name), LONG_AGO, LONG_AGO);
  };

  it('link what the person has, hold merged settings, and change nothing that is there', async () => {
    had('settings.json', '{ // mine\n "ui": { "theme": "x", }, }');
    had('odd name', 'odd');
    mkdirSync(join(folder, '.agents'));
    await homes.make(run, plan());
    assert.deepEqual(JSON.parse(read(mine('settings.json'))), { ui: { theme: 'x' }, hooks: ['ours'] });
    assert.deepEqual(readdirSync(mine()).sort(), ['login.json', 'odd name', 'settings.json', 'tmp']);
    assert.deepEqual(readdirSync(homes.folder(run)).sort(), ['.agents', '.x', 'run.json']);
    assert.equal(read(mine('odd name')), 'odd');
    assert.match(read(theirs('settings.json')), /mine/);
    for (const path of [join(folder, 'homes'), homes.folder(run), theirs('tmp')])
      assert.equal(statSync(path).mode & 0o777, 0o700);
    for (const path of [mine('settings.json'), join(homes.folder(run), 'run.json')])
      assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(existsSync(theirs('login.json')), false);
    await homes.settle(run);
    assert.deepEqual(readdirSync(join(folder, 'homes')), []);
    assert.match(read(theirs('settings.json')), /mine/);
  });

  it('are made without a folder of the person, and with settings that cannot be read, which stay', async () => {
    await homes.make(run, plan());
    assert.deepEqual(JSON.parse(read(mine('settings.json'))), { hooks: ['ours'] });
    had('settings.json', '{ broken');
    await homes.make({ ...run, generation: 2 }, plan());
    assert.equal(existsSync(homes.folder(run)), false, 'an earlier run of the agent is over');
    writeFileSync(join(homes.folder({ ...run, generation: 2 }), '.x', 'settings.json'), '{"hooks":["ours"],"ui":1}');
    await homes.settle({ ...run, generation: 2 });
    assert.equal(read(theirs('settings.json')), '{ broken');
  });

  it('give back what the program makes: files, folders, and what it wrote through a link to nothing', async () => {
    await homes.make(run, plan());
    writeFileSync(mine('GEMINI.md'), 'remember', { mode: 0o600 });
    mkdirSync(mine('policies', 'deep'), { recursive: true });
    writeFileSync(mine('policies', 'deep', 'a.toml'), 'a');
    writeFileSync(mine('login.json'), 'login');
    writeFileSync(mine('projects.json.lock'), '');
    symlinkSync('/etc/hostname', mine('elsewhere'));
    writeFileSync(join(homes.folder(run), '.profile'), 'evil');
    mkdirSync(join(homes.folder(run), '.agents'));
    writeFileSync(join(homes.folder(run), '.agents', 'skill'), 'skill');
    mkdirSync(theirs('policies'));
    writeFileSync(theirs('policies', 'b.toml'), 'b'); // another run was faster
    await homes.settle(run);
    assert.deepEqual(readdirSync(theirs()).sort(), ['GEMINI.md', 'login.json', 'policies', 'tmp']);
    assert.equal(statSync(theirs('GEMINI.md')).mode & 0o777, 0o600);
    assert.equal(read(theirs('policies', 'deep', 'a.toml')), 'a');
    assert.equal(read(theirs('policies', 'b.toml')), 'b');
    assert.equal(read(join(folder, '.agents', 'skill')), 'skill');
    assert.equal(existsSync(join(folder, '.profile')), false, 'what is none of the program’s is not put into the home');
    assert.deepEqual(await homes.list(), []);
    await homes.settle(run); // once more changes nothing
  });

  it('give back a file that the program replaced, unless the person changed theirs: then only what it lacks', async () => {
    for (const name of ['projects.json', 'both.json', 'text']) had(name, '{"a":1}');
    await homes.make(run, plan());
    for (const name of ['projects.json', 'both.json', 'text']) {
      writeFileSync(mine(`${name}.new`), name === 'text' ? 'new' : '{"a":2,"b":2}');
      renameSync(mine(`${name}.new`), mine(name));
      assert.equal(lstatSync(mine(name)).isFile(), true);
    }
    const later = new Date(Date.now() + 60_000);
    writeFileSync(theirs('both.json'), '{"a":3,"c":3}');
    writeFileSync(theirs('text'), 'theirs');
    for (const name of ['both.json', 'text']) utimesSync(theirs(name), later, later);
    await homes.settle(run);
    assert.deepEqual(JSON.parse(read(theirs('projects.json'))), { a: 2, b: 2 });
    assert.deepEqual(JSON.parse(read(theirs('both.json'))), { a: 3, c: 3, b: 2 });
    assert.equal(read(theirs('text')), 'theirs');
  });

  it('give back the settings that the program changed, never ours, and keep comments and links', async () => {
    had('dotfiles.json', '{\n  // mine\n  "ui": { "theme": "x" } // this too\n}\n');
    symlinkSync('dotfiles.json', theirs('settings.json'));
    await homes.make(run, plan());
    const now = JSON.parse(read(mine('settings.json'))) as { ui: unknown; hooks: unknown }; // made above
    writeFileSync(mine('settings.json'), JSON.stringify({ ...now, ui: { theme: 'y' }, model: { name: 'm' } }));
    await homes.settle(run);
    assert.equal(lstatSync(theirs('settings.json')).isSymbolicLink(), true);
    const text = read(theirs('settings.json'));
    assert.match(text, /\/\/ mine\n {2}"ui": \{\s*"theme": "y"\s*\}[^]*\/\/ this too/);
    assert.match(text, /"model": \{\s*"name": "m"\s*\}/);
    assert.doesNotMatch(text, /hooks/);
  });

  it('do not empty the person’s settings when the program was killed while it wrote its own', async () => {
    for (const left of ['', '{"ui":', undefined]) {
      had('settings.json', '{"ui":1}');
      await homes.make(run, plan());
      if (left === undefined) rmSync(mine('settings.json'));
      else writeFileSync(mine('settings.json'), left);
      await homes.settle(run);
      assert.equal(read(theirs('settings.json')), '{"ui":1}');
    }
  });

  it('are known with what they were started with, and go without a word when they were never used', async () => {
    had('settings.json', '{"hooksConfig":{"enabled":false}}');
    const silence = { when: [{ path: '/hooksConfig/enabled', equals: false }], leavesOut: ['hooks'], says: 'off' };
    assert.deepEqual(await homes.make(run, plan({ silence })), { ...run, silence: 'off' });
    assert.deepEqual(await new NodeHomeFolders({ folder: join(folder, 'homes'), log: silentLogger }).list(), [
      { ...run, silence: 'off' },
    ]);
    assert.deepEqual(JSON.parse(read(mine('settings.json'))), { hooksConfig: { enabled: false } });
    const half = { agentId: 'b' as AgentId, generation: 3 };
    mkdirSync(join(homes.folder(half), '.x'), { recursive: true });
    await homes.settle(half);
    assert.equal(existsSync(homes.folder(half)), false);
  });

  it('stay when the person’s own cannot be written, and are given back the next time', async () => {
    await homes.make(run, plan());
    writeFileSync(mine('GEMINI.md'), 'remember');
    renameSync(folder, `${folder}-away`);
    mkdirSync(join(folder, 'homes'), { recursive: true });
    renameSync(join(`${folder}-away`, 'homes', 'a.1'), homes.folder(run));
    writeFileSync(theirs(), 'in the way');
    await homes.settle(run);
    assert.equal(read(mine('GEMINI.md')), 'remember');
    rmSync(theirs());
    await homes.settle(run);
    assert.equal(read(theirs('GEMINI.md')), 'remember');
    assert.equal(existsSync(homes.folder(run)), false);
    rmSync(`${folder}-away`, { recursive: true });
  });
});

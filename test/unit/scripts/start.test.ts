import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface Call {
  readonly args: readonly string[];
  readonly tmuxFolder: string | undefined;
  /** What lay in the folder that was to be opened, and the settings of the profile, while it ran. */
  readonly sample: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Records how it is called, leaves what an engine would, and fails the step that FAIL_AT names. */
const FAKE_CODE = `#!${process.execPath}
const { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const args = process.argv.slice(2);
const folder = args.at(-1);
const data = args[args.indexOf('--user-data-dir') + 1];
const settings = JSON.parse(readFileSync(join(data, 'User', 'settings.json'), 'utf8'));
const sample = existsSync(folder) && !folder.startsWith('--') ? readdirSync(folder) : [];
appendFileSync(process.env.CALLS, JSON.stringify({ args, tmuxFolder: process.env.TMUX_TMPDIR, sample, settings }) + '\\n');
const workspace = join(data, 'User', 'globalStorage', 'core-orchestrator.core-orchestrator', 'workspaces', 'w');
const runtime = join(process.env.HOME, 'run', 'core-orchestrator-1');
for (const made of [workspace, join(runtime, 'launch')]) mkdirSync(made, { recursive: true });
writeFileSync(join(workspace, 'gateway.json'), JSON.stringify({ socket: join(runtime, 'gateway.sock') }));
if (args.includes(process.env.FAIL_AT)) { console.error('code says no'); process.exit(9); }
`;
const FAKE_TMUX = `#!${process.execPath}\nif (process.argv[2] === '-V') console.log('tmux 3.3a');\n`;

/** Runs a copy of the scripts whose build makes nothing, in a folder whose name a shell would take apart. */
describe('npm start with the desktop VS Code', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "start $(touch x) ';& "));
    for (const part of ['scripts', 'sample', 'package.json', 'package-lock.json'])
      cpSync(path.resolve(part), path.join(folder, part), { recursive: true });
    for (const made of ['bin', 'tmp', 'node_modules']) mkdirSync(path.join(folder, made));
    const lock = readFileSync(path.join(folder, 'package-lock.json'));
    writeFileSync(
      path.join(folder, 'node_modules', '.core-installed'),
      createHash('sha256').update(lock).digest('hex'),
    );
    writeFileSync(path.join(folder, 'scripts', 'package.mjs'), '');
    symlinkSync(process.execPath, path.join(folder, 'bin', 'node'));
    for (const [name, text] of [
      ['code', FAKE_CODE],
      ['tmux', FAKE_TMUX],
    ] as const)
      // prettier-ignore
      writeFileSync(path.join(folder, 'bin', name), text, { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function start(failAt = ''): Promise<{ code: number | null; output: string; calls: readonly Call[] }> {
    const calls = path.join(folder, 'calls.jsonl');
    const env = {
      PATH: path.join(folder, 'bin'),
      HOME: folder,
      TMPDIR: path.join(folder, 'tmp'),
      DISPLAY: ':7',
      CALLS: calls,
      FAIL_AT: failAt,
    };
    const child = spawn(process.execPath, ['scripts/start.mjs'], { cwd: folder, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
    return { code, output, calls: lines.map((line) => JSON.parse(line) as Call) }; // written by the fake above
  }
  const after = ({ args }: Call, option: string): string => args[args.indexOf(option) + 1] ?? '';

  it('installs the package into a profile of its own, then opens a copy of the sample, and leaves nothing', async () => {
    const { code, output, calls } = await start();
    assert.equal(code, 0, output);
    const [install, open, ...more] = calls;
    assert.ok(install && open && more.length === 0, output);
    const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, string>;
    // The path arrives as one argument, as it is: no shell has read it.
    assert.equal(after(install, '--install-extension'), path.join(folder, 'dist', `${name}-${version}.vsix`));
    assert.ok(install.args.includes('--force'));
    const own = path.dirname(after(install, '--user-data-dir'));
    assert.equal(path.dirname(own), path.join(folder, 'tmp'));
    for (const call of calls) {
      assert.equal(after(call, '--user-data-dir'), path.join(own, 'data'));
      assert.equal(after(call, '--extensions-dir'), path.join(own, 'extensions'));
      assert.equal(call.settings['telemetry.telemetryLevel'], 'off');
    }
    assert.equal(open.args.at(-1), path.join(own, 'sample'));
    assert.ok(open.args.includes('--wait') && open.args.includes('--new-window'));
    assert.deepEqual([...open.sample].sort(), readdirSync('sample').sort());
    assert.equal(open.tmuxFolder, own, 'its agents have a tmux server of their own');
    assert.deepEqual(readdirSync(path.join(folder, 'tmp')), [], 'nothing is left');
    assert.deepEqual(readdirSync(path.join(folder, 'run')), [], 'nor what its engines had elsewhere');
    assert.equal(existsSync(path.join(folder, 'x')), false);
  });

  it('says what to do when the extension cannot be installed', async () => {
    const { code, output, calls } = await start('--install-extension');
    assert.equal(code, 1);
    assert.equal(calls.length, 1, 'no window is opened without it');
    assert.match(output, /code says no[\s\S]*did not install the extension[\s\S]*update it/);
    assert.deepEqual(readdirSync(path.join(folder, 'tmp')), []);
  });

  it('says what to do when the window cannot be opened', async () => {
    const { code, output } = await start('--wait');
    assert.equal(code, 9);
    assert.match(output, /code says no[\s\S]*ended with exit code 9[\s\S]*update it/);
    assert.deepEqual(readdirSync(path.join(folder, 'tmp')), []);
  });
});

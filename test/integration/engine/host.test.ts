import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { DEFAULT_RESTART_SETTINGS } from '../../../src/core/agents/restartBudget';
import type { HostSettings } from '../../../src/core/node/hostSettings';
import { ownIdentity } from '../../../src/core/data/node/processIdentity';
import { endLeftovers } from '../../support/endLeftovers';
import { workspaceId, workspaceNames } from '../../../src/core/node/localWorkspace';
import { spawnHost, tellHost } from '../../../src/core/node/spawnHost';
import { buildBundles } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { type ProgramEnd, runProgram } from '../../support/runProgram';

interface Line {
  readonly status: string;
  readonly pid: number;
  readonly socket: string | null;
  readonly workspace: string;
  readonly code?: string;
  readonly ownerPid?: number;
}

describe('the headless host', function () {
  this.timeout(60_000);
  let root: string;
  let workspace: string;
  let storage: string;
  let dist: string;
  let env: NodeJS.ProcessEnv;
  let dataFolder: string;
  const running: ChildProcess[] = [];

  before(async () => (dist = await buildBundles()));
  beforeEach(async () => {
    root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'host-')));
    workspace = path.join(root, 'ws');
    storage = path.join(root, 'st');
    fs.mkdirSync(workspace);
    env = { ...process.env, XDG_RUNTIME_DIR: root, TMUX_TMPDIR: root };
    dataFolder = workspaceNames(await workspaceId(workspace), { storageFolder: storage, env }).dataFolder;
  });
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 300)); // what it was just starting comes up, and is ended, too
    const { socketName } = workspaceNames(await workspaceId(workspace), { storageFolder: storage, env });
    try {
      execFileSync('tmux', ['-L', socketName, 'kill-server'], { env, stdio: 'ignore' });
    } catch {
      // none was started
    }
    endLeftovers(root);
    fs.rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  const start = (...args: readonly string[]): ChildProcess => {
    const child = spawn(
      process.execPath,
      [path.join(dist, 'host.js'), '--workspace', workspace, '--storage', storage, ...args],
      { env, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    running.push(child);
    return child;
  };
  const lineOf = (child: ChildProcess): Promise<Line> =>
    new Promise((resolve, reject) => {
      assert.ok(child.stdout);
      createInterface({ input: child.stdout }).once('line', (text) => resolve(JSON.parse(text) as Line)); // our own program's
      child.once('exit', (code) => reject(new Error(`ended with ${String(code)}`)));
    });
  const exitOf = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once('exit', resolve));
  const orc = (...args: readonly string[]): Promise<ProgramEnd> =>
    runProgram(path.join(storage, 'bin', 'orc'), args, {
      cwd: workspace,
      env: { XDG_RUNTIME_DIR: root, TMUX_TMPDIR: root },
    });
  const settings = (changes: Partial<HostSettings> = {}): HostSettings => ({
    isKept: true,
    hostFile: path.join(dist, 'host.js'),
    tmuxPath: 'tmux',
    passEnvironment: [],
    engine: { startDeadlineMs: 30_000, restart: DEFAULT_RESTART_SETTINGS },
    ...changes,
  });
  const options = (changes: Partial<HostSettings> = {}) => ({
    workspace,
    storageFolder: storage,
    execPath: process.execPath,
    settings: settings(changes),
    env,
  });
  const logged = (text: string): boolean => fs.readFileSync(path.join(dataFolder, 'host.log'), 'utf8').includes(text);

  it('says one line when it works, serves orc, ends politely and leaves agents running', async () => {
    const host = start();
    const { status, pid, socket, workspace: named } = await lineOf(host);
    assert.deepEqual([status, pid, named], ['ready', host.pid, workspace]);
    assert.ok(socket !== null && fs.existsSync(socket));
    assert.deepEqual([(await orc('start', 'demo', '--name', 'Rev')).stdout], ['started Rev (rev)\n']);
    assert.equal((await orc('prompt', 'Rev', '--wait', 'hello')).code, 0);
    const ended = exitOf(host);
    host.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.equal((await orc('status')).code, 3);

    const next = await lineOf(start());
    assert.equal(next.status, 'ready');
    const { agents } = JSON.parse((await orc('list', '--json')).stdout) as {
      agents: { id: string; lifecycle: string; generation: number }[];
    };
    assert.deepEqual(
      agents.map(({ id, lifecycle, generation }) => [id, lifecycle, generation]),
      [['rev', 'running', 1]],
    );
  });

  it('follows while another owns the workspace, and takes over when that one ends', async () => {
    const first = start();
    await lineOf(first);
    const second = start();
    const { status, ownerPid } = await lineOf(second);
    assert.deepEqual([status, ownerPid], ['following', first.pid]);
    first.kill('SIGKILL');
    await eventually('taken over', () => logged('epoch=2'), { timeoutMs: 15_000 });
    assert.equal((await orc('status')).code, 0);
  });

  it('started by a window: waits, takes over, ends when it is not wanted any more', async () => {
    const owner = start();
    await lineOf(owner);
    const pid = await spawnHost(options());
    await eventually('it follows', () => logged(`kind=following ownerPid=${String(owner.pid)}`), { timeoutMs: 15_000 });
    const args = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    if (process.platform === 'linux') assert.equal(Number(args[2]), pid); // leads a process group of its own
    const again = start('--standby');
    const other = await lineOf(again);
    assert.deepEqual([other.status, other.pid], ['alreadyRunning', pid]);

    owner.kill('SIGTERM');
    await eventually('it owns', () => logged('kind=ready epoch=2'), { timeoutMs: 15_000 });
    assert.equal((await orc('start', 'demo', '--name', 'Rev')).code, 0);
    await tellHost(options({ isKept: false }));
    await eventually('it ended', () => !isAlive(pid), { timeoutMs: 15_000 });
    assert.ok(logged('why=notWanted'));
    assert.ok(!fs.existsSync(path.join(dataFolder, 'host.lock')));
  });

  it('makes way, once, for a window that tells it is there, and goes on when that one is gone', async () => {
    await spawnHost(options());
    await eventually('it owns', () => logged('kind=ready epoch=1'), { timeoutMs: 15_000 });
    await tellHost(options({ window: await ownIdentity() }));
    await eventually('it made way', () => logged('makes way for a window'), { timeoutMs: 15_000 });
    const owner = start();
    assert.equal((await lineOf(owner)).status, 'ready');
    await eventually('it waits again', () => logged(`kind=following ownerPid=${String(owner.pid)}`), {
      timeoutMs: 15_000,
    });
    owner.kill('SIGKILL');
    await eventually('it owns again', () => logged('kind=ready epoch=3'), { timeoutMs: 15_000 });
    assert.equal((await orc('start', 'demo', '--name', 'Rev')).code, 0);
    await tellHost(options({ isKept: false }));
  });

  it('makes way for the host of another version', async () => {
    const pid = await spawnHost(options());
    await eventually('it owns', () => logged('kind=ready'), { timeoutMs: 15_000 });
    await tellHost(options({ hostFile: path.join(dist, 'orc.js') }));
    await eventually('it ended', () => !isAlive(pid), { timeoutMs: 15_000 });
  });

  it('takes the lock of a host that was killed', async () => {
    const pid = await spawnHost(options());
    await eventually('it runs', () => logged('kind=ready'), { timeoutMs: 15_000 });
    process.kill(pid, 'SIGKILL');
    await eventually('it is gone', () => !isAlive(pid));
    const next = start('--standby');
    assert.equal((await lineOf(next)).status, 'ready');
  });

  it('says what blocks it, and ends with 3', async () => {
    fs.mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    fs.chmodSync(dataFolder, 0o755);
    const host = start();
    const ended = exitOf(host);
    const { status, code } = await lineOf(host);
    assert.deepEqual([status, code], ['blocked', 'data.folderUnsafe']);
    assert.equal(await ended, 3);
  });

  it('refuses a wrong command line with 2', async () => {
    const run = (...args: readonly string[]) => runProgram(process.execPath, [path.join(dist, 'host.js'), ...args]);
    assert.equal((await run()).code, 2);
    assert.match((await run('--workspace', '/no/such/folder')).stderr, /there is no \/no\/such\/folder/);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { workspaceId, workspaceNames } from '../../../src/core/node/localWorkspace';
import { buildBundles } from '../../support/bundles';
import { endLeftovers } from '../../support/endLeftovers';
import { eventually } from '../../support/eventually';
import { type ProgramEnd, runProgram } from '../../support/runProgram';
import { trials } from '../../support/trials';

const RACERS = 8;
const HOSTS = 2;

describe('processes that race for one agent', function () {
  let root: string;
  let workspace: string;
  let storage: string;
  let dist: string;
  let env: NodeJS.ProcessEnv;
  let runsFile: string;
  const hosts: ChildProcess[] = [];

  before(async function () {
    this.timeout(60_000);
    dist = await buildBundles();
  });
  beforeEach(() => {
    root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'race-')));
    [workspace, storage, runsFile] = [path.join(root, 'ws'), path.join(root, 'st'), path.join(root, 'runs')];
    fs.mkdirSync(workspace);
    fs.writeFileSync(runsFile, '');
    env = { ...process.env, XDG_RUNTIME_DIR: root, TMUX_TMPDIR: root, RUNS: runsFile };
  });
  afterEach(async () => {
    for (const host of hosts.splice(0)) host.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 300)); // what one was just starting comes up, and is ended, too
    const { socketName } = workspaceNames(await workspaceId(workspace), { storageFolder: storage, env });
    try {
      execFileSync('tmux', ['-L', socketName, 'kill-server'], { env, stdio: 'ignore' });
    } catch {
      // none was started
    }
    endLeftovers(root);
    fs.rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  const startHost = (): void => {
    const args = [path.join(dist, 'host.js'), '--workspace', workspace, '--storage', storage];
    hosts.push(spawn(process.execPath, args, { env, stdio: 'ignore' }));
  };
  const owner = async (): Promise<number> => {
    const { dataFolder } = workspaceNames(await workspaceId(workspace), { storageFolder: storage, env });
    const pointer = JSON.parse(fs.readFileSync(path.join(dataFolder, 'gateway.json'), 'utf8')) as { ownerPid: number };
    return pointer.ownerPid; // our own program wrote it
  };
  const orc = (...args: readonly string[]): Promise<ProgramEnd> =>
    runProgram(process.execPath, [path.join(dist, 'orc.js'), ...args, '--storage', storage], {
      cwd: workspace,
      env: { XDG_RUNTIME_DIR: root, TMUX_TMPDIR: root },
    });
  const untilDone = (...args: readonly string[]): Promise<ProgramEnd> =>
    eventually(args.join(' '), () => orc(...args).then((end) => (end.code === 0 ? end : undefined)), {
      timeoutMs: 30_000,
    });
  /** Pids of all runs so far, in order: each run writes its own before anything else. */
  const runs = (): number[] => fs.readFileSync(runsFile, 'utf8').split('\n').filter(Boolean).map(Number);
  const living = (): number[] => runs().filter((pid) => isAlive(pid, runsFile));
  const script = (): string => `echo $$ >> '${runsFile}'; exec sleep 600`;
  const create = (): Promise<ProgramEnd> => {
    const args = [path.join(dist, 'orc.js'), 'start', 'command', '--name', 'Racer', '--storage', storage];
    return runProgram(process.execPath, [...args, '--', 'sh', '-c', script()], {
      cwd: workspace,
      env: { XDG_RUNTIME_DIR: root, TMUX_TMPDIR: root },
    });
  };
  const racing = (start: () => Promise<ProgramEnd>): Promise<ProgramEnd[]> =>
    Promise.all(Array.from({ length: RACERS }, start));

  it('R12 several engines and several programs that start one agent at once begin one run of it', async function () {
    const rounds = trials(2, 200, 1_000);
    this.timeout(90_000 + rounds * 45_000);
    for (let count = 0; count < HOSTS; count++) startHost();
    await untilDone('status');

    const made = await racing(create);
    assert.equal(made.filter(({ code }) => code === 0).length, 1, made.map(({ stderr }) => stderr).join('\n'));
    await eventually('its run', () => runs().length === 1);

    for (let round = 0; round < rounds; round++) {
      await untilDone('stop', 'racer');
      assert.deepEqual(living(), []);
      const before = runs().length;
      assert.equal(before, round + 1, `a second run came late: ${before} after ${round} rounds`);
      // In every other round the owner dies meanwhile: then engines race for the workspace, too.
      const started = racing(() => orc('start', 'racer', '--existing'));
      if (round % 2 === 0) {
        const ownerPid = await owner();
        hosts.find(({ pid }) => pid === ownerPid)?.kill('SIGKILL');
        startHost();
      }
      await started;
      await untilDone('start', 'racer', '--existing');
      await eventually('a run', () => runs().length > before);
      assert.equal(runs().length, before + 1, `round ${round}: ${runs().length - before} runs`);
      await eventually('it lives', () => living().length === 1);
    }
  });
});

/** Is this run still there? Told by what it runs as well, where that can be seen: in many rounds pids come again. */
function isAlive(pid: number, runsFile: string): boolean {
  try {
    if (!fs.existsSync('/proc/self/cmdline')) return process.kill(pid, 0);
    const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return command.split('\0').join(' ') === 'sleep 600 ' || command.includes(runsFile);
  } catch {
    return false;
  }
}

import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { AgentId } from '../../../src/core/agents/agent';
import { DEFAULT_RESTART_SETTINGS } from '../../../src/core/agents/restartBudget';
import { SystemClock } from '../../../src/core/base/clock';
import { UlidIds } from '../../../src/core/base/ids';
import { silentLogger } from '../../../src/core/base/log';
import { openLocalWorkspace, workspaceId, workspaceNames } from '../../../src/core/node/localWorkspace';
import { Orchestrator } from '../../../src/core/orchestrator';
import { buildBundles } from '../../support/bundles';
import { endLeftovers } from '../../support/endLeftovers';
import { eventually } from '../../support/eventually';
import { notRun } from '../../support/notRun';
import { requireTmux } from '../../support/tmuxServer';

const AGENTS = 4;
/** Longer than everything that the engine does now and then: it compares itself with tmux every 5 s. */
const STEADY_MS = 7_000;

/** Processes that this one starts while `work` runs; `spawnSync`, which src never uses, is not seen. */
async function countSpawns(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({ init: (_, type) => void (type === 'PROCESSWRAP' && count++) });
  hook.enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return count;
}

describe('An owner in steady state', function () {
  this.timeout(120_000);
  let root: string;
  let workspace: string;
  let storage: string;
  let engine: Orchestrator | undefined;

  before(function () {
    requireTmux(this);
    if (process.platform !== 'linux') notRun(this, 'elsewhere than on Linux a process is looked at by running ps');
  });
  beforeEach(async () => {
    root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'steady-')));
    [workspace, storage] = [path.join(root, 'ws'), path.join(root, 'st')];
    fs.mkdirSync(workspace);
    engine = await open();
  });
  afterEach(async () => {
    await engine?.stop();
    engine?.dispose();
    engine = undefined;
    const { socketName } = workspaceNames(await workspaceId(workspace), { storageFolder: storage, env: {} });
    try {
      const env = { ...process.env, TMUX_TMPDIR: root };
      execFileSync('tmux', ['-L', socketName, 'kill-server'], { env, stdio: 'ignore' });
    } catch {
      // none was started
    }
    endLeftovers(root);
    fs.rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  async function open(): Promise<Orchestrator> {
    const clock = new SystemClock();
    const distFolder = await buildBundles();
    const settings = { isTrusted: true, startDeadlineMs: 30_000, restart: DEFAULT_RESTART_SETTINGS };
    const opened = new Orchestrator({
      clock,
      log: silentLogger,
      ids: new UlidIds(() => clock.nowMs(), randomBytes),
      random: Math.random,
      settings: () => ({ ...settings, recoveredFolder: workspace }),
      openWorkspace: () =>
        openLocalWorkspace({
          path: workspace,
          storageFolder: storage,
          runtimeParent: root,
          tmuxPath: 'tmux',
          passEnvironment: [],
          execPath: process.execPath,
          distFolder,
          env: { ...process.env, TMUX_TMPDIR: root },
          clock,
          log: silentLogger,
        }),
    });
    await opened.start();
    return opened;
  }

  it('starts no process while its agents work', async () => {
    const owner = engine;
    assert.ok(owner);
    const views = (): Orchestrator['agents'] => owner.agents;
    const names = Array.from({ length: AGENTS }, (_, index) => `Agent ${index + 1}`);
    const ids: AgentId[] = await Promise.all(
      names.map((name) => owner.startAgent({ name, typeId: 'demo', folder: workspace })),
    );
    await Promise.all(ids.map((id) => owner.sendPrompt(id, 'loop')));
    await eventually('they work', () => views().every(({ activity }) => activity === 'busy'), { timeoutMs: 20_000 });

    const seen = await countSpawns(() => promisify(execFile)('true'));
    assert.equal(seen, 1, 'a process that is started is counted');
    const counted = await countSpawns(() => new Promise((resolve) => setTimeout(resolve, STEADY_MS)));
    assert.equal(counted, 0);
    assert.deepEqual(
      views().map(({ activity }) => activity),
      ids.map(() => 'busy'),
    );
  });
});

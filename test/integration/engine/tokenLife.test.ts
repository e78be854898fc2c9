import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import { DEFAULT_RESTART_SETTINGS } from '../../../src/core/agents/restartBudget';
import { SystemClock } from '../../../src/core/base/clock';
import { UlidIds } from '../../../src/core/base/ids';
import { tokenMac } from '../../../src/core/services/authentication/node/tokenDigest';
import { silentLogger } from '../../../src/core/base/log';
import { openLocalWorkspace, workspaceId, workspaceNames } from '../../../src/core/node/localWorkspace';
import { Orchestrator } from '../../../src/core/orchestrator';
import { GATEWAY_PROTOCOL, type GatewayPointer } from '../../../src/shared/gatewayProtocol';
import { parseSpoolFileName, SPOOL_LIMITS, spoolFileName } from '../../../src/shared/hookSpool';
import { leaveInSpool } from '../../../src/shared/spoolWriter';
import { buildBundles } from '../../support/bundles';
import { endLeftovers } from '../../support/endLeftovers';
import { eventually } from '../../support/eventually';
import { HookingProgram } from '../../support/hookingProgram';
import { requireTmux } from '../../support/tmuxServer';

const HOUR_MS = 3_600_000;

/** The clock of an engine that was opened this much later. */
class LaterClock extends SystemClock {
  constructor(private readonly laterMs: number) {
    super();
  }

  override nowMs(): number {
    return super.nowMs() + this.laterMs;
  }
}

/** A program that tells its prompts and their ends by hooks. */
const HOOKING_TYPE = {
  id: 'hooking',
  label: 'Hooking',
  command: ['{command}'],
  readiness: { when: 'settled', afterMs: 500 },
  hooks: [
    { event: 'Prompt', activity: 'busy', promptPath: '/prompt', sessionIdPath: '/session', says: 'it took a prompt' },
    { event: 'Fail', activity: 'error', says: 'its turn failed' },
  ],
  prompt: { canPaste: true },
};

describe('The tokens of agents when the engine is away', function () {
  this.timeout(120_000);
  let root: string;
  let workspace: string;
  let storage: string;
  let program: HookingProgram;
  let engine: Orchestrator | undefined;
  let pointerFile: string;
  let spool: string;
  let id: AgentId;

  before(function () {
    requireTmux(this);
  });
  beforeEach(async () => {
    root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'token-')));
    [workspace, storage] = [path.join(root, 'ws'), path.join(root, 'st')];
    fs.mkdirSync(workspace);
    program = new HookingProgram(root);
    const { dataFolder } = workspaceNames(await workspaceId(workspace), { storageFolder: storage, env: {} });
    pointerFile = path.join(dataFolder, 'gateway.json');
    spool = path.join(dataFolder, 'spool');
  });
  afterEach(async () => {
    await close();
    const { socketName } = workspaceNames(await workspaceId(workspace), { storageFolder: storage, env: {} });
    try {
      execFileSync('tmux', ['-L', socketName, 'kill-server'], {
        env: { ...process.env, TMUX_TMPDIR: root },
        stdio: 'ignore',
      });
    } catch {
      // none was started
    }
    program.dispose();
    endLeftovers(root);
    fs.rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  const close = async (): Promise<void> => {
    await engine?.stop();
    engine?.dispose();
    engine = undefined;
  };
  const open = async (laterMs = 0): Promise<Orchestrator> => {
    const clock = new LaterClock(laterMs);
    const distFolder = await buildBundles();
    const opened = new Orchestrator({
      clock,
      log: silentLogger,
      ids: new UlidIds(() => clock.nowMs(), randomBytes),
      random: Math.random,
      settings: () => ({
        isTrusted: true,
        startDeadlineMs: 30_000,
        restart: DEFAULT_RESTART_SETTINGS,
        recoveredFolder: workspace,
      }),
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
    opened.registerAgentType({ ...HOOKING_TYPE, command: program.argv });
    engine = opened;
    await opened.start();
    await eventually('the engine is ready', () => opened.status.kind === 'ready', { timeoutMs: 30_000 });
    return opened;
  };
  const start = async (): Promise<void> => {
    id = await (await open()).startAgent({ name: 'worker', typeId: 'hooking', folder: workspace });
  };
  const token = (): string => {
    const { tokenFolder } = JSON.parse(fs.readFileSync(pointerFile, 'utf8')) as GatewayPointer; // the engine's own
    return fs.readFileSync(path.join(tokenFolder, `${id}.1.jwt`), 'utf8').trim();
  };
  const spooled = (): readonly string[] => (fs.existsSync(spool) ? fs.readdirSync(spool) : []);
  const ended = (count: number): Promise<unknown> =>
    eventually(`${count} hooks have ended`, () => program.ended().length >= count, { timeoutMs: 30_000 });
  const hookFact = async () => (await engine?.explain(id))?.signals.find(({ source }) => source === 'hook');

  /** What the gateway says to this token. */
  const hello = (credential: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { socket } = JSON.parse(fs.readFileSync(pointerFile, 'utf8')) as GatewayPointer; // the engine's own
      const params = { protocol: GATEWAY_PROTOCOL, client: 'test', token: credential };
      const connection = net.createConnection(socket, () =>
        connection.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params })}\n`),
      );
      connection.setEncoding('utf8').on('data', (text: string) => {
        connection.destroy();
        resolve(/UNAUTHENTICATED/.test(text) ? 'refused' : 'accepted');
      });
      connection.on('error', reject);
    });

  it('S10 closed for an hour and opened again: hooks wait in the spool, agents call again without a restart', async () => {
    await start();
    program.fire('Prompt', { prompt: 'first', session: 's-1' });
    await ended(1);
    await eventually('the hook was heard', async () => (await hookFact())?.activity === 'busy');
    const old = token();
    const { pid } = engine?.agent(id) ?? {};
    await close();

    const beganMs = Date.now();
    program.fire('Fail', {});
    program.fire('Prompt', { prompt: 'second', session: 's-2' });
    program.fire('Fail', {});
    await ended(4);
    const endedMs = Date.now();
    assert.deepEqual(program.ended(), ['Prompt 0', 'Fail 0', 'Prompt 0', 'Fail 0'], 'no hook ever fails');
    assert.equal(spooled().length, 3);
    const times = spooled().map((name) => parseSpoolFileName(name)?.sentAtMs ?? 0);
    assert.ok(times.every((time) => time >= beganMs && time <= endedMs));

    const reopened = await open(HOUR_MS);
    const view = reopened.agent(id);
    assert.deepEqual([view?.pid, view?.generation, view?.lifecycle], [pid, 1, 'running'], 'the same run');
    await eventually('the spool is empty', () => spooled().length === 0);
    assert.equal((await hookFact())?.activity, 'error', 'the last that happened');
    const fact = (await hookFact())?.observedAtMs ?? 0;
    assert.ok(fact >= beganMs && fact <= endedMs, `at its own time: ${fact - beganMs} ms after the first`);

    await eventually('another token', () => token() !== old);
    assert.equal(await hello(old), 'refused');
    assert.equal(await hello(token()), 'accepted');
    program.fire('Prompt', { prompt: 'third', session: 's-2' });
    await ended(5);
    await eventually('the new hook was heard', async () => (await hookFact())?.activity === 'busy');
    assert.deepEqual(spooled(), []);
  });

  it('S12 a token of the owner before ends when its successor can be read, though its 15 minutes are not over', async () => {
    await start();
    const old = token();
    assert.equal(await hello(old), 'accepted');
    await close();
    await open();
    await eventually('another token', () => token() !== old);
    await eventually('the old one ended', async () => (await hello(old)) === 'refused');
    assert.equal(await hello(token()), 'accepted');
    await engine?.stopAgent(id);
    await eventually(
      'a stop ends its token',
      () => !fs.existsSync(path.join(path.dirname(pointerFile), 'tokens', `${id}.1.jwt`)),
    );
  });

  it('S10 a hook whose token ends on its way is not lost, and the spool is read while the engine runs', async () => {
    await start();
    const old = token();
    await close();
    await open(HOUR_MS);
    await eventually('another token', () => token() !== old);
    const good = token();
    const file = path.join(path.dirname(pointerFile), 'tokens', `${id}.1.jwt`);
    fs.writeFileSync(file, old, { mode: 0o600 });
    program.fire('Prompt', { prompt: 'refused', session: 's-1' }); // refused, and the file holds no other: it is spooled
    await eventually('the engine has read it', async () => (await hookFact())?.activity === 'busy', {
      timeoutMs: 15_000,
    });
    assert.deepEqual([program.ended(), spooled()], [['Prompt 0'], []]);
    assert.equal(await hello(old), 'refused', 'it lets nobody in');
    program.fire('Fail', {}, 1.5); // has read what is in the file, and waits for its payload
    await new Promise((resolve) => setTimeout(resolve, 700));
    fs.writeFileSync(file, good, { mode: 0o600 });
    await ended(2);
    await eventually('it was heard', async () => (await hookFact())?.activity === 'error', { timeoutMs: 15_000 });
    assert.deepEqual(program.ended(), ['Prompt 0', 'Fail 0']);
  });

  it('S11 S12 what is left with a forged token, or with none, is not heard: no agent speaks as another by the spool', async () => {
    await start();
    const good = token();
    const file = path.join(path.dirname(pointerFile), 'tokens', `${id}.1.jwt`);
    fs.writeFileSync(file, `${good.slice(0, -4)}AAAA`, { mode: 0o600 });
    program.fire('Prompt', { prompt: 'forged', session: 's-1' });
    await ended(1);
    const unsigned = JSON.stringify({ format: 1, agentId: id, generation: 1, event: 'Prompt', payload: {}, sentAtMs: Date.now() }); // prettier-ignore
    fs.writeFileSync(path.join(spool, spoolFileName(Date.now(), 'x', unsigned.length)), unsigned, { mode: 0o600 });
    await eventually('the engine has read both', () => spooled().length === 0, { timeoutMs: 15_000 });
    assert.equal(await hookFact(), undefined);
    fs.writeFileSync(file, good, { mode: 0o600 });
    program.fire('Fail');
    await eventually('the agent itself is heard', async () => (await hookFact())?.activity === 'error');
  });

  it('S17 an hour of hooks does not fill the disk: the newest stay', async () => {
    await start();
    await close();
    fs.mkdirSync(spool, { recursive: true, mode: 0o700 });
    for (let index = 0; index < SPOOL_LIMITS.files + 50; index++) {
      const report = { event: 'Prompt', payload: { prompt: `p${index}` }, sentAtMs: index };
      const place = { folder: spool, uid: process.getuid?.(), unique: 'x' };
      leaveInSpool(fs, place, { token: token(), mac: tokenMac }, report);
    }
    program.fire('Fail', {});
    await ended(1);
    assert.equal(spooled().length, SPOOL_LIMITS.files);
    await open(HOUR_MS);
    await eventually('the spool is empty', () => spooled().length === 0, { timeoutMs: 30_000 });
    assert.equal((await hookFact())?.activity, 'error');
  });
});

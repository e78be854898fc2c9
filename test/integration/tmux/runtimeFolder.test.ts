import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import type { AgentExit } from '../../../src/core/agents/agentHost';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { TmuxError } from '../../../src/core/tmux/tmuxErrors';
import { eventually } from '../../support/eventually';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { ToldProgram } from '../../support/toldProgram';

const [a, b] = ['agent-a' as AgentId, 'agent-b' as AgentId];

describe('a runtime folder that vanishes under a running host', function () {
  this.timeout(30_000);
  let server: TmuxTestServer;
  let host: TmuxAgentHost;
  let exits: AgentExit[];
  const programs: ToldProgram[] = [];

  before(function () {
    requireTmux(this);
  });
  beforeEach(async () => {
    server = new TmuxTestServer();
    host = server.host();
    exits = [];
    host.onDidExit((exit) => exits.push(exit));
    await host.start();
  });
  afterEach(() => {
    for (const program of programs.splice(0)) program.dispose();
    server?.dispose();
  });

  const launch = async (agentId: AgentId): Promise<ToldProgram> => {
    const program = new ToldProgram(join(server.folder, 'programs'), agentId);
    programs.push(program);
    const env = { PATH: process.env.PATH ?? '' };
    await host.launch({ agentId, generation: 1, folder: '/', argv: program.argv, env });
    // Its terminal reads what it starts from the folder: only what runs survives that.
    program.tell('print it runs');
    await eventually('it runs', async () => (await host.capture(agentId)).text.includes('it runs'));
    return program;
  };
  const exitOf = (agentId: AgentId) =>
    eventually(`the end of ${agentId}`, () => exits.find((exit) => exit.agentId === agentId), { timeoutMs: 10_000 });

  it('is made again by the next launch; ends are told from it, with code', async () => {
    const first = await launch(a);
    rmSync(server.runtimeDir, { recursive: true });
    const second = await launch(b);
    for (const name of ['exit', 'launch', 'server', 'tmux.conf'])
      assert.ok(existsSync(join(server.runtimeDir, name)), name);
    second.tell('exit 5');
    const exit = await exitOf(b);
    assert.deepEqual([exit.cause, exit.source], [{ code: 5 }, 'exit_file']);
    first.tell('exit 6');
    assert.deepEqual((await exitOf(a)).cause, { code: 6 });
    await host.discard(a);
  });

  it('is made again without a launch, and observers find the server', async () => {
    const observer = server.host({ mode: 'observer' });
    await observer.start();
    assert.equal(observer.status.kind, 'ready');
    const program = await launch(a);
    rmSync(server.runtimeDir, { recursive: true });
    await host.discard(b);
    await eventually('it is there again', () => existsSync(join(server.runtimeDir, 'server')), { timeoutMs: 10_000 });
    await eventually('the observer is back', () => observer.status.kind === 'ready', { timeoutMs: 10_000 });
    const told: AgentExit[] = [];
    observer.onDidExit((exit) => told.push(exit));
    await eventually('it sees the agent', async () => (await observer.list()).length === 1);
    program.tell('exit 7');
    assert.deepEqual([(await exitOf(a)).cause, (await exitOf(a)).source], [{ code: 7 }, 'exit_file']);
    await eventually('the observer is told too', () => told[0]?.cause.code === 7, { timeoutMs: 10_000 });
  });

  it('that cannot be written is a typed error', async () => {
    rmSync(join(server.runtimeDir, 'launch'), { recursive: true });
    writeFileSync(join(server.runtimeDir, 'launch'), '');
    await assert.rejects(launch(a), (error: unknown) => TmuxError.is(error, 'tmux.runtimeFolderUnusable'));
  });

  it('that somebody else made open to others is refused', async () => {
    rmSync(server.runtimeDir, { recursive: true });
    mkdirSync(server.runtimeDir, { mode: 0o755 });
    chmodSync(server.runtimeDir, 0o755);
    await assert.rejects(launch(a), (error: unknown) => TmuxError.is(error, 'tmux.socketFolderUnsafe'));
  });

  it('is not made by a window that only looks', async () => {
    const other = new TmuxTestServer();
    try {
      const observer = other.host({ mode: 'observer' });
      await observer.start();
      assert.equal(observer.status.kind, 'lost');
      assert.equal(existsSync(other.runtimeDir), false);
      const owner = other.host();
      await owner.start();
      await eventually('it sees the server', () => observer.status.kind === 'ready', { timeoutMs: 10_000 });
    } finally {
      other.dispose();
    }
  });
});

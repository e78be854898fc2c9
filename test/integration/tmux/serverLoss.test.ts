import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import type { AgentExit, HostStatus } from '../../../src/core/agents/agentHost';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { TmuxError } from '../../../src/core/tmux/tmuxErrors';
import { eventually } from '../../support/eventually';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { ToldProgram } from '../../support/toldProgram';
import { trials } from '../../support/trials';

const PATH = process.env.PATH ?? '';

describe('loss of the server', function () {
  this.timeout(60_000);
  let server: TmuxTestServer;
  let host: TmuxAgentHost;
  let exits: AgentExit[];
  let statuses: HostStatus['kind'][];

  before(function () {
    requireTmux(this);
  });
  beforeEach(async () => {
    server = new TmuxTestServer();
    host = server.host();
    exits = [];
    statuses = [];
    host.onDidExit((exit) => exits.push(exit));
    host.onDidChangeStatus(({ kind }) => statuses.push(kind));
    await host.start();
    statuses = [];
  });
  afterEach(() => server?.dispose());

  const launch = (agentId: string, argv: readonly string[]) =>
    host.launch({ agentId: agentId as AgentId, generation: 1, folder: '/', argv, env: { PATH } });
  const killServer = (): void => void process.kill(server.serverPid() ?? -1, 'SIGKILL');

  it('R15 is said, repaired, and the agents that died with it are told, cause unknown', async () => {
    for (let round = 0; round < trials(2, 20, 50); round++) {
      statuses = [];
      exits = [];
      const ids = ['x', 'y', 'z'].map((name) => `${name}-${round}` as AgentId);
      for (const agentId of ids) await launch(agentId, ['sleep', '600']);
      killServer();
      await eventually('lost and back', () => statuses.join() === 'lost,ready');
      await eventually('all deaths told', () => exits.length === ids.length);
      assert.deepEqual(
        exits.map(({ agentId, cause, source }) => [agentId, cause, source]).sort(),
        ids.map((agentId) => [agentId, {}, 'process']),
      );
      assert.deepEqual(await host.list(), []);
      for (const agentId of ids) assert.deepEqual(await host.probe(agentId), { kind: 'dead', cause: {} });
    }
    await launch('after', ['sleep', '600']);
    assert.equal((await host.list()).length, 1);
  });

  it('does not call an agent dead that outlives the server, and tells its end later', async () => {
    const program = new ToldProgram(join(server.folder, 'programs'), 'tough');
    const [shell = '', ...rest] = program.argv;
    await launch('tough', [shell, '-c', `trap '' HUP; exec "$@"`, 'sh', shell, ...rest]);
    const agentId = 'tough' as AgentId;
    await eventually('it runs', async () => (await host.list())[0]?.foreground === 'sh');
    program.tell('print runs');
    await eventually('it ignores the hang-up', async () => (await host.capture(agentId)).text.includes('runs'));
    killServer();
    await eventually('lost and back', () => statuses.join() === 'lost,ready');
    assert.deepEqual([await host.probe(agentId), exits, await host.list()], [{ kind: 'alive' }, [], []]);
    program.tell('exit 0');
    const exit = await eventually('its end is told', () => exits[0], { timeoutMs: 15_000 });
    assert.deepEqual([exit.cause, exit.source], [{}, 'process'], 'nobody was left to see its code');
    program.dispose();
  });

  it('is not reported when only a connection breaks: agents are found again', async () => {
    const identity = await launch('stable', ['sleep', '600']);
    const clients = server.tmux('list-clients', '-F', '#{client_pid}').stdout.trim().split('\n').map(Number);
    assert.equal(clients.length, 3, 'three long-lived clients');
    server.tmux('detach-client', '-a', '-s', '_hub');
    server.tmux('detach-client', '-s', '_hub');
    await eventually('lost and back', () => statuses.includes('lost') && host.status.kind === 'ready');
    assert.deepEqual((await host.list())[0]?.process, identity);
    assert.deepEqual(exits, []);
  });

  it('is told from a server that only does not answer: nothing is restarted, and it comes back', async () => {
    await launch('waits', ['sleep', '600']);
    const serverPid = server.serverPid() ?? -1;
    process.kill(serverPid, 'SIGSTOP');
    try {
      await assert.rejects(host.list(), (error) => TmuxError.is(error, 'tmux.timeout'));
      assert.deepEqual([host.status.kind, statuses], ['lost', ['lost']]);
      assert.deepEqual(await host.probe('waits' as AgentId), { kind: 'alive' }, 'its process tells');
    } finally {
      process.kill(serverPid, 'SIGCONT');
    }
    await eventually('back', () => host.status.kind === 'ready', { timeoutMs: 10_000 });
    assert.equal(server.serverPid(), serverPid);
    assert.deepEqual(exits, []);
  });

  it('is not repaired by one who has lost the right to act', async () => {
    server.dispose();
    server = new TmuxTestServer();
    let mayAct = true;
    host = server.host({ fence: () => mayAct });
    await host.start();
    await launch('fenced', ['/bin/cat']);
    mayAct = false;
    const agentId = 'fenced' as AgentId;
    const isFenced = (error: unknown): boolean => TmuxError.is(error, 'tmux.fenced');
    await assert.rejects(launch('other', ['/bin/cat']), isFenced);
    await assert.rejects(host.paste(agentId, 'x'), isFenced);
    await assert.rejects(host.press(agentId, ['Enter']), isFenced);
    await assert.rejects(host.discard(agentId), isFenced);
    assert.equal((await host.list()).length, 1, 'looking is allowed');
    killServer();
    await eventually('refuses to start a server', () => host.status.kind === 'blocked');
    assert.equal(host.status.kind === 'blocked' && host.status.code, 'tmux.fenced');
    assert.equal(server.serverPid(), undefined);
  });

  it('leaves no server behind when nothing runs, and leaves it alone when something does', async () => {
    await launch('short', ['true']);
    await eventually('ended', () => exits.length === 1);
    await host.stop();
    await eventually('the server has ended', () => server.serverPid() === undefined);
    await host.start();
    await launch('long', ['/bin/cat']);
    await host.stop();
    assert.notEqual(server.serverPid(), undefined);
  });
});

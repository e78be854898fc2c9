import assert from 'node:assert/strict';
import { join } from 'node:path';
import { spawn, type IPty } from 'node-pty';
import type { AgentId } from '../../../src/core/agents/agent';
import type { AgentExit } from '../../../src/core/agents/agentHost';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { TmuxError } from '../../../src/core/tmux/tmuxErrors';
import { eventually } from '../../support/eventually';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { ToldProgram } from '../../support/toldProgram';
import { trials } from '../../support/trials';

const a = 'agent-a' as AgentId;
const isUnsized = (error: unknown): boolean => TmuxError.is(error, 'tmux.wouldResize');
const isFenced = (error: unknown): boolean => TmuxError.is(error, 'tmux.fenced');

describe('a second window that only looks', function () {
  this.timeout(30_000);
  let server: TmuxTestServer;
  let observer: TmuxAgentHost;
  let program: ToldProgram;
  let terminals: IPty[];

  before(function () {
    requireTmux(this);
  });
  beforeEach(() => {
    server = new TmuxTestServer();
    observer = server.host({ mode: 'observer' });
    program = new ToldProgram(join(server.folder, 'programs'), 'a');
    terminals = [];
  });
  afterEach(() => {
    for (const terminal of terminals ?? []) terminal.kill();
    program?.dispose();
    server?.dispose();
  });

  const launch = (host: TmuxAgentHost) =>
    host.launch({ agentId: a, generation: 2, folder: '/', argv: program.argv, env: { PATH: process.env.PATH ?? '' } });

  it('waits for a server without starting one, sees agents come, end and go, and changes nothing', async () => {
    const exits: AgentExit[] = [];
    let changes = 0;
    observer.onDidExit((exit) => exits.push(exit));
    observer.onDidChangeHosted(() => changes++);
    await observer.start();
    assert.equal(observer.status.kind, 'lost');
    assert.equal(server.serverPid(), undefined);

    const owner = server.host();
    await owner.start();
    const identity = await launch(owner);
    await eventually('it sees the server', () => observer.status.kind === 'ready', { timeoutMs: 10_000 });
    const [seen] = await eventually('it sees the agent', async () => {
      const listed = await observer.list();
      return listed.length > 0 ? listed : undefined;
    });
    assert.deepEqual(
      [seen?.agentId, seen?.generation, seen?.process, seen?.liveness],
      [a, 2, identity, { kind: 'alive' }],
    );

    for (const work of [launch(observer), observer.paste(a, 'x'), observer.press(a, ['Enter']), observer.discard(a)])
      await assert.rejects(work, isFenced);
    program.tell('print hello');
    await eventually('it can read', async () => (await observer.capture(a)).text.includes('hello'));

    program.tell('exit 6');
    const exit = await eventually('it is told of the end', () => exits[0]);
    assert.deepEqual([exit.agentId, exit.generation, exit.cause], [a, 2, { code: 6 }]);
    changes = 0;
    await owner.discard(a);
    await eventually('it is told that the terminal is gone', () => changes > 0);
    assert.deepEqual(await observer.list(), []);
  });

  it('R18 never brings the server down, whenever it comes', async function () {
    this.timeout(300_000);
    for (let round = 0; round < trials(10, 100, 300); round++) {
      const own = new TmuxTestServer();
      try {
        const [looking, owner] = [own.host({ mode: 'observer' }), own.host()];
        await looking.start();
        await owner.start();
        const pid = own.serverPid();
        for (let i = 0; i < 5; i++) {
          await owner.launch({ agentId: `a-${i}` as AgentId, generation: 1, folder: '/', argv: ['/bin/cat'], env: {} });
        }
        await eventually(
          'it sees all',
          async () => looking.status.kind === 'ready' && (await looking.list()).length === 5,
        );
        assert.equal(own.serverPid(), pid);
      } finally {
        own.dispose();
      }
    }
  });

  it('leaves the server alone when it leaves, and waits again when the owner ends it', async () => {
    const owner = server.host();
    await owner.start();
    await observer.start();
    assert.equal(observer.status.kind, 'ready');
    const other = server.host({ mode: 'observer' });
    await other.start();
    await other.stop();
    assert.notEqual(server.serverPid(), undefined);
    await owner.stop();
    await eventually('lost', () => observer.status.kind === 'lost');
    assert.equal(server.serverPid(), undefined);
    await owner.start();
    await eventually('back', () => observer.status.kind === 'ready', { timeoutMs: 10_000 });
  });

  /** A terminal of 60 × 20 as a window opens it. */
  const open = ({ program: file, args }: { readonly program: string; readonly args: readonly string[] }): IPty => {
    const terminal = spawn(file, [...args], { cols: 60, rows: 20, name: 'xterm-256color', env: server.serverEnv });
    terminals.push(terminal);
    return terminal;
  };
  const size = (): string =>
    server.tmux('list-windows', '-t', `=${a}:`, '-F', '#{window_width}x#{window_height}').stdout.trim();
  const attachedCount = (): number =>
    server.tmux('list-clients', '-t', `=${a}:`).stdout.split('\n').filter(Boolean).length;

  it('opens terminals in which no key arrives and that do not resize, while those of the owner do both', async () => {
    const owner = server.host();
    await owner.start();
    await observer.start();
    await launch(owner);
    await eventually('it sees the agent', async () => (await observer.list()).length === 1);
    const before = size();
    await observer.attachedClients();
    const looking = open(observer.attachCommand(a));
    await eventually('attached', () => attachedCount() === 1);
    looking.write('from the observer\r');
    looking.write('\x02&y'); // kill-window by the prefix key
    assert.equal(size(), before);
    assert.deepEqual([...(await owner.attachedClients())], [], 'an owner attaches anew');
    assert.deepEqual([...(await observer.attachedClients()).keys()], [looking.pid]);
    const typing = open(owner.attachCommand(a));
    await eventually('attached', () => attachedCount() === 2);
    typing.write('from the owner\r');
    await eventually('the owner’s keys arrive', () => program.input().includes('from the owner'));
    assert.equal(program.input(), 'from the owner\n');
    assert.match(size(), /^60x/);
  });

  it('opens no terminal that would resize an agent because nobody keeps its size', async () => {
    const owner = server.host();
    await owner.start();
    await launch(owner);
    await observer.start();
    await eventually('it sees the agent', async () => (await observer.list()).length === 1);
    assert.throws(() => observer.attachCommand(a), isUnsized, 'never asked');
    await observer.attachedClients();
    const safe = observer.attachCommand(a);
    await owner.stop();
    await observer.attachedClients();
    assert.throws(() => observer.attachCommand(a), isUnsized);
    const before = size();
    open(safe);
    await eventually('would be caught: the same terminal now resizes', () => size() !== before);
    await observer.attachedClients();
    assert.throws(() => observer.attachCommand(a), isUnsized, 'a terminal that ignores sizes keeps none');
  });
});

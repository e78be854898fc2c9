import { strict as assert } from 'node:assert';
import { spawn } from 'node-pty';
import type { AgentId } from '../../../src/core/agents/agent';
import { silentLogger } from '../../../src/core/base/log';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { openTmuxMirror, type TmuxMirror } from '../../../src/vscode/terminals/tmuxMirror';
import { eventually } from '../../support/eventually';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';

const AGENT = 'agent' as AgentId;
const SIZE = '120x40';

describe('the drawn mirror on real tmux', () => {
  let server: TmuxTestServer;
  let host: TmuxAgentHost;
  let mirror: TmuxMirror | undefined;
  let shown: string;
  let ends: number;

  before(function () {
    requireTmux(this);
  });

  beforeEach(async () => {
    server = new TmuxTestServer();
    host = server.host(); // the engine: its control clients are what makes ignore-size count
    await host.start();
    await host.launch({
      agentId: AGENT,
      generation: 1,
      folder: '/',
      argv: ['/bin/cat'],
      env: {},
      columns: 120,
      rows: 40,
    });
    [shown, ends] = ['', 0];
  });

  afterEach(() => {
    mirror?.dispose();
    mirror = undefined;
    host.dispose();
    server.dispose();
  });

  const attach = () => host.attachCommand(AGENT);
  const open = async (columns: number, rows: number): Promise<TmuxMirror> => {
    const sink = { onData: (data: string) => (shown += data), onEnd: () => ends++ };
    mirror = await openTmuxMirror(attach(), { columns, rows }, silentLogger, sink);
    assert.ok(mirror, 'node-pty is there');
    return mirror;
  };
  const size = (): string =>
    server.tmux('list-windows', '-t', `=${AGENT}:`, '-F', '#{window_width}x#{window_height}').stdout.trim();
  const clients = (): readonly string[] =>
    server.tmux('list-clients', '-t', `=${AGENT}:`, '-F', '#{client_flags}').stdout.split('\n').filter(Boolean);
  const drawn = () => eventually('the mirror has drawn', () => clients().length === 1 && shown.length > 0);

  it('shows the screen and never resizes the agent, whatever its own size', async () => {
    const opened = await open(80, 24);
    server.tmux('send-keys', '-t', `=${AGENT}:`, '-l', 'visible in the mirror');
    await eventually('the text is mirrored', () => shown.includes('visible in the mirror'));
    assert.equal(size(), SIZE);
    for (const [columns, rows] of [
      [200, 60],
      [20, 5],
      [1, 1],
      [120, 41],
    ] as const) {
      opened.resize({ columns, rows });
      await eventually('tmux knows the new size', () =>
        server
          .tmux('list-clients', '-F', '#{client_width}')
          .stdout.split('\n')
          .includes(String(Math.max(2, columns))),
      );
      assert.equal(size(), SIZE, `mirror of ${columns}x${rows}`);
    }
    opened.dispose();
    await eventually('its client is gone', () => clients().length === 0);
    assert.equal(size(), SIZE);
  });

  it('is read-only for tmux too', async () => {
    await open(80, 24);
    await drawn();
    assert.equal(clients().length, 1);
    assert.ok(
      clients().every((flags) => flags.includes('read-only')),
      clients().join(' '),
    );
  });

  it('lets a person who attaches decide the size, and keeps it afterwards', async () => {
    await open(80, 24);
    await drawn();
    const { program, args } = attach();
    const person = spawn(program, [...args], { cols: 100, rows: 30, name: 'xterm-256color', env: server.serverEnv });
    const chosen = await eventually('the size of the person', () => (size() === SIZE ? undefined : size()));
    assert.match(chosen, /^100x/);
    person.kill();
    await eventually('the person left', () => clients().length === 1);
    assert.equal(size(), chosen);
    mirror?.dispose();
    await eventually('all left', () => clients().length === 0);
    assert.equal(size(), chosen);
  });

  it('tells once that the agent’s terminal is gone', async () => {
    await open(80, 24);
    await drawn();
    server.tmux('kill-window', '-t', `=${AGENT}:`);
    await eventually('the end', () => ends > 0);
    mirror?.dispose();
    assert.equal(ends, 1);
  });
});

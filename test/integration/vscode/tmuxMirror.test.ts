import { strict as assert } from 'node:assert';
import { spawn } from 'node-pty';
import { silentLogger } from '../../../src/core/base/log';
import { openTmuxMirror, type TmuxMirror } from '../../../src/vscode/terminals/tmuxMirror';
import { eventually } from '../../support/eventually';
import { installedTmux, requireTmux, TmuxTestServer } from '../../support/tmuxServer';

const SIZE = '120x40';

describe('the drawn mirror on real tmux', () => {
  let server: TmuxTestServer;
  let mirror: TmuxMirror | undefined;
  let shown: string;
  let ends: number;

  before(function () {
    requireTmux(this);
  });

  beforeEach(() => {
    server = new TmuxTestServer();
    server.tmux('new-session', '-d', '-s', 'agent', '-x', '120', '-y', '40', '/bin/cat');
    server.tmux('set-option', '-g', 'window-size', 'latest');
    [shown, ends] = ['', 0];
  });

  afterEach(() => {
    mirror?.dispose();
    mirror = undefined;
    server.dispose();
  });

  const attach = () => ({
    program: installedTmux() ?? 'tmux',
    args: ['-u', '-L', server.socketName, 'attach-session', '-t', '=agent'],
  });
  const open = async (columns: number, rows: number): Promise<TmuxMirror> => {
    const sink = { onData: (data: string) => (shown += data), onEnd: () => ends++ };
    mirror = await openTmuxMirror(attach(), { columns, rows }, silentLogger, sink);
    assert.ok(mirror, 'node-pty and the keeper are there');
    return mirror;
  };
  const size = (): string => server.tmux('list-windows', '-a', '-F', '#{window_width}x#{window_height}').stdout.trim();
  const clients = (): readonly string[] =>
    server.tmux('list-clients', '-F', '#{client_flags}').stdout.split('\n').filter(Boolean);
  const drawn = () => eventually('the mirror has drawn', () => clients().length === 2 && shown.length > 0);

  it('shows the screen and never resizes the agent, whatever its own size', async () => {
    const opened = await open(80, 24);
    server.tmux('send-keys', '-t', '=agent:', '-l', 'visible in the mirror');
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
    await eventually('both clients are gone', () => clients().length === 0);
    assert.equal(size(), SIZE);
  });

  it('is read-only for tmux too', async () => {
    await open(80, 24);
    await drawn();
    assert.ok(
      clients().every((flags) => flags.includes('read-only')),
      clients().join(' '),
    );
  });

  it('lets a person who attaches decide the size, and keeps it afterwards', async () => {
    await open(80, 24);
    await drawn();
    const { program, args } = attach();
    const person = spawn(program, args, { cols: 100, rows: 30, name: 'xterm-256color', env: server.serverEnv });
    const chosen = await eventually('the size of the person', () => (size() === SIZE ? undefined : size()));
    assert.match(chosen, /^100x/);
    person.kill();
    await eventually('the person left', () => clients().length === 2);
    assert.equal(size(), chosen);
    mirror?.dispose();
    await eventually('all left', () => clients().length === 0);
    assert.equal(size(), chosen);
  });

  it('tells once that the agent’s terminal is gone', async () => {
    await open(80, 24);
    await drawn();
    server.tmux('kill-session', '-t', '=agent');
    await eventually('the end', () => ends > 0);
    mirror?.dispose();
    assert.equal(ends, 1);
  });

  it('is not there for an agent that is not there', async () => {
    const sink = { onData: () => {}, onEnd: () => {} };
    const args = ['-u', '-L', server.socketName, 'attach-session', '-t', '=nobody'];
    assert.equal(
      await openTmuxMirror({ program: attach().program, args }, { columns: 80, rows: 24 }, silentLogger, sink),
      undefined,
    );
  });
});

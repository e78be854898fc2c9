import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import { eventually } from '../../support/eventually';
import { installedTmux, requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { sizedMs, trials } from '../../support/trials';

/** Each fires in the life of a session, window, pane or client of the server that has them; none at a question below. */
const HOOKS = [
  'after-new-session',
  'after-kill-pane',
  'after-send-keys',
  'after-set-buffer',
  'after-set-option',
  'after-paste-buffer',
  'client-attached',
  'client-detached',
  'client-session-changed',
  'session-created',
  'session-closed',
  'session-renamed',
  'window-linked',
  'window-unlinked',
  'pane-exited',
  'pane-died',
];

/** Everything that a server has; what a hook or an action of ours would change shows in one of these. */
const QUESTIONS: readonly (readonly string[])[] = [
  ['list-sessions', '-F', '#{session_id} #{session_name} #{session_created} #{session_activity} #{session_attached}'],
  ['list-panes', '-a', '-F', '#{pane_id} #{pane_pid} #{pane_width}x#{pane_height} #{pane_dead} #{pane_in_mode}'],
  ['list-clients', '-F', '#{client_pid}'],
  ['list-buffers', '-F', '#{buffer_name} #{buffer_created} #{buffer_sample}'],
  ['show-options', '-s'],
  ['show-options', '-g'],
  ['show-options', '-gw'],
  ['show-hooks', '-g'],
  ['show-environment', '-g'],
  ['list-keys'],
  ['capture-pane', '-p', '-t', '=mine:'],
];

describe('the tmux server of a person beside ours', function () {
  this.timeout(sizedMs(60_000, 600_000, 1_800_000));

  before(function () {
    requireTmux(this);
  });

  it('S21 is neither read nor changed, and none of its hooks runs, whatever we do in ours', async () => {
    const rounds = trials(1, 20, 60);
    for (let round = 0; round < rounds; round++) await besideOurs();
  });

  /** As it is when VS Code was started inside the person's tmux: same home, same folder of sockets, TMUX set. */
  async function besideOurs(): Promise<void> {
    const places = new TmuxTestServer();
    const sockets = join(places.folder, 'sockets');
    mkdirSync(sockets, { mode: 0o700 });
    const env = { ...places.serverEnv, TMUX_TMPDIR: sockets };
    const user = (...args: readonly string[]): string => {
      const { status, stdout, stderr } = spawnSync(installedTmux() ?? '', args, { env, encoding: 'utf8' });
      assert.equal(status, 0, `tmux ${args.join(' ')}: ${stderr}`);
      return stdout;
    };
    const canaries = (): readonly string[] => readdirSync(places.folder).filter((name) => name.startsWith('canary'));
    const read = join(places.folder, 'configuration-was-read');
    const timesRead = (): number => readFileSync(read, 'utf8').split('\n').length - 1;
    try {
      user('new-session', '-d', '-s', 'mine', '-x', '80', '-y', '24', 'cat');
      user('set-buffer', '-b', 'mine', 'a text of mine');
      user('bind-key', 'F5', 'display-message', 'mine');
      const [socket, pid] = user('display-message', '-p', '#{socket_path}\t#{pid}').trim().split('\t');
      // From here on, everything is a canary; the configuration says so to whoever reads it.
      const conf = [
        `run-shell 'echo read >> ${read}'`,
        `set -g default-command 'touch ${places.folder}/canary-command; exec cat'`,
        `set -g status-right '#(touch ${places.folder}/canary-status)'`,
        ...HOOKS.map((name) => `set-hook -g ${name} "run-shell -b 'touch ${places.folder}/canary-${name}'"`),
      ];
      writeFileSync(join(places.folder, '.tmux.conf'), conf.join('\n'));
      user('source-file', join(places.folder, '.tmux.conf'));
      await eventually('it was read', () => existsSync(read) && timesRead() === 1);
      const state = (): readonly string[] => QUESTIONS.map((question) => user(...question));
      const before = state();
      await act({ TMUX_TMPDIR: sockets, TMUX: `${socket},${pid},0`, TMUX_PANE: '%0', HOME: places.folder });
      assert.deepEqual(state(), before);
      assert.equal(timesRead(), 1, 'the configuration was read');
      assert.deepEqual(canaries(), [], 'something of the person ran');
      assert.equal(user('show-buffer', '-b', 'mine'), 'a text of mine');
      // The canaries do sing: one session more, and there they are.
      user('new-session', '-d', '-s', 'other');
      await eventually('the canaries', () =>
        ['canary-session-created', 'canary-command'].every((name) => canaries().includes(name)),
      );
    } finally {
      spawnSync(installedTmux() ?? '', ['kill-server'], { env });
      await eventually('the last canary has been written', () => isRemoved(places)); // hooks run on after their server
    }
  }

  function isRemoved(places: TmuxTestServer): boolean {
    try {
      places.dispose();
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
      return false;
    }
  }

  /** What a day brings: agents come, are looked at, typed into, watched, attached to and go. */
  async function act(env: Readonly<Record<string, string>>): Promise<void> {
    const ours = new TmuxTestServer(env);
    try {
      const host = ours.host();
      const ended = new Set<string>();
      host.onDidExit(({ agentId }) => void ended.add(agentId));
      await host.start();
      const [a, b] = ['mine', 'b'] as [string, string] as [AgentId, AgentId]; // one has the name of the person's session
      const launch = { generation: 1, folder: '/', env: { PATH: process.env.PATH ?? '' } };
      await host.launch({ ...launch, agentId: a, argv: ['/bin/cat'] });
      await host.launch({ ...launch, agentId: b, argv: ['/bin/sh', '-c', 'exit 3'] });
      await eventually('one has ended', () => ended.has(b));
      let mirrored = '';
      const mirror = host.mirror(a, { onData: (data) => (mirrored += data), onSize: () => {}, onEnd: () => {} });
      await host.paste(a, 'for our agent only');
      await host.press(a, ['Enter']);
      await host.pressIf(a, ['Enter'], () => true);
      await eventually('it is on the screen', async () => (await host.capture(a)).text.includes('for our agent only'));
      await eventually('it is in the mirror', () => mirrored.includes('for our agent only'));
      await host.leaveCopyMode(a);
      assert.deepEqual((await host.list()).map(({ agentId }) => agentId).sort(), [b, a].sort());
      const { program, args } = host.attachCommand(a);
      const { TMUX: _, ...terminalEnv } = ours.serverEnv; // tmux attaches nowhere from inside tmux
      const command = [program, ...args].map((arg) => `'${arg}'`).join(' ');
      const inTerminal =
        process.platform === 'linux' ? ['-qec', command, '/dev/null'] : ['-q', '/dev/null', program, ...args];
      const person = spawn('script', inTerminal, {
        env: { ...terminalEnv, TERM: 'xterm' },
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      await eventually('somebody is attached', async () => (await host.attachedClients()).size === 1);
      ours.tmux('detach-client', '-s', '=mine:');
      person.kill();
      mirror.dispose();
      await host.discard(a);
      await host.discard(b);
      await host.stop();
    } finally {
      ours.dispose();
    }
  }
});

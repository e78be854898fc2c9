import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import type { HostStatus } from '../../../src/core/agents/agentHost';
import { eventually } from '../../support/eventually';
import { notRun } from '../../support/notRun';
import { installedTmux, requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { trials } from '../../support/trials';

const uid = process.getuid?.() ?? 0;

describe('set-up of tmux', () => {
  let servers: TmuxTestServer[];

  before(function () {
    requireTmux(this);
  });
  beforeEach(() => (servers = []));
  afterEach(() => servers.reverse().forEach((server) => server.dispose()));

  const newServer = (env: Readonly<Record<string, string>> = {}): TmuxTestServer => {
    const server = new TmuxTestServer(env);
    servers.push(server);
    return server;
  };
  const blockedCode = (status: HostStatus): string => (status.kind === 'blocked' ? status.code : status.kind);
  const detailOf = (status: HostStatus): string => (status.kind === 'blocked' ? status.detail : '');
  const writeProgram = (path: string, text: string): string => {
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
    return path;
  };

  it('says what a tmux said that tells its version and cannot be started', async () => {
    const server = newServer();
    const says = `case "$1" in -V) echo "tmux 3.4";; *) echo "cannot load libevent: no such file" >&2; exit 1;; esac`;
    const host = server.host({ program: writeProgram(join(server.folder, 'broken'), says) });
    await host.start();
    assert.deepEqual(host.status, { kind: 'lost', reason: 'cannot load libevent: no such file' });
  });

  it('S21 reads no configuration of the user', async function () {
    this.timeout(60_000);
    for (let round = 0; round < trials(2, 20, 60); round++) {
      const server = newServer();
      const canary = join(server.folder, 'canary');
      const conf = ['run-shell', 'session-created', 'after-new-session', 'client-attached', 'pane-died']
        .map((name) =>
          name === 'run-shell'
            ? `run-shell 'touch ${canary}-${name}'`
            : `set-hook -g ${name} "run-shell 'touch ${canary}-${name}'"`,
        )
        .join('\n');
      const hostile = `${conf}\nset -g default-command 'touch ${canary}-command'\nset -g default-shell /bin/false\n`;
      mkdirSync(join(server.folder, '.config', 'tmux'), { recursive: true });
      for (const path of ['.tmux.conf', '.config/tmux/tmux.conf']) writeFileSync(join(server.folder, path), hostile);
      const env = { ...server.serverEnv, XDG_CONFIG_HOME: join(server.folder, '.config') };
      const host = server.host({ serverEnv: env });
      await host.start();
      let ended = 0;
      host.onDidExit(() => ended++);
      await host.launch({
        agentId: 'a' as AgentId,
        generation: 1,
        folder: '/',
        argv: ['/bin/sh', '-c', 'echo ok'],
        env: {},
      });
      await eventually('it ran', () => ended === 1);
      assert.deepEqual(
        readdirSync(server.folder).filter((name) => name.startsWith('canary')),
        [],
      );
    }
  });

  it('S21 would notice: a tmux that reads the same configuration is caught', async () => {
    const server = newServer();
    const canary = join(server.folder, 'canary');
    writeFileSync(join(server.folder, '.tmux.conf'), `run-shell 'touch ${canary}'\n`);
    spawnSync(installedTmux() ?? 'tmux', ['-L', server.socketName, 'new-session', '-d', '/bin/cat'], {
      env: server.serverEnv,
    });
    await eventually('the canary', () => existsSync(canary));
  });

  it('says that tmux is missing', async () => {
    const server = newServer();
    const host = server.host({ program: undefined, serverEnv: { ...server.serverEnv, PATH: '/nonexistent' } });
    await host.start();
    assert.equal(blockedCode(host.status), 'tmux.notInstalled');
    const wrong = server.host({ program: join(server.folder, 'no-tmux') });
    await wrong.start();
    assert.equal(blockedCode(wrong.status), 'tmux.notInstalled');
  });

  it('says that a program is no tmux, or too old a one', async () => {
    const server = newServer();
    const old = server.host({ program: writeProgram(join(server.folder, 'old'), 'echo tmux 3.1c') });
    await old.start();
    assert.equal(blockedCode(old.status), 'tmux.tooOld');
    const other = server.host({ program: writeProgram(join(server.folder, 'other'), 'exit 3') });
    await other.start();
    assert.equal(blockedCode(other.status), 'tmux.notInstalled');
  });

  it('S8 refuses a socket folder that is open to others, and works once that is mended', async () => {
    const server = newServer();
    const folder = join(server.folder, 'sockets');
    mkdirSync(join(folder, `tmux-${uid}`), { recursive: true, mode: 0o755 });
    chmodSync(join(folder, `tmux-${uid}`), 0o755);
    const own = newServer({ TMUX_TMPDIR: folder });
    const host = own.host();
    await host.start();
    assert.equal(blockedCode(host.status), 'tmux.socketFolderUnsafe');
    assert.match(detailOf(host.status), new RegExp(`chmod 700 ${join(folder, `tmux-${uid}`)}$`));
    chmodSync(join(folder, `tmux-${uid}`), 0o700);
    await host.start();
    assert.equal(host.status.kind, 'ready');
  });

  it('S8 refuses a socket folder of another user', async function () {
    if (uid !== 0) notRun(this, 'only root can give a folder away');
    const server = newServer();
    const folder = join(server.folder, 'sockets');
    mkdirSync(join(folder, 'tmux-0'), { recursive: true, mode: 0o700 });
    chownSync(join(folder, 'tmux-0'), 65534, 65534);
    const host = newServer({ TMUX_TMPDIR: folder }).host();
    await host.start();
    assert.equal(blockedCode(host.status), 'tmux.socketFolderUnsafe');
  });

  it('S8 refuses a runtime folder that is a link or open to others, and makes its own private', async () => {
    const server = newServer();
    const open = join(server.folder, 'open');
    mkdirSync(open, { mode: 0o755 });
    chmodSync(open, 0o755);
    const link = join(server.folder, 'link');
    symlinkSync(server.folder, link);
    for (const runtimeDir of [open, link]) {
      const host = server.host({ runtimeDir });
      await host.start();
      assert.equal(blockedCode(host.status), 'tmux.socketFolderUnsafe', runtimeDir);
    }
    const host = server.host();
    await host.start();
    for (const path of [server.runtimeDir, join(server.runtimeDir, 'exit'), join(server.runtimeDir, 'launch')])
      assert.equal(statSync(path).mode & 0o777, 0o700);
    await host.launch({
      agentId: 'a' as AgentId,
      generation: 1,
      folder: '/',
      argv: ['/bin/cat'],
      env: { KEY: 'secret' },
      files: { 'a.json': '1', 'deep/b': '2' },
    });
    const folder = join(server.runtimeDir, 'launch', 'a.1');
    const modes = ['', 'launch.sh', 'a.json', 'deep', 'deep/b'].map(
      (path) => statSync(join(folder, path)).mode & 0o777,
    );
    assert.deepEqual(modes, [0o700, 0o600, 0o600, 0o700, 0o600]);
    await host.discard('a' as AgentId);
    const alone = { agentId: 'b' as AgentId, generation: 1, folder: '/', argv: ['/bin/cat'], env: { KEY: 'secret' } };
    const script = join(server.runtimeDir, 'launch', 'b.1');
    symlinkSync('/etc/passwd', script); // left by somebody: replaced, not followed
    await host.launch(alone);
    const file = lstatSync(script);
    assert.deepEqual([file.isFile(), file.mode & 0o777], [true, 0o600]);
    await host.discard('b' as AgentId);
    assert.deepEqual(readdirSync(join(server.runtimeDir, 'launch')), []);
  });

  it('applies every option of ours to the server', async () => {
    const server = newServer();
    await server.host().start();
    const value = (scope: string, name: string): string => server.tmux('show-options', scope, '-v', name).stdout.trim();
    assert.deepEqual(
      [
        value('-s', 'exit-empty'),
        value('-s', 'set-clipboard'),
        value('-g', 'history-limit'),
        value('-g', 'mouse'),
        value('-g', 'update-environment'),
        value('-gw', 'remain-on-exit'),
        value('-gw', 'automatic-rename'),
        value('-gw', 'allow-rename'),
        value('-gw', 'allow-passthrough'),
        value('-gw', 'window-size'),
        value('-g', 'set-titles'),
      ],
      ['off', 'off', '50000', 'on', '', 'on', 'off', 'off', 'off', 'latest', 'off'],
    );
    assert.deepEqual(
      server
        .tmux('show-environment', '-g')
        .stdout.trim()
        .split('\n')
        .map((line) => line.split('=')[0])
        .sort(),
      ['HOME', 'LANG', 'PATH'],
    );
  });
});

import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Context } from 'mocha';
import { SystemClock } from '../../src/core/base/clock';
import { silentLogger } from '../../src/core/base/log';
import { TmuxAgentHost, type TmuxAgentHostOptions } from '../../src/core/tmux/node/tmuxAgentHost';
import { notRun } from './notRun';

/** The tmux of the tests: `CORE_TMUX`, else the first on this machine's PATH; undefined when there is none. */
export function installedTmux(): string | undefined {
  const chosen = process.env.CORE_TMUX;
  if (chosen) {
    // Never another one in its place: the run would prove nothing about the one that was asked for.
    if (!isAbsolute(chosen) || !isExecutable(chosen))
      throw new Error(`CORE_TMUX is no absolute path of a program: ${chosen}`);
    return chosen;
  }
  const candidates = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'tmux'));
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there: the next folder
  }
}

/** Skips the running test visibly where tmux is missing. */
export function requireTmux(context: Context): void {
  if (!installedTmux()) notRun(context, 'tmux is not installed');
}

/** A private tmux server name, a runtime folder and an environment; `dispose` ends the server with everything in it. */
export class TmuxTestServer {
  readonly socketName = `test-${randomBytes(6).toString('hex')}`;
  /** Everything of this server is in here; removed by `dispose`. */
  readonly folder = mkdtempSync(join(tmpdir(), 'core-tmux-'));
  readonly runtimeDir = join(this.folder, 'run');
  readonly serverEnv: Readonly<Record<string, string>>;
  readonly #hosts: TmuxAgentHost[] = [];

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.serverEnv = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: this.folder, LANG: 'C.UTF-8', ...env };
  }

  /** A host on this server; stopped hard by `dispose`. */
  host(options: Partial<TmuxAgentHostOptions> = {}): TmuxAgentHost {
    const host = new TmuxAgentHost({
      ...(process.env.CORE_TMUX ? { program: installedTmux() } : {}), // else it looks along the PATH, as the product does
      socketName: this.socketName,
      runtimeDir: this.runtimeDir,
      clock: new SystemClock(),
      log: process.env.CORE_TEST_LOG ? consoleLogger : silentLogger,
      serverEnv: this.serverEnv,
      mode: 'owner',
      ...options,
    });
    this.#hosts.push(host);
    return host;
  }

  /** One tmux command by a process of its own, as a person would run it. */
  tmux(...args: readonly string[]): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
    const result = spawnSync(installedTmux() ?? 'tmux', ['-u', '-L', this.socketName, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: this.serverEnv,
    });
    return { code: result.status, stdout: result.stdout, stderr: result.stderr };
  }

  /** Process id of the server; undefined when none runs. */
  serverPid(): number | undefined {
    const { code, stdout } = this.tmux('-N', 'display-message', '-p', '#{pid}');
    return code === 0 ? Number(stdout) : undefined;
  }

  /** A control client of a person: attaches to a session until `dispose`. */
  attachControlClient(session: string): { readonly pid: number; dispose(): void } {
    const child = spawn(
      installedTmux() ?? 'tmux',
      ['-L', this.socketName, '-C', 'attach-session', '-t', `=${session}:`],
      {
        env: this.serverEnv,
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    );
    return { pid: child.pid ?? 0, dispose: () => void child.stdin.end() };
  }

  dispose(): void {
    const pids = this.tmux('list-panes', '-a', '-F', '#{pane_pid}').stdout.split('\n').map(Number);
    for (const host of this.#hosts) host.dispose();
    this.tmux('kill-server');
    for (const pid of pids) killGroup(pid);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    rmSync(join(this.serverEnv.TMUX_TMPDIR ?? '/tmp', `tmux-${process.getuid?.() ?? 0}`, this.socketName), {
      force: true,
    });
  }
}

/** Ends a process group that the test has started and that may be gone. */
function killGroup(pid: number): void {
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // gone: that is what we want
  }
}

const print =
  (level: string) =>
  (message: string, fields?: object): void =>
    void process.stderr.write(
      `${level} ${message} ${fields ? JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? String(value) : value)) : ''}\n`,
    );
const consoleLogger = {
  trace: print('trace'),
  debug: print('debug'),
  info: print('info'),
  warn: print('warn'),
  error: print('error'),
};

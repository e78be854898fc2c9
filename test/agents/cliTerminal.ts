import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CLI_FOLDER, type CliHome, type CliSetup } from './cliSetup';

const run = promisify(execFile);

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** What a terminal shows at one moment. */
export interface Shown {
  readonly lines: readonly string[];
  readonly title: string;
  readonly foreground: string;
  readonly cursor: { readonly x: number; readonly y: number };
  readonly isInCopyMode: boolean;
  readonly isDead: boolean;
  readonly size: TerminalSize;
}

const SEPARATOR = '|:|';
const FORMAT = [
  '#{pane_title}',
  '#{pane_current_command}',
  '#{cursor_x}',
  '#{cursor_y}',
  '#{pane_in_mode}',
  '#{pane_dead}',
  '#{pane_width}',
  '#{pane_height}',
].join(SEPARATOR);

/** A real program alone in a tmux server of its own, without the product: for recordings. */
export class CliTerminal {
  readonly #socket = `test-${randomBytes(6).toString('hex')}`;
  #pid = 0;

  constructor(
    private readonly home: CliHome,
    readonly size: TerminalSize,
  ) {}

  async start(setup: CliSetup): Promise<void> {
    const conf = join(this.home.folder, `${this.#socket}.conf`);
    writeFileSync(
      conf,
      'set -g remain-on-exit on\nset -g default-terminal "tmux-256color"\nset -s escape-time 0\nset -g status off\n',
    );
    const env = {
      PATH: `${CLI_FOLDER}:${process.env.PATH ?? '/usr/bin:/bin'}`,
      LANG: 'C.UTF-8',
      COLORTERM: 'truecolor',
      SHELL: '/bin/bash',
      ...setup.env,
    };
    const { columns, rows } = this.size;
    const size = ['-x', String(columns), '-y', String(rows)];
    const where = ['-s', 'cli', '-c', this.home.workspace];
    const command = [setup.cli, ...setup.bareArgs, ...setup.args];
    await run('tmux', ['-u', '-L', this.#socket, '-f', conf, 'new-session', '-d', ...where, ...size, ...command], {
      env,
    });
    this.#pid = Number(await this.tmux('display-message', '-p', '-t', '=cli:', '#{pane_pid}'));
  }

  async tmux(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('tmux', ['-u', '-L', this.#socket, ...args], { maxBuffer: 1 << 24 });
    return stdout.replace(/\n$/, '');
  }

  async keys(...keys: readonly string[]): Promise<void> {
    await this.tmux('send-keys', '-t', '=cli:', ...keys);
  }

  /** Types as a person does: without marks around it. */
  async type(text: string): Promise<void> {
    await this.tmux('send-keys', '-t', '=cli:', '-l', '--', text);
  }

  /** Pastes with bracketed-paste marks. */
  async paste(text: string): Promise<void> {
    const child = spawn('tmux', ['-L', this.#socket, 'load-buffer', '-b', 'paste', '-'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.end(text);
    await new Promise((resolve) => child.once('exit', resolve));
    await this.tmux('paste-buffer', '-d', '-p', '-r', '-b', 'paste', '-t', '=cli:');
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.tmux('resize-window', '-t', '=cli:', '-x', String(columns), '-y', String(rows));
  }

  /** Text and circumstances of the same instant: asked in one command. */
  async look(): Promise<Shown> {
    const both = await this.tmux(
      'display-message', '-p', '-t', '=cli:', FORMAT, ';', 'capture-pane', '-p', '-t', '=cli:',
    ); // prettier-ignore
    const [head = '', ...lines] = both.split('\n');
    const [title = '', foreground = '', x, y, inMode, dead, width, height] = head.split(SEPARATOR);
    while (lines.at(-1)?.trim() === '') lines.pop();
    return {
      lines: lines.map((line) => line.trimEnd()),
      title,
      foreground,
      cursor: { x: Number(x), y: Number(y) },
      isInCopyMode: inMode !== '0' && inMode !== '',
      isDead: dead === '1',
      size: { columns: Number(width), rows: Number(height) },
    };
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** Ends the server and every process that the program started. */
  async end(): Promise<void> {
    const pids = this.#pid > 0 ? processTree(this.#pid) : [];
    await this.tmux('kill-server').catch(() => undefined); // gone already: what we want
    for (const pid of pids) killOne(pid);
    rmSync(join('/tmp', `tmux-${process.getuid?.() ?? 0}`, this.#socket), { force: true });
  }
}

/** A process and all that descend from it, children of every thread included (Linux). */
export function processTree(pid: number): readonly number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
    );
    return [pid, ...children.flatMap(processTree)];
  } catch {
    return [pid]; // gone, or going
  }
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone: that is what we want
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describeError } from '../../base/errors';
import { ignore, type Logger } from '../../base/log';
import { type BaseEnvironment, type Environment, inheritedEnvironment } from '../environment';

export interface LoginShellOptions {
  /** Absolute path of the user's shell. */
  readonly shell: string;
  /** Node, or what runs as Node with ELECTRON_RUN_AS_NODE=1. */
  readonly execPath: string;
  readonly process: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** Default 10 s: profiles that start version managers take seconds. */
  readonly timeoutMs?: number;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly nowMs?: () => number;
}

/** A failure is not for ever – the machine was busy, the profile gets mended – but a profile that hangs must not delay every start. */
const RETRY_MS = 60_000;

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Runs inside the shell. A constant: what varies comes through the environment, in a form that POSIX shells, fish and csh expand alike. */
const SHELL_COMMAND = '"$CORE_ENV_NODE" -e "$CORE_ENV_SCRIPT"';
const SCRIPT =
  'const m=process.env.CORE_ENV_MARK;delete process.env.CORE_ENV_MARK;process.stdout.write(m+JSON.stringify(process.env)+m)';

/**
 * What the user's login shell exports: asked until it answered once (at most once a minute), asynchronously, in a session of its own without a terminal, starting from the
 * allow-listed part of our environment. The answer is found between two random marks, whatever the profile prints.
 */
export class LoginShellEnvironment implements BaseEnvironment {
  #answer: Promise<{ readonly loginShell: Environment | undefined; readonly reason?: string }> | undefined;
  #failedAtMs: number | undefined;
  #lastFailure: string | undefined;

  constructor(private readonly options: LoginShellOptions) {}

  async read(signal?: AbortSignal): Promise<Awaited<ReturnType<BaseEnvironment['read']>>> {
    if (this.#failedAtMs !== undefined && this.#nowMs() - this.#failedAtMs >= RETRY_MS) this.#answer = undefined;
    this.#answer ??= this.#ask();
    signal?.throwIfAborted();
    return { process: this.options.process, ...(await this.#answer) };
  }

  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  #nowMs(): number {
    return (this.options.nowMs ?? (() => performance.now()))();
  }

  async #ask(): Promise<{ readonly loginShell: Environment | undefined; readonly reason?: string }> {
    const { log, shell } = this.options;
    this.#failedAtMs = undefined;
    try {
      const loginShell = await this.#run();
      this.#lastFailure = undefined;
      log.debug('login shell answered', { shell, variables: Object.keys(loginShell).length });
      return { loginShell };
    } catch (error) {
      const reason = describeError(error);
      this.#failedAtMs = this.#nowMs();
      this.#lastFailure = reason;
      log.warn('the login shell gave no environment; agents get the allow-listed part of ours', {
        shell,
        error: reason,
      });
      return { loginShell: undefined, reason };
    }
  }

  #run(): Promise<Environment> {
    const { shell, execPath, timeoutMs = 10_000 } = this.options;
    const mark = `--${randomBytes(12).toString('hex')}--`;
    const env = {
      ...inheritedEnvironment(this.options.process),
      CORE_ENV_NODE: execPath,
      CORE_ENV_SCRIPT: SCRIPT,
      CORE_ENV_MARK: mark,
      ELECTRON_RUN_AS_NODE: '1',
    };
    // csh and tcsh refuse -l together with -c (tcsh(1)); they read their start files with -i.
    const flags = /(^|\/)t?csh$/.test(shell) ? ['-i', '-c'] : ['-i', '-l', '-c'];
    return new Promise((resolve, reject) => {
      const child = spawn(shell, [...flags, SHELL_COMMAND], {
        env,
        stdio: ['ignore', 'pipe', 'ignore'],
        detached: true,
      });
      const timer = setTimeout(() => finish(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      let output = '';
      const finish = (result: Error | Environment): void => {
        clearTimeout(timer);
        child.stdout.destroy();
        this.#end(child);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      child.on('error', finish);
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const answer = between(output, mark);
        if (answer !== undefined) finish(parseEnvironment(answer));
        else if (output.length > MAX_OUTPUT_BYTES) finish(new Error('the profile prints too much'));
      });
      child.on('close', (code, end) =>
        finish(new Error(`the shell ended without an answer (${end ?? code ?? 'unknown'})`)),
      );
    });
  }

  /** Ends the whole session: a profile may have started something that waits for ever. */
  #end(child: ChildProcess): void {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      ignore(this.options.log, error, 'the login shell has ended meanwhile');
    }
  }
}

function between(text: string, mark: string): string | undefined {
  const start = text.indexOf(mark);
  const end = start < 0 ? -1 : text.indexOf(mark, start + mark.length);
  return end < 0 ? undefined : text.slice(start + mark.length, end);
}

/** The variables of the answer without the ones that were only there for asking. */
function parseEnvironment(json: string): Environment | Error {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return new Error('the answer is not an object');
    const entries = Object.entries(value).filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && !/^(CORE_ENV_.*|ELECTRON_RUN_AS_NODE)$/.test(entry[0]),
    );
    return Object.fromEntries(entries);
  } catch (error) {
    return new Error('the answer cannot be read', { cause: error });
  }
}

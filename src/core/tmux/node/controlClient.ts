import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Clock } from '../../base/clock';
import type { Disposable } from '../../base/disposable';
import { ignore, type Logger } from '../../base/log';
import { ControlModeParser, type ControlEvent } from '../controlModeParser';
import { encodeCommandLine, type TmuxCommand } from '../tmuxArgs';
import { TmuxError } from '../tmuxErrors';
import { errorOfReply } from '../tmuxReply';

export interface ControlClientOptions {
  /** Absolute path of tmux and the arguments that attach it (`TmuxStart`). */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called for everything that is not the answer to a command. Must not throw. */
  readonly onEvent: (event: ControlEvent) => void;
  /** Called once, when the connection has ended for whatever reason but our own closing. */
  readonly onEnd: (reason: string) => void;
}

export interface RunOptions {
  /** Default 5 s. `Infinity` for commands that wait on purpose. */
  readonly timeoutMs?: number;
  /** Called in the moment the last reply is parsed, before anything that tmux said after it. */
  readonly onReplies?: (replies: readonly string[]) => void;
}

interface Request {
  readonly commands: readonly TmuxCommand[];
  readonly replies: string[];
  readonly deadlineMs: number;
  readonly resolve: (replies: readonly string[]) => void;
  readonly reject: (error: Error) => void;
  readonly onReplies: ((replies: readonly string[]) => void) | undefined;
}

const DEFAULT_TIMEOUT_MS = 5_000;
/** 1 MiB: what may wait in the pipe before further commands wait here, in memory that we can see. */
const HIGH_WATER_BYTES = 1024 * 1024;

/**
 * One control-mode connection over plain pipes: commands go out pipelined, replies come back in order.
 * A time-out rejects its command only; the connection stays, for a late reply still belongs to its command. The connection ends by
 * closing its input (`close`), never by a signal: servers up to 3.6 have crashed on clients that were killed (tmux #4980, #5004).
 */
export class ControlClient implements Disposable {
  /** Resolves when tmux has answered the attach; rejects when it refused or ended. */
  readonly opened: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Request[] = [];
  readonly #unsent: string[] = [];
  readonly #parser = new ControlModeParser((event) => this.#onEvent(event));
  readonly #closed: Promise<void>;
  #settleOpened: ((error?: Error) => void) | undefined;
  #timer: Disposable | undefined;
  #stderr = '';
  #isBlocked = false;
  #isEnded = false;

  constructor(private readonly options: ControlClientOptions) {
    this.opened = new Promise(
      (resolve, reject) => (this.#settleOpened = (error) => (error ? reject(error) : resolve())),
    );
    this.opened.catch((error: unknown) => ignore(options.log, error, 'awaited by whoever opened the client'));
    this.#child = spawn(options.program, [...options.args], {
      env: options.env,
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdout.on('data', (chunk: Buffer) => this.#parser.push(chunk));
    this.#child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-1000)));
    this.#child.stdin.on('drain', () => this.#flush());
    this.#child.stdin.on('error', (error) => ignore(options.log, error, 'the end of the process tells more'));
    this.#closed = new Promise((resolve) => this.#child.once('close', () => resolve()));
    this.#child.once('error', (error) => this.#end(`cannot start tmux: ${error.message}`));
    this.#child.once('close', () => this.#end(this.#stderr.trim() || 'the connection was closed'));
  }

  /** Process id of the client, to tell it from people's clients. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Sends `commands` as one sequence: tmux runs them in order and stops at the first failure. Resolves with one text per command.
   * @throws {TmuxError} what the failing command's reply means; tmux.serverGone – the connection has ended; tmux.timeout;
   * tmux.invalidArgument – NUL.
   */
  run(
    commands: readonly TmuxCommand[],
    { timeoutMs = DEFAULT_TIMEOUT_MS, onReplies }: RunOptions = {},
  ): Promise<readonly string[]> {
    const name = commands[0]?.name ?? 'nothing';
    return new Promise((resolve, reject) => {
      const line = encodeCommandLine(commands); // throws: rejects
      if (this.#isEnded) return reject(new TmuxError('tmux.serverGone', name));
      this.#waiting.push({
        commands,
        replies: [],
        deadlineMs: this.options.clock.monotonicMs() + timeoutMs,
        resolve,
        reject,
        onReplies,
      });
      if (this.#unsent.push(`${line}\n`) === 1) queueMicrotask(() => this.#flush()); // what is asked in one turn goes out in one write
      this.#watchDeadline();
    });
  }

  /** Leaves politely; resolves when the process is gone or after `timeoutMs`. */
  async close(timeoutMs = 1_000): Promise<void> {
    this.dispose();
    this.#child.ref(); // whoever awaits this wants to see the end
    let timer: Disposable | undefined;
    const late = new Promise<void>((resolve) => (timer = this.options.clock.setTimer(timeoutMs, resolve)));
    await Promise.race([this.#closed, late]);
    timer?.dispose();
  }

  /** Closes the input: tmux ends the client by itself. Nothing is reported any more. */
  dispose(): void {
    this.#end();
    this.#child.stdin.end();
    this.#child.stdout.resume();
    this.#child.unref();
  }

  #flush(): void {
    if (this.#child.stdin.writableLength < HIGH_WATER_BYTES) this.#isBlocked = false;
    if (this.#isBlocked || this.#isEnded || this.#unsent.length === 0) return;
    const batch = this.#unsent.join('');
    this.#unsent.length = 0;
    this.#isBlocked = !this.#child.stdin.write(batch) && this.#child.stdin.writableLength >= HIGH_WATER_BYTES;
  }

  #onEvent(event: ControlEvent): void {
    if (event.kind === 'violation') {
      this.options.log.warn('tmux: the order of replies is broken, reconnecting', { detail: event.detail });
      this.#end(event.detail);
      this.#child.stdin.end();
      return;
    }
    if (this.#isEnded) return;
    if (event.kind === 'exit') return this.#end(event.reason || 'the server ended the connection');
    if (event.kind !== 'reply') return this.options.onEvent(event);
    if (event.flags === 1) this.#onReply(event.text, event.isError);
    else if (event.isError) this.#opened(errorOfReply('attach-session', event.text));
    else this.#opened();
  }

  #opened(error?: Error): void {
    this.#settleOpened?.(error);
    this.#settleOpened = undefined;
  }

  /** A sequence is answered by one reply per command that ran; an error is the last of them. */
  #onReply(text: string, isError: boolean): void {
    const request = this.#waiting[0];
    if (!request) return this.options.log.debug('tmux: a reply nobody waits for');
    const command = request.commands[request.replies.length]?.name ?? 'unknown';
    if (!isError) request.replies.push(text);
    if (!isError && request.replies.length < request.commands.length) return;
    this.#waiting.shift();
    if (isError) request.reject(errorOfReply(command, text));
    else {
      request.onReplies?.(request.replies);
      request.resolve(request.replies);
    }
  }

  /** One timer for the oldest deadline, not one per command. A late request stays in the queue: its reply will still come. */
  #watchDeadline(): void {
    if (this.#timer || this.#isEnded) return;
    const next = this.#waiting.reduce((least, request) => Math.min(least, request.deadlineMs), Infinity);
    if (next === Infinity) return;
    this.#timer = this.options.clock.setTimer(Math.max(1, next - this.options.clock.monotonicMs()), () => {
      this.#timer = undefined;
      const now = this.options.clock.monotonicMs();
      for (const [i, request] of this.#waiting.entries()) {
        if (request.deadlineMs > now) continue;
        request.reject(new TmuxError('tmux.timeout', request.commands[0]?.name ?? 'nothing'));
        this.#waiting[i] = {
          ...request,
          deadlineMs: Infinity,
          resolve: () => {},
          reject: () => {},
          onReplies: undefined,
        };
      }
      this.#watchDeadline();
    });
  }

  /** Without a reason: closed by us. */
  #end(reason?: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#timer?.dispose();
    this.#opened(errorOfReply('attach-session', reason ?? 'lost server'));
    for (const request of this.#waiting.splice(0)) {
      request.reject(
        new TmuxError('tmux.serverGone', request.commands[0]?.name ?? 'nothing', {
          detail: (reason ?? 'closed by us').slice(0, 200),
        }),
      );
    }
    if (reason !== undefined) this.options.onEnd(reason);
  }
}

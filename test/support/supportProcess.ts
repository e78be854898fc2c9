import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';

/** A program of test/support in a process of its own, with a channel. Must be ended with {@link end}. */
export class SupportProcess {
  readonly #messages: unknown[] = [];
  #wake: (() => void) | undefined;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message) => {
      this.#messages.push(message);
      this.#wake?.();
    });
    child.on('exit', () => this.#wake?.());
  }

  static start(program: string, args: readonly string[], execArgv: readonly string[] = []): SupportProcess {
    const options = {
      execArgv: ['--require', path.join(__dirname, 'typescript.cjs'), ...execArgv],
      cwd: path.resolve(__dirname, '..', '..'),
    };
    return new SupportProcess(fork(path.join(__dirname, program), [...args], options));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The next thing it says. @throws when it ended without */
  async next(): Promise<unknown> {
    while (this.#messages.length === 0) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error('the process ended');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#messages.shift();
  }

  ask(message: string): Promise<unknown> {
    this.child.send(message);
    return this.next();
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await exited;
  }
}

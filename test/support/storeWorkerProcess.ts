import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { eventually } from './eventually';
import { buildStoreChild } from './storeWorker';

/** What a child process of the data tests says, one JSON object per line. */
export interface ChildLine {
  readonly at: number;
  readonly say: string;
  readonly [key: string]: unknown;
}

/** A real process that runs `test/support/storeWorkerChild.ts`. Every one must be ended by {@link kill}. */
export class StoreProcess {
  readonly lines: ChildLine[] = [];
  readonly exited: Promise<void>;
  #listener: ((line: ChildLine) => void) | undefined;
  #stderr = '';

  private constructor(private readonly child: ChildProcess) {
    this.exited = new Promise((resolve) => child.once('close', () => resolve()));
    if (child.stdout) {
      readline.createInterface(child.stdout).on('line', (line) => {
        if (!line.startsWith('{')) return;
        const said = JSON.parse(line) as ChildLine; // written by our own child
        this.lines.push(said);
        this.#listener?.(said);
      });
    }
    child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  /** @param program the Node that runs it; default: this one. */
  static async start(args: Readonly<Record<string, string>>, program = process.execPath): Promise<StoreProcess> {
    const script = await buildStoreChild();
    const child = spawn(program, [script, JSON.stringify(args)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: path.resolve(__dirname, '..', '..'),
    });
    return new StoreProcess(child);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Lines that say `what`. */
  said(what: string): readonly ChildLine[] {
    return this.lines.filter((line) => line.say === what);
  }

  /** Resolves in the very moment in which a line comes that `isIt`, or when it ends. */
  async next(isIt: (line: ChildLine) => boolean): Promise<void> {
    await Promise.race([
      this.exited,
      new Promise<void>((resolve) => (this.#listener = (line) => isIt(line) && resolve())),
    ]);
    this.#listener = undefined;
  }

  /** The first line that says `what`. */
  until(what: string, timeoutMs = 10_000): Promise<ChildLine> {
    return eventually(
      `a child says "${what}" (it said ${this.lines.map((line) => line.say).join(', ')}; ${this.#stderr})`,
      () => this.said(what)[0],
      { timeoutMs },
    );
  }

  tell(command: string): void {
    this.child.stdin?.write(`${command}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.exited;
  }
}

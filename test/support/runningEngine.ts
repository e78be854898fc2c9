import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { workspaceId, workspaceNames } from '../../src/core/node/localWorkspace';
import type { EngineStatus } from '../../src/core/engine';
import type { EngineCalls } from './engineProcess';
import { endLeftovers } from './endLeftovers';
import { eventually } from './eventually';
import { buildBundles } from './bundles';

/** A machine for engines in processes of their own: one workspace folder, one storage, one tmux server. */
export class EngineMachine {
  /** Everything it keeps and everything it runs on lies below. */
  readonly root = mkdtempSync(join(tmpdir(), 'engine-'));
  readonly workspace = mkdtempSync(join(this.root, 'ws-'));
  readonly #engines: RunningEngine[] = [];

  /** `ownType`: the manifest of an agent type that its engines know besides the built-in ones. */
  constructor(private readonly ownType?: { readonly id: string }) {}

  /** `editor`: one with a storage folder of its own. */
  async engine(editor = 'storage'): Promise<RunningEngine> {
    const distFolder = await buildBundles();
    const args = [
      join(distFolder, 'engineProcess.js'),
      this.workspace,
      join(this.root, editor),
      this.root,
      distFolder,
      ...(this.ownType ? [JSON.stringify(this.ownType)] : []),
    ];
    const env = { ...process.env, TMUX_TMPDIR: this.root };
    const engine = new RunningEngine(spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'pipe'] }));
    this.#engines.push(engine);
    return engine;
  }

  /** `-L` of the server of such an editor. */
  async socketName(editor = 'storage'): Promise<string> {
    const storageFolder = join(this.root, editor);
    return workspaceNames(await workspaceId(this.workspace), { storageFolder, env: {} }).socketName;
  }

  /** Answers of our tmux server to one command; throws when there is none. */
  async tmux(...args: string[]): Promise<string> {
    const socketName = await this.socketName();
    return execFileSync('tmux', ['-L', socketName, ...args], {
      encoding: 'utf8',
      env: { ...process.env, TMUX_TMPDIR: this.root },
      stdio: 'pipe',
    });
  }

  /** Hooks that found no engine and wait for the next one. */
  async spooled(): Promise<readonly string[]> {
    const storageFolder = join(this.root, 'storage');
    const { dataFolder } = workspaceNames(await workspaceId(this.workspace), { storageFolder, env: {} });
    const folder = join(dataFolder, 'spool');
    return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
  }

  async end(): Promise<void> {
    for (const engine of this.#engines) engine.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 300)); // what they were just starting comes up, and is ended, too
    await this.tmux('kill-server').catch(() => undefined); // none is left: what we want
    endLeftovers(this.root);
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

export class RunningEngine {
  status: EngineStatus = { kind: 'stopped' };
  /** Wall-clock time at which the engine itself saw its present status. */
  statusAtMs = 0;
  log = '';
  #next = 1;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();

  constructor(private readonly child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    if (!child.stdout) throw new Error('stdout is a pipe');
    createInterface({ input: child.stdout }).on('line', (line) => this.#onLine(line));
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the engine process has ended'));
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  call<K extends keyof EngineCalls>(call: K, ...args: Parameters<EngineCalls[K]>): ReturnType<EngineCalls[K]> {
    const id = this.#next++;
    this.child.stdin?.write(JSON.stringify({ id, call, args }) + '\n');
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject })) as ReturnType<EngineCalls[K]>; // answered by engineProcess.ts with what that call returns
  }

  async becomes(kind: EngineStatus['kind'], timeoutMs = 20_000): Promise<void> {
    await eventually(
      `status ${kind}, is ${JSON.stringify(this.status)}\n${this.log}`,
      () => this.status.kind === kind,
      { timeoutMs, everyMs: 2 },
    );
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.child.kill(signal);
  }

  #onLine(line: string): void {
    const message = JSON.parse(line) as {
      id?: number;
      value?: never;
      error?: string;
      status?: EngineStatus;
      atMs?: number;
    }; // written by engineProcess.ts
    if (message.status) {
      this.status = message.status;
      this.statusAtMs = message.atMs ?? 0;
    }
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id);
    if (!waiting || message.id === undefined) return;
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting.resolve(message.value as never);
    else waiting.reject(new Error(message.error));
  }
}

/**
 * The headless host: the same engine without VS Code. `host.js --workspace DIR [--storage DIR] [--standby]` prints one line of JSON
 * once it works, and ends politely on SIGTERM and SIGINT; agents keep running. Exit codes: 0 ended as asked, 1 failed, 2 wrong usage,
 * 3 cannot work until a person acts (the line says why).
 */
import fs from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { sleep, SystemClock } from '../core/base/clock';
import { DisposableStore } from '../core/base/disposable';
import type { Logger } from '../core/base/log';
import type { Engine, EngineStatus } from '../core/engine';
import { ownStorage, storageCandidates, STORAGE_VARIABLE } from '../shared/storageFolders';
import { type HostWorld, openHostWorld, type WindowProcess } from './compose';
import { HOST_USAGE, type HostArguments, parseHostArguments } from './hostArguments';
import { FileLogger } from './hostLog';
import { watchStandby } from './standby';

declare const HOST_VERSION: string | undefined;
const version = typeof HOST_VERSION === 'string' ? HOST_VERSION : '0.0.0';

const ExitCode = { Ok: 0, Failure: 1, Usage: 2, Blocked: 3 } as const;
type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Agents that end together, or a window that is reloaded, are no reason to go. */
const LINGER_MS = 60_000;
/** A window that follows takes over within a second; if it does not, the host goes on. */
const MAKE_WAY_MS = 5_000;

async function main(): Promise<ExitCode> {
  let given: HostArguments;
  try {
    given = parseHostArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`host: ${error instanceof Error ? error.message : String(error)}\n${HOST_USAGE}\n`);
    return ExitCode.Usage;
  }
  const workspace = realPath(given.workspace);
  if (workspace === undefined) {
    process.stderr.write(`host: there is no ${given.workspace}: name an existing folder or .code-workspace file\n`);
    return ExitCode.Usage;
  }
  const storageFolder = path.resolve(given.storage ?? defaultStorage());
  const world = await openHostWorld({ workspace, storageFolder, distFolder: __dirname });
  const lock = given.isStandby ? await world.takeLock() : undefined;
  if (lock?.kind === 'taken') {
    print({ status: 'alreadyRunning', pid: lock.pid, socket: null, workspace });
    return ExitCode.Ok;
  }
  try {
    return await supervise(world, given, workspace);
  } finally {
    lock?.release();
  }
}

/** Runs the engine until it is told, or decides, to end. */
async function supervise(world: HostWorld, { isStandby }: HostArguments, workspace: string): Promise<ExitCode> {
  const log = new FileLogger(path.join(world.dataFolder, 'host.log'));
  fs.mkdirSync(world.dataFolder, { recursive: true, mode: 0o700 });
  log.info('host', { version, pid: process.pid, workspace, isStandby });
  process.on('uncaughtException', (error) => {
    log.error('the host ends', { error });
    process.exit(ExitCode.Failure);
  });
  const keepAlive = setInterval(() => undefined, 1 << 30); // the core's timers do not
  const order = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => order.abort(signal));
  process.on('SIGHUP', () => !isStandby && order.abort('SIGHUP')); // a terminal that closes ends what was started in it
  const supervision: Supervision = { world, isStandby, workspace, log, order: order.signal, isTold: false };
  try {
    for (;;) {
      const why = await work(supervision);
      if (why !== 'windowWaits') return why === 'blocked' ? ExitCode.Blocked : ExitCode.Ok;
      await sleep(new SystemClock(), MAKE_WAY_MS, order.signal).catch(() => undefined); // an order ends the next turn at once
    }
  } finally {
    clearInterval(keepAlive);
  }
}

/** What stays while one engine follows another: the host makes way for a window, then waits again. */
interface Supervision {
  readonly world: HostWorld;
  readonly isStandby: boolean;
  readonly workspace: string;
  readonly log: Logger;
  /** Aborted when the host is told to end. */
  readonly order: AbortSignal;
  /** The line was printed. */
  isTold: boolean;
  /** The window that had its turn: if it does not take it, the host goes on. */
  madeWayFor?: WindowProcess;
}

/** Runs an engine until it must end; resolves with why. */
async function work(supervision: Supervision): Promise<string> {
  const { world, log } = supervision;
  const engine = world.composeEngine(log);
  const owned = new DisposableStore();
  try {
    const why = await untilEnd(engine, supervision, owned);
    log.info(why === 'windowWaits' ? 'the host makes way for a window' : 'the host ends; agents keep running', { why });
    const window = world.settings()?.window;
    if (why === 'windowWaits' && window) supervision.madeWayFor = window;
    owned.dispose();
    await engine.stop();
    return why;
  } finally {
    owned.dispose();
    engine.dispose();
  }
}

function untilEnd(engine: Engine, supervision: Supervision, owned: DisposableStore): Promise<string> {
  const { world, isStandby, workspace, log, order } = supervision;
  return new Promise((resolve) => {
    if (order.aborted) return resolve(String(order.reason));
    order.addEventListener('abort', () => resolve(String(order.reason)), { once: true });
    const tell = (status: EngineStatus): void => {
      if (!supervision.isTold && isTelling(status)) {
        supervision.isTold = true;
        print({ status: status.kind, ...blockOf(status), pid: process.pid, socket: world.socket() ?? null, workspace });
      }
      if (status.kind === 'blocked' && !isStandby) resolve('blocked');
    };
    owned.add(engine.onDidChangeStatus(tell));
    if (isStandby) {
      const isWanted = (): boolean => {
        const settings = world.settings();
        return settings?.isKept === true && realPath(settings.hostFile) === realPath(__filename);
      };
      owned.add(
        watchStandby({
          engine,
          isWanted,
          clock: new SystemClock(),
          isWindowWaiting: () => isWindowWaiting(supervision),
          watchWanted: (onChange) => world.watchSettings(onChange, log),
          lingerMs: LINGER_MS,
          onEnd: resolve,
        }),
      );
    }
    engine.start().catch(resolve); // it never rejects: failures are a status
  });
}

/** A window has told that it is there, lives, and has not had its turn. */
async function isWindowWaiting(supervision: Supervision): Promise<boolean> {
  const { world, madeWayFor } = supervision;
  const window = world.settings()?.window;
  if (!window || (madeWayFor?.pid === window.pid && madeWayFor.startTime === window.startTime)) return false;
  return world.isAlive(window);
}

/** What the line is printed for: from here on the host works, waits, or cannot. */
function isTelling({ kind }: EngineStatus): boolean {
  return kind === 'ready' || kind === 'following' || kind === 'blocked';
}

function blockOf(status: EngineStatus): object {
  if (status.kind === 'blocked') return { code: status.code, detail: status.detail };
  return status.kind === 'following' ? { ownerPid: status.ownerPid } : {};
}

function print(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ ...line, version })}\n`);
}

/** The folder that the editor on this machine uses, so that there is one engine per workspace; else one of our own. */
function defaultStorage(): string {
  const named = process.env[STORAGE_VARIABLE];
  if (named) return named;
  const candidates = storageCandidates(process.platform, process.env, homedir());
  return candidates.find((folder) => fs.existsSync(folder)) ?? ownStorage(process.env, homedir());
}

function realPath(file: string): string | undefined {
  try {
    return fs.realpathSync(file);
  } catch {
    return undefined; // there is none
  }
}

void main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`host: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(ExitCode.Failure);
  },
);

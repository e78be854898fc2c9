/**
 * The headless host: the same engine without VS Code. `host.js --workspace DIR [--storage DIR] [--standby]` prints one line of JSON
 * once it works, and ends politely on SIGTERM and SIGINT; agents keep running. Exit codes: 0 ended as asked, 1 failed, 2 wrong usage,
 * 3 cannot work until a person acts (the line says why).
 */
import fs from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { SystemClock } from '../core/base/clock';
import type { Engine, EngineStatus } from '../core/engine';
import { ownStorage, storageCandidates, STORAGE_VARIABLE } from '../shared/storageFolders';
import { type HostWorld, openHostWorld } from './compose';
import { HOST_USAGE, type HostArguments, parseHostArguments } from './hostArguments';
import { FileLogger } from './hostLog';
import { watchStandby } from './standby';

declare const HOST_VERSION: string | undefined;
const version = typeof HOST_VERSION === 'string' ? HOST_VERSION : '0.0.0';

const ExitCode = { Ok: 0, Failure: 1, Usage: 2, Blocked: 3 } as const;
type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Agents that end together, or a window that is reloaded, are no reason to go. */
const LINGER_MS = 60_000;

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
  const engine = world.composeEngine(log);
  const keepAlive = setInterval(() => undefined, 1 << 30); // the core's timers do not
  try {
    const why = await untilEnd(engine, world, isStandby, workspace);
    log.info('the host ends; agents keep running', { why });
    await engine.stop();
    return why === 'blocked' ? ExitCode.Blocked : ExitCode.Ok;
  } finally {
    clearInterval(keepAlive);
    engine.dispose();
  }
}

function untilEnd(engine: Engine, world: HostWorld, isStandby: boolean, workspace: string): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
    process.on('SIGHUP', () => !isStandby && resolve('SIGHUP')); // a terminal that closes ends what was started in it
    let isTold = false;
    engine.onDidChangeStatus((status) => {
      if (!isTold && isTelling(status)) {
        isTold = true;
        print({ status: status.kind, ...blockOf(status), pid: process.pid, socket: world.socket() ?? null, workspace });
      }
      if (status.kind === 'blocked' && !isStandby) resolve('blocked');
    });
    if (isStandby) {
      const isWanted = (): boolean => {
        const settings = world.settings();
        return settings?.isKept === true && realPath(settings.hostFile) === realPath(__filename);
      };
      watchStandby({ engine, clock: new SystemClock(), isWanted, lingerMs: LINGER_MS, onEnd: resolve });
    }
    engine.start().catch(resolve); // it never rejects: failures are a status
  });
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

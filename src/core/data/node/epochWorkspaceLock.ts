import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import nodePath from 'node:path';
import { type Clock, sleep } from '../../base/clock';
import { ignore, type Logger } from '../../base/log';
import { DataError } from '../dataErrors';
import { systemFailure } from '../systemFailure';
import type { OwnerState, Ownership, WorkspaceLock } from '../workspaceLock';
import { epochFence, highestEpoch, lockEpochs, lockFileName } from './epochFence';
import { errnoCode } from './fileSystem';
import { connectLiveness, LivenessServer, watchLiveness } from './livenessSocket';
import { isProcessGone, ownIdentity, type ProcessIdentity } from './processIdentity';
import { ensurePrivateFolder, type MountInfo, refuseNetworkFolder } from './safeFolder';
import { syncFolder } from './storeFiles';

export interface EpochWorkspaceLockOptions {
  /** Holds the lock files and the store; 0700, local file system. Made when missing. */
  readonly dataFolder: string;
  /** Holds the liveness socket; 0700, short path; may vanish at logout. Made when missing. */
  readonly runtimeFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** How the kind of the file system is found out; default: from the system. */
  readonly mounts?: MountInfo;
}

/** The text of a lock file: who owns the epoch and where to ask whether it lives. */
interface Owner extends ProcessIdentity {
  readonly socket: string;
}

/** Longest path of a unix socket that every system takes whole. */
const maxSocketPathBytes = 100;

/** How soon an owner that could not be asked is looked at again. */
const lookAgainMs = 500;

/** A contender's file that nobody has touched for a day belongs to a process that is gone. */
const staleClaimMs = 24 * 60 * 60 * 1000;

/**
 * One owner per workspace, decided by numbered lock files that are only ever added (docs/adr/0004):
 *
 * - `lock.<n>` is made atomically by link(2), complete from its first moment; the highest number is the owner.
 *   The number is the fencing token.
 * - An owner that refuses connections, or whose process is proved gone, is dead: contenders link `lock.<n+1>`, which
 *   exactly one of them manages to.
 * - An owner that accepts but does not answer keeps its ownership until a person decides otherwise. Such a take-over
 *   leaves `stale-writer.<n+1>`, so that the store is given fresh files by whoever opens it next.
 * - `released.<n>` says that owner n gave up its ownership in an orderly way while its process lives on.
 * - The owner removes what is below its own number, lowest first, never its own or higher.
 */
export class EpochWorkspaceLock implements WorkspaceLock {
  readonly #options: EpochWorkspaceLockOptions;
  #followed: OwnerState | undefined;
  #onTakeOver: (() => void) | undefined;

  constructor(options: EpochWorkspaceLockOptions) {
    this.#options = options;
  }

  async acquire(onFollow: (owner: OwnerState) => void, signal: AbortSignal): Promise<Ownership> {
    signal.throwIfAborted();
    const { dataFolder, runtimeFolder, mounts } = this.#options;
    const tag = randomBytes(4).toString('hex');
    const socket = nodePath.join(runtimeFolder, `s.${tag}`);
    if (Buffer.byteLength(socket) > maxSocketPathBytes) {
      throw new DataError('data.socketPathTooLong', `${socket} has more than ${maxSocketPathBytes} bytes`);
    }
    ensurePrivateFolder(dataFolder);
    ensurePrivateFolder(runtimeFolder);
    await orTold(`the folder ${dataFolder} cannot be looked at`, refuseNetworkFolder(dataFolder, mounts));
    const claim = new Claim(dataFolder, nodePath.join(dataFolder, `claim.${tag}`), {
      ...(await ownIdentity()),
      socket,
    });
    // Without the random names: what is told of a failure is the same each time.
    const listening = LivenessServer.listen(socket);
    const liveness = await orTold(`the folder ${runtimeFolder} cannot be written`, listening);
    try {
      const contending = this.#contend(claim, onFollow, signal);
      const epoch = await orTold(`the folder ${dataFolder} cannot be written`, contending);
      liveness.epoch = epoch;
      this.#tidy(epoch);
      return new EpochOwnership(dataFolder, epoch, liveness, this.#options.log);
    } catch (error) {
      liveness.dispose();
      throw error;
    } finally {
      this.#remove(claim);
      this.#followed = undefined;
    }
  }

  takeOver(): void {
    if (this.#followed?.kind === 'notResponding') this.#onTakeOver?.();
    else this.#options.log.info('nothing to take over: the owner answers, or there is none');
  }

  #remove(claim: Claim): void {
    try {
      claim.remove();
    } catch (error) {
      ignore(this.#options.log, error, 'a claim that is left over is removed by an owner, a day later');
    }
  }

  async #contend(claim: Claim, onFollow: (owner: OwnerState) => void, signal: AbortSignal): Promise<number> {
    const { dataFolder } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const present = highestEpoch(dataFolder);
      const verdict = present === 0 ? 'dead' : await this.#judge(present, onFollow, signal);
      signal.throwIfAborted();
      if (verdict === 'lookAgain') continue;
      if (claim.link(present + 1, verdict === 'takeOver')) return present + 1;
    }
  }

  /** Finds out about the owner `epoch`; while it lives, waits for its end or for a person's decision. */
  async #judge(epoch: number, onFollow: (owner: OwnerState) => void, signal: AbortSignal): Promise<Verdict> {
    const { dataFolder, clock } = this.#options;
    if (fs.existsSync(nodePath.join(dataFolder, releasedName(epoch)))) return 'dead';
    const owner = readOwner(nodePath.join(dataFolder, lockFileName(epoch)));
    if (owner === 'gone') return 'lookAgain';
    if (owner === 'unreadable') {
      // Lock files are complete before they get their name: this one was not made, or was destroyed, by something else.
      this.#options.log.warn('a lock file cannot be read and counts as abandoned', { epoch });
      return 'dead';
    }
    const outcome = await connectLiveness(owner.socket);
    if (outcome.kind === 'refused') return 'dead';
    if (outcome.kind === 'connected') return this.#follow(outcome.connection, owner, onFollow, signal);
    if (await isProcessGone(owner)) return 'dead';
    return this.#waitUnseen(owner, onFollow, signal, () => sleep(clock, lookAgainMs, signal));
  }

  /** The owner's process exists but cannot be asked: no socket any more, or too many waiting connections. */
  async #waitUnseen(
    { pid }: Owner,
    onFollow: (owner: OwnerState) => void,
    signal: AbortSignal,
    wait: () => Promise<void>,
  ): Promise<Verdict> {
    signal.throwIfAborted();
    const decision = new Promise<Verdict>((resolve) => (this.#onTakeOver = () => resolve('takeOver')));
    this.#tell({ kind: 'notResponding', pid }, onFollow);
    try {
      return await Promise.race([decision, wait().then((): Verdict => 'lookAgain')]);
    } finally {
      this.#onTakeOver = undefined;
    }
  }

  /** Keeps the connection: it closes at the moment the owner ends. */
  async #follow(
    connection: import('node:net').Socket,
    { pid }: Owner,
    onFollow: (owner: OwnerState) => void,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const { clock } = this.#options;
    const watch = watchLiveness(connection, clock, (isResponding) =>
      this.#tell({ kind: isResponding ? 'responding' : 'notResponding', pid }, onFollow),
    );
    const onAbort = (): void => void connection.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await new Promise<Verdict>((resolve) => {
        connection.once('close', () => resolve('lookAgain'));
        this.#onTakeOver = () => resolve('takeOver');
      });
    } finally {
      this.#onTakeOver = undefined;
      signal.removeEventListener('abort', onAbort);
      watch.dispose();
      connection.destroy();
    }
  }

  #tell(state: OwnerState, onFollow: (owner: OwnerState) => void): void {
    if (this.#followed?.kind === state.kind && this.#followed.pid === state.pid) return;
    this.#followed = state;
    onFollow(state);
  }

  /** Lowest first: whoever still finds its own number here may rely on seeing every higher one too. */
  #tidy(epoch: number): void {
    const { dataFolder, clock, log } = this.#options;
    try {
      for (const old of lockEpochs(dataFolder)
        .filter((other) => other < epoch)
        .sort((a, b) => a - b)) {
        fs.rmSync(nodePath.join(dataFolder, lockFileName(old)), { force: true });
      }
      for (const name of fs.readdirSync(dataFolder)) {
        const path = nodePath.join(dataFolder, name);
        const released = Number(/^released\.(\d+)$/.exec(name)?.[1] ?? epoch);
        const isStaleClaim = name.startsWith('claim.') && clock.nowMs() - fs.statSync(path).mtimeMs > staleClaimMs;
        if (released < epoch || isStaleClaim) fs.rmSync(path, { force: true });
      }
    } catch (error) {
      ignore(log, error, 'what is left over does not matter and is removed by the next owner');
    }
  }
}

/** `dead`: contend. `takeOver`: contend by a person's decision. `lookAgain`: things have changed. */
type Verdict = 'dead' | 'takeOver' | 'lookAgain';

/** @throws {DataError} data.io, for what the system refused */
async function orTold<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw systemFailure(what, error);
  }
}

function releasedName(epoch: number): string {
  return `released.${epoch}`;
}

function readOwner(path: string): Owner | 'gone' | 'unreadable' {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return 'gone';
    throw error;
  }
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null; // every property is checked below
    const isWhole =
      typeof owner?.socket === 'string' &&
      Number.isInteger(owner.pid) &&
      typeof owner.startTime === 'string' &&
      typeof owner.bootId === 'string';
    return isWhole ? (owner as Owner) : 'unreadable'; // just checked
  } catch {
    return 'unreadable';
  }
}

/** A contender's lock file, complete and on the disk before it is linked under a number. */
class Claim {
  constructor(
    private readonly folder: string,
    private readonly path: string,
    private readonly owner: Owner,
  ) {}

  /** True when `epoch` is ours now. False when somebody else was faster. */
  link(epoch: number, isForced: boolean): boolean {
    this.#write();
    // Before the link: if this process dies right after it, the next owner must still know.
    if (isForced) fs.writeFileSync(nodePath.join(this.folder, `stale-writer.${epoch}`), '', { mode: 0o600 });
    try {
      fs.linkSync(this.path, nodePath.join(this.folder, lockFileName(epoch)));
    } catch (error) {
      if (errnoCode(error) === 'EEXIST') return false;
      throw error;
    }
    // When we were slow, two owners may have come meanwhile and the later one tidied our number away before we took it.
    if (highestEpoch(this.folder) !== epoch) return false;
    syncFolder(this.folder);
    return true;
  }

  remove(): void {
    fs.rmSync(this.path, { force: true });
  }

  #write(): void {
    if (fs.existsSync(this.path)) return;
    const fd = fs.openSync(this.path, 'wx', 0o600);
    try {
      fs.writeSync(fd, JSON.stringify(this.owner));
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }
}

class EpochOwnership implements Ownership {
  #isReleased = false;

  constructor(
    private readonly folder: string,
    readonly epoch: number,
    private readonly liveness: LivenessServer,
    private readonly log: Logger,
  ) {}

  isStillMine(): boolean {
    return !this.#isReleased && epochFence(this.folder, this.epoch)() === 'mine';
  }

  get hasStaleWriter(): boolean {
    return this.#staleWriters().length > 0;
  }

  confirmFreshFiles(): void {
    for (const path of this.#staleWriters()) fs.rmSync(path, { force: true });
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    try {
      fs.writeFileSync(nodePath.join(this.folder, releasedName(this.epoch)), '', { mode: 0o600 });
    } catch (error) {
      ignore(this.log, error, 'followers then wait for the end of this process');
    }
    this.liveness.dispose();
  }

  /** Marks of forced take-overs up to our own; a contender's for a higher number is not ours to remove. */
  #staleWriters(): string[] {
    return fs
      .readdirSync(this.folder)
      .filter((name) => Number(/^stale-writer\.(\d+)$/.exec(name)?.[1] ?? Infinity) <= this.epoch)
      .map((name) => nodePath.join(this.folder, name));
  }
}

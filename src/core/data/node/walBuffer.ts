import { errnoCode, type FileSystem } from './fileSystem';

const capacityBytes = 64 * 1024;

/**
 * SQLite writes every frame of its log in two pieces. Inside a durable transaction, pieces that follow each other are
 * put together and written in one call, at the latest when the log is synced: a commit then costs one write instead
 * of eight. SQLite looks at the result of the sync before it counts a frame as written, so an error still ends in a
 * rollback; where nothing would be synced, nothing is collected.
 */
export class WalBuffer {
  /** True between the begin and the end of a durable transaction. */
  isCollecting = false;
  readonly #bytes = new Uint8Array(capacityBytes);
  #position = 0;
  #length = 0;

  /** Keeps a piece, or returns false when {@link flush} must come first or it must be written by itself. */
  take(piece: Uint8Array, position: number): boolean {
    const follows = this.#length === 0 || position === this.#position + this.#length;
    if (!this.isCollecting || !follows || this.#length + piece.length > capacityBytes) return false;
    if (this.#length === 0) this.#position = position;
    this.#bytes.set(piece, this.#length);
    this.#length += piece.length;
    return true;
  }

  /** Writes what was kept. @throws {FlushError} when that fails; it is forgotten then, as SQLite gives the frames up */
  flush(fd: number, files: FileSystem): void {
    for (let done = 0; done < this.#length;) {
      try {
        const moved = files.write(fd, this.#bytes, done, this.#length - done, this.#position + done);
        if (moved === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
        done += moved;
      } catch (cause) {
        if (errnoCode(cause) === 'EINTR') continue;
        this.#length = 0;
        throw new FlushError('collected writes failed', { cause });
      }
    }
    this.#length = 0;
  }

  /** Forgets what was kept: the transaction is given up. */
  drop(): void {
    this.#length = 0;
  }
}

/** A collected write failed inside another call; `cause` is its error. */
export class FlushError extends Error {}

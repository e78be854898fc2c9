import fs from 'node:fs';

/** What SQLite needs to know about a file. */
export type FileStat = Pick<
  fs.Stats,
  'dev' | 'ino' | 'mode' | 'nlink' | 'uid' | 'gid' | 'size' | 'blocks' | 'atimeMs' | 'mtimeMs' | 'ctimeMs'
>;

/**
 * The file calls of the store, synchronous, with the meaning and the error codes of `node:fs`. Everything the store
 * reads or writes goes through one of these, so that a test can make any of them fail or forget.
 */
export interface FileSystem {
  /** `flags` are those of this platform's `fs.constants`. New files get mode 0600. */
  open(path: string, flags: number): number;
  close(fd: number): void;
  /** May read less than asked; 0 at the end of the file. */
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  /** May write less than asked. */
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  truncate(fd: number, sizeBytes: number): void;
  /**
   * Returns once the file's data are on the disk. On macOS libuv's fdatasync asks for F_FULLFSYNC (and falls back to
   * F_BARRIERFSYNC and fsync where a file system lacks it), so the promise is the same as on Linux there.
   */
  dataSync(fd: number): void;
  statFd(fd: number): FileStat;
  stat(path: string): FileStat;
  /** `mode` as of access(2): 0 asks whether it exists. */
  access(path: string, mode: number): void;
  unlink(path: string): void;
}

/** The real file system. */
export const nodeFileSystem: FileSystem = {
  open: (path, flags) => fs.openSync(path, flags, 0o600),
  close: (fd) => fs.closeSync(fd),
  read: (fd, buffer, offset, length, position) => fs.readSync(fd, buffer, offset, length, position),
  write: (fd, buffer, offset, length, position) => fs.writeSync(fd, buffer, offset, length, position),
  truncate: (fd, sizeBytes) => fs.ftruncateSync(fd, sizeBytes),
  dataSync: (fd) => fs.fdatasyncSync(fd),
  statFd: (fd) => fs.fstatSync(fd),
  stat: (path) => fs.statSync(path),
  access: (path, mode) => fs.accessSync(path, mode),
  unlink: (path) => fs.unlinkSync(path),
};

/**
 * `files`, but nothing is changed any more once `isAllowed` says no: a worker that lost its workspace can then still
 * be closed in the ordinary way without touching what the new owner holds.
 */
export function guardWrites(files: FileSystem, isAllowed: () => boolean): FileSystem {
  const check = (): void => {
    if (!isAllowed()) throw Object.assign(new Error('this process no longer owns the store'), { code: 'EROFS' });
  };
  const changing = fs.constants.O_CREAT | fs.constants.O_TRUNC;
  return {
    close: (fd) => files.close(fd),
    read: (...args) => files.read(...args),
    dataSync: (fd) => files.dataSync(fd),
    statFd: (fd) => files.statFd(fd),
    stat: (path) => files.stat(path),
    access: (path, mode) => files.access(path, mode),
    open: (path, flags) => {
      if ((flags & changing) !== 0) check();
      return files.open(path, flags);
    },
    write: (...args) => {
      check();
      return files.write(...args);
    },
    truncate: (...args) => {
      check();
      files.truncate(...args);
    },
    unlink: (path) => {
      check();
      files.unlink(path);
    },
  };
}

/** The `code` of a Node system error (`ENOSPC`), or undefined for anything else. */
export function errnoCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

import fs from 'node:fs';
import nodePath from 'node:path';
import { errnoCode, type FileStat, type FileSystem } from './fileSystem';
import { FlushError, type WalBuffer } from './walBuffer';
import type { FileCallName, WasmCall } from './sqlJsImports';

/** One database whose file calls are redirected. */
export interface RedirectedFile {
  /** Absolute path of the main file; its companions are beside it (`-wal`, `-journal`). */
  readonly path: string;
  readonly files: FileSystem;
  syncCount: number;
  writtenBytes: number;
  /** End of the last write to the write-ahead log. */
  walBytes: number;
  /** The main file while it is open. */
  mainFd: number | undefined;
  /** The write-ahead log, once open: kept open until {@link SqlJsFiles.release}. */
  walFd: number | undefined;
  /** Writes to the write-ahead log that are not handed over yet; used inside durable transactions only. */
  readonly walBuffer: WalBuffer;
  /** The last file call that failed for another reason than that a file does not exist. */
  fault: { readonly call: FileCallName; readonly code: string } | undefined;
}

interface Handle {
  readonly file: RedirectedFile;
  readonly fd: number;
  readonly isWal: boolean;
  position: number;
}

/** Above every descriptor of Emscripten's own in-memory files. */
const firstHandle = 1 << 20;

/** Error numbers of the WebAssembly system interface (WASI `errno`), which Emscripten uses. */
const wasiErrors: Readonly<Record<string, number>> = {
  EACCES: 2,
  EBADF: 8,
  EDQUOT: 19,
  EEXIST: 20,
  EFBIG: 22,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  ENOENT: 44,
  ENOSPC: 51,
  ENOTDIR: 54,
  EPERM: 63,
  EROFS: 69,
};

/** Linux's open flags, as compiled into the build, → this platform's. What is not listed (O_CLOEXEC, O_LARGEFILE) is the default here. */
const openFlags: readonly (readonly [wasm: number, native: number])[] = [
  [0o1, fs.constants.O_WRONLY],
  [0o2, fs.constants.O_RDWR],
  [0o100, fs.constants.O_CREAT],
  [0o200, fs.constants.O_EXCL],
  [0o1000, fs.constants.O_TRUNC],
  [0o400000, fs.constants.O_NOFOLLOW],
];

/** Translates the flags of an `openat` inside the build. */
export function nativeOpenFlags(wasmFlags: number): number {
  return openFlags.reduce((flags, [wasm, native]) => ((wasmFlags & wasm) !== 0 ? flags | native : flags), 0);
}

/** F_GETLK and "nobody holds a lock", as compiled into the build. */
const getLock = 12;
const unlocked = 2;

/**
 * The file calls of the WebAssembly build, redirected to real files for every database that was {@link claim}ed;
 * calls about other files go where they went before (Emscripten's memory).
 *
 * The write-ahead log is opened once and kept: SQLite "deleting" it empties it. After opening, nothing a database does
 * depends on a path any more, only on files already open (docs/adr/0004 says why that matters).
 *
 * Locks between processes are not passed on: the workspace lock is above this.
 */
export class SqlJsFiles {
  readonly #claimed = new Map<string, RedirectedFile>();
  readonly #handles = new Map<number, Handle>();
  #nextHandle = firstHandle;
  #claiming: RedirectedFile | undefined;
  #heap = new Uint8Array(0);
  #view = new DataView(this.#heap.buffer);

  /** `memory` is the build's linear memory; it moves when it grows. */
  constructor(private readonly memory: () => ArrayBuffer) {}

  /** While `open` runs, the first database file it opens under sql.js's own name is redirected to `file`. */
  claim<T>(file: RedirectedFile, open: () => T): T {
    this.#claiming = file;
    try {
      return open();
    } finally {
      this.#claiming = undefined;
    }
  }

  isClaimed(file: RedirectedFile): boolean {
    return [...this.#claimed.values()].includes(file);
  }

  /** Forgets a database and closes what it left open. */
  release(file: RedirectedFile): void {
    for (const [name, claimed] of this.#claimed) if (claimed === file) this.#claimed.delete(name);
    for (const [number, handle] of this.#handles) {
      if (handle.file !== file) continue;
      this.#handles.delete(number);
      if (!handle.isWal) file.files.close(handle.fd);
    }
    if (file.walFd !== undefined) file.files.close(file.walFd);
    file.walFd = undefined;
  }

  /** The replacement of one import. */
  replace(name: FileCallName, original: WasmCall): WasmCall {
    const calls: Record<FileCallName, WasmCall> = {
      openat: this.#byPath('openat', original, 1, (target, args) => this.#open(target, Number(args[2]))),
      faccessat: this.#byPath('faccessat', original, 1, ({ file, path }, args) => {
        file.files.access(path, Number(args[2]));
        return 0;
      }),
      stat: this.#byPath('stat', original, 0, (target, args) => this.#stat(target, Number(args[1]))),
      lstat: this.#byPath('lstat', original, 0, (target, args) => this.#stat(target, Number(args[1]))),
      newfstatat: this.#byPath('newfstatat', original, 1, (target, args) => this.#stat(target, Number(args[2]))),
      unlinkat: this.#byPath('unlinkat', original, 1, (target) => this.#unlink(target)),
      fstat: this.#byHandle('fstat', original, -1, (h, args) => {
        this.#flush(h);
        return this.#putStat(h.file.files.statFd(h.fd), Number(args[1]));
      }),
      ftruncate: this.#byHandle('ftruncate', original, -1, (h, args) => this.#truncate(h, Number(args[1]))),
      fcntl: this.#byHandle('fcntl', original, -1, (_h, args) => this.#control(Number(args[1]), Number(args[2]))),
      fchmod: this.#byHandle('fchmod', original, -1, () => 0), // modes and owners are ours, not SQLite's
      fchown: this.#byHandle('fchown', original, -1, () => 0),
      read: this.#byHandle('read', original, 1, (h, args) =>
        this.#read(h, Number(args[1]), Number(args[2]), Number(args[3])),
      ),
      write: this.#byHandle('write', original, 1, (h, args) =>
        this.#write(h, Number(args[1]), Number(args[2]), Number(args[3])),
      ),
      seek: this.#byHandle('seek', original, 1, (h, args) =>
        this.#seek(h, Number(args[1]), Number(args[2]), Number(args[3])),
      ),
      sync: this.#byHandle('sync', original, 1, (h) => this.#sync(h)),
      close: this.#byHandle('close', original, 1, (h, args) => this.#close(h, Number(args[0]))),
      fdstat: this.#byHandle('fdstat', original, 1, (_h, args) => this.#describe(Number(args[1]))),
    };
    return calls[name];
  }

  /** A call that names a file: `pathAt` is the parameter with the pointer to its name. Fails as -errno. */
  #byPath(
    name: FileCallName,
    original: WasmCall,
    pathAt: number,
    call: (target: Target, args: readonly (number | bigint)[]) => number,
  ): WasmCall {
    return (...args: (number | bigint)[]) => {
      const target = this.#target(this.#text(Number(args[pathAt])));
      if (!target) return original(...(args as never[])); // the very arguments it was called with
      return this.#attempt(name, target.file, -1, () => call(target, args));
    };
  }

  /** A call on an open file, the first parameter. Fails as `sign` × errno. */
  #byHandle(
    name: FileCallName,
    original: WasmCall,
    sign: 1 | -1,
    call: (handle: Handle, args: readonly (number | bigint)[]) => number,
  ): WasmCall {
    return (...args: (number | bigint)[]) => {
      const handle = this.#handles.get(Number(args[0]));
      if (!handle) return original(...(args as never[])); // the very arguments it was called with
      return this.#attempt(name, handle.file, sign, () => call(handle, args));
    };
  }

  #attempt(call: FileCallName, file: RedirectedFile, sign: 1 | -1, body: () => number): number {
    for (;;) {
      try {
        return body();
      } catch (thrown) {
        const error: unknown = thrown instanceof FlushError ? thrown.cause : thrown;
        const code = errnoCode(error) ?? 'EIO';
        if (code === 'EINTR') continue;
        // A collected write that fails in the call that hands it over is still a write that failed.
        if (code !== 'ENOENT' && code !== 'EEXIST')
          file.fault = { call: thrown instanceof FlushError ? 'write' : call, code };
        return sign * (wasiErrors[code] ?? wasiErrors['EIO'] ?? 29);
      }
    }
  }

  #target(name: string): Target | undefined {
    const match = /^\/?(dbfile_\d+)(-journal|-wal|-shm)?$/.exec(name);
    if (!match?.[1]) return name === '/' ? this.#folder() : undefined;
    let file = this.#claimed.get(match[1]);
    if (!file && this.#claiming) {
      file = this.#claiming;
      this.#claimed.set(match[1], file);
    }
    return file && { file, path: file.path + (match[2] ?? ''), isWal: match[2] === '-wal' };
  }

  /** SQLite syncs the folder after it made a file; all our databases being opened live in that of the claimed one. */
  #folder(): Target | undefined {
    const file = this.#claiming ?? [...this.#claimed.values()].at(-1);
    return file && { file, path: nodePath.dirname(file.path), isWal: false };
  }

  #open({ file, path, isWal }: Target, flags: number): number {
    const fd = (isWal ? file.walFd : undefined) ?? file.files.open(path, nativeOpenFlags(flags));
    if (isWal) file.walFd = fd;
    else if (path === file.path) file.mainFd = fd;
    this.#handles.set(++this.#nextHandle, { file, fd, isWal, position: 0 });
    return this.#nextHandle;
  }

  #close(handle: Handle, number: number): number {
    this.#handles.delete(number);
    if (!handle.isWal) handle.file.files.close(handle.fd);
    if (handle.fd === handle.file.mainFd) handle.file.mainFd = undefined;
    return 0;
  }

  #unlink({ file, path, isWal }: Target): number {
    if (!isWal) file.files.unlink(path);
    else if (file.walFd !== undefined) file.files.truncate(file.walFd, 0);
    if (isWal) file.walBytes = 0;
    return 0;
  }

  #truncate(handle: Handle, sizeBytes: number): number {
    this.#flush(handle);
    handle.file.files.truncate(handle.fd, sizeBytes);
    if (handle.isWal) handle.file.walBytes = sizeBytes;
    return 0;
  }

  #sync(handle: Handle): number {
    this.#flush(handle);
    handle.file.files.dataSync(handle.fd);
    handle.file.syncCount++;
    return 0;
  }

  #flush({ file, isWal }: Handle): void {
    if (isWal && file.walFd !== undefined) file.walBuffer.flush(file.walFd, file.files);
  }

  #read(handle: Handle, vectors: number, count: number, resultAt: number): number {
    this.#flush(handle);
    const total = this.#eachVector(
      vectors,
      count,
      (offset, length) => handle.file.files.read(handle.fd, this.#heap, offset, length, handle.position),
      handle,
    );
    this.#view.setUint32(resultAt, total, true);
    return 0;
  }

  #write(handle: Handle, vectors: number, count: number, resultAt: number): number {
    const total = this.#eachVector(
      vectors,
      count,
      (offset, length) => this.#writePiece(handle, offset, length),
      handle,
    );
    handle.file.writtenBytes += total;
    if (handle.isWal) handle.file.walBytes = handle.position;
    this.#view.setUint32(resultAt, total, true);
    return 0;
  }

  #writePiece(handle: Handle, offset: number, length: number): number {
    const { file, fd, isWal, position } = handle;
    if (isWal) {
      const piece = this.#heap.subarray(offset, offset + length);
      if (file.walBuffer.take(piece, position)) return length;
      this.#flush(handle);
      if (file.walBuffer.take(piece, position)) return length;
    }
    return file.files.write(fd, this.#heap, offset, length, position);
  }

  /** Moves the bytes of a vector list, also when one call moves only some; stops at a call that moves none. */
  #eachVector(
    vectors: number,
    count: number,
    move: (offset: number, length: number) => number,
    handle: Handle,
  ): number {
    this.#refresh();
    let total = 0;
    for (let i = 0; i < count; i++) {
      let offset = this.#view.getUint32(vectors + 8 * i, true);
      let rest = this.#view.getUint32(vectors + 8 * i + 4, true);
      while (rest > 0) {
        const moved = move(offset, rest);
        if (moved === 0) return total;
        handle.position += moved;
        total += moved;
        offset += moved;
        rest -= moved;
      }
    }
    return total;
  }

  #seek(handle: Handle, offset: number, whence: number, resultAt: number): number {
    if (whence === 2) this.#flush(handle);
    const base = whence === 0 ? 0 : whence === 1 ? handle.position : handle.file.files.statFd(handle.fd).size;
    handle.position = base + offset;
    this.#refresh();
    this.#view.setBigInt64(resultAt, BigInt(handle.position), true);
    return 0;
  }

  #control(command: number, argumentsAt: number): number {
    this.#refresh();
    if (command === getLock) this.#view.setInt16(this.#view.getUint32(argumentsAt, true), unlocked, true);
    return 0;
  }

  /** `__wasi_fdstat_t` of a regular file. */
  #describe(at: number): number {
    this.#refresh();
    this.#heap.fill(0, at, at + 24);
    this.#heap[at] = 4;
    return 0;
  }

  #stat({ file, path }: Target, at: number): number {
    return this.#putStat(file.files.stat(path), at);
  }

  /** Emscripten's `struct stat`. */
  #putStat(stat: FileStat, at: number): number {
    this.#refresh();
    const view = this.#view;
    for (const [offset, value] of [
      [0, stat.dev],
      [4, stat.mode],
      [8, stat.nlink],
      [12, stat.uid],
      [16, stat.gid],
      [20, 0],
      [32, 4096],
      [36, stat.blocks],
    ] as const) {
      view.setUint32(at + offset, value, true);
    }
    view.setBigInt64(at + 24, BigInt(stat.size), true);
    for (const [offset, timeMs] of [
      [40, stat.atimeMs],
      [56, stat.mtimeMs],
      [72, stat.ctimeMs],
    ] as const) {
      view.setBigInt64(at + offset, BigInt(Math.floor(timeMs / 1000)), true);
      view.setUint32(at + offset + 8, 0, true);
    }
    view.setBigInt64(at + 88, BigInt(stat.ino), true);
    return 0;
  }

  #text(at: number): string {
    this.#refresh();
    return Buffer.from(this.#heap.subarray(at, this.#heap.indexOf(0, at))).toString();
  }

  #refresh(): void {
    const buffer = this.memory();
    if (this.#heap.buffer === buffer) return;
    this.#heap = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }
}

interface Target {
  readonly file: RedirectedFile;
  readonly path: string;
  readonly isWal: boolean;
}

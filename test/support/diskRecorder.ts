import assert from 'node:assert/strict';
import fs from 'node:fs';
import nodePath from 'node:path';

/** One call that changes a file or a name, or makes such changes durable. Paths are relative to the folder that is recorded. */
export type DiskChange =
  | { readonly call: 'write'; readonly inode: number; readonly position: number; readonly bytes: Buffer }
  | { readonly call: 'truncate'; readonly inode: number; readonly sizeBytes: number }
  | { readonly call: 'sync'; readonly inode: number }
  | { readonly call: 'create'; readonly path: string; readonly inode: number }
  | { readonly call: 'makeFolder'; readonly path: string }
  | { readonly call: 'rename'; readonly path: string; readonly to: string }
  | { readonly call: 'unlink'; readonly path: string }
  | { readonly call: 'syncFolder'; readonly path: string };

/** What is open: a file by its number, or a folder by its path. */
type Opened = { readonly inode: number } | { readonly folder: string };

/** The callbacks of `node:fs` are not used by what is recorded; these would go by unseen. */
const unrecorded = ['appendFileSync', 'truncateSync', 'linkSync', 'symlinkSync', 'rmdirSync', 'writevSync'] as const;
const unrecordedPromises = ['appendFile', 'copyFile', 'link', 'mkdir', 'truncate', 'unlink', 'writeFile'] as const;

/**
 * Keeps every change that this thread makes by `node:fs` in one folder and below, in order, so that the disk after a power loss at any
 * moment can be made. Nothing waits for the disk meanwhile: what is durable is decided by the record.
 */
export class DiskRecorder {
  readonly changes: DiskChange[] = [];
  readonly #root: string;
  readonly #inodes = new Map<string, number>();
  readonly #open = new Map<number, Opened>();
  readonly #real = { ...fs };
  readonly #realPromises = { ...fs.promises };
  readonly #undo: (() => void)[] = [];
  #lastInode = 0;

  /** Begins at once. Nothing may be in `folder` yet. */
  constructor(folder: string) {
    assert.deepEqual(fs.readdirSync(folder), []);
    this.#root = folder;
    this.#replace(fs, this.#replacements());
    this.#replace(fs.promises, this.#promiseReplacements());
  }

  /** Idempotent. */
  stop(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  #replace(target: object, replacements: object): void {
    const before = Object.entries(target).filter(([name]) => name in replacements);
    Object.assign(target, replacements);
    this.#undo.push(() => Object.assign(target, Object.fromEntries(before)));
  }

  /** Undefined for what is elsewhere. */
  #path(path: unknown): string | undefined {
    if (typeof path !== 'string') return undefined;
    const relative = nodePath.relative(this.#root, path);
    return relative.startsWith('..') ? undefined : relative;
  }

  #replacements(): Partial<typeof fs> {
    const real = this.#real;
    const refusing = Object.fromEntries(unrecorded.map((name) => [name, this.#refusing(name, real[name])]));
    return {
      ...refusing,
      openSync: (path, flags, mode) => this.#openSync(path, flags ?? 'r', mode),
      closeSync: (fd) => {
        this.#open.delete(fd);
        real.closeSync(fd);
      },
      writeSync: ((...args: Parameters<typeof real.writeSync>) => this.#write(...args)) as typeof fs.writeSync, // the form with a buffer
      writeFileSync: (path, data) => {
        const isOpen = typeof path === 'number' && this.#open.has(path);
        if (!isOpen && this.#path(path) === undefined) return real.writeFileSync(path, data);
        const fd = isOpen ? path : fs.openSync(path as string, 'w', 0o600);
        const bytes = Buffer.from(data as string);
        fs.writeSync(fd, bytes, 0, bytes.length, 0);
        if (!isOpen) fs.closeSync(fd);
      },
      copyFileSync: (from, to) => {
        if (this.#path(to) === undefined) real.copyFileSync(from, to);
        else fs.writeFileSync(to, real.readFileSync(from));
      },
      ftruncateSync: (fd, sizeBytes) => {
        real.ftruncateSync(fd, sizeBytes);
        const opened = this.#open.get(fd);
        if (opened && 'inode' in opened) this.changes.push({ call: 'truncate', ...opened, sizeBytes: sizeBytes ?? 0 });
      },
      // Of a folder it promises nothing about names.
      fdatasyncSync: (fd) => this.#sync(fd, () => real.fdatasyncSync(fd), 'data'),
      fsyncSync: (fd) => this.#sync(fd, () => real.fsyncSync(fd), 'all'),
      unlinkSync: (path) => {
        real.unlinkSync(path);
        this.#unlinked(path);
      },
      rmSync: (path, options) => {
        const isFile = real.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
        if (isFile) fs.unlinkSync(path);
        else real.rmSync(path, options);
      },
      renameSync: (from, to) => {
        real.renameSync(from, to);
        this.#renamed(from, to);
      },
      mkdirSync: ((path: string, options: fs.MakeDirectoryOptions & { recursive: true }) => {
        const first = real.mkdirSync(path, options);
        const made: string[] = [];
        for (let at = path; first !== undefined && at.length >= first.length; at = nodePath.dirname(at))
          made.unshift(at);
        for (const at of made) this.changes.push({ call: 'makeFolder', path: this.#path(at) ?? at });
        return first;
      }) as typeof fs.mkdirSync,
    };
  }

  #promiseReplacements(): Partial<typeof fs.promises> {
    const real = this.#realPromises;
    return {
      ...Object.fromEntries(unrecordedPromises.map((name) => [name, this.#refusing(name, real[name])])),
      open: async (path, flags, mode) => {
        if (this.#path(path) === undefined) return real.open(path, flags, mode);
        return this.#handle(fs.openSync(path as string, flags ?? 'r', mode));
      },
      rename: async (from, to) => fs.renameSync(from, to),
      rm: async (path, options) => fs.rmSync(path, options),
    };
  }

  /** Of the handle of a file what is used here. */
  #handle(fd: number): fs.promises.FileHandle {
    const handle = {
      read: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
        return { bytesRead: fs.readSync(fd, buffer, offset, length, position) };
      },
      write: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
        return { bytesWritten: fs.writeSync(fd, buffer, offset, length, position) };
      },
      writeFile: async (text: string) => void fs.writeSync(fd, Buffer.from(text), 0, Buffer.byteLength(text), 0),
      stat: async () => fs.fstatSync(fd),
      sync: async () => fs.fsyncSync(fd),
      close: async () => fs.closeSync(fd),
    };
    return handle as unknown as fs.promises.FileHandle; // what else is asked of it fails
  }

  #refusing(name: string, real: unknown): unknown {
    return (...args: readonly unknown[]) => {
      const isHere = args.slice(0, 2).some((path) => this.#path(path) !== undefined);
      if (isHere) throw new Error(`${name} is not recorded`);
      return (real as (...args: readonly unknown[]) => unknown)(...args);
    };
  }

  #openSync(path: fs.PathLike, flags: fs.OpenMode, mode: fs.Mode | null | undefined): number {
    const relative = this.#path(path);
    if (relative === undefined) return this.#real.openSync(path, flags, mode);
    const isNew = !this.#real.existsSync(path);
    const fd = this.#real.openSync(path, flags, mode);
    if (this.#real.fstatSync(fd).isDirectory()) {
      this.#open.set(fd, { folder: relative });
      return fd;
    }
    if (isNew) {
      this.#inodes.set(relative, ++this.#lastInode);
      this.changes.push({ call: 'create', path: relative, inode: this.#lastInode });
    }
    const inode = this.#inodes.get(relative) ?? assert.fail(relative);
    this.#open.set(fd, { inode });
    const isEmptied = typeof flags === 'number' ? (flags & fs.constants.O_TRUNC) !== 0 : flags.startsWith('w');
    if (isEmptied && !isNew) this.changes.push({ call: 'truncate', inode, sizeBytes: 0 });
    return fd;
  }

  #write(...args: Parameters<typeof fs.writeSync>): number {
    const moved = this.#real.writeSync(...args);
    const [fd, buffer, offset, , position] = args as readonly unknown[] as readonly [
      number,
      Buffer,
      number,
      number,
      number,
    ];
    const opened = this.#open.get(fd);
    if (!opened || !('inode' in opened)) return moved;
    assert.ok(Number.isInteger(position) && Number.isInteger(offset), 'only writes at a position are recorded');
    this.changes.push({
      call: 'write',
      ...opened,
      position,
      bytes: Buffer.from(buffer.subarray(offset, offset + moved)),
    });
    return moved;
  }

  #sync(fd: number, real: () => void, of: 'data' | 'all'): void {
    const opened = this.#open.get(fd);
    if (!opened) real();
    else if ('inode' in opened) this.changes.push({ call: 'sync', ...opened });
    else if (of === 'all') this.changes.push({ call: 'syncFolder', path: opened.folder });
  }

  #unlinked(path: fs.PathLike): void {
    const relative = this.#path(path);
    if (relative === undefined) return;
    this.#inodes.delete(relative);
    this.changes.push({ call: 'unlink', path: relative });
  }

  #renamed(from: fs.PathLike, to: fs.PathLike): void {
    const [path, target] = [this.#path(from), this.#path(to)];
    if (path === undefined || target === undefined) return assert.equal(path, target, 'renamed across the border');
    this.#inodes.set(target, this.#inodes.get(path) ?? assert.fail(path));
    this.#inodes.delete(path);
    this.changes.push({ call: 'rename', path, to: target });
  }
}

/** What a disk keeps of the changes that were not synced when the power went. */
export const PowerLoss = {
  /** None of them: neither what is in the files, nor their names. */
  Dropped: 'dropped',
  /** Any of them, in order. */
  Subset: 'subset',
  /** All of them, and of the last write only some sectors of 512 bytes. */
  Torn: 'torn',
} as const;
export type PowerLoss = (typeof PowerLoss)[keyof typeof PowerLoss];

/** Makes the files in `folder` as they are on the disk when the power goes after `changes`. `random` yields 0 ≤ x < 1. */
export function materialise(
  folder: string,
  changes: readonly DiskChange[],
  loss: PowerLoss,
  random: () => number,
): void {
  const lastSync = new Map<number | string, number>(); // of a file by its number, of the names in a folder by its path
  changes.forEach((change, at) => {
    if (change.call === 'sync') lastSync.set(change.inode, at);
    if (change.call === 'syncFolder') lastSync.set(change.path, at);
  });
  const lastWrite = changes.findLastIndex(({ call }) => call === 'write');
  const files = new Map<number, GrowingFile>();
  const names = new Map<string, number>();
  const folders = new Set(['']);
  changes.forEach((change, at) => {
    if (change.call === 'sync' || change.call === 'syncFolder') return;
    const syncedAt = lastSync.get('path' in change ? folderOf(change.path) : change.inode) ?? -1;
    const isDurable = at < syncedAt;
    if (!isDurable && loss === PowerLoss.Dropped) return;
    if (!isDurable && loss === PowerLoss.Subset && random() < 0.5) return;
    if (change.call === 'create') return void names.set(change.path, change.inode);
    if (change.call === 'makeFolder') return void folders.add(change.path);
    if (change.call === 'unlink') return void names.delete(change.path);
    if (change.call === 'rename') {
      const inode = names.get(change.path);
      if (inode !== undefined) names.set(change.to, inode);
      return void names.delete(change.path);
    }
    const file = files.get(change.inode) ?? new GrowingFile();
    files.set(change.inode, file);
    if (change.call === 'truncate') return file.resize(change.sizeBytes);
    const isTorn = !isDurable && loss === PowerLoss.Torn && at === lastWrite;
    const sectors = Math.ceil(change.bytes.length / 512);
    const kept = isTorn ? change.bytes.subarray(0, 512 * Math.floor(random() * sectors)) : change.bytes;
    file.write(kept, change.position);
  });
  // A folder whose own name is lost takes what is in it along.
  for (const path of [...folders].toSorted())
    if (path !== '' && folders.has(folderOf(path))) fs.mkdirSync(nodePath.join(folder, path), { mode: 0o700 });
    else if (path !== '') folders.delete(path);
  for (const [path, inode] of names) {
    if (!folders.has(folderOf(path))) continue;
    fs.writeFileSync(nodePath.join(folder, path), files.get(inode)?.bytes ?? '', { mode: 0o600 });
  }
}

function folderOf(path: string): string {
  const folder = nodePath.dirname(path);
  return folder === '.' ? '' : folder;
}

/** A file in memory that is not copied at every write that makes it longer. What is beyond its end is zero. */
class GrowingFile {
  #room = Buffer.alloc(4096);
  #length = 0;

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  write(bytes: Buffer, position: number): void {
    if (position + bytes.length > this.#length) this.resize(position + bytes.length);
    bytes.copy(this.#room, position);
  }

  resize(length: number): void {
    if (length < this.#length) this.#room.fill(0, length, this.#length);
    if (length > this.#room.length) {
      const room = Buffer.alloc(2 * length);
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    this.#length = length;
  }
}

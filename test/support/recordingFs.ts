import fs from 'node:fs';
import nodePath from 'node:path';
import { type FileSystem, nodeFileSystem } from '../../src/core/data/node/fileSystem';

/** One call that changes a file, or makes its changes durable. */
export type FileChange =
  | { readonly call: 'write'; readonly name: string; readonly position: number; readonly bytes: Buffer }
  | { readonly call: 'truncate'; readonly name: string; readonly sizeBytes: number }
  | { readonly call: 'sync'; readonly name: string }
  | { readonly call: 'create'; readonly name: string }
  | { readonly call: 'unlink'; readonly name: string };

/** The real file system; keeps every change in order, so that the disk after a power loss at any moment can be made. */
export class RecordingFs implements FileSystem {
  readonly changes: FileChange[] = [];
  readonly #names = new Map<number, string>();

  open(path: string, flags: number): number {
    const isNew = !fs.existsSync(path);
    const fd = nodeFileSystem.open(path, flags);
    this.#names.set(fd, nodePath.basename(path));
    if (isNew) this.changes.push({ call: 'create', name: nodePath.basename(path) });
    return fd;
  }

  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    const moved = nodeFileSystem.write(fd, buffer, offset, length, position);
    const bytes = Buffer.from(buffer.subarray(offset, offset + moved));
    this.changes.push({ call: 'write', name: this.#name(fd), position, bytes });
    return moved;
  }

  truncate(fd: number, sizeBytes: number): void {
    nodeFileSystem.truncate(fd, sizeBytes);
    this.changes.push({ call: 'truncate', name: this.#name(fd), sizeBytes });
  }

  /** Does not wait for the disk: what is durable is decided by the record. */
  dataSync(fd: number): void {
    this.changes.push({ call: 'sync', name: this.#name(fd) });
  }

  unlink(path: string): void {
    nodeFileSystem.unlink(path);
    this.changes.push({ call: 'unlink', name: nodePath.basename(path) });
  }

  readonly close = nodeFileSystem.close;
  readonly read = nodeFileSystem.read;
  readonly statFd = nodeFileSystem.statFd;
  readonly stat = nodeFileSystem.stat;
  readonly access = nodeFileSystem.access;

  #name(fd: number): string {
    return this.#names.get(fd) ?? `${fd}`;
  }
}

/** What a disk keeps of the changes that were not synced when the power went. */
export const PowerLoss = {
  /** None of them. */
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
  changes: readonly FileChange[],
  loss: PowerLoss,
  random: () => number,
): void {
  const lastSync = new Map<string, number>();
  changes.forEach((change, at) => change.call === 'sync' && lastSync.set(change.name, at));
  const lastWrite = changes.findLastIndex((change) => change.call === 'write');
  const files = new Map<string, GrowingFile>();
  const file = (name: string): GrowingFile => {
    const known = files.get(name) ?? new GrowingFile();
    files.set(name, known);
    return known;
  };
  changes.forEach((change, at) => {
    const isDurable = at < (lastSync.get(change.name) ?? -1);
    if (change.call === 'sync') return;
    // Names appear and vanish in the order of the calls; what is in a file is another matter.
    if (change.call === 'create') return void files.set(change.name, new GrowingFile());
    if (change.call === 'unlink') return void files.delete(change.name);
    if (!isDurable && loss === PowerLoss.Dropped) return;
    if (!isDurable && loss === PowerLoss.Subset && random() < 0.5) return;
    if (change.call === 'truncate') return file(change.name).resize(change.sizeBytes);
    const isTorn = !isDurable && loss === PowerLoss.Torn && at === lastWrite;
    const sectors = Math.ceil(change.bytes.length / 512);
    const kept = isTorn ? change.bytes.subarray(0, 512 * Math.floor(random() * sectors)) : change.bytes;
    file(change.name).write(kept, change.position);
  });
  for (const [name, { bytes }] of files) fs.writeFileSync(nodePath.join(folder, name), bytes, { mode: 0o600 });
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

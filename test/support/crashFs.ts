import { type FileSystem, nodeFileSystem } from '../../src/core/data/node/fileSystem';

export type FileCall = 'open' | 'write' | 'truncate' | 'dataSync' | 'unlink' | 'read';

/** The real file system with faults: `fault` is asked before every call and names the error it fails with. */
export class FaultyFileSystem implements FileSystem {
  /** Calls so far, by kind. */
  readonly counts: Record<FileCall, number> = { open: 0, write: 0, truncate: 0, dataSync: 0, unlink: 0, read: 0 };
  fault: ((call: FileCall) => string | undefined) | undefined;
  /** At most this many bytes per write or read: partial transfers. */
  chunkBytes = Infinity;
  /** False: a sync is counted and may fail, but nothing is waited for. */
  waitsForDisk = true;

  /** Fails calls that need space, as a full disk does; `false` ends it. */
  simulateFullDisk(isFull: boolean): void {
    this.fault = isFull ? (call) => (call === 'write' ? 'ENOSPC' : undefined) : undefined;
  }

  open(path: string, flags: number): number {
    this.#call('open');
    return nodeFileSystem.open(path, flags);
  }

  close(fd: number): void {
    nodeFileSystem.close(fd);
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    this.#call('read');
    return nodeFileSystem.read(fd, buffer, offset, Math.min(length, this.chunkBytes), position);
  }

  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    this.#call('write');
    return nodeFileSystem.write(fd, buffer, offset, Math.min(length, this.chunkBytes), position);
  }

  truncate(fd: number, sizeBytes: number): void {
    this.#call('truncate');
    nodeFileSystem.truncate(fd, sizeBytes);
  }

  dataSync(fd: number): void {
    this.#call('dataSync');
    if (this.waitsForDisk) nodeFileSystem.dataSync(fd);
  }

  readonly statFd = nodeFileSystem.statFd;
  readonly stat = nodeFileSystem.stat;
  readonly access = nodeFileSystem.access;

  unlink(path: string): void {
    this.#call('unlink');
    nodeFileSystem.unlink(path);
  }

  #call(call: FileCall): void {
    this.counts[call]++;
    const code = this.fault?.(call);
    if (code) throw Object.assign(new Error(`${code}: simulated, ${call}`), { code });
  }
}

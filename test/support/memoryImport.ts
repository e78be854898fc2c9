import { createHash } from 'node:crypto';
import type { Digest, ImportFiles } from '../../src/core/data/exchange/importReader';

export function sha256Digest(): Digest {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.copy().digest('hex') };
}

/** One file in memory, read in portions of so many bytes; each portion is overwritten when the next one is asked for. */
export class MemoryImportFile implements ImportFiles {
  bytes: Uint8Array = new Uint8Array();
  portion = 7;
  openCount = 0;
  onRead = (): void => undefined;

  get text(): string {
    return Buffer.from(this.bytes).toString('utf8');
  }

  set text(text: string) {
    this.bytes = Buffer.from(text);
  }

  open: ImportFiles['open'] = async () => {
    this.openCount += 1;
    const { bytes, portion, onRead } = this;
    return {
      sizeBytes: bytes.length,
      async *read(): AsyncGenerator<Uint8Array> {
        const buffer = Buffer.alloc(portion); // whose slices are views
        for (let at = 0; at < bytes.length; at += portion) {
          onRead();
          const part = bytes.subarray(at, at + portion);
          buffer.set(part);
          yield buffer.subarray(0, part.length);
        }
      },
      close: async () => void (this.openCount -= 1),
    };
  };
}

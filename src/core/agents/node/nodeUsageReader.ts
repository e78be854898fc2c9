import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { UsageReader } from '../usage';

const MAX_LINE_LENGTH = 1024 * 1024;
const LINE_END = 0x0a;

/**
 * {@link UsageReader} on the real file system. Only ordinary files are read: a pipe would keep us waiting. A link is followed: agents run as
 * the same user, and nothing of what a file says comes out of here but counts of tokens.
 */
export class NodeUsageReader implements UsageReader {
  async read(path: string, offset: number, maxBytes: number): ReturnType<UsageReader['read']> {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe without a writer would not open otherwise
    try {
      const status = await file.stat();
      if (!status.isFile()) return { lines: [], nextOffset: offset, isReset: false, unreadBytes: 0 };
      const isReset = status.size < offset;
      const from = isReset ? 0 : offset;
      const buffer = Buffer.alloc(Math.min(maxBytes, Math.max(0, status.size - from)));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(LINE_END) + 1;
      const isEndless = end === 0 && bytesRead === maxBytes; // one line: passed over
      const nextOffset = from + (isEndless ? bytesRead : end);
      const unreadBytes = Math.max(0, status.size - nextOffset);
      if (isEndless) return { lines: [], nextOffset, isReset, unreadBytes };
      const lines = buffer.toString('utf8', 0, end).split('\n');
      return {
        lines: lines.filter((line) => line !== '' && line.length <= MAX_LINE_LENGTH),
        nextOffset,
        isReset,
        unreadBytes,
      };
    } finally {
      await file.close();
    }
  }
}

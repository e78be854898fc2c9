import fs from 'node:fs';
import { type FileSystem, nodeFileSystem } from './fileSystem';
import { markComplete } from './storeHeader';

/**
 * The main file `path` alone, read-only, as if it had no log beside it: for a file that is complete by itself and does not
 * change. Every call that would change anything fails with EROFS.
 */
export function frozenFiles(path: string, files: FileSystem = nodeFileSystem): FileSystem {
  const refuse = (): never => {
    throw Object.assign(new Error('the file is only read'), { code: 'EROFS' });
  };
  const only = (asked: string): void => {
    if (asked !== path) throw Object.assign(new Error('nothing but the main file is looked at'), { code: 'ENOENT' });
  };
  return {
    open: (asked) => {
      only(asked);
      return files.open(path, fs.constants.O_RDONLY);
    },
    close: (fd) => files.close(fd),
    read: (fd, buffer, offset, length, position) => {
      const count = files.read(fd, buffer, offset, length, position);
      markComplete(buffer.subarray(offset, offset + count), position);
      return count;
    },
    write: refuse,
    truncate: refuse,
    dataSync: refuse,
    unlink: refuse,
    statFd: (fd) => files.statFd(fd),
    stat: (asked) => {
      only(asked);
      return files.stat(asked);
    },
    access: (asked, mode) => {
      only(asked);
      files.access(asked, mode);
    },
  };
}

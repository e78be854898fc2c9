import { DataError } from './dataErrors';

interface Reason {
  readonly why: string;
  readonly next: string;
}

const FREE_SPACE = 'Free some space there.';
const RIGHTS = 'Give yourself the right to it (chmod, chown), or put the data of the editor elsewhere.';

/** Errors of the system's file calls that a person can do something about (errno(3)). */
const reasons: Readonly<Record<string, Reason>> = {
  ENOSPC: { why: 'the disk is full', next: FREE_SPACE },
  EDQUOT: { why: 'your share of the disk is used up', next: FREE_SPACE },
  EROFS: {
    why: 'its file system is read-only',
    next: 'Mount it for writing; a disk that failed may have become read-only by itself.',
  },
  EACCES: { why: 'you have no right to it', next: RIGHTS },
  EPERM: { why: 'the system does not permit it', next: RIGHTS },
  ENOTDIR: { why: 'something on the way to it is a file and no folder', next: 'Move that file away.' },
  EEXIST: { why: 'a file of this name is in its place', next: 'Move that file away.' },
  ELOOP: { why: 'a link on the way to it leads nowhere', next: 'Mend or remove that link.' },
  EMFILE: { why: 'this process has too many files open', next: 'Reload the window, or raise the limit (ulimit -n).' },
  ENFILE: { why: 'this machine has too many files open', next: 'End programs that are not needed.' },
  EIO: { why: 'the disk failed', next: 'Look at the health of the disk, and back up what is on it.' },
};

/**
 * What a person is told of a failed file call: what failed, why, and the next step. Anything but a system error is returned as it is.
 * @param what names the folder, without a full stop: `the folder /x cannot be made`
 */
export function systemFailure(what: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const { why, next } = reasons[code] ?? { why: 'the system refused', next: 'The log says more.' };
  return new DataError('data.io', `${what}: ${why} (${code}). ${next}`, { cause: error });
}

/** The `code` of a Node system error. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

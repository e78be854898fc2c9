import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { DataError } from '../dataErrors';
import { systemFailure } from '../systemFailure';
import { makeFolder } from './storeFiles';

/**
 * Makes `folder` (and what is above it) with mode 0700 when it is missing, and checks that it is ours alone.
 * @throws {DataError} data.folderUnsafe when it is a symbolic link, no folder, somebody else's or open to others; data.io when it cannot be made
 */
export function ensurePrivateFolder(folder: string): void {
  const stat = madeFolder(folder);
  const isOwn = process.getuid === undefined || stat.uid === process.getuid();
  if (stat.isSymbolicLink() || !stat.isDirectory()) throw unsafe(folder, 'is not a folder');
  if (!isOwn) throw unsafe(folder, 'belongs to another user');
  if ((stat.mode & 0o077) !== 0) throw unsafe(folder, 'is open to other users (chmod 700 makes it private)');
}

function madeFolder(folder: string): fs.Stats {
  try {
    makeFolder(folder);
    return fs.lstatSync(folder);
  } catch (error) {
    throw systemFailure(`the folder ${folder} cannot be made`, error);
  }
}

function unsafe(folder: string, why: string): DataError {
  return new DataError('data.folderUnsafe', `${folder} ${why}`);
}

/** What is asked of the system; tests put their own answers here. */
export interface MountInfo {
  readonly platform: NodeJS.Platform;
  /** statfs(2): `type` is the magic number of the file system on Linux. */
  statfs(path: string): { readonly type: number };
  /** `/proc/self/mountinfo` on Linux, the output of mount(8) on macOS. */
  mounts(): Promise<string>;
}

export const systemMounts: MountInfo = {
  platform: process.platform,
  statfs: (path) => fs.statfsSync(path),
  mounts: () => (process.platform === 'linux' ? fs.promises.readFile('/proc/self/mountinfo', 'utf8') : mountOutput()),
};

/** Magic numbers of statfs(2) and of the kernel's magic.h: file systems whose files other machines may change. */
const networkTypes = new Map<number, string>([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB2'],
  [0xff534d42, 'CIFS'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9p'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x786f4256, 'VirtualBox share'],
]);

/** FUSE says nothing about what is behind it; the mount's own type does. */
const fuseType = 0x65735546;
const networkMounts =
  /^(nfs|smbfs|cifs|afpfs|webdav|9p|fuse\.(sshfs|s3fs|rclone|glusterfs|ceph|davfs|curlftpfs|gcsfuse|vmhgfs-fuse|juicefs|moosefs|lizardfs)|macfuse|osxfuse)/i;

/**
 * Atomic links and a file lock by number need one kernel that sees everything: refuse folders on a network.
 * @throws {DataError} data.networkFileSystem
 */
export async function refuseNetworkFolder(folder: string, info: MountInfo = systemMounts): Promise<void> {
  const type = info.statfs(folder).type >>> 0; // some are negative as 32-bit numbers
  let name = info.platform === 'linux' ? networkTypes.get(type) : undefined;
  if (!name && (info.platform !== 'linux' || type === fuseType)) {
    const mounted = mountTypeOf(fs.realpathSync(folder), await info.mounts());
    if (mounted && networkMounts.test(mounted)) name = mounted;
  }
  if (name) throw new DataError('data.networkFileSystem', `${folder} is on a network file system (${name})`);
}

/**
 * The type of the file system that holds `path`: the deepest mount point above it, by a Linux mountinfo table
 * (proc(5)) or macOS's `device on /point (type, options)`. Undefined when the table does not say.
 */
export function mountTypeOf(path: string, table: string): string | undefined {
  let best: { readonly point: string; readonly type: string } | undefined;
  for (const line of table.split('\n')) {
    const linux = /^\d+ \d+ \d+:\d+ \S+ (\S+) .* - (\S+) /.exec(line);
    const mac = /^.+ on (.+) \(([^,)]+)/.exec(line);
    const [, point, type] = linux ?? mac ?? [];
    if (point === undefined || type === undefined) continue;
    const plain = point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
    const isAbove = plain === '/' || path === plain || path.startsWith(`${plain}/`);
    if (isAbove && (!best || plain.length >= best.point.length)) best = { point: plain, type }; // later mounts hide earlier ones
  }
  return best?.type;
}

function mountOutput(): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('/sbin/mount', [], { env: { LC_ALL: 'C' } }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

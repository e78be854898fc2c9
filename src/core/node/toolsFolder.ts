import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { LaunchTools } from '../agents/launchTools';
import { ignore, type Logger } from '../base/log';
import { ensurePrivateFolder } from '../data/node/safeFolder';

export interface ToolsFolderOptions {
  /** Where data of all workspaces is kept; the tools go into its folder `bin`. */
  readonly storageFolder: string;
  /** Folder of the bundles: `orc.js` and, where there is one, `opencodePlugin.js`. */
  readonly distFolder: string;
  /** Node, or what runs as Node with ELECTRON_RUN_AS_NODE=1. */
  readonly execPath: string;
  /** The gateway's pointer file of the workspace. */
  readonly pointerFile: string;
  readonly log: Logger;
}

/** File name of the plugin in the tools folder. Living programs hold its path: it stays the same over updates. */
export const OPENCODE_PLUGIN = 'opencodePlugin.js';

/** How many earlier copies of the program are kept, and for how long all are: one may be starting just now. */
const KEPT_COPIES = 2;
const KEPT_MS = 3_600_000;
const COPY = /^orc-[0-9a-f]{16}\.js$/;

/** Where {@link installTools} puts `orc`. */
export function orcPath(storageFolder: string): string {
  return path.join(storageFolder, 'bin', 'orc');
}

/**
 * Puts what agents call into `<storage>/bin` (0700): `orc`, a shell script that finds a runtime; the program itself under a name made
 * of its content; the opencode plugin. Every file is replaced in one step, and the path of `orc` never changes, so that an update cuts
 * off no living agent. Writes nothing when nothing has changed.
 * @throws {DataError} data.folderUnsafe; {Error} of node:fs, for a bundle that is missing
 */
export async function installTools(options: ToolsFolderOptions): Promise<LaunchTools> {
  const { storageFolder, distFolder, execPath, pointerFile, log } = options;
  const folder = path.join(storageFolder, 'bin');
  ensurePrivateFolder(folder);
  const program = await fs.promises.readFile(path.join(distFolder, 'orc.js'));
  const copy = `orc-${createHash('sha256').update(program).digest('hex').slice(0, 16)}.js`;
  place(folder, copy, program, 0o600);
  const plugin = path.join(distFolder, OPENCODE_PLUGIN);
  if (fs.existsSync(plugin)) place(folder, OPENCODE_PLUGIN, await fs.promises.readFile(plugin), 0o600);
  const orc = path.join(folder, 'orc');
  place(folder, 'orc', Buffer.from(wrapperScript(execPath, path.join(folder, copy))), 0o700);
  removeOldCopies(folder, copy, log);
  return { folder, orc, pointerFile };
}

/**
 * The script behind `orc`. When the runtime it was made for has vanished (an update of the editor), it takes `node` from the PATH;
 * when there is none, a hook still ends well, so that no agent stops for it. What the agent's own runtime is told by variables is
 * not meant for `orc`. It leaves no memory image behind when it crashes: a hook has read its agent's token.
 */
export function wrapperScript(execPath: string, program: string): string {
  return `#!/bin/sh
ulimit -c 0
unset NODE_OPTIONS NODE_EXTRA_CA_CERTS
ELECTRON_RUN_AS_NODE=1
export ELECTRON_RUN_AS_NODE
runtime=${quoted(execPath)}
program=${quoted(program)}
[ -x "$runtime" ] || runtime=$(command -v node)
if [ -n "$runtime" ] && [ -r "$program" ]; then
  exec "$runtime" "$program" "$@"
fi
[ "$1" = hook ] && exit 0
echo 'orc: its program or a runtime for it is missing; start VS Code with Core Orchestrator once to repair it' >&2
exit 3
`;
}

/** One word of a POSIX shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Nothing when the file has this content and mode already. */
function place(folder: string, name: string, content: Buffer, mode: number): void {
  const file = path.join(folder, name);
  if (isSame(file, content, mode)) return;
  const unfinished = path.join(folder, `.${name}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    fs.writeFileSync(unfinished, content, { flag: 'wx', mode });
    fs.chmodSync(unfinished, mode); // whatever the umask is
    fs.renameSync(unfinished, file);
  } catch (error) {
    fs.rmSync(unfinished, { force: true });
    throw error;
  }
}

function isSame(file: string, content: Buffer, mode: number): boolean {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size !== content.length || (stat.mode & 0o777) !== mode) return false;
  return fs.readFileSync(file).equals(content);
}

/** A window of another version may have installed its own: the newest ones stay. Another window may remove the same ones just now. */
function removeOldCopies(folder: string, present: string, log: Logger): void {
  try {
    const copies = fs
      .readdirSync(folder)
      .filter((name) => COPY.test(name) && name !== present)
      .map((name) => ({ name, atMs: fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .sort((a, b) => b.atMs - a.atMs);
    const old = copies.slice(KEPT_COPIES).filter(({ atMs }) => Date.now() - atMs > KEPT_MS);
    for (const { name } of old) fs.rmSync(path.join(folder, name), { force: true });
  } catch (error) {
    ignore(log, error, 'an old copy of orc stays');
  }
}

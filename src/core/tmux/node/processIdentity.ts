import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import type { ProcessIdentity } from '../../agents/agent';
import { runProgram } from './runProgram';

/** Start time used when the process had ended before it could be read: equal to that of no living process. */
export const UNREAD_START_TIME = '';

/**
 * When process `pid` began, as the operating system states it: Linux field 22 of /proc/<pid>/stat (proc(5)), elsewhere
 * `ps -o lstart=` (ps(1)). Undefined when there is no such process or only its zombie is left. Never rejects.
 * /proc is read at once: it is memory, and a thread of the pool costs ten times as much as the reading. As UTF-8, whatever the name
 * in it is: for other encodings Node takes 64 KiB for every file without a size.
 */
export async function readStartTime(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return readStartTimeByPs(pid);
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined; // ENOENT and ESRCH both say that it is gone
  }
}

/** The name in parentheses may itself contain parentheses and blanks, so count from the last one. */
export function parseProcStat(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isGone = fields[0] === 'Z' || fields[0] === 'X';
  return isGone ? undefined : fields[19];
}

/** True while exactly this process lives; a later process with the same pid does not count. */
export async function isSameProcessAlive(identity: ProcessIdentity): Promise<boolean> {
  const startTime = await readStartTime(identity.pid);
  return startTime !== undefined && startTime === identity.startTime;
}

async function readStartTimeByPs(pid: number): Promise<string | undefined> {
  const { code, stdout } = await runProgram('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    env: { LC_ALL: 'C' },
    timeoutMs: 5_000,
  });
  const match = code === 0 ? /^\s*(\S+)\s+(.+?)\s*$/.exec(stdout) : null;
  return match && !match[1]?.startsWith('Z') ? match[2] : undefined;
}

/**
 * True while any living process is in the group that process `groupId` leads: an agent that ignores the hang-up outlives its launch
 * script, in the script's group. Zombies do not count where that can be told (Linux).
 */
export async function isGroupAlive(groupId: number): Promise<boolean> {
  if (groupId <= 1) return false;
  try {
    process.kill(-groupId, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false; // the type of every error of process.kill
  }
  if (process.platform !== 'linux') return true;
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && (await readGroup(name)) === groupId) return true;
  }
  return false;
}

async function readGroup(pid: string): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    return parseProcStat(stat) === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return undefined; // ended meanwhile
  }
}

/** The name tmux gives to a terminal in which our launch script leads the foreground. */
const SCRIPT_NAME = 'sh';

/**
 * The program in the foreground. The launch script leads the agent's process group, so tmux names the script; the agent is its
 * child (Linux; elsewhere the script's name stays). Untrusted text. Read at once, as the start time is.
 */
export function foregroundName(tmuxName: string, scriptPid: number): string {
  if (process.platform !== 'linux' || tmuxName !== SCRIPT_NAME) return tmuxName;
  try {
    const child = /^\d+/.exec(readFileSync(`/proc/${scriptPid}/task/${scriptPid}/children`, 'utf8'))?.[0];
    if (child === undefined) return tmuxName;
    const command = readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0')[0] ?? '';
    return command.slice(command.lastIndexOf('/') + 1) || tmuxName;
  } catch {
    return tmuxName; // it has just ended
  }
}

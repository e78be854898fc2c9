import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { errnoCode } from './fileSystem';

/** Names one process for ever: a pid alone is given to others later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time as the system writes it; only compared for equality. */
  readonly startTime: string;
  /** Changes with every start of the machine; empty where there is no such thing. */
  readonly bootId: string;
}

/** This process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const { pid } = process;
  return { pid, startTime: (await startTimeOf(pid)) ?? '', bootId: bootId() };
}

/** True only when it is certain that the process has ended. */
export async function isProcessGone({ pid, startTime, bootId: booted }: ProcessIdentity): Promise<boolean> {
  if (booted !== bootId()) return true;
  const present = await startTimeOf(pid);
  return present === undefined || present !== startTime;
}

function bootId(): string {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return ''; // not Linux
    throw error;
  }
}

/** Linux: field 22 of /proc/<pid>/stat (proc(5)); elsewhere `ps -o lstart=`. Undefined when there is no such process. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return psStartTime(pid);
  try {
    // The second field is the command's name in parentheses and may hold anything: count from behind it.
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    return state === 'Z' || state === 'X' ? undefined : fields[19];
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ESRCH') return undefined;
    throw error;
  }
}

function psStartTime(pid: number): Promise<string | undefined> {
  const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' };
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'lstart=', '-p', String(pid)], { env }, (error, stdout) => {
      const text = stdout.trim();
      resolve(error || text === '' ? undefined : text);
    });
  });
}

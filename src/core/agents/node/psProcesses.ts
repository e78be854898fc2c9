import { execFile } from 'node:child_process';
import type { ProcessIdentity } from '../agent';
import { MARKER_VARIABLE } from '../agentFactory';
import {
  closure,
  type EndSignal,
  formerMembers,
  type HoldSignal,
  type Processes,
  processKey,
  type ProcessRow,
  sameProcess,
} from '../processes';
import { sendSignal } from './sendSignal';

const PS_TIMEOUT_MS = 5_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Processes by ps(1), for systems without `/proc` (macOS). A start time is `lstart` in the C locale. Sessions are not
 * told there: the process group stands for both. Environments of other programs may be hidden by the system (System
 * Integrity Protection), then a run whose root is gone is proved ended by its group alone.
 */
export class PsProcesses implements Processes {
  constructor(private readonly program = '/bin/ps') {}

  async identify(pid: number): Promise<ProcessIdentity | undefined> {
    const row = (await this.#table()).find((candidate) => candidate.pid === pid);
    return row && toIdentity(row);
  }

  async family(known: readonly ProcessIdentity[], marker: string): Promise<readonly ProcessIdentity[]> {
    const table = await this.#table();
    const members = formerMembers(table, known);
    const ours = members.length > 0 ? await this.#carriers(marker) : new Set<number>();
    return closure(table, [...known, ...members.filter((row) => ours.has(row.pid))]).map(toIdentity);
  }

  async marked(marker: string): Promise<readonly ProcessIdentity[]> {
    const ours = await this.#carriers(marker);
    return (await this.#table()).filter((row) => ours.has(row.pid)).map(toIdentity);
  }

  async signal(target: ProcessIdentity, signal: EndSignal): Promise<'sent' | 'gone' | 'refused'> {
    const now = await this.identify(target.pid);
    return now && sameProcess(now, target) ? sendSignal(target.pid, signal) : 'gone';
  }

  async signalEach(targets: readonly ProcessIdentity[], signal: EndSignal | HoldSignal): Promise<void> {
    const living = new Set((await this.#table()).map(processKey));
    for (const target of targets) if (living.has(processKey(target))) sendSignal(target.pid, signal);
  }

  async areHeld(targets: readonly ProcessIdentity[]): Promise<boolean> {
    const moving = (await this.#run(['-A', '-o', 'pid=,stat=']))
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, state = 'Z']) => !/^[TZ]/.test(state));
    const pids = new Set(moving.map(([pid]) => Number(pid)));
    return targets.every(({ pid }) => !pids.has(pid));
  }

  async #table(): Promise<readonly ProcessRow[]> {
    const text = await this.#run(['-A', '-o', 'pid=,ppid=,pgid=,stat=,lstart=']);
    return parsePs(text);
  }

  async #carriers(marker: string): Promise<ReadonlySet<number>> {
    const text = await this.#run(['axeww', '-o', 'pid=,command=']);
    const wanted = ` ${MARKER_VARIABLE}=${marker} `;
    const lines = text.split('\n').filter((line) => `${line} `.includes(wanted));
    return new Set(lines.map((line) => Number.parseInt(line, 10)));
  }

  #run(args: readonly string[]): Promise<string> {
    const env = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };
    const options = { env, encoding: 'utf8', timeout: PS_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES } as const;
    return new Promise((resolve, reject) => {
      execFile(this.program, args, options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
  }
}

/** Rows of `ps -A -o pid=,ppid=,pgid=,stat=,lstart=`, zombies left out. */
export function parsePs(text: string): readonly ProcessRow[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line);
    if (!match || match[4]?.startsWith('Z')) return [];
    const [pid, parentPid, groupId] = match.slice(1, 4).map(Number) as [number, number, number]; // three groups of digits
    return [{ pid, parentPid, groupId, sessionId: undefined, startTime: match[5] ?? '' }];
  });
}

function toIdentity({ pid, startTime }: ProcessIdentity): ProcessIdentity {
  return { pid, startTime };
}

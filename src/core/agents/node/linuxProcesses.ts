import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import type { ProcessIdentity } from '../agent';
import {
  closure,
  type EndSignal,
  formerMembers,
  type HoldSignal,
  type Processes,
  type ProcessRow,
  sameProcess,
} from '../processes';
import { MARKER_VARIABLE } from '../agentFactory';
import { sendSignal } from './sendSignal';

/**
 * Processes by `/proc` (proc(5)). A start time is field 22 of `stat`: clock ticks since boot, as text.
 * Parents in `stat` are thread groups, so children of every thread are found.
 */
export class LinuxProcesses implements Processes {
  identify(pid: number): Promise<ProcessIdentity | undefined> {
    return Promise.resolve(identityOf(readStatNow(pid)));
  }

  async family(known: readonly ProcessIdentity[], marker: string): Promise<readonly ProcessIdentity[]> {
    const table = await readTable();
    const members = formerMembers(table, known);
    const isOurs = await Promise.all(members.map((row) => carries(row.pid, marker)));
    return closure(table, [...known, ...members.filter((_, index) => isOurs[index])]).map(toIdentity);
  }

  async marked(marker: string): Promise<readonly ProcessIdentity[]> {
    const table = await readTable();
    const ours = await Promise.all(table.map((row) => carries(row.pid, marker)));
    return table.filter((_, index) => ours[index]).map(toIdentity);
  }

  signal(target: ProcessIdentity, signal: EndSignal): Promise<'sent' | 'gone' | 'refused'> {
    return Promise.resolve(signalNow(target, signal));
  }

  signalEach(targets: readonly ProcessIdentity[], signal: EndSignal | HoldSignal): Promise<void> {
    for (const target of targets) signalNow(target, signal);
    return Promise.resolve();
  }

  async areHeld(targets: readonly ProcessIdentity[]): Promise<boolean> {
    const states = await Promise.all(targets.map(({ pid }) => threadStates(pid)));
    return states.flat().every((state) => AT_REST.has(state));
  }
}

/** Stopped, or ended (proc(5), field 3 of stat). */
const AT_REST: ReadonlySet<string> = new Set(['T', 't', 'Z', 'X', 'x']);

async function threadStates(pid: number): Promise<readonly string[]> {
  const threads = (await readdir(`/proc/${pid}/task`).catch(undefinedIfGone)) ?? [];
  const texts = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'latin1').catch(undefinedIfGone)),
  );
  return texts.flatMap((text) => (text === undefined ? [] : [text.charAt(text.lastIndexOf(')') + 2)]));
}

/** Reads and signals in one turn: the window in which the number could be given away is microseconds. */
function signalNow(target: ProcessIdentity, signal: EndSignal | HoldSignal): 'sent' | 'gone' | 'refused' {
  const now = identityOf(readStatNow(target.pid));
  return now && sameProcess(now, target) ? sendSignal(target.pid, signal) : 'gone';
}

/** Parses `/proc/<pid>/stat`; undefined for a zombie or a dead entry. The name in parentheses may contain anything. */
export function parseStat(text: string): ProcessRow | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session] = fields;
  const startTime = fields[19];
  if (startTime === undefined || state === 'Z' || state === 'X' || state === 'x') return undefined;
  return {
    pid: Number.parseInt(text, 10),
    parentPid: Number(parent),
    groupId: Number(group),
    sessionId: Number(session),
    startTime,
  };
}

function readStatNow(pid: number): ProcessRow | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function readTable(): Promise<readonly ProcessRow[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').then(parseStat, undefinedIfGone)),
  );
  return rows.filter((row) => row !== undefined);
}

async function carries(pid: number, marker: string): Promise<boolean> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1');
    return environment.split('\0').includes(`${MARKER_VARIABLE}=${marker}`);
  } catch (error) {
    if (isGone(error) || codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM') return false; // another user's process is not ours
    throw error;
  }
}

function undefinedIfGone(error: unknown): undefined {
  if (!isGone(error)) throw error;
}

function isGone(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH';
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function identityOf(row: ProcessRow | undefined): ProcessIdentity | undefined {
  return row && toIdentity(row);
}

function toIdentity({ pid, startTime }: ProcessIdentity): ProcessIdentity {
  return { pid, startTime };
}

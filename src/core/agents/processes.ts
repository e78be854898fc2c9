import type { ProcessIdentity } from './agent';

export type EndSignal = 'SIGHUP' | 'SIGINT' | 'SIGTERM' | 'SIGKILL';
/** SIGSTOP holds a process where it is, without its being asked; SIGCONT lets it go on. */
export type HoldSignal = 'SIGSTOP' | 'SIGCONT';

/**
 * The operating system's processes, as far as ending agents and proving their end needs them. A zombie counts as gone:
 * it runs nothing and its pid cannot be given away. Implemented for Linux by `/proc`, elsewhere by `ps`.
 * Every method rejects with an OrchestratorError or a system error when the system could not be asked: then nothing is known.
 */
export interface Processes {
  /** The process that has `pid` now; undefined when there is none (or only a zombie). */
  identify(pid: number): Promise<ProcessIdentity | undefined>;
  /**
   * Every living process that belongs to a run of which `known` were seen. Of a known one that lives: itself, its
   * descendants over all threads, and the members of the process group and session it leads. Of one that is gone: the members of
   * its former group and session that carry `marker` in their environment, and their descendants. A program that left the
   * session *and* lost its parent before it was ever seen is not found: it chose to be independent.
   */
  family(known: readonly ProcessIdentity[], marker: string): Promise<readonly ProcessIdentity[]>;
  /** Every living process of this user whose environment carries `marker`: for a run whose root was never recorded. */
  marked(marker: string): Promise<readonly ProcessIdentity[]>;
  /** Sends a signal, but only if the pid still belongs to `target`. `refused`: not permitted. */
  signal(target: ProcessIdentity, signal: EndSignal): Promise<'sent' | 'gone' | 'refused'>;
  /** The same for many at once, in their order: quick enough that nobody among them does much meanwhile. */
  signalEach(targets: readonly ProcessIdentity[], signal: EndSignal | HoldSignal): Promise<void>;
  /**
   * Whether each of those that SIGSTOP was sent to has stopped, with every thread where that can be told, or is gone. The signal needs a
   * moment to act, on a busy machine a long one, and until then a call that was under way still makes its new process.
   */
  areHeld(targets: readonly ProcessIdentity[]): Promise<boolean>;
}

/** One row of the process table. */
export interface ProcessRow extends ProcessIdentity {
  readonly parentPid: number;
  readonly groupId: number;
  /** Undefined where the system does not tell. */
  readonly sessionId: number | undefined;
}

export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime;
}

/** A key for sets of identities. */
export function processKey(identity: ProcessIdentity): string {
  return `${identity.pid}@${identity.startTime}`;
}

/**
 * Closure over one look at the process table: `roots` that live, their descendants, and whoever is in a group or
 * session led by one of them. Pure.
 */
export function closure(table: readonly ProcessRow[], roots: readonly ProcessIdentity[]): readonly ProcessRow[] {
  const children = new Map<number, ProcessRow[]>();
  const members = new Map<number, ProcessRow[]>();
  const push = (map: Map<number, ProcessRow[]>, key: number, row: ProcessRow): void =>
    void map.set(key, [...(map.get(key) ?? []), row]);
  for (const row of table) {
    push(children, row.parentPid, row);
    push(members, row.groupId, row);
    if (row.sessionId !== undefined && row.sessionId !== row.groupId) push(members, row.sessionId, row);
  }
  const found = new Map<number, ProcessRow>();
  const queue = table.filter((row) => roots.some((root) => sameProcess(root, row)));
  for (let row = queue.pop(); row; row = queue.pop()) {
    if (found.has(row.pid) || row.pid <= 1) continue;
    found.set(row.pid, row);
    queue.push(...(children.get(row.pid) ?? []), ...(members.get(row.pid) ?? []));
  }
  return [...found.values()];
}

/** Members of groups and sessions that processes led which are gone; the caller still has to prove that they are ours. */
export function formerMembers(table: readonly ProcessRow[], known: readonly ProcessIdentity[]): readonly ProcessRow[] {
  const taken = new Set(table.map((row) => row.pid)); // a number that somebody has now stands for that one's group and session
  const former = new Set(known.map((one) => one.pid).filter((pid) => !taken.has(pid)));
  return table.filter((row) => former.has(row.groupId) || (row.sessionId !== undefined && former.has(row.sessionId)));
}

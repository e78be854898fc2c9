import type { ProcessIdentity } from '../../src/core/agents/agent';
import {
  closure,
  type EndSignal,
  formerMembers,
  type HoldSignal,
  type Processes,
  type ProcessRow,
  sameProcess,
} from '../../src/core/agents/processes';

export interface FakeProcess extends ProcessRow {
  readonly marker: string;
  /** Signals that do nothing to it; SIGKILL is never ignored unless `isUnkillable`. */
  readonly ignores: readonly EndSignal[];
  /** In uninterruptible sleep. */
  readonly isUnkillable?: boolean;
}

/** A process table by hand. Held to the same contract as the real one (`test/contract/processes.contract.ts`). */
export class FakeProcesses implements Processes {
  readonly table: FakeProcess[] = [];
  readonly signals: { readonly pid: number; readonly signal: EndSignal }[] = [];
  /** Pids of those that were held and not let go on. */
  readonly held = new Set<number>();
  /** While set, every question rejects with it. */
  failure: Error | undefined;
  /** Called when a process has ended, with the signal that ended it. */
  onDidEnd: (process: FakeProcess, signal: EndSignal | undefined) => void = () => undefined;
  #nextPid = 500_000;

  /** Starts a process; without a parent it leads its own session. */
  add(
    options: Partial<FakeProcess> & { readonly parent?: ProcessIdentity; readonly isSessionLeader?: boolean } = {},
  ): FakeProcess {
    const { parent: parentIdentity, isSessionLeader, ...given } = options;
    const parent = this.table.find((row) => row.pid === parentIdentity?.pid);
    const pid = given.pid ?? this.#nextPid++;
    const leads = isSessionLeader ?? parent === undefined;
    const row: FakeProcess = {
      pid,
      startTime: `t${pid}`,
      parentPid: parent?.pid ?? 1,
      groupId: leads ? pid : (parent?.groupId ?? pid),
      sessionId: leads ? pid : parent?.sessionId,
      marker: parent?.marker ?? '',
      ignores: [],
      ...given,
    };
    this.table.push(row);
    return row;
  }

  /** It ends by itself or by a signal; children are inherited by init. */
  end(target: ProcessIdentity, signal?: EndSignal): void {
    const index = this.table.findIndex((row) => sameProcess(row, target));
    const [ended] = index < 0 ? [] : this.table.splice(index, 1);
    if (!ended) return;
    this.table.forEach((row, at) => {
      if (row.parentPid === ended.pid) this.table[at] = { ...row, parentPid: 1 };
    });
    this.onDidEnd(ended, signal);
  }

  async identify(pid: number): Promise<ProcessIdentity | undefined> {
    await this.#ask();
    return this.table.find((row) => row.pid === pid);
  }

  async family(known: readonly ProcessIdentity[], marker: string): Promise<readonly ProcessIdentity[]> {
    await this.#ask();
    const members = formerMembers(this.table, known).filter((row) => this.#carries(row, marker));
    return closure(this.table, [...known, ...members]);
  }

  async marked(marker: string): Promise<readonly ProcessIdentity[]> {
    await this.#ask();
    return this.table.filter((row) => row.marker === marker);
  }

  async signal(target: ProcessIdentity, signal: EndSignal): Promise<'sent' | 'gone' | 'refused'> {
    await this.#ask();
    const row = this.table.find((candidate) => sameProcess(candidate, target));
    if (!row) return 'gone';
    this.signals.push({ pid: row.pid, signal });
    const isDeadly = signal === 'SIGKILL' ? !row.isUnkillable : !row.ignores.includes(signal);
    if (isDeadly) this.end(row, signal);
    return 'sent';
  }

  async signalEach(targets: readonly ProcessIdentity[], signal: EndSignal | HoldSignal): Promise<void> {
    if (signal === 'SIGSTOP') for (const one of targets) this.held.add(one.pid);
    else if (signal === 'SIGCONT') for (const one of targets) this.held.delete(one.pid);
    else for (const one of targets) await this.signal(one, signal);
    await this.#ask();
  }

  async areHeld(targets: readonly ProcessIdentity[]): Promise<boolean> {
    await this.#ask();
    return targets.every((one) => this.held.has(one.pid) || !this.table.some((row) => sameProcess(row, one)));
  }

  #carries(row: ProcessRow, marker: string): boolean {
    return this.table.some((one) => one.pid === row.pid && one.marker === marker);
  }

  async #ask(): Promise<void> {
    await Promise.resolve();
    if (this.failure) throw this.failure;
  }
}

import type { Clock } from '../base/clock';
import { type Disposable, MutableDisposable } from '../base/disposable';
import { describeError } from '../base/errors';
import type { Logger } from '../base/log';
import type { KeptCheck, StoreCare, StoreKeeper } from './storeCare';

const hourMs = 60 * 60 * 1000;
/** A store is checked whole this often. */
const everyMs = 7 * 24 * hourMs;
/** Timers do not go on while a machine sleeps, so it is looked whether a check is due. */
const lookEveryMs = hourMs;
/** Not while a window is being opened, and not beside the automatic backup, which is looked for after a minute. */
const firstLookMs = 5 * 60 * 1000;
/** What was not checked when it was opened is not checked again in this time. */
const uncheckedMs = 24 * hourMs;
/** Windows that are killed, or opened on a damaged store, again and again cost one check in this time. */
const againMs = hourMs;

export interface StoreCheckSchedulePorts {
  readonly care: Pick<StoreCare, 'check'>;
  readonly keeper: Pick<StoreKeeper, 'lastCheck' | 'keepCheck'>;
  /** Looks at what the check of a file does not see, and tells what it finds; true when it has told something. Asked where the file is whole. */
  readonly checkBesideFile?: ((signal: AbortSignal) => Promise<boolean>) | undefined;
  /** Highest change of the store. */
  readonly seq: () => number;
  /** Whoever had it open last did not close it. */
  readonly wasUnclean: boolean;
  /** Its structure was checked when it was opened; what is too large for that is checked soon after. */
  readonly isChecked: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Checks an open store whole, and whether what it holds fits together: every week, once after an end that was none, each day where it is too large to be
 * checked while it is opened, and once when something was found before. Beside its writers: the file in a thread of its own, the rest in slices.
 */
export class StoreCheckSchedule implements Disposable {
  readonly #ports: StoreCheckSchedulePorts;
  readonly #timer = new MutableDisposable();
  readonly #end = new AbortController();
  readonly #openedAtMs: number;

  constructor(ports: StoreCheckSchedulePorts) {
    this.#ports = ports;
    this.#openedAtMs = ports.clock.nowMs();
    this.#lookAfter(firstLookMs);
  }

  dispose(): void {
    this.#timer.dispose();
    this.#end.abort(new Error('the store is closed'));
  }

  /** Checks if it is due; what failed is tried again at the next look. Never rejects. */
  async checkIfDue(): Promise<void> {
    const { care, keeper, checkBesideFile, log } = this.#ports;
    try {
      const cause = this.#due(await keeper.lastCheck());
      if (!cause || this.#end.signal.aborted) return;
      const { isWhole, records, changes, findings } = await care.check('full', cause, { signal: this.#end.signal });
      log.info('the store was checked', { cause, isWhole, records, changes, findings: findings.length });
      if (!isWhole || !(await checkBesideFile?.(this.#end.signal))) return;
      const last = await keeper.lastCheck();
      if (last) await keeper.keepCheck({ ...last, hasFindings: true });
    } catch (error) {
      if (!this.#end.signal.aborted) log.warn('the store could not be checked', { error: describeError(error) });
    }
  }

  #due(last: KeptCheck | undefined): KeptCheck['cause'] | undefined {
    const { wasUnclean, isChecked, clock, seq } = this.#ports;
    if (seq() === 0) return undefined;
    if (!last) return wasUnclean ? 'uncleanEnd' : 'schedule';
    const ageMs = Math.abs(clock.nowMs() - last.atMs); // a clock that was set back must not end the checks
    if (ageMs >= everyMs) return 'schedule';
    const isSinceOpened = last.atMs >= this.#openedAtMs;
    if (isSinceOpened || ageMs < againMs) return undefined;
    if (!isChecked && ageMs >= uncheckedMs) return 'schedule';
    if (!last.report.isWhole || last.hasFindings === true) return 'schedule'; // a person may have mended it
    return wasUnclean ? 'uncleanEnd' : undefined;
  }

  #lookAfter(delayMs: number): void {
    this.#timer.value = this.#ports.clock.setTimer(delayMs, () => {
      void this.checkIfDue().finally(() => {
        if (!this.#end.signal.aborted) this.#lookAfter(lookEveryMs);
      });
    });
  }
}

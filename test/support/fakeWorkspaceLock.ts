import type { OwnerState, Ownership, WorkspaceLock } from '../../src/core/data/workspaceLock';

/** What contenders for one workspace share: in reality a folder. */
export class FakeWorkspace {
  epoch = 0;
  owner: FakeOwnership | undefined;
  hasStaleWriter = false;
  readonly #waiting = new Set<() => void>();

  /** The owner dies: followers contend. */
  simulateDeath(): void {
    this.owner = undefined;
    this.wake();
  }

  /** The owner stops answering (`true`) or answers again. */
  simulateHang(isHung: boolean): void {
    if (this.owner) this.owner.isHung = isHung;
    this.wake();
  }

  wake(): void {
    for (const resume of [...this.#waiting]) resume();
  }

  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => {
        this.#waiting.delete(resume);
        signal.removeEventListener('abort', resume);
        resolve();
      };
      this.#waiting.add(resume);
      signal.addEventListener('abort', resume, { once: true });
    });
  }
}

/** A `WorkspaceLock` without files, processes or time. Each instance stands for one process, by `pid`. */
export class FakeWorkspaceLock implements WorkspaceLock {
  #isTakingOver = false;
  #followed: OwnerState | undefined;

  constructor(
    private readonly workspace: FakeWorkspace,
    private readonly pid = 1,
  ) {}

  async acquire(onFollow: (owner: OwnerState) => void, signal: AbortSignal): Promise<Ownership> {
    for (;;) {
      signal.throwIfAborted();
      await Promise.resolve();
      signal.throwIfAborted();
      const { owner } = this.workspace;
      if (!owner || this.#isTakingOver) return this.#own(owner !== undefined);
      this.#tell({ kind: owner.isHung ? 'notResponding' : 'responding', pid: owner.pid }, onFollow);
      await this.workspace.wait(signal);
    }
  }

  takeOver(): void {
    if (this.#followed?.kind !== 'notResponding') return;
    this.#isTakingOver = true;
    this.workspace.wake();
  }

  #own(isForced: boolean): Ownership {
    this.#isTakingOver = false;
    this.#followed = undefined;
    if (isForced) this.workspace.hasStaleWriter = true;
    const ownership = new FakeOwnership(this.workspace, ++this.workspace.epoch, this.pid);
    this.workspace.owner = ownership;
    this.workspace.wake();
    return ownership;
  }

  #tell(state: OwnerState, onFollow: (owner: OwnerState) => void): void {
    if (this.#followed?.kind === state.kind && this.#followed.pid === state.pid) return;
    this.#followed = state;
    onFollow(state);
  }
}

class FakeOwnership implements Ownership {
  isHung = false;
  #isReleased = false;

  constructor(
    private readonly workspace: FakeWorkspace,
    readonly epoch: number,
    readonly pid: number,
  ) {}

  get hasStaleWriter(): boolean {
    return this.workspace.hasStaleWriter;
  }

  isStillMine(): boolean {
    return !this.#isReleased && this.workspace.epoch === this.epoch;
  }

  confirmFreshFiles(): void {
    this.workspace.hasStaleWriter = false;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.workspace.owner === this) this.workspace.simulateDeath();
  }
}

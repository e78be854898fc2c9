/** Ownership of a workspace: the right to supervise and to write. */
export interface Ownership {
  /** Strictly increasing per workspace; the fencing token of every write and every batch of tmux commands. */
  readonly epoch: number;
  /** False as soon as somebody else holds a higher epoch. Cheap (one directory listing); never throws: an unreadable folder is `false`. */
  isStillMine(): boolean;
  /**
   * True when an earlier owner was not proved dead: it may be suspended in the middle of a write with the store's
   * files open. The store must then be given fresh files before it is used (`openDataStore` does, docs/adr/0004).
   */
  readonly hasStaleWriter: boolean;
  /** Called once the store has fresh files; `hasStaleWriter` is false from then on, also for later owners. */
  confirmFreshFiles(): void;
  /** Frees the workspace: followers learn of it at once. Idempotent. */
  release(): void;
}

/** What a follower is told about whoever owns the workspace. */
export type OwnerState =
  | { readonly kind: 'responding'; readonly pid: number }
  /** Accepts connections but does not answer within the deadline: hung or suspended. Only a person may take over. */
  | { readonly kind: 'notResponding'; readonly pid: number };

export interface WorkspaceLock {
  /**
   * Resolves once this process owns the workspace; until then `onFollow` reports the owner (at least once, then on
   * every change). Contends again as soon as the owner's death is seen.
   * @throws {DataError} data.folderUnsafe (wrong owner or mode, symlink), data.networkFileSystem, data.socketPathTooLong; the signal's reason when aborted
   */
  acquire(onFollow: (owner: OwnerState) => void, signal: AbortSignal): Promise<Ownership>;
  /** While following a hung owner: take over by decision of a person. The old owner is fenced. */
  takeOver(): void;
}

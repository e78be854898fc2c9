/** The named instants of a store's work at which it may be interrupted for good. Each leaves something that the next opening understands. */
export const STORE_FAULT_POINTS = [
  /** A prepared restore: the former store is aside, the copy has not got its name yet. */
  'restore.aside',
  /** A prepared restore: the copy is the store. */
  'restore.named',
  /** A damaged store: that it is put aside is noted, nothing is moved yet. */
  'quarantine.noted',
  /** A damaged store: its files are aside, the new one is not begun. */
  'quarantine.aside',
  /** After a take-over: the fresh files have got their name, the mark of the suspended owner is still there. */
  'fresh.named',
  /** The file is open, its schema is not brought forward yet. */
  'open.opened',
  /** Its schema is brought forward. */
  'open.migrated',
  /** The test write of the opening is durable. */
  'open.proved',
  /** A batch is written, not committed. */
  'commit.written',
  /** A batch is durable, nobody was told. */
  'commit.durable',
  /** A batch is acknowledged, the highest change is not noted yet. */
  'commit.told',
  /** The log is about to be moved into the main file. */
  'checkpoint.begun',
  /** The log is moved into the main file. */
  'checkpoint.done',
  /** The main file is held for a check or a backup. */
  'hold.begun',
  /** Some pages were given back. */
  'compact.step',
  /** Everything is written, the files are about to be closed. */
  'close.begun',
] as const;
export type StoreFaultPoint = (typeof STORE_FAULT_POINTS)[number];

/** Told at each instant; tests end the process there. */
export type AtStoreFaultPoint = (point: StoreFaultPoint) => void;

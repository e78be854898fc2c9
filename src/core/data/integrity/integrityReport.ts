import type { StoreFindingCode } from '../durableStore';

/** What can be wrong with what is kept. */
export type IntegrityCode =
  /** Of the store's own check of its file: pages, checksums (CRC-32C) of records and of the journal, its gaps and its end. */
  | StoreFindingCode
  /** A record cannot be read: it is not what was written, or not in a form that is known. */
  | 'record.damaged'
  /** A rule of its kind does not hold; `path` and `rule` say where and which. */
  | 'record.invalid'
  /** It names a record that is not there. */
  | 'reference.missing'
  /** It belongs to something that was removed, and should have gone with it. */
  | 'record.orphan'
  /** Two records share what only one may have. */
  | 'record.duplicate'
  /** In a sequence something is missing between two neighbours. */
  | 'sequence.gap'
  /** A sequence goes back. */
  | 'sequence.order'
  /** A number is higher than the highest that its owner has given out. */
  | 'sequence.ahead'
  /** The journal of changes leaves out a number. */
  | 'journal.gap'
  /** An entry of the journal is missing or altered, where no check of the file has told it. */
  | 'journal.damaged'
  /** Records, or some of them, were not compared with the journal. */
  | 'journal.notCompared'
  /** The journal and a record do not agree on its version, or on whether it is there. */
  | 'journal.record'
  /** Said to run, and tmux has no session of it. */
  | 'terminal.gone'
  /** Said to run, and its process has ended. */
  | 'terminal.dead'
  /** Said not to run, and it runs. */
  | 'terminal.unexpected'
  /** A session with our tags that no record knows. */
  | 'terminal.unrecorded'
  /** Another generation runs than the recorded one. */
  | 'terminal.generation'
  /** tmux could not be asked: nothing is known of sessions. */
  | 'terminal.unknown';

/** What can be done about a finding. Plain data: it is sent to windows that follow, and sent back to be applied. */
export type IntegrityFix =
  /** Removes one record, in one transaction, if it still is what the check has seen. `version` is absent for one that cannot be read. */
  | {
      readonly kind: 'deleteRecord';
      /** What a person chooses: `Remove this line of history`. */
      readonly label: string;
      readonly recordKind: string;
      readonly id: string;
      readonly version?: number;
    }
  /** Compares every agent with tmux again, as after a start, and does what the table of adoption says. */
  | { readonly kind: 'reconcile'; readonly label: string }
  /** Nothing that a program may do: what a person can do, in an honest sentence. */
  | { readonly kind: 'advice'; readonly text: string };

/** What a program may do. */
export type ApplicableFix = Exclude<IntegrityFix, { readonly kind: 'advice' }>;

/** `error`: something is lost or will not work. `warning`: left over or odd, and harmless. `info`: not known. */
export type IntegritySeverity = 'error' | 'warning' | 'info';

export interface IntegrityFinding {
  readonly code: IntegrityCode;
  readonly severity: IntegritySeverity;
  /** Kind of the record it is about, where it is about one. */
  readonly kind?: string;
  readonly id?: string;
  /** JSON pointer into the record's value. */
  readonly path?: string;
  /** Code of the rule, for `record.invalid`. */
  readonly rule?: string;
  /** One sentence. Holds no contents of records but ids and names of states. */
  readonly message: string;
  readonly fix: IntegrityFix;
}

/** What a check looks at, in this order. */
export const IntegrityPhase = {
  File: 'file',
  Records: 'records',
  Journal: 'journal',
  Terminals: 'terminals',
} as const;
export type IntegrityPhase = (typeof IntegrityPhase)[keyof typeof IntegrityPhase];

export interface IntegrityProgress {
  readonly phase: IntegrityPhase;
  /** Records or changes that were looked at in this phase. */
  readonly done: number;
}

export interface IntegrityReport {
  /** Nothing of severity `error` or `warning`. */
  readonly isWhole: boolean;
  /** Errors first, at most {@link MAX_FINDINGS}; `isCut` says that there were more. */
  readonly findings: readonly IntegrityFinding[];
  readonly isCut: boolean;
  readonly records: number;
  readonly changes: number;
  /** Sessions with our tags; undefined: tmux could not be asked, or was not. */
  readonly sessions: number | undefined;
  /** Suspicions that were gone when they were looked at again: the store was written to meanwhile. */
  readonly settled: number;
}

export const MAX_FINDINGS = 1_000;

const ranks: Readonly<Record<IntegritySeverity, number>> = { error: 0, warning: 1, info: 2 };

/** Errors first; otherwise as they were found. */
export function bySeverity(findings: readonly IntegrityFinding[]): readonly IntegrityFinding[] {
  return [...findings].sort((a, b) => ranks[a.severity] - ranks[b.severity]);
}

/** What two findings must have in common to be the same one. */
export function findingKey({ code, kind = '', id = '', path = '', rule = '', message }: IntegrityFinding): string {
  return [code, kind, id, path, rule, ...(code === 'check.structure' ? [message] : [])].join('\n'); // of the file only its words say what it is
}

export function advice(text: string): IntegrityFix {
  return { kind: 'advice', text };
}

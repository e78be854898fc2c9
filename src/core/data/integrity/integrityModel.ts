import type { Collection, DataRecord } from '../dataStore';
import type { IntegrityFinding, IntegrityFix, IntegritySeverity } from './integrityReport';

/** A collection whose records are only looked at. */
export type AnyCollection = Collection<never>;

/** A property by which a record belongs to, or speaks of, another. */
export interface Reference {
  readonly kind: string;
  /** JSON pointer of the id. What is missing there refers to nothing. */
  readonly at: string;
  readonly to: string;
  /** The other is there but gone for good (a removed agent): this one should have gone with it. Default: none is. */
  readonly isGone?: (target: unknown) => boolean;
  /** JSON pointers of a number here and of the highest one that the other has given out. */
  readonly notAhead?: { readonly at: string; readonly of: string; readonly words: string };
  readonly severity: IntegritySeverity;
  /** For a reference to nothing. */
  readonly message: string;
  /** Label of the fix that removes the record; absent: it is not to be removed, and `advice` says what a person can do. */
  readonly removeLabel?: string;
  readonly advice?: string;
}

/** Records of one kind that follow each other, in the order of their ids, within each owner. */
export interface Sequence {
  readonly kind: string;
  /** JSON pointer of what the owner is told by. */
  readonly groupBy: string;
  /** What is wrong between two neighbours. Pure. */
  readonly check: (
    before: unknown,
    after: unknown,
  ) => { readonly code: 'sequence.gap' | 'sequence.order'; readonly message: string } | undefined;
  readonly severity: IntegritySeverity;
  readonly advice: string;
}

/** A value that no two records of a kind may share. */
export interface Distinct {
  readonly kind: string;
  /** Undefined: this record does not take part. */
  readonly keyOf: (value: unknown) => string | undefined;
  readonly message: string;
  readonly advice: string;
}

/** What a record says about a terminal. */
export interface RunClaim {
  readonly id: string;
  readonly generation: number;
  /** `alive`: there must be one. `none`: nothing may run. `open`: being started, ended or looked for: nothing can be said. */
  readonly expects: 'alive' | 'none' | 'open';
}

/** Which records say something about terminals. */
export interface RunClaims {
  readonly kind: string;
  readonly read: (value: unknown) => RunClaim | undefined;
}

/** What must hold between the records of a product, beyond the rules of each. */
export interface IntegrityModel {
  readonly references: readonly Reference[];
  readonly sequences: readonly Sequence[];
  readonly distinct: readonly Distinct[];
  readonly runs?: RunClaims;
  /** How a record that breaks a rule or cannot be read is dealt with. */
  readonly fixOf: (kind: string, id: string, version: number | undefined) => IntegrityFix;
}

/** One session that tmux has, with our tags. */
export interface TerminalFact {
  readonly id: string;
  readonly generation: number;
  readonly liveness: 'alive' | 'dead' | 'unknown';
}

/** A finding, and the records that it rests on: it counts as long as none of them is written. */
export interface Suspicion {
  readonly finding: IntegrityFinding;
  readonly seen: readonly { readonly kind: string; readonly id: string }[];
}

export type SeenRecord = Pick<DataRecord, 'kind' | 'id' | 'version' | 'value'>;

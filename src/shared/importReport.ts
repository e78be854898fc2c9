/** What becomes of a record of an export that is imported. */
export type ImportVerdict =
  /** Not there yet: it is added. */
  | 'new'
  /** There already, equal. */
  | 'identical'
  /** There already, different: kept as it is, unless it is to be replaced. */
  | 'conflicting'
  /** There already, different: replaced. */
  | 'replaced'
  /** Against a rule. */
  | 'invalid'
  /** Never taken in, or not together with the others; `reason` says why. */
  | 'skipped';

export const IMPORT_VERDICTS: readonly ImportVerdict[] = [
  'new',
  'identical',
  'conflicting',
  'replaced',
  'invalid',
  'skipped',
];

/** Why a record is not taken in although nothing is wrong with it, or is not replaced. */
export type ImportReason =
  /** What a person approved is approved anew, where it is to run. */
  | 'trustDecision'
  /** Only the engine makes such records. */
  | 'engineOwned'
  /** Secrets were left out of it, and it would not be what it was. */
  | 'redacted'
  /** It belongs to an agent that is not taken in, or to another one of the same id. */
  | 'agentLeftOut'
  /** The agent lives, or an order for it is under way. */
  | 'agentLives'
  /** The agent was removed when it was exported, and is there now. */
  | 'removedThere'
  /** Another agent, which was removed, had this id. */
  | 'idRetired'
  /** Another agent has this name. */
  | 'nameTaken'
  /** The record that is there is damaged, or not valid by the rules of this version. */
  | 'damagedHere';

export interface ImportProblem {
  /** JSON pointer into the record. Names in it come from the file. */
  readonly path: string;
  readonly rule: string;
  readonly code: string;
  readonly message: string;
}

/** One record that is not simply new or identical. Texts come from the file: untrusted. */
export interface ImportEntry {
  /** Of the record in the file, from 1. */
  readonly record: number;
  readonly kind: string;
  readonly id: string;
  readonly verdict: ImportVerdict;
  readonly reason?: ImportReason;
  /** What it is about, where the id says nothing to a person: `Scout (Claude Code): claude --model opus …, in /project`. Secrets redacted. */
  readonly title?: string;
  readonly problems?: readonly ImportProblem[];
  /** What was changed on its way in, in words. */
  readonly changes?: readonly string[];
}

/** An agent that comes in or is replaced: what a later start of it would run. Secrets redacted; untrusted. */
export interface ImportedAgent {
  readonly id: string;
  readonly name: string;
  readonly typeId: string;
  readonly folder: string;
  /** Program and arguments that it names itself. */
  readonly command: readonly string[];
  /** Names of its environment variables. */
  readonly env: readonly string[];
  readonly firstPrompt?: string;
  readonly isReplaced: boolean;
}

/**
 * Whether the file is as it was exported. `changed`: its bytes or records are other ones. `cut`: its end is missing. `unknown`: it says nothing of itself
 * (an export of an old version, or no export).
 */
export type ImportIntegrity = 'whole' | 'changed' | 'cut' | 'unknown';

export interface ImportReport {
  readonly file: string;
  readonly format: 'ndjson' | 'json';
  /** SHA-256 of the file that was looked at, hex: an import applies only to this. */
  readonly fingerprint: string;
  readonly integrity: ImportIntegrity;
  /** Secrets were left out when it was exported. */
  readonly isRedacted: boolean;
  /** Epoch ms of the export; null when it does not say. */
  readonly exportedAtMs: number | null;
  readonly records: number;
  readonly counts: Readonly<Record<ImportVerdict, number>>;
  readonly countsByKind: Readonly<Record<string, Readonly<Partial<Record<ImportVerdict, number>>>>>;
  readonly countsByReason: Readonly<Partial<Record<ImportReason, number>>>;
  /** The first of what is not simply new or identical. */
  readonly entries: readonly ImportEntry[];
  /** There are more entries, agents or kinds than are named. */
  readonly isCut: boolean;
  readonly agents: readonly ImportedAgent[];
  /** The records were written; else this is what would be. */
  readonly isApplied: boolean;
}

const REASONS: Readonly<Record<ImportReason, string>> = {
  trustDecision: 'an approval or what rests on one: a person gives it anew where it is to run',
  engineOwned: 'only the engine makes such records',
  redacted: 'secrets were left out of it: it would not be what it was',
  agentLeftOut: 'its agent is not imported, or another agent has that id here',
  agentLives: 'its agent is not at rest here: stop it first',
  removedThere: 'its agent was removed there: remove it here, too, if it is to go',
  idRetired: 'its id was that of another agent, removed here: ids are not given away again',
  nameTaken: 'another agent has its name here',
  damagedHere: 'the record that is here is damaged, or of another version',
};

export function reasonText(reason: ImportReason): string {
  return REASONS[reason];
}

/** What a person must know besides the counts, in whole sentences. No texts of the file. */
export function importWarnings(
  report: Pick<ImportReport, 'integrity' | 'isRedacted' | 'counts' | 'agents'>,
): readonly string[] {
  const { integrity, isRedacted, counts, agents } = report;
  const warnings: string[] = [];
  if (integrity === 'changed') warnings.push('The file was changed after it was exported.');
  if (integrity === 'cut') warnings.push('The file was cut: its end is missing.');
  if (integrity === 'unknown') warnings.push('The file does not tell whether it is complete.');
  if (isRedacted)
    warnings.push('Secrets were left out when it was exported: it brings back agents and texts, not secrets.');
  if (counts.invalid > 0) warnings.push('Some records are not valid and cannot be imported.');
  if (agents.length > 0)
    warnings.push('Agents come in stopped. Look at what they run before you start them; nothing is started now.');
  return warnings;
}

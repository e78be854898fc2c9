/**
 * The spool: what `orc hook` leaves while no engine can take it. A 0700 folder, one 0600 file per report, made whole by a rename. The
 * engine reads it once it owns the workspace (`src/core/node/hookSpool.ts`).
 */
export const SPOOL_LIMITS = {
  /** Over these the oldest reports are dropped: the newest say what is so now. */
  files: 500,
  bytes: 4 * 1024 * 1024,
  /** One report; its longest texts are cut to fit. */
  fileBytes: 64 * 1024,
  /** An unfinished file that is older than this was left by a process that was killed. */
  unfinishedMs: 60_000,
} as const;

/**
 * What one file holds, after its proof: {@link SPOOL_HEAD}, the HMAC-SHA256 of all that follows in it, keyed by the token of the run (base64url), `",`.
 * The token itself is nowhere: its claims alone make nobody an agent, and the engine makes the token from them again (docs/adr/0007).
 */
export interface SpooledHook {
  /** Payload of the token, as it was signed: who reports, from which run. */
  readonly claims: string;
  readonly event: string;
  readonly payload: unknown;
  /** Epoch ms at which the hook began. */
  readonly sentAtMs: number;
}

export const SPOOL_HEAD = '{"format":2,"proof":"';

export interface SpoolEntry {
  readonly name: string;
  readonly sentAtMs: number;
  readonly bytes: number;
}

const NAME = /^(\d{15})-([a-z0-9-]{1,60})\.(\d{1,7})\.json$/;
/** Ending of a file that is still being written. */
export const UNFINISHED_ENDING = '.tmp';

/** Sorted by name, reports are sorted by time. `unique`: 1–60 of [a-z0-9-]; the size is in the name so that nobody has to ask for it. */
export function spoolFileName(sentAtMs: number, unique: string, bytes: number): string {
  const time = Math.max(0, Math.min(Math.trunc(sentAtMs), 999_999_999_999_999));
  return `${String(time).padStart(15, '0')}-${unique}.${bytes}.json`;
}

/** Undefined for a file that is no report. */
export function parseSpoolFileName(name: string): SpoolEntry | undefined {
  const match = NAME.exec(name);
  return match ? { name, sentAtMs: Number(match[1]), bytes: Number(match[3]) } : undefined;
}

/** Which of these file names must go, so that what stays is within the limits: the oldest. Names of other files are left alone. */
export function surplusOf(names: readonly string[]): readonly string[] {
  const entries = names.map(parseSpoolFileName).filter((entry) => entry !== undefined);
  entries.sort((a, b) => (a.name < b.name ? 1 : -1));
  let bytes = 0;
  return entries
    .filter((entry, index) => (bytes += entry.bytes) > SPOOL_LIMITS.bytes || index >= SPOOL_LIMITS.files)
    .map(({ name }) => name);
}

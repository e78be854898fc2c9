import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ignore, type Logger } from '../../core/base/log';

/** A window that comes back sooner was only reloaded. */
export const RELOAD_MS = 60_000;

/**
 * Remembers when this window ended, to tell a reload from an absence. A small file written directly: what goes through
 * VS Code's own storage while a window ends is lost (1.139). The mark is taken away when read: after a crash there is none.
 */
export class AbsenceMark {
  #wasAway = false;

  constructor(
    /** This window's own folder for the workspace; undefined: there is none, and nothing is remembered. */
    private readonly folder: string | undefined,
    private readonly log: Logger,
  ) {}

  /** Known once `take` resolved. */
  get wasAway(): boolean {
    return this.#wasAway;
  }

  /** Never rejects. */
  async take(nowMs: number): Promise<void> {
    this.#wasAway = true;
    if (this.folder === undefined) return;
    try {
      const lastSeenMs = Number(await readFile(this.#file(this.folder), 'utf8'));
      this.#wasAway = !(nowMs - lastSeenMs <= RELOAD_MS); // NaN: a broken mark counts as none
      await rm(this.#file(this.folder));
    } catch (error) {
      ignore(this.log, error, 'no mark of the last session');
    }
  }

  /** Called when the window ends. Never rejects. */
  async leave(nowMs: number): Promise<void> {
    if (this.folder === undefined) return;
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await writeFile(this.#file(this.folder), String(nowMs), { mode: 0o600 });
    } catch (error) {
      ignore(this.log, error, 'the next session counts this one as an absence');
    }
  }

  #file(folder: string): string {
    return path.join(folder, 'last-seen');
  }
}

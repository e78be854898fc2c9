import * as vscode from 'vscode';
import { ignore, type Logger } from '../../core/base/log';

/** A window that comes back sooner was only reloaded. */
export const RELOAD_MS = 60_000;

/**
 * Remembers when this window ended, to tell a reload from an absence. A small file, because what is put into a Memento
 * while a window ends is lost (VS Code 1.139). The mark is taken away when read: after a crash there is none.
 */
export class AbsenceMark {
  #wasAway = false;

  constructor(
    /** This window's own folder for the workspace; undefined: there is none, and nothing is remembered. */
    private readonly folder: vscode.Uri | undefined,
    private readonly log: Logger,
  ) {}

  /** Known once `take` resolved. */
  get wasAway(): boolean {
    return this.#wasAway;
  }

  /** Never rejects. */
  async take(nowMs: number): Promise<void> {
    this.#wasAway = true;
    const file = this.#file();
    if (!file) return;
    try {
      const lastSeenMs = Number(new TextDecoder().decode(await vscode.workspace.fs.readFile(file)));
      this.#wasAway = !(nowMs - lastSeenMs <= RELOAD_MS); // NaN: a broken mark counts as none
      await vscode.workspace.fs.delete(file);
    } catch (error) {
      ignore(this.log, error, 'no mark of the last session');
    }
  }

  /** Called when the window ends. Never rejects. */
  async leave(nowMs: number): Promise<void> {
    const file = this.#file();
    if (!file) return;
    try {
      await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(String(nowMs))); // makes the folder
    } catch (error) {
      ignore(this.log, error, 'the next session counts this one as an absence');
    }
  }

  #file(): vscode.Uri | undefined {
    return this.folder && vscode.Uri.joinPath(this.folder, 'last-seen');
  }
}

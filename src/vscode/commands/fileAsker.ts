import path from 'node:path';
import { ExchangeError } from '../../core/data/exchange/exchangeErrors';
import type { Memory } from '../notices/windowPort';

export const LAST_FOLDER_KEY = 'coreOrchestrator.lastFileFolder';

/** A question for a file. */
export interface FileQuestion {
  readonly kind: 'open' | 'save';
  readonly title: string;
  /** Endings, without the point, by what such files are called. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
  /** What a new file is called unless the person says otherwise. */
  readonly name?: string;
}

/** The dialogs of VS Code for files: `at` is the file or folder that they begin with. */
export type ShowFileDialog = (
  question: FileQuestion,
  at: string | undefined,
) => Promise<{ readonly scheme: string; readonly fsPath: string } | undefined>;

/** Asks for files where the person is at work: in the folder that was chosen last in this workspace, else in the workspace's own. */
export class FileAsker {
  constructor(
    private readonly show: ShowFileDialog,
    /** Of this workspace. */
    private readonly memory: Memory,
    /** Folder of the workspace, absolute; undefined where none is open. */
    private readonly workspaceFolder: () => string | undefined,
  ) {}

  /** Absolute path; undefined when it was cancelled. @throws {ExchangeError} exchange.fileUnusable – it is not on the machine of the agents */
  async ask(question: FileQuestion): Promise<string | undefined> {
    const last = this.memory.get(LAST_FOLDER_KEY);
    const folder = typeof last === 'string' ? last : this.workspaceFolder();
    const at = folder === undefined || question.name === undefined ? folder : path.join(folder, question.name);
    const chosen = await this.show(question, at);
    if (!chosen) return undefined;
    if (chosen.scheme !== 'file')
      throw new ExchangeError('exchange.fileUnusable', 'it is not on the machine of the agents');
    this.memory.set(LAST_FOLDER_KEY, path.dirname(chosen.fsPath));
    return chosen.fsPath;
  }
}

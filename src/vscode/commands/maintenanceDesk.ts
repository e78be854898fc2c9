import { withTimeout, type Clock } from '../../core/base/clock';
import { DisposableStore } from '../../core/base/disposable';
import { type DataStatus, type Engine, type EngineStatus, STORE_RESTORED } from '../../core/engine';
import { bytesText, isBlockedByStore } from '../../core/storeDiagnosis';
import { IntegrityFindings } from '../data/integrityFindings';
import { COMMAND_TITLES } from '../commandTitles';
import { localTime } from '../documents/localTime';
import { CommandId } from '../manifest';
import type { Choice, DocumentsPort, WindowPort } from '../notices/windowPort';
import { demandControl } from './control';
import { backupKindText, type ChosenBackup, restoreDetail, unusableText } from './maintenanceText';
import { runCancellable } from './runCancellable';

export interface MaintenanceDeskParts {
  readonly engine: Engine;
  readonly window: WindowPort;
  readonly documents: DocumentsPort;
  readonly clock: Clock;
  /** Asks for a file; undefined when it was cancelled. @throws {ExchangeError} exchange.fileUnusable when it is not on the agents' machine */
  readonly askForFile: (kind: 'open' | 'save', title: string) => Promise<string | undefined>;
  /** Of the workspace, absolute: whose agents a backup holds is told by them. */
  readonly folders: () => readonly string[];
}

const KEPT = 'kept';
const OTHER_FILE = 'file';
const RESTORE = 'Restore';
const KEEP = 'Keep the Present Store';
const CHOOSE_ANOTHER = 'Choose Another…';
/** Longest wait for the engine to begin anew with a restored store. */
const BEGUN_ANEW_MS = 20_000;

/** This window looks after the store: it manages the agents. */
function managesStore(status: EngineStatus): boolean {
  return status.kind === 'ready';
}

/** A restore is possible from here: also while the engine cannot work because of its store. */
export function mayRestore(status: EngineStatus): boolean {
  return managesStore(status) || isBlockedByStore(status);
}

/** What a person does with the store from this window: back up, restore, check, compact. */
export class MaintenanceDesk {
  constructor(private readonly parts: MaintenanceDeskParts) {}

  async backUp(): Promise<void> {
    const { engine, window, askForFile } = this.parts;
    if (!(await this.#isHere(managesStore))) return;
    const title = COMMAND_TITLES[CommandId.Backup];
    const where = await window.choose(title, 'Where should the backup be kept?', [
      { id: KEPT, label: 'With the Workspace’s Data', description: 'listed when you restore' },
      { id: OTHER_FILE, label: 'In a File…', description: 'for another disk or machine' },
    ]);
    if (where === undefined) return;
    const file = where === OTHER_FILE ? await askForFile('save', title) : undefined;
    if (where === OTHER_FILE && file === undefined) return;
    const report = await runCancellable(window, {
      ...{ title: 'Backing up the store', afterCancel: 'No backup was made.' },
      run: (tell, signal) => engine.backUpData(file, tell, signal),
    });
    if (!report) return;
    const size = bytesText(report.sizeBytes);
    await window.show('information', `Backed up ${report.records} records (${size}), checked: ${report.file}`, []);
  }

  async restore(): Promise<void> {
    const { engine, window } = this.parts;
    if (!(await this.#isHere(mayRestore))) return;
    const status = await engine.dataStatus();
    const backup = await this.#usableBackup(status);
    if (!backup) return;
    const question = 'Restore this backup in the place of the store?';
    const detail = restoreDetail(backup, status, { folders: this.parts.folders(), agents: engine.agents });
    if ((await window.confirm(question, detail, [KEEP, RESTORE])) !== RESTORE) return;
    const hasBegun = await runCancellable(window, {
      ...{ title: 'Restoring a backup', afterCancel: 'The store is as it was.' },
      run: async (tell, signal) => {
        const begun = this.#begunAnew();
        try {
          await engine.restoreData(backup.file, tell, signal);
          tell({ name: 'opening', done: 0, total: 0 });
          return await begun.wait();
        } finally {
          begun.dispose();
        }
      },
    });
    if (hasBegun !== false) return; // cancelled; or the notice tells what was restored
    const text =
      'The backup is prepared, but the store was not opened with it yet. It is taken over at its next opening.';
    if ((await window.show('warning', text, ['Try Again'])) === 'Try Again') window.run(CommandId.TryAgain);
  }

  async check(): Promise<void> {
    const { engine, window } = this.parts;
    if (!(await this.#isHere(managesStore))) return;
    const report = await runCancellable(window, {
      ...{ title: 'Checking the store', afterCancel: 'Nothing was changed.' },
      run: (tell, signal) => engine.checkIntegrity(tell, signal),
    });
    if (report) await new IntegrityFindings(this.parts).show(report);
  }

  async compact(): Promise<void> {
    const { engine, window } = this.parts;
    if (!(await this.#isHere(managesStore))) return;
    const report = await runCancellable(window, {
      ...{ title: 'Compacting the store', afterCancel: 'Nothing is lost; the rest can be given back another time.' },
      run: (tell, signal) => engine.compactData(tell, signal),
    });
    if (!report) return;
    const text = `The store takes ${bytesText(report.afterBytes)} now, ${bytesText(report.beforeBytes)} before.`;
    await window.show('information', text, []);
  }

  /** False, with a message that says who manages, where that is another window or the engine without one. */
  async #isHere(may: (status: EngineStatus) => boolean): Promise<boolean> {
    const { engine, window } = this.parts;
    const { status } = engine;
    if (may(status)) return true;
    if (status.kind !== 'following') {
      demandControl(engine); // throws what keeps it from working; while it starts, the call itself waits
      return true;
    }
    const text = `Process ${status.ownerPid} manages the agents of this folder and their store: another window, or the program that supervises without one. Do it in that window, or with \`orc data\` in a shell.`;
    await window.show('warning', text, []);
    return false;
  }

  /** Asks which one until one can be restored: each is looked at before anything is asked about it. */
  async #usableBackup(status: DataStatus): Promise<ChosenBackup | undefined> {
    const { engine, window } = this.parts;
    for (;;) {
      const chosen = await this.#chooseBackup(status);
      if (!chosen) return undefined;
      const found = await runCancellable(window, {
        ...{ title: 'Looking at the backup', afterCancel: 'Nothing was changed.' },
        run: (tell, signal) => engine.inspectBackup(chosen.file, tell, signal),
      });
      if (!found) return undefined;
      if (found.isUsable) return { ...chosen, found };
      const again = await window.show('error', unusableText(chosen.file, found), [CHOOSE_ANOTHER]);
      if (again !== CHOOSE_ANOTHER) return undefined;
    }
  }

  async #chooseBackup(status: DataStatus): Promise<Omit<ChosenBackup, 'found'> | undefined> {
    const { window, askForFile } = this.parts;
    const title = COMMAND_TITLES[CommandId.Restore];
    const choices: Choice[] = status.backups.map((backup) => ({
      id: backup.file,
      label: localTime(backup.takenAtMs).slice(0, 16),
      description: `${backupKindText(backup.kind)}, ${bytesText(backup.sizeBytes)}`,
      detail: `${backup.seq === undefined ? '' : `change ${backup.seq}, `}schema ${backup.schemaVersion}, SQLite ${backup.sqliteVersion}, ${backup.isChecked ? 'checked when it was made' : 'not checked yet'}`,
    }));
    choices.push({ id: OTHER_FILE, label: 'Choose a File…', description: 'a backup that is kept elsewhere' });
    const id = await window.choose(
      title,
      'Which backup? It is looked at before anything is asked or changed.',
      choices,
    );
    if (id === undefined) return undefined;
    if (id !== OTHER_FILE) return status.backups.find(({ file }) => file === id);
    const file = await askForFile('open', title);
    return file === undefined ? undefined : { file };
  }

  /** Whether the engine tells that it runs on the restored store. */
  #begunAnew(): { wait(): Promise<boolean>; dispose(): void } {
    const { engine, clock } = this.parts;
    const owned = new DisposableStore();
    const told = new Promise<boolean>((resolve) => {
      owned.add(
        engine.onDidChangeNotices(({ kind, notice }) => {
          if (kind === 'raised' && notice.fingerprint === STORE_RESTORED) resolve(true);
        }),
      );
    });
    const tooLate = (): Error => new Error('it has not begun anew');
    return {
      wait: () => withTimeout(clock, BEGUN_ANEW_MS, told, tooLate).catch(() => false),
      dispose: () => owned.dispose(),
    };
  }
}

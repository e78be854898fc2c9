import * as vscode from 'vscode';
import type { Clock } from '../../core/base/clock';
import type { Engine } from '../../core/engine';
import type { ReportDocuments } from '../documents/reportDocuments';
import { setupText } from '../documents/setupText';
import type { LiveSettings } from '../liveSettings';
import { CommandId, SettingKey } from '../manifest';
import { resetMutedNotices } from '../notices/noticePresenter';
import type { Memory } from '../notices/windowPort';
import { GroupBy } from '../settings';
import { untilBegun } from '../window/untilBegun';
import { windowDiagnoses } from '../window/windowDiagnoses';
import type { CommandHandlers } from './registerCommands';

const SETUP = 'Core Orchestrator Setup.md';
/** Longest wait for the engine before its set-up is told after a reload. */
const BEGUN_MS = 10_000;
const RESTORE = 'Restore from Backup…';

export interface WindowCommandParts {
  readonly engine: Engine;
  readonly documents: ReportDocuments;
  readonly clock: Clock;
  readonly settings: LiveSettings;
  readonly channel: vscode.LogOutputChannel;
  readonly extensionVersion: string;
  readonly globalMemory: Memory;
  /** Starts the engine where agents can run. */
  readonly start: () => Promise<void>;
}

/** Commands about the engine and the view as a whole. */
export function windowCommands({
  engine,
  documents,
  clock,
  settings,
  channel,
  extensionVersion,
  globalMemory,
  start,
}: WindowCommandParts): CommandHandlers {
  const groupBy = (value: GroupBy) => (): Promise<void> => settings.update(SettingKey.GroupBy, value);
  const setup = async (): Promise<string> => setupText(await engine.diagnose(), windowDiagnoses(extensionVersion));
  documents.remake(SETUP, async () => {
    await untilBegun(engine, clock, BEGUN_MS);
    return setup();
  });
  return {
    [CommandId.ShowLog]: async () => channel.show(),
    [CommandId.CheckSetup]: async () => {
      const text = await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Window, title: 'Checking the set-up' },
        setup,
      );
      await documents.show(SETUP, text);
    },
    [CommandId.TakeOver]: async () => {
      const detail =
        'The window that manages the agents does not respond. When it comes back, it will only watch. The agents go on in any case.';
      const answer = await vscode.window.showWarningMessage(
        'Take over the agents?',
        { modal: true, detail },
        'Keep Watching',
        'Take Over',
      );
      if (answer === 'Take Over') engine.takeOver();
    },
    [CommandId.AcceptStoreLoss]: async () => {
      const detail =
        'Changes that were confirmed earlier are not in the store any more. A backup that has them can be put in its place instead: Restore from Backup. If you continue, the engine goes on with what is there; running agents are not touched, and a damaged store that was put aside stays where it is.';
      const question = 'Continue without the missing changes?';
      const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, RESTORE, 'Continue');
      if (answer === RESTORE) await vscode.commands.executeCommand(CommandId.Restore);
      if (answer === 'Continue') await engine.acceptStoreLoss();
    },
    [CommandId.TryAgain]: start,
    [CommandId.WatchAgents]: start,
    [CommandId.ResetMutedNotices]: async () =>
      void vscode.window.showInformationMessage(resetMutedNotices(globalMemory)),
    [CommandId.GroupByState]: groupBy(GroupBy.State),
    [CommandId.GroupByTeam]: groupBy(GroupBy.Team),
    [CommandId.GroupByFolder]: groupBy(GroupBy.Folder),
    [CommandId.GroupByNone]: groupBy(GroupBy.None),
  };
}

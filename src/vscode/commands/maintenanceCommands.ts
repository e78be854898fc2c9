import * as vscode from 'vscode';
import { CommandId } from '../manifest';
import { demandTrust, type IsTrusted } from '../trustGate';
import type { FileAsker } from './fileAsker';
import { MaintenanceDesk, type MaintenanceDeskParts } from './maintenanceDesk';
import type { CommandHandlers } from './registerCommands';

export interface MaintenanceCommandParts extends Omit<MaintenanceDeskParts, 'askForFile' | 'folders'> {
  readonly files: FileAsker;
  readonly isTrusted: IsTrusted;
}

/** Commands that look after the store. */
export function maintenanceCommands({ isTrusted, files, ...parts }: MaintenanceCommandParts): CommandHandlers {
  const filters = { Backup: ['db'] };
  const askForFile: MaintenanceDeskParts['askForFile'] = (kind, title) =>
    files.ask({ kind, title, filters, ...(kind === 'save' && { name: 'core-orchestrator.db' }) });
  const desk = new MaintenanceDesk({ ...parts, askForFile, folders });
  const trusted = (work: () => Promise<void>) => async (): Promise<void> => {
    demandTrust(isTrusted);
    await work();
  };
  return {
    [CommandId.Backup]: trusted(() => desk.backUp()),
    [CommandId.Restore]: trusted(() => desk.restore()),
    [CommandId.CheckIntegrity]: trusted(() => desk.check()),
    [CommandId.Compact]: trusted(() => desk.compact()),
  };
}

function folders(): readonly string[] {
  return (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
}

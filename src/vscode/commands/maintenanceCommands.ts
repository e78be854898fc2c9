import * as vscode from 'vscode';
import { ExchangeError } from '../../core/data/exchange/exchangeErrors';
import { CommandId } from '../manifest';
import { demandTrust, type IsTrusted } from '../trustGate';
import { MaintenanceDesk, type MaintenanceDeskParts } from './maintenanceDesk';
import type { CommandHandlers } from './registerCommands';

export interface MaintenanceCommandParts extends Omit<MaintenanceDeskParts, 'askForFile' | 'folders'> {
  readonly isTrusted: IsTrusted;
}

/** Commands that look after the store. */
export function maintenanceCommands({ isTrusted, ...parts }: MaintenanceCommandParts): CommandHandlers {
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

/** The dialog asks itself before a file is replaced; the store replaces nothing but its own backups. */
async function askForFile(kind: 'open' | 'save', title: string): Promise<string | undefined> {
  const filters = { Backup: ['db'] };
  const uri =
    kind === 'open'
      ? (await vscode.window.showOpenDialog({ title, filters, canSelectMany: false }))?.[0]
      : await vscode.window.showSaveDialog({ title, filters });
  if (uri && uri.scheme !== 'file')
    throw new ExchangeError('exchange.fileUnusable', 'it is not on the machine of the agents');
  return uri?.fsPath;
}

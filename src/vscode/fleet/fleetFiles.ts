import * as vscode from 'vscode';
import { ignore, type Logger } from '../../core/base/log';
import { FLEET_FILE } from '../manifest';

/** Every fleet file of the workspace's folders, in their order. Never rejects: what cannot be read is not there. */
export async function findFleetFiles(log: Logger): Promise<readonly vscode.Uri[]> {
  const found = await Promise.all(
    (vscode.workspace.workspaceFolders ?? []).map(async (folder) => {
      const uri = fleetFileOf(folder);
      try {
        return (await vscode.workspace.fs.stat(uri)).type & vscode.FileType.File ? uri : undefined;
      } catch (error) {
        ignore(log, error, 'no fleet file in this folder');
        return undefined;
      }
    }),
  );
  return found.filter((uri): uri is vscode.Uri => uri !== undefined);
}

export function fleetFileOf(folder: vscode.WorkspaceFolder): vscode.Uri {
  return vscode.Uri.joinPath(folder.uri, ...FLEET_FILE.split('/'));
}

/** The file as the person sees it: with unsaved changes when it is open and has some, else as it is on the disk. */
export async function readFleetFile(uri: vscode.Uri): Promise<string> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open?.isDirty) return open.getText();
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
}

/** What is on the disk, whatever an editor shows of it; undefined when there is no such file. @throws when it cannot be read */
export async function fleetFileOnDisk(uri: vscode.Uri): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') return undefined;
    throw error;
  }
}

export function hasUnsavedChanges(uri: vscode.Uri): boolean {
  return vscode.workspace.textDocuments.some((open) => open.isDirty && open.uri.toString() === uri.toString());
}

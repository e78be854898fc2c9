import * as vscode from 'vscode';
import type { FileQuestion } from './fileAsker';

/** VS Code's dialogs for files. The one for a new file asks itself before another is replaced. */
export async function showFileDialog(
  { kind, title, filters }: FileQuestion,
  at: string | undefined,
): Promise<vscode.Uri | undefined> {
  const options = {
    title,
    filters: Object.fromEntries(Object.entries(filters).map(([label, endings]) => [label, [...endings]])),
    ...(at !== undefined && { defaultUri: vscode.Uri.file(at) }),
  };
  if (kind === 'save') {
    const chosen = await vscode.window.showSaveDialog(options);
    if (chosen) await makeFolderOf(chosen);
    return chosen;
  }
  return (await vscode.window.showOpenDialog({ ...options, canSelectMany: false }))?.[0];
}

/** The dialog of a remote window asks whether a folder that is not there is to be made, and leaves that to who saves. */
async function makeFolderOf(file: vscode.Uri): Promise<void> {
  try {
    await vscode.workspace.fs.createDirectory(vscode.Uri.joinPath(file, '..'));
  } catch {
    // who writes the file says why it cannot
  }
}

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
  if (kind === 'save') return vscode.window.showSaveDialog(options);
  return (await vscode.window.showOpenDialog({ ...options, canSelectMany: false }))?.[0];
}

import * as vscode from 'vscode';
import type { Diagnosis } from '../../core/engine';
import { workplaceDiagnosis } from './workplace';

/** What only the window knows, for the setup report. */
export function windowDiagnoses(extensionVersion: string): readonly Diagnosis[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const info = (id: string, label: string, detail: string): Diagnosis => ({ id, label, level: 'info', detail });
  const workplace = workplaceDiagnosis({
    platform: process.platform,
    folderSchemes: folders.map(({ uri }) => uri.scheme),
  });
  return [
    ...(workplace ? [workplace] : []),
    info('window.extension', 'Core Orchestrator', extensionVersion),
    info(
      'window.editor',
      vscode.env.appName,
      `${vscode.version}, ${vscode.env.uiKind === vscode.UIKind.Web ? 'web' : 'desktop'}`,
    ),
    info('window.remote', 'Remote', vscode.env.remoteName ?? 'none'),
    info('window.host', 'Extension host', `${process.platform} ${process.arch}, Node ${process.version}`),
    info('window.folders', 'Folders', String(folders.length)),
    vscode.workspace.isTrusted
      ? { id: 'window.trust', label: 'Workspace Trust', level: 'ok', detail: 'trusted' }
      : {
          id: 'window.trust',
          label: 'Workspace Trust',
          level: 'warning',
          detail: 'Restricted Mode: nothing is started or sent',
          advice: 'Run "Workspaces: Manage Workspace Trust" when you trust the files of this workspace.',
        },
  ];
}

import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { SystemClock } from '../core/base/clock';
import { UlidIds } from '../core/base/ids';
import type { Logger } from '../core/base/log';
import { DEFAULT_RESTART_SETTINGS } from '../core/agents/restartBudget';
import type { Engine } from '../core/engine';
import type { EngineSettings } from '../core/engineSettings';
import { openLocalWorkspace } from '../core/node/localWorkspace';
import { Orchestrator } from '../core/orchestrator';
import type { Settings } from './settings';

/** Builds the engine of this window. Does no I/O; `start` does. */
export function composeEngine(context: vscode.ExtensionContext, log: Logger, settings: () => Settings): Engine {
  const clock = new SystemClock();
  return new Orchestrator({
    clock,
    log,
    ids: new UlidIds(() => clock.nowMs(), randomBytes),
    random: Math.random,
    settings: () => engineSettings(settings()),
    openWorkspace: () =>
      openLocalWorkspace({
        path: workspacePath(),
        storageFolder: context.globalStorageUri.fsPath,
        tmuxPath: settings().tmuxPath,
        passEnvironment: settings().passEnvironment,
        execPath: process.execPath,
        distFolder: vscode.Uri.joinPath(context.extensionUri, 'dist').fsPath,
        env: process.env,
        clock,
        log,
      }),
  });
}

function engineSettings(settings: Settings): EngineSettings {
  return {
    isTrusted: vscode.workspace.isTrusted,
    startDeadlineMs: settings.startDeadlineMs,
    restart: {
      ...DEFAULT_RESTART_SETTINGS,
      maxRestarts: settings.restartLimit,
      windowMs: settings.restartPeriodMs,
      firstDelayMs: settings.restartFirstDelayMs,
      maxDelayMs: settings.restartLongestDelayMs,
    },
    recoveredFolder: firstFolder() ?? homedir(),
  };
}

/** What the window has open: a saved multi-root workspace, else the first folder, else nothing. */
function workspacePath(): string | undefined {
  const file = vscode.workspace.workspaceFile;
  return file?.scheme === 'file' ? file.fsPath : firstFolder();
}

function firstFolder(): string | undefined {
  return vscode.workspace.workspaceFolders?.find((folder) => folder.uri.scheme === 'file')?.uri.fsPath;
}

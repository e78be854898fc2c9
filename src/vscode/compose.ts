import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { SystemClock } from '../core/base/clock';
import { UlidIds } from '../core/base/ids';
import { describeError } from '../core/base/errors';
import type { Logger } from '../core/base/log';
import type { Engine } from '../core/engine';
import type { EngineSettings } from '../core/engineSettings';
import { Orchestrator } from '../core/orchestrator';
import { engineOptions, hostOptions, workspaceOptions } from './engineOptions';
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
    openWorkspace: async () => {
      const { openLocalWorkspace } = await import('../core/node/localWorkspace'); // most of the engine: not needed to activate
      return openLocalWorkspace({
        path: workspacePath(),
        storageFolder: context.globalStorageUri.fsPath,
        ...workspaceOptions(settings()),
        execPath: process.execPath,
        distFolder: vscode.Uri.joinPath(context.extensionUri, 'dist').fsPath,
        env: process.env,
        clock,
        log,
      });
    },
  });
}

/**
 * Keeps the program that supervises without a window as the setting says: started (it waits while a window is there, and makes way for
 * one that opens), told of changes, ended. Never rejects; does nothing without a folder. Only for trusted workspaces: it goes on with what the window would do.
 */
export function composeHostKeeper(
  context: vscode.ExtensionContext,
  log: Logger,
): (settings: Settings) => Promise<void> {
  let wasKept: boolean | undefined; // not known: an earlier window may have started one
  return async (settings) => {
    const workspace = workspacePath();
    const isKept = settings.isSupervisionKept;
    if (workspace === undefined || (!isKept && wasKept === false)) return;
    try {
      const { ofThisWindow, spawnHost, tellHost } = await import('../core/node/spawnHost');
      const options = {
        workspace,
        storageFolder: context.globalStorageUri.fsPath,
        execPath: process.execPath,
        settings: await ofThisWindow(
          hostOptions(settings, vscode.Uri.joinPath(context.extensionUri, 'dist', 'host.js').fsPath),
        ),
        env: process.env,
      };
      if (isKept && !wasKept) log.info('supervision goes on without a window', { pid: await spawnHost(options) });
      else await tellHost(options);
      wasKept = isKept;
    } catch (error) {
      log.warn('the program that supervises without a window was not started or told', { error: describeError(error) });
    }
  };
}

function engineSettings(settings: Settings): EngineSettings {
  return {
    ...engineOptions(settings),
    isTrusted: vscode.workspace.isTrusted,
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

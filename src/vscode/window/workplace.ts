import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Diagnosis } from '../../core/engine';

/** What decides whether agents can run in a window. */
export interface Workplace {
  readonly platform: NodeJS.Platform;
  /** URI schemes of the workspace folders. */
  readonly folderSchemes: readonly string[];
}

/** Folders are open, and none is on a real file system: the workspace is virtual. */
export function isVirtualWorkspace(folderSchemes: readonly string[]): boolean {
  return folderSchemes.length > 0 && folderSchemes.every((scheme) => scheme !== 'file');
}

/** What Check Setup says about the place where this window works; undefined: agents can run here. */
export function workplaceDiagnosis({ platform, folderSchemes }: Workplace): Diagnosis | undefined {
  const problem = { id: 'window.workplace', label: 'Where this window works', level: 'error' } as const;
  if (platform === 'win32') {
    const advice = 'Reopen this folder in WSL, a container or over SSH, and install Core Orchestrator there.';
    return { ...problem, detail: 'Windows, which does not have tmux: no agent can run', advice };
  }
  if (!isVirtualWorkspace(folderSchemes)) return undefined;
  const advice = 'Clone the repository, or open it over SSH or in a container.';
  return { ...problem, detail: 'a virtual workspace, which has no folder that an agent could work in', advice };
}

/** Else the engine is never started: Windows has no tmux, and a virtual workspace has no folder an agent could work in. */
export function canRunAgents({ platform, folderSchemes }: Workplace): boolean {
  return platform !== 'win32' && !isVirtualWorkspace(folderSchemes);
}

/**
 * Where this window keeps small files about the workspace: in our own storage for all workspaces, because the storage of a workspace
 * goes with it. `workspace` is the URI of the workspace file or first folder; undefined: nothing is open, and nothing is kept.
 */
export function windowStorageFolder(globalStorage: string, workspace: string | undefined): string | undefined {
  if (workspace === undefined) return undefined;
  return path.join(globalStorage, 'windows', createHash('sha256').update(workspace).digest('hex').slice(0, 16));
}

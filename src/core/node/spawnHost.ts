import { spawn } from 'node:child_process';
import { ownIdentity } from '../data/node/processIdentity';
import { type HostSettings, writeHostSettings } from './hostSettings';
import { workspaceId, workspaceNames } from './localWorkspace';

export interface SpawnHostOptions {
  /** Path of the folder or of the `.code-workspace` file. */
  readonly workspace: string;
  /** Where data of all workspaces is kept. */
  readonly storageFolder: string;
  /** Node, or what runs as Node with ELECTRON_RUN_AS_NODE=1. */
  readonly execPath: string;
  readonly settings: HostSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts the headless host of a workspace in the background: no descriptors of ours, a process group of its own, so that it outlives
 * the window. It waits while a window owns the workspace, and ends at once when there is one already: calling this at every start of
 * a window is right. Resolves with its process id once it runs. @throws {Error} when it cannot be started
 */
export async function spawnHost(options: SpawnHostOptions): Promise<number> {
  const { workspace, storageFolder, execPath, settings, env } = options;
  await tellHost(options);
  const args = [settings.hostFile, '--workspace', workspace, '--storage', storageFolder, '--standby'];
  return new Promise((resolve, reject) => {
    const child = spawn(execPath, args, {
      cwd: '/',
      detached: true,
      stdio: 'ignore',
      env: { ...env, ELECTRON_RUN_AS_NODE: '1' },
    });
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}

/** The settings as told by this process: a host makes way for it while it lives. */
export async function ofThisWindow(settings: HostSettings): Promise<HostSettings> {
  return { ...settings, window: await ownIdentity() };
}

/** Tells the host, if there is one, what is wanted now; with `isKept: false` it ends. @throws {Error} of node:fs */
export async function tellHost(
  options: Pick<SpawnHostOptions, 'workspace' | 'storageFolder' | 'settings' | 'env'>,
): Promise<void> {
  const { dataFolder } = workspaceNames(await workspaceId(options.workspace), options);
  writeHostSettings(dataFolder, options.settings);
}

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { DEFAULT_RESTART_SETTINGS } from '../core/agents/restartBudget';
import { SystemClock } from '../core/base/clock';
import type { Disposable } from '../core/base/disposable';
import { UlidIds } from '../core/base/ids';
import type { Logger } from '../core/base/log';
import { isProcessGone, type ProcessIdentity } from '../core/data/node/processIdentity';
import type { Engine } from '../core/engine';
import type { EngineSettings } from '../core/engineSettings';
import { type HostLock, takeHostLock } from '../core/node/hostLock';
import { type HostSettings, readHostSettings, watchHostSettings } from '../core/node/hostSettings';
import { parseStoreEngine } from '../core/data/storeEngine';
import { openLocalWorkspace, workspaceId, workspaceNames } from '../core/node/localWorkspace';
import { ListedAgentTypes } from '../core/listedAgentTypes';
import { Orchestrator } from '../core/orchestrator';

/** Without a window that says otherwise: the defaults of the settings. */
const DEFAULT_ENGINE: HostSettings['engine'] = { startDeadlineMs: 60_000, restart: DEFAULT_RESTART_SETTINGS };

export interface HostOptions {
  /** Real path of the folder or of the `.code-workspace` file. */
  readonly workspace: string;
  readonly storageFolder: string;
  /** Folder of the bundles, and of this program. */
  readonly distFolder: string;
}

/** A window, as its process. */
export type WindowProcess = ProcessIdentity;

/** Everything of the machine that the host needs. */
export interface HostWorld {
  readonly dataFolder: string;
  /** As a window wrote them last; undefined: started by hand, with the defaults. */
  settings(): HostSettings | undefined;
  /** Whether that process lives, as far as can be told. */
  isAlive(process: WindowProcess): Promise<boolean>;
  /** Calls back when a window has written them. The data folder must be there. */
  watchSettings(onChange: () => void, log: Logger): Disposable;
  takeLock(): Promise<HostLock>;
  composeEngine(log: Logger): Engine;
  /** The socket that the owner's gateway listens on, when there is one. */
  socket(): string | undefined;
}

/** Looks where things are; does no other I/O. */
export async function openHostWorld(options: HostOptions): Promise<HostWorld> {
  const { workspace, storageFolder, distFolder } = options;
  const { dataFolder } = workspaceNames(await workspaceId(workspace), { storageFolder, env: process.env });
  const settings = (): HostSettings | undefined => readHostSettings(dataFolder);
  return {
    dataFolder,
    settings,
    isAlive: async (identity) => !(await isProcessGone(identity)),
    watchSettings: (onChange, log) => watchHostSettings(dataFolder, onChange, log),
    takeLock: () => takeHostLock(dataFolder),
    socket: () => socketOf(path.join(dataFolder, 'gateway.json')),
    composeEngine: (log) => {
      const clock = new SystemClock();
      const engine = new Orchestrator({
        clock,
        log,
        ids: new UlidIds(() => clock.nowMs(), randomBytes),
        random: Math.random,
        settings: () => engineSettings(settings(), workspace),
        openWorkspace: () =>
          openLocalWorkspace({
            path: workspace,
            storageFolder,
            tmuxPath: settings()?.tmuxPath ?? 'tmux',
            storeEngine: parseStoreEngine(settings()?.storeEngine),
            keptBackups: settings()?.keptBackups ?? 7,
            passEnvironment: settings()?.passEnvironment ?? [],
            execPath: process.execPath,
            distFolder,
            env: process.env,
            clock,
            log,
          }),
      });
      const problems = new ListedAgentTypes(engine).set(settings()?.agentTypes ?? []);
      if (problems.length > 0) log.warn('agent types of the settings have mistakes', { problems });
      return engine;
    },
  };
}

/** A person started the host, or trusted the folder in the window that did. */
function engineSettings(settings: HostSettings | undefined, workspace: string): EngineSettings {
  const isFile = workspace.endsWith('.code-workspace');
  const recoveredFolder = isFile ? path.dirname(workspace) : workspace || homedir();
  return { ...DEFAULT_ENGINE, ...settings?.engine, isTrusted: true, recoveredFolder };
}

function socketOf(pointerFile: string): string | undefined {
  try {
    const { socket } = JSON.parse(readFileSync(pointerFile, 'utf8')) as { readonly socket?: unknown };
    return typeof socket === 'string' ? socket : undefined;
  } catch {
    return undefined; // no engine has listened yet
  }
}

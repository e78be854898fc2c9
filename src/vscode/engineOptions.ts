import { DEFAULT_RESTART_SETTINGS } from '../core/agents/restartBudget';
import type { EngineSettings } from '../core/engineSettings';
import type { Settings } from './settings';

type EngineOptions = Omit<EngineSettings, 'isTrusted' | 'recoveredFolder'>;
type WorkspaceOptions = Pick<Settings, 'tmuxPath' | 'storeEngine' | 'keptBackups' | 'passEnvironment'>;

/** As the program without a window reads them; `compose.ts` hands them over. */
interface HostOptions extends WorkspaceOptions, Pick<Settings, 'agentTypes'> {
  readonly isKept: boolean;
  readonly hostFile: string;
  readonly engine: EngineOptions;
}

/** What the engine of a window and the one without a window have in common. Asked again whenever it is used. */
export function engineOptions(settings: Settings): EngineOptions {
  return {
    startDeadlineMs: settings.startDeadlineMs,
    restart: {
      ...DEFAULT_RESTART_SETTINGS,
      maxRestarts: settings.restartLimit,
      windowMs: settings.restartPeriodMs,
      firstDelayMs: settings.restartFirstDelayMs,
      maxDelayMs: settings.restartLongestDelayMs,
    },
    allowRules: settings.allowRules,
    retention: settings.retention,
  };
}

/** What holds from when the workspace is opened until it is closed. */
export function workspaceOptions(settings: Settings): WorkspaceOptions {
  const { tmuxPath, storeEngine, keptBackups, passEnvironment } = settings;
  return { tmuxPath, storeEngine, keptBackups, passEnvironment };
}

/** All that the program that supervises without a window is told. */
export function hostOptions(settings: Settings, hostFile: string): HostOptions {
  return {
    isKept: settings.isSupervisionKept,
    hostFile,
    ...workspaceOptions(settings),
    agentTypes: settings.agentTypes,
    engine: engineOptions(settings),
  };
}

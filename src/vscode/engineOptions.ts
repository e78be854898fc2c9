import { DEFAULT_RESTART_SETTINGS } from '../core/agents/restartBudget';
import type { HostSettings } from '../core/node/hostSettings';
import type { Settings } from './settings';

/** What the engine of a window and the one without a window have in common. Asked again whenever it is used. */
export function engineOptions(settings: Settings): HostSettings['engine'] {
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
export function workspaceOptions(
  settings: Settings,
): Pick<Settings, 'tmuxPath' | 'storeEngine' | 'keptBackups' | 'passEnvironment'> {
  const { tmuxPath, storeEngine, keptBackups, passEnvironment } = settings;
  return { tmuxPath, storeEngine, keptBackups, passEnvironment };
}

/** All that the program that supervises without a window is told. */
export function hostOptions(settings: Settings, hostFile: string): HostSettings {
  return {
    isKept: settings.isSupervisionKept,
    hostFile,
    ...workspaceOptions(settings),
    agentTypes: settings.agentTypes,
    engine: engineOptions(settings),
  };
}

import fs from 'node:fs';
import path from 'node:path';
import type { AllowRule } from '../agents/permissionRequest';
import type { RestartSettings } from '../agents/restartBudget';
import type { ProcessIdentity } from '../data/node/processIdentity';
import { isRetentionSettings } from '../data/retention/retentionSettings';
import { parseStoreEngine, type StoreEngineChoice } from '../data/storeEngine';
import { type Disposable, toDisposable } from '../base/disposable';
import { ignore, type Logger } from '../base/log';
import type { EngineSettings } from '../engineSettings';

/**
 * What a window tells the headless host of its workspace: `<data folder>/host.json`, 0600. The window writes it before it starts
 * the host and whenever a setting changes; the host watches it, so that it ends when it is not wanted any more.
 */
export interface HostSettings {
  /** The person wants supervision to go on without a window. */
  readonly isKept: boolean;
  /** Program of the host that is wanted: one of an older version makes way for it. */
  readonly hostFile: string;
  readonly tmuxPath: string;
  /** As the setting says; a window of an older version writes none. */
  readonly storeEngine?: StoreEngineChoice;
  /** Automatic backups that are kept; a window of an older version writes none. */
  readonly keptBackups?: number;
  readonly passEnvironment: readonly string[];
  /** Manifests of agent types of the person's own, unchecked; a window of an older version writes none. */
  readonly agentTypes?: readonly unknown[];
  readonly engine: Omit<EngineSettings, 'isTrusted' | 'recoveredFolder'>;
  /** The window that wrote this: a host that manages the agents makes way for it, once, while it lives. */
  readonly window?: ProcessIdentity;
}

export function hostSettingsFile(dataFolder: string): string {
  return path.join(dataFolder, 'host.json');
}

/** Replaces the file in one step. @throws {Error} of node:fs */
export function writeHostSettings(dataFolder: string, settings: HostSettings): void {
  const file = hostSettingsFile(dataFolder);
  const unfinished = `${file}.${process.pid}.tmp`;
  fs.mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  fs.writeFileSync(unfinished, `${JSON.stringify(settings, undefined, 2)}\n`, { mode: 0o600 });
  fs.renameSync(unfinished, file);
}

/**
 * Calls `onChange` when the settings were written or removed. The folder is watched, since each writing replaces the file. What cannot
 * be watched, or a folder that is made anew, is not told of: look now and then.
 */
export function watchHostSettings(dataFolder: string, onChange: () => void, log: Logger): Disposable {
  const file = path.basename(hostSettingsFile(dataFolder));
  try {
    const watcher = fs.watch(dataFolder, { persistent: false }, (_, name) => {
      if (name === null || name === file) onChange();
    });
    watcher.on('error', (error) => ignore(log, error, 'the settings are looked at now and then'));
    return toDisposable(() => watcher.close());
  } catch (error) {
    ignore(log, error, 'the settings are looked at now and then');
    return toDisposable(() => undefined);
  }
}

/** Undefined when no window has written any, or it cannot be read. */
export function readHostSettings(dataFolder: string): HostSettings | undefined {
  try {
    const value = JSON.parse(fs.readFileSync(hostSettingsFile(dataFolder), 'utf8')) as unknown;
    return isHostSettings(value) ? value : undefined;
  } catch {
    return undefined; // none was written: the host was started by hand
  }
}

function isHostSettings(value: unknown): value is HostSettings {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as Partial<Record<keyof HostSettings, unknown>>; // each field is checked here
  return (
    typeof given.isKept === 'boolean' &&
    typeof given.hostFile === 'string' &&
    typeof given.tmuxPath === 'string' &&
    (given.storeEngine === undefined || parseStoreEngine(given.storeEngine) === given.storeEngine) &&
    (given.keptBackups === undefined || (Number.isInteger(given.keptBackups) && Number(given.keptBackups) >= 0)) &&
    Array.isArray(given.passEnvironment) &&
    given.passEnvironment.every((name) => typeof name === 'string') &&
    (given.agentTypes === undefined || Array.isArray(given.agentTypes)) &&
    isEngineSettings(given.engine) &&
    (given.window === undefined || isProcessIdentity(given.window))
  );
}

function isProcessIdentity(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTime, bootId } = value as Partial<Record<keyof ProcessIdentity, unknown>>; // checked here
  return Number.isInteger(pid) && typeof startTime === 'string' && typeof bootId === 'string';
}

function isEngineSettings(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as Partial<Record<keyof HostSettings['engine'], unknown>>; // each field is checked here
  const restart = (given.restart ?? {}) as Partial<Record<keyof RestartSettings, unknown>>;
  const { maxRestarts, windowMs, firstDelayMs, maxDelayMs, jitterRatio } = restart;
  const numbers = [given.startDeadlineMs, maxRestarts, windowMs, firstDelayMs, maxDelayMs, jitterRatio];
  const hasNumbers = numbers.every((each) => typeof each === 'number' && Number.isFinite(each) && each >= 0);
  const isRetention = given.retention === undefined || isRetentionSettings(given.retention);
  return hasNumbers && isRetention && (given.allowRules === undefined || isAllowRules(given.allowRules));
}

function isAllowRules(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return (value as readonly unknown[]).every((rule) => {
    if (typeof rule !== 'object' || rule === null) return false;
    const { type, tool, pattern } = rule as Partial<Record<keyof AllowRule, unknown>>; // checked here
    return [type, tool, pattern].every((each) => typeof each === 'string');
  });
}

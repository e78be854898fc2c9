import fs from 'node:fs';
import path from 'node:path';
import type { AllowRule } from '../agents/permissionRequest';
import type { RestartSettings } from '../agents/restartBudget';
import type { EngineSettings } from '../engineSettings';

/**
 * What a window tells the headless host of its workspace: `<data folder>/host.json`, 0600. The window writes it before it starts
 * the host and whenever a setting changes; the host looks at it all the time, so that it ends when it is not wanted any more.
 */
export interface HostSettings {
  /** The person wants supervision to go on without a window. */
  readonly isKept: boolean;
  /** Program of the host that is wanted: one of an older version makes way for it. */
  readonly hostFile: string;
  readonly tmuxPath: string;
  readonly passEnvironment: readonly string[];
  readonly engine: Omit<EngineSettings, 'isTrusted' | 'recoveredFolder'>;
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
    Array.isArray(given.passEnvironment) &&
    given.passEnvironment.every((name) => typeof name === 'string') &&
    isEngineSettings(given.engine)
  );
}

function isEngineSettings(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as Partial<Record<keyof HostSettings['engine'], unknown>>; // each field is checked here
  const restart = (given.restart ?? {}) as Partial<Record<keyof RestartSettings, unknown>>;
  const { maxRestarts, windowMs, firstDelayMs, maxDelayMs, jitterRatio } = restart;
  const numbers = [given.startDeadlineMs, maxRestarts, windowMs, firstDelayMs, maxDelayMs, jitterRatio];
  const hasNumbers = numbers.every((each) => typeof each === 'number' && Number.isFinite(each) && each >= 0);
  return hasNumbers && (given.allowRules === undefined || isAllowRules(given.allowRules));
}

function isAllowRules(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return (value as readonly unknown[]).every((rule) => {
    if (typeof rule !== 'object' || rule === null) return false;
    const { type, tool, pattern } = rule as Partial<Record<keyof AllowRule, unknown>>; // checked here
    return [type, tool, pattern].every((each) => typeof each === 'string');
  });
}

import { SettingKey } from './manifest';

export const GroupBy = { State: 'state', Team: 'team', Folder: 'folder', None: 'none' } as const;
export type GroupBy = (typeof GroupBy)[keyof typeof GroupBy];

export const NotificationLevel = { All: 'all', Failures: 'failures', None: 'none' } as const;
export type NotificationLevel = (typeof NotificationLevel)[keyof typeof NotificationLevel];

export const TerminalPlace = { Panel: 'panel', Editor: 'editor', Beside: 'beside' } as const;
export type TerminalPlace = (typeof TerminalPlace)[keyof typeof TerminalPlace];

/** All settings, complete and within their limits. A value: a change makes a new one. */
export interface Settings {
  /** Program name or absolute path of tmux. */
  readonly tmuxPath: string;
  readonly groupBy: GroupBy;
  /** Names of environment variables of the editor that agents get besides those of the login shell. */
  readonly passEnvironment: readonly string[];
  /** How long a started agent has until it must be ready, 5–600 s. */
  readonly startDeadlineMs: number;
  /** Delay before the first automatic restart; doubles with each further one. */
  readonly restartFirstDelayMs: number;
  readonly restartLongestDelayMs: number;
  /** More automatic restarts than this within `restartPeriodMs` lead to quarantine. */
  readonly restartLimit: number;
  readonly restartPeriodMs: number;
  readonly notifications: NotificationLevel;
  readonly terminalPlace: TerminalPlace;
  /** Other extensions may start, stop and message agents through the exported API. */
  readonly isApiWriteAllowed: boolean;
}

/** Reads one setting below `coreOrchestrator.`; the answer is unchecked (a person edits the file). */
export type ReadSetting = (key: SettingKey) => unknown;

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Turns whatever the settings files hold into a complete record: a wrong value counts as its default. Never throws. */
export function compileSettings(read: ReadSetting): Settings {
  const firstDelayMs = seconds(read(SettingKey.RestartFirstDelay), 1, 0.1, 600);
  return {
    tmuxPath: text(read(SettingKey.TmuxPath), 'tmux'),
    groupBy: oneOf(read(SettingKey.GroupBy), Object.values(GroupBy), GroupBy.State),
    passEnvironment: names(read(SettingKey.PassEnvironment)),
    startDeadlineMs: seconds(read(SettingKey.StartDeadline), 60, 5, 600),
    restartFirstDelayMs: firstDelayMs,
    restartLongestDelayMs: Math.max(firstDelayMs, seconds(read(SettingKey.RestartLongestDelay), 60, 1, 3600)),
    restartLimit: Math.round(number(read(SettingKey.RestartLimit), 5, 0, 100)),
    restartPeriodMs: number(read(SettingKey.RestartPeriod), 10, 1, 1440) * 60_000,
    notifications: oneOf(read(SettingKey.Notifications), Object.values(NotificationLevel), NotificationLevel.All),
    terminalPlace: oneOf(read(SettingKey.TerminalLocation), Object.values(TerminalPlace), TerminalPlace.Panel),
    isApiWriteAllowed: read(SettingKey.AllowWrite) === true,
  };
}

/** The settings of a fresh installation. */
export const defaultSettings: Settings = compileSettings(() => undefined);

function text(value: unknown, fallback: string): string {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : fallback;
}

function number(value: unknown, fallback: number, minimum: number, maximum: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return fallback;
  return Math.min(maximum, Math.max(minimum, value));
}

function seconds(value: unknown, fallback: number, minimum: number, maximum: number): number {
  return number(value, fallback, minimum, maximum) * 1000;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], fallback: T): T {
  return allowed.find((candidate) => candidate === value) ?? fallback;
}

function names(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return [...new Set(value.filter((item): item is string => typeof item === 'string' && VARIABLE_NAME.test(item)))];
}

import type { AllowRule } from '../core/agents/permissionRequest';
import { defaultRetention, maxRetentionDays, type RetentionSettings } from '../core/data/retention/retentionSettings';
import { parseStoreEngine, type StoreEngineChoice } from '../core/data/storeEngine';
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
  /** Manifests of agent types of the person's own; unchecked. */
  readonly agentTypes: readonly unknown[];
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
  /** A program without a window goes on supervising when the last window closes. */
  readonly isSupervisionKept: boolean;
  /** What agents may do without being asked about; empty: nothing. */
  readonly allowRules: readonly AllowRule[];
  readonly notifications: NotificationLevel;
  readonly terminalPlace: TerminalPlace;
  /** Other extensions may start, stop and message agents through the exported API. */
  readonly isApiWriteAllowed: boolean;
  /** Which library works on the store's file. */
  readonly storeEngine: StoreEngineChoice;
  /** Automatic backups of the store that are kept, 0–365; 0: none is made. */
  readonly keptBackups: number;
  /** What becomes of old records. */
  readonly retention: RetentionSettings;
}

/** Reads one setting below `coreOrchestrator.`; the answer is unchecked (a person edits the file). */
export type ReadSetting = (key: SettingKey) => unknown;

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Turns whatever the settings files hold into a complete record: a wrong value counts as its default. Never throws. */
export function compileSettings(read: ReadSetting): Settings {
  const firstDelayMs = seconds(read(SettingKey.RestartFirstDelay), 1, 0.1, 600);
  return {
    tmuxPath: text(read(SettingKey.TmuxPath), 'tmux'),
    agentTypes: list(read(SettingKey.AgentTypes)),
    groupBy: oneOf(read(SettingKey.GroupBy), Object.values(GroupBy), GroupBy.State),
    passEnvironment: names(read(SettingKey.PassEnvironment)),
    startDeadlineMs: seconds(read(SettingKey.StartDeadline), 60, 5, 600),
    restartFirstDelayMs: firstDelayMs,
    restartLongestDelayMs: Math.max(firstDelayMs, seconds(read(SettingKey.RestartLongestDelay), 60, 1, 3600)),
    restartLimit: Math.round(number(read(SettingKey.RestartLimit), 5, 0, 100)),
    restartPeriodMs: number(read(SettingKey.RestartPeriod), 10, 1, 1440) * 60_000,
    isSupervisionKept: read(SettingKey.KeepSupervising) === true,
    allowRules: rules(read(SettingKey.AllowRules)),
    notifications: oneOf(read(SettingKey.Notifications), Object.values(NotificationLevel), NotificationLevel.All),
    terminalPlace: oneOf(read(SettingKey.TerminalLocation), Object.values(TerminalPlace), TerminalPlace.Panel),
    isApiWriteAllowed: read(SettingKey.AllowWrite) === true,
    storeEngine: parseStoreEngine(read(SettingKey.StoreEngine)),
    keptBackups: Math.round(number(read(SettingKey.KeptBackups), 7, 0, 365)),
    retention: {
      historyDays: days(read(SettingKey.RetentionHistory), defaultRetention.historyDays),
      promptDays: days(read(SettingKey.RetentionPrompts), defaultRetention.promptDays),
      then: oneOf(read(SettingKey.RetentionThen), ['archive', 'delete'] as const, defaultRetention.then),
    },
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

/** What is no number of days keeps the default; what is less than none keeps for ever. */
function days(value: unknown, fallback: number): number {
  return Math.round(number(value, fallback, 0, maxRetentionDays));
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

const RULE_PARTS = ['type', 'tool', 'pattern'] as const;
/** No person writes more, and each is tried at each request. */
const MOST_RULES = 100;
const LONGEST_RULE_PART = 1000;

/** A rule with a part missing, empty or of a wrong kind allows nothing, so it is left out as a whole. */
function rules(value: unknown): readonly AllowRule[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MOST_RULES).flatMap((item: unknown) => {
    const parts = RULE_PARTS.map((part) => ownText(item, part));
    const [type, tool, pattern] = parts;
    if (type === undefined || tool === undefined || pattern === undefined) return [];
    return [{ type, tool, pattern }];
  });
}

function ownText(item: unknown, key: string): string | undefined {
  if (typeof item !== 'object' || item === null || !Object.hasOwn(item, key)) return undefined;
  const value: unknown = Reflect.get(item, key);
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_RULE_PART ? value : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

import type { AgentId } from '../agent';
import { isJsonObject, type JsonObject } from '../jsonReader';
import type { Injection } from '../agentType';
import { atPointer } from './jsonPointer';
import { mergeValues } from './templates';

/** One run of an agent: what a home is made for. */
export interface Run {
  readonly agentId: AgentId;
  readonly generation: number;
}

/** A home for one run: see {@link Injection.home}. */
export interface HomePlan {
  /** The folder that the user's own one lies in, absolute: `/home/me`. */
  readonly base: string;
  /** The user's own folder in it, which the run sees through links; need not exist. */
  readonly folder: string;
  readonly settingsFile: string;
  /** Merged over the user's settings. */
  readonly settings: JsonObject;
  readonly besides: readonly string[];
  readonly keepFolders: readonly string[];
  readonly keepFiles: readonly string[];
  readonly silence?: Silence;
}

export type Silence = NonNullable<NonNullable<Injection['home']>['silence']>;

/** What a run was started with. */
export interface HomeSettings {
  readonly settings: JsonObject;
  /** What of it is ours. */
  readonly ours: JsonObject;
  /** The user's own settings keep its hooks from being run: in words, for people. */
  readonly silence?: string;
}

/** A home that was made and not settled yet. */
export interface KnownHome extends Run {
  readonly silence?: string;
}

/**
 * The homes of runs: folders of the user's programs, with settings of our own. They are in a folder that stays as long as the run does,
 * whatever happens to the runtime folder. Implemented by `node/nodeHomeFolders.ts`.
 */
export interface HomeFolders {
  /** Absolute; known before it is made. */
  folder(run: Run): string;
  /** Settles what earlier runs of the agent left, and makes this one afresh, with the `keepFolders` that the user's folder lacks. @throws system errors */
  make(run: Run, plan: HomePlan): Promise<KnownHome>;
  /** The run is over: what its program made or changed goes to the user's own folder, and the home is removed. Idempotent. Never rejects: what fails is logged, and the home stays. */
  settle(run: Run): Promise<void>;
  list(): Promise<readonly KnownHome[]>;
}

/** The user's settings with ours over them. Where they say that no hook is to be run, ours are left out. Pure. */
export function homeSettings(
  { settings, silence }: Pick<HomePlan, 'settings' | 'silence'>,
  theirs: JsonObject,
): HomeSettings {
  const isSaid = ({ path, equals }: Silence['when'][number]): boolean => {
    const said = atPointer(theirs, path);
    return said === equals || (Array.isArray(said) && said.includes(equals));
  };
  const isSilent = silence?.when.some(isSaid) === true;
  const ours = isSilent
    ? Object.fromEntries(Object.entries(settings).filter(([key]) => !silence.leavesOut.includes(key)))
    : settings;
  const merged = mergeValues(theirs, ours) as JsonObject; // of two objects
  return { settings: merged, ours, ...(isSilent && { silence: silence.says }) };
}

/** A key that gets another value; `undefined`: it goes. */
export interface SettingChange {
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * What a program changed in its settings, to be changed in the user's own: keys that are now otherwise than they were `given`. Left out
 * are those that are `ours`, and those that the user's own file has otherwise by now. Pure.
 */
export function settingChanges(
  given: JsonObject,
  now: JsonObject,
  { theirs, ours }: { readonly theirs: JsonObject; readonly ours: JsonObject },
  path: readonly string[] = [],
): readonly SettingChange[] {
  const keys = new Set([...Object.keys(given), ...Object.keys(now)]);
  return [...keys].flatMap((key) => {
    const [before, after, own, our] = [given, now, theirs, ours].map((object) => ownValue(object, key));
    if (isSame(before, after)) return [];
    const at = [...path, key];
    const hasBoth = isJsonObject(after) && [before, own].every((value) => value === undefined || isJsonObject(value));
    if (hasBoth && (before !== undefined || own !== undefined || isJsonObject(our)))
      return settingChanges(asObject(before), after, { theirs: asObject(own), ours: asObject(our) }, at);
    return our === undefined && isSame(before, own) ? [{ path: at, value: after }] : [];
  });
}

/** `extra`'s keys that `base` lacks, at every depth: nothing of `base` is replaced. Pure. */
export function addMissing(base: JsonObject, extra: JsonObject): JsonObject {
  return mergeValues(base, missingIn(base, extra)) as JsonObject; // of two objects
}

function missingIn(base: JsonObject, extra: JsonObject): JsonObject {
  const entries = Object.entries(extra).flatMap(([key, value]): [string, unknown][] => {
    const present = ownValue(base, key);
    if (present === undefined) return [[key, value]];
    return isJsonObject(present) && isJsonObject(value) ? [[key, missingIn(present, value)]] : [];
  });
  return Object.fromEntries(entries);
}

function ownValue(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The same JSON value, in whatever order the keys are. */
function isSame(a: unknown, b: unknown): boolean {
  if (!isJsonObject(a) || !isJsonObject(b)) {
    if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

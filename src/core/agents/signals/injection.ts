import type { AgentType, Injection } from '../agentType';
import type { Environment } from '../environment';
import type { JsonObject } from '../jsonReader';
import type { LaunchTools } from '../launchTools';
import type { HomePlan } from './homePlan';
import {
  fillTemplate,
  fillText,
  fillValue,
  mergeValues,
  needsHash,
  type Places,
  readJsonObject,
  type Sha256,
} from './templates';

/** What one launch gets besides command and environment. */
export interface InjectedLaunch {
  readonly args: readonly string[];
  readonly env: Environment;
  readonly files: Readonly<Record<string, string>>;
  readonly home?: HomePlan;
}

export interface InjectionPlaces {
  readonly tools: LaunchTools;
  /** 0700 folder of this launch, absolute. */
  readonly launchFolder: string;
  /** Where the run's home is made, absolute; undefined: none can be. */
  readonly homeFolder?: string;
  readonly folder: string;
  readonly sessionId: string | undefined;
  /** The agent's environment without what is injected. */
  readonly env: Environment;
  readonly sha256?: Sha256;
}

const NOTHING: InjectedLaunch = { args: [], env: {}, files: {} };

/** What a type adds to one launch. Pure. */
export function inject(type: Pick<AgentType, 'inject'>, places: InjectionPlaces): InjectedLaunch {
  const { inject: injection } = type;
  if (!injection) return NOTHING;
  const filled = placesOf(places);
  const { sha256 } = places;
  const map = <T>(of: Readonly<Record<string, T>> | undefined, make: (item: T, name: string) => string) =>
    Object.fromEntries(Object.entries(of ?? {}).map(([name, item]) => [name, make(item, name)]));
  const home = injection.home && homePlan(injection.home, places, filled);
  const homeEnv = injection.home && home ? homeVariables(injection.home, home, places) : {};
  return {
    args: (injection.args ?? []).map((template) => fillTemplate(template, filled, sha256)),
    env: {
      ...map(injection.env, (template, name) => {
        const present = places.env[name];
        if (typeof template === 'string' || !('json' in template) || present === undefined)
          return fillTemplate(template, filled, sha256);
        const base = readJsonObject(present, JSON.parse);
        return JSON.stringify(mergeValues(base ?? {}, fillValue(template.json, filled, sha256)));
      }),
      ...homeEnv,
    },
    files: map(injection.files, (template) => fillTemplate(template, filled, sha256)),
    ...(home && { home }),
  };
}

/** True when the program reports to us by itself once its type is injected. */
export function hasHooks(type: Pick<AgentType, 'inject' | 'hooks'>): boolean {
  return type.inject !== undefined && (type.hooks?.length ?? 0) > 0;
}

/** What has to be there so that a type can be injected. */
export function canInject(
  type: Pick<AgentType, 'inject'>,
  has: { readonly tools: boolean; readonly homes: boolean; readonly sha256: boolean },
): boolean {
  return has.tools && (has.homes || !type.inject?.home) && (has.sha256 || !needsHash(type.inject));
}

/** Arguments of a conversation: of a new one with our id, or of the one that is gone on with. */
export function sessionArgs(
  type: Pick<AgentType, 'session' | 'resume'>,
  sessionId: string | undefined,
  isResume: boolean,
): readonly string[] {
  if (sessionId === undefined) return [];
  const parts = isResume ? type.resume : type.session?.id === 'ours' ? type.session.newArgs : undefined;
  return (parts ?? []).map((part) => fillText(part, { sessionId }));
}

function placesOf({ tools, launchFolder, folder, sessionId }: InjectionPlaces): Places {
  return {
    orc: tools.orc,
    orcQuoted: shellWord(tools.orc),
    tools: tools.folder,
    toolsUrl: fileUrl(tools.folder),
    launch: launchFolder,
    folder,
    ...(sessionId !== undefined && { sessionId }),
  };
}

/** A variable of the person's own counts more than the files of their folder. */
function homeVariables(
  { variable, fileVariables = {} }: NonNullable<Injection['home']>,
  { base, folder }: HomePlan,
  { homeFolder, env }: InjectionPlaces,
): Environment {
  const files = Object.entries(fileVariables).map(([name, file]) => [name, env[name] ?? `${base}/${folder}/${file}`]);
  return { ...Object.fromEntries(files), [variable]: homeFolder } as Environment; // pairs of text
}

/** Without a home of the user nothing can be linked, and it starts as it would without us. */
function homePlan(home: NonNullable<Injection['home']>, places: InjectionPlaces, filled: Places): HomePlan | undefined {
  const base = places.env[home.variable] ?? places.env['HOME'];
  if (!base?.startsWith('/') || places.homeFolder === undefined) return undefined;
  return {
    base: base.replace(/\/+$/, ''),
    folder: home.folder,
    settingsFile: home.settingsFile,
    settings: fillValue(home.settings, filled, places.sha256) as JsonObject, // the parser takes nothing else
    besides: home.besides ?? [],
    keepFolders: home.keepFolders ?? [],
    keepFiles: home.keepFiles ?? [],
    ...(home.silence && { silence: home.silence }),
  };
}

/** One word for a POSIX shell. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** RFC 8089, for an absolute POSIX path. */
function fileUrl(path: string): string {
  return `file://${path.split('/').map(encodeURIComponent).join('/')}`;
}

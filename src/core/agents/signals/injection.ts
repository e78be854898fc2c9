import type { AgentType, Injection } from '../agentType';
import type { Environment } from '../environment';
import type { JsonObject } from '../jsonReader';
import type { LaunchTools } from '../launchTools';
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

/** A settings folder for one launch: see {@link Injection.home}. */
export interface HomePlan {
  /** The user's own folder, absolute; need not exist. */
  readonly source: string;
  /** The folder that stands for it, inside the launch folder: `home/.gemini`. */
  readonly target: string;
  readonly settingsFile: string;
  /** Merged over the user's settings. */
  readonly settings: unknown;
  readonly keepFolders: readonly string[];
  readonly keepFiles: readonly string[];
}

/** What the user's folder holds. */
export interface HomeContent {
  readonly names: readonly string[];
  readonly settings: JsonObject;
}

/** Reads users' settings folders. Implemented by `node/nodeHomeFolders.ts`. */
export interface HomeFolders {
  /** Makes the `keepFolders` that are missing, as the program would at its first start; writes nothing else. @throws system errors */
  read(plan: HomePlan): Promise<HomeContent>;
}

/** What a host can make in a launch folder: see LaunchSpec. */
const PLAIN_NAME = /^[A-Za-z0-9._-]{1,60}$/;

/**
 * Files and links of the launch folder that stand for the user's folder. Everything of the user is linked, credentials too: what the program writes
 * there is written in the user's place, nothing secret is copied. Only the settings are a file of their own. Pure.
 */
export function homeFiles(
  plan: HomePlan,
  content: HomeContent,
): { readonly files: Readonly<Record<string, string>>; readonly links: Readonly<Record<string, string>> } {
  const names = new Set([...content.names, ...plan.keepFolders, ...plan.keepFiles]);
  names.delete(plan.settingsFile);
  const settings = JSON.stringify(mergeValues(content.settings, plan.settings), undefined, 2);
  return {
    files: { [`${plan.target}/${plan.settingsFile}`]: `${settings}\n` },
    links: Object.fromEntries(
      [...names]
        .filter((name) => PLAIN_NAME.test(name))
        .map((name) => [`${plan.target}/${name}`, `${plan.source}/${name}`]),
    ),
  };
}

export interface InjectionPlaces {
  readonly tools: LaunchTools;
  /** 0700 folder of this launch, absolute. */
  readonly launchFolder: string;
  readonly folder: string;
  readonly sessionId: string | undefined;
  /** The agent's environment without what is injected. */
  readonly env: Environment;
  readonly sha256?: Sha256;
}

const NOTHING: InjectedLaunch = { args: [], env: {}, files: {} };
/** The folder inside the launch folder that a relocated home is made in. */
const HOME_FOLDER = 'home';

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
  { source }: HomePlan,
  { launchFolder, env }: InjectionPlaces,
): Environment {
  const files = Object.entries(fileVariables).map(([name, file]) => [name, env[name] ?? `${source}/${file}`]);
  return { ...Object.fromEntries(files), [variable]: `${launchFolder}/${HOME_FOLDER}` } as Environment; // pairs of text
}

function homePlan(home: NonNullable<Injection['home']>, places: InjectionPlaces, filled: Places): HomePlan | undefined {
  const base = places.env[home.variable] ?? places.env['HOME'];
  if (!base?.startsWith('/')) return undefined; // without a home nothing can be linked: it starts as it would without us
  return {
    target: `${HOME_FOLDER}/${home.folder}`,
    source: `${base.replace(/\/+$/, '')}/${home.folder}`,
    settingsFile: home.settingsFile,
    settings: fillValue(home.settings, filled, places.sha256),
    keepFolders: home.keepFolders ?? [],
    keepFiles: home.keepFiles ?? [],
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

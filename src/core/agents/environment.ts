/** Variables of a process: name → value. */
export type Environment = Readonly<Record<string, string>>;

/**
 * What may be taken over from the process that happens to run us. Everything else an editor or another agent left
 * there changes how agent programs behave (they look at `CI`, `CLAUDECODE`, `TERM_PROGRAM`, `NO_COLOR`, …).
 */
const INHERITED = new Set([
  'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'PATH', 'TZ', 'TMPDIR', 'SSH_AUTH_SOCK', 'DISPLAY', 'WAYLAND_DISPLAY',
  'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy',
  '__CF_USER_TEXT_ENCODING',
]); // prettier-ignore
const INHERITED_FAMILIES = /^(LC_|XDG_)/;

/** Describes the surroundings of another program: never passed on, wherever it comes from, except when an agent's own spec names it. */
const NEVER =
  /^(CLAUDECODE|VSCODE_.*|ELECTRON_.*|TERM_PROGRAM(_VERSION)?|TMUX(_PANE|_TMPDIR)?|STY|CORE_ORCHESTRATOR_.*|_|SHLVL|PWD|OLDPWD|TERM|TERMCAP|COLUMNS|LINES|BASH_FUNC_.*)$/;

/** The terminal as every agent sees it (tmux's own terminfo entry). */
const TERMINAL: Environment = { TERM: 'tmux-256color', COLORTERM: 'truecolor' };

/** What our own process may hand to a login shell, or to an agent when there is none. */
export function inheritedEnvironment(processEnvironment: Readonly<Record<string, string | undefined>>): Environment {
  return pick(
    outsideOfEditor(processEnvironment),
    (name) => (INHERITED.has(name) || INHERITED_FAMILIES.test(name)) && !NEVER.test(name),
  );
}

/** The launcher of VS Code's snap notes beside each variable that it changes what it was, empty for none (`snap/electron-launch`). */
const SNAP_ORIGINAL = '_VSCODE_SNAP_ORIG';
/** Of VS Code's server: its `code` opens files in the window of whoever runs it (`server-main.js`). */
const EDITOR_PROGRAMS = /\/bin\/remote-cli\/?$/;

/** As it was before the editor's own launchers changed it. */
function outsideOfEditor(
  of: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const env = { ...of };
  for (const [name, original] of Object.entries(of)) {
    if (!name.endsWith(SNAP_ORIGINAL)) continue;
    env[name] = undefined;
    env[name.slice(0, -SNAP_ORIGINAL.length)] = original === '' ? undefined : original;
  }
  env['PATH'] = env['PATH']
    ?.split(':')
    .filter((part) => !EDITOR_PROGRAMS.test(part))
    .join(':');
  return env;
}

export interface EnvironmentParts {
  /** Of our own process: only {@link inheritedEnvironment} of it is used. */
  readonly process: Readonly<Record<string, string | undefined>>;
  /** What the user's login shell gives, when it could be asked: the user's own settings (keys, proxies, version managers). */
  readonly loginShell: Environment | undefined;
  /** Of the agent type. */
  readonly type: Environment | undefined;
  /** Of this agent. */
  readonly spec: Environment | undefined;
  /** Ours: identity of the agent. Strongest. */
  readonly own: Environment;
  /** Folder that comes first on the PATH, whatever the PATH is. */
  readonly firstOnPath?: string;
}

/** The whole environment of an agent. Later parts win: inherited, login shell, terminal, type, spec, own. Pure. */
export function agentEnvironment(parts: EnvironmentParts): Environment {
  const loginShell = pick(parts.loginShell ?? {}, (name) => !NEVER.test(name));
  const base = { ...inheritedEnvironment(parts.process), ...loginShell };
  const env: Environment = {
    ...base,
    ...(base['LANG'] || base['LC_ALL'] ? {} : { LANG: 'C.UTF-8' }),
    ...TERMINAL,
    ...parts.type,
    ...parts.spec,
    ...parts.own,
  };
  return parts.firstOnPath === undefined ? env : { ...env, PATH: withFirst(parts.firstOnPath, env['PATH']) };
}

/** `PATH` with `folder` in front, once. Without a PATH programs look where `execvp` does by default (POSIX `confstr(_CS_PATH)`). */
function withFirst(folder: string, path: string | undefined): string {
  const rest = (path ?? '/usr/local/bin:/usr/bin:/bin').split(':').filter((part) => part !== folder);
  return [folder, ...rest].join(':');
}

function pick(source: Readonly<Record<string, string | undefined>>, isWanted: (name: string) => boolean): Environment {
  const entries = Object.entries(source).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isWanted(entry[0]),
  );
  return Object.fromEntries(entries);
}

/** Gives the environment agents start from. Implemented by `node/loginShellEnvironment.ts`. */
export interface BaseEnvironment {
  /** Never rejects: without an answer of the login shell, `loginShell` is undefined and `reason` says why. */
  read(signal?: AbortSignal): Promise<{
    readonly process: Readonly<Record<string, string | undefined>>;
    readonly loginShell: Environment | undefined;
    readonly reason?: string;
  }>;
  /** Why the login shell gave no answer when it was asked last; undefined when it did, or was not asked yet. */
  readonly lastFailure?: string | undefined;
}

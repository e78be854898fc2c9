import { AGENT_ID_PATTERN, type AgentId } from '../agents/agent';
import type { AgentKey } from '../agents/agentHost';
import { TmuxError } from './tmuxErrors';

/** `%7`: tmux's own name of a pane, unique for the life of the server. */
export type PaneId = string & { readonly __brand: 'PaneId' };
/** `@7`: tmux's own name of a window. */
export type WindowId = string & { readonly __brand: 'WindowId' };

/** One tmux command as a vector; made only by {@link TmuxArgs}. */
export interface TmuxCommand {
  readonly name: string;
  readonly args: readonly string[];
  /** Changes what agents see or are: refused when the caller has lost its right to act (fencing). */
  readonly isMutating: boolean;
  /** It is written inside of the one before it, and tmux answers it by a reply of its own. */
  readonly isInner?: boolean;
}

/** The hidden session into which every agent's window is linked, so that one control client sees them all. `_` keeps it apart from agent ids. */
export const HUB_SESSION = '_hub';

/** The `wait-for` channel that the `pane-died` hook wakes. */
export const DEATH_CHANNEL = 'core-dead';

/** Options of a pane, one per line of its screen; see `screenGuard.ts`. */
const SEEN_OPTION = '@core_seen_';

export const AGENT_TAG = '@core_agent';
export const GENERATION_TAG = '@core_generation';

/** Subscriptions (`refresh-client -B`) whose values hold nothing an agent can choose: a forged line break in one could imitate protocol lines. */
export const SUBSCRIPTIONS = {
  'core-dead': '#{pane_dead}',
  'core-activity': '#{window_activity}',
} as const;
export type SubscriptionName = keyof typeof SUBSCRIPTIONS;

export function asPaneId(text: string): PaneId {
  if (!/^%\d{1,10}$/.test(text)) throw new TmuxError('tmux.invalidArgument', 'target', { detail: 'not a pane id' });
  return text as PaneId; // just proved
}

export function asWindowId(text: string): WindowId {
  if (!/^@\d{1,10}$/.test(text)) throw new TmuxError('tmux.invalidArgument', 'target', { detail: 'not a window id' });
  return text as WindowId; // just proved
}

/**
 * Exact target of an agent's session: `=id:`. Without `=` a target is a prefix and a pattern (tmux(1), COMMANDS).
 * @throws {TmuxError} tmux.invalidArgument – not of the shape of an agent id.
 */
export function agentTarget(agentId: AgentId): string {
  if (typeof agentId !== 'string' || !AGENT_ID_PATTERN.test(agentId)) {
    throw new TmuxError('tmux.invalidArgument', 'target', { detail: 'not an agent id' });
  }
  return `=${agentId}:`;
}

/** The size of a terminal nobody looks at. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * The only maker of tmux commands (S2). No function takes text that tmux would expand as a format: ids are checked, formats are
 * constants, and text of people or agents appears in exactly three places that tmux does not interpret: the buffer content of
 * `setBuffer`, the vector of `newAgentSession`, and the value of `rememberLine`, an option that is set without expanding it. There is no way to pass `-c`, `-n` or `-T` (they execute `#(…)`, tried on
 * tmux 3.3a and 3.8).
 */
export const TmuxArgs = {
  /** A detached session with our tags, linked into the hub. Commands that must travel as one sequence: when the session exists, the first fails and the tags of the running one stay untouched. */
  newAgentSession(
    agentId: AgentId,
    generation: number,
    size: TerminalSize,
    argv: readonly [string, string, ...string[]],
    format: string,
  ): readonly TmuxCommand[] {
    const target = agentTarget(agentId);
    return [
      change(
        'new-session',
        '-d',
        '-s',
        agentId,
        '-x',
        count(size.columns),
        '-y',
        count(size.rows),
        '-P',
        '-F',
        format,
        '--',
        ...argv,
      ),
      change('set-option', '-p', '-t', target, AGENT_TAG, agentId),
      change('set-option', '-p', '-t', target, GENERATION_TAG, count(generation)),
      change('link-window', '-d', '-s', target, '-t', `=${HUB_SESSION}:`),
    ];
  },
  /**
   * Gives the terminal of an agent this size until somebody attaches. Sizing makes the size `manual`, which is taken back at once:
   * as one sequence.
   */
  sizeAgent(agentId: AgentId, size: TerminalSize): readonly TmuxCommand[] {
    const target = agentTarget(agentId);
    return [
      change('resize-window', '-t', target, '-x', count(size.columns), '-y', count(size.rows)),
      change('set-option', '-w', '-u', '-t', target, 'window-size'),
    ];
  },
  /** Ends the window with everything in it, also where it is linked (`kill-session` would leave a linked window alive). */
  killWindow: (windowId: WindowId): TmuxCommand => change('kill-window', '-t', asWindowId(windowId)),
  /** Ends what else a person has opened in the agent's session. Only after {@link TmuxArgs.killWindow}. */
  killSession: (agentId: AgentId): TmuxCommand => change('kill-session', '-t', agentTarget(agentId)),
  /** The visible screen, trailing blanks cut. */
  capturePane: (paneId: PaneId): TmuxCommand => read('capture-pane', '-p', '-t', asPaneId(paneId)),
  /** The visible screen with its colours, for a mirror. */
  capturePaneWithEscapes: (paneId: PaneId): TmuxCommand => read('capture-pane', '-p', '-e', '-t', asPaneId(paneId)),
  /** Prints a constant format for one pane. */
  displayPane: (paneId: PaneId, format: string): TmuxCommand =>
    read('display-message', '-p', '-t', asPaneId(paneId), format),
  /** Prints a constant format of the server. */
  displayServer: (format: string): TmuxCommand => read('display-message', '-p', format),
  /** All panes of all sessions; a linked pane comes once per session. */
  listPanes: (format: string): TmuxCommand => read('list-panes', '-a', '-F', format),
  listClients: (format: string): TmuxCommand => read('list-clients', '-F', format),
  /** Fills a private buffer. `text` may be anything but NUL. */
  setBuffer: (buffer: string, text: string): TmuxCommand => change('set-buffer', '-b', word(buffer), '--', text),
  /** Pastes with bracketed paste where the program asked for it (-p), line feeds as they are (-r), and drops the buffer (-d). */
  pasteBuffer: (buffer: string, paneId: PaneId): TmuxCommand =>
    change('paste-buffer', '-p', '-r', '-d', '-b', word(buffer), '-t', asPaneId(paneId)),
  /** Leaves copy mode; an error reply when the pane is not in it. */
  cancelCopyMode: (paneId: PaneId): TmuxCommand => change('send-keys', '-t', asPaneId(paneId), '-X', 'cancel'),
  sendKeys: (paneId: PaneId, keys: readonly AgentKey[]): TmuxCommand =>
    change('send-keys', '-t', asPaneId(paneId), ...keys.map(word)),
  /** Keeps a pattern with a pane, as it is (`-F`, which would expand it, is not given). */
  rememberLine: (paneId: PaneId, index: number, pattern: string): TmuxCommand =>
    change('set-option', '-p', '-t', asPaneId(paneId), `${SEEN_OPTION}${count(index)}`, pattern),
  forgetLine: (paneId: PaneId, index: number): TmuxCommand =>
    change('set-option', '-p', '-u', '-t', asPaneId(paneId), `${SEEN_OPTION}${count(index)}`),
  /**
   * Sends keys only while the pane has this process, is in no mode, and the patterns that were remembered match first in these lines (from 1);
   * prints `otherwise` if not. Two commands to tmux: the question, and inside of it what is run.
   */
  sendKeysWhile(
    paneId: PaneId,
    pid: number,
    places: readonly number[],
    keys: readonly AgentKey[],
    otherwise: string,
  ): readonly TmuxCommand[] {
    const target = asPaneId(paneId);
    const found = places.map((_, index) => `#{C/r:#{${SEEN_OPTION}${index}}}`);
    const isSame = `#{==:${['#{pane_pid}', '#{pane_in_mode}', ...found].join('.')},${[pid, 0, ...places].map(count).join('.')}}`;
    const send = ['send-keys', '-t', target, ...keys.map(word)].join(' ');
    const say = ['display-message', '-p', '-t', target, word(otherwise)].join(' ');
    return [
      change('if-shell', '-F', '-t', target, isSame, send, say),
      { name: 'send-keys', args: [], isMutating: true, isInner: true },
    ];
  },
  setOption: (scope: '-s' | '-g' | '-gw', name: string, value: string): TmuxCommand =>
    change('set-option', scope, word(name), value),
  /** Wakes the exit client at every death of a pane (a pane hook is set with -gw; with -g it is ignored in silence). */
  setDeathHook: (): TmuxCommand => change('set-hook', '-gw', 'pane-died', `wait-for -S ${DEATH_CHANNEL}`),
  waitForDeath: (): TmuxCommand => read('wait-for', DEATH_CHANNEL),
  showGlobalEnvironment: (): TmuxCommand => read('show-environment', '-g'),
  setGlobalEnvironment: (name: string, value: string): TmuxCommand =>
    change('set-environment', '-g', '--', name, value),
  unsetGlobalEnvironment: (name: string): TmuxCommand => change('set-environment', '-g', '-u', '--', name),
  subscribe: (name: SubscriptionName): TmuxCommand => read('refresh-client', '-B', `${name}:%*:${SUBSCRIPTIONS[name]}`),
  unsubscribe: (name: SubscriptionName): TmuxCommand => read('refresh-client', '-B', name),
  /** `pause` stops the stream of one pane to this client, `continue` resumes it at the present. (`off` crashes tmux 3.3a and is not offered.) */
  controlFlow: (paneId: PaneId, action: 'pause' | 'continue'): TmuxCommand =>
    read('refresh-client', '-A', `${asPaneId(paneId)}:${action}`),
  killServer: (): TmuxCommand => change('kill-server'),
} as const;

/** How a control client is started. `program` options come first; nothing of it is user text. */
export const TmuxStart = {
  /** Starts the server when there is none, makes the hub, attaches for commands. */
  owner: (socketName: string, confPath: string): readonly string[] => [
    ...[
      '-u',
      '-L',
      word(socketName),
      '-f',
      confPath,
      '-C',
      'new-session',
      '-A',
      '-E',
      '-s',
      HUB_SESSION,
      '-x',
      '80',
      '-y',
      '24',
    ],
    ...['-f', 'no-output,ignore-size', '--', '/bin/sh', '-c', 'exec cat'],
  ],
  /** Attaches to a running hub; never starts a server (`-N`, and attach-session needs one). */
  attach: (socketName: string, flags: 'no-output' | 'ignore-size,pause-after=1'): readonly string[] => [
    ...[
      '-u',
      '-N',
      '-L',
      word(socketName),
      '-f',
      '/dev/null',
      '-C',
      'attach-session',
      '-E',
      '-t',
      `=${HUB_SESSION}:`,
      '-f',
      flags,
    ],
  ],
  /** One command by a process of its own; never starts a server. */
  command: (socketName: string): readonly string[] => ['-u', '-N', '-L', word(socketName), '-f', '/dev/null'],
  /** What a person's terminal runs: in the window of the owner. */
  person: (socketName: string, agentId: AgentId): readonly string[] => [
    '-u',
    '-L',
    word(socketName),
    'attach-session',
    '-t',
    agentTarget(agentId),
  ],
  /** What a person's terminal runs in a window that only looks: no key reaches the agent (tmux(1), attach-session), no server is started. */
  spectator: (socketName: string, agentId: AgentId): readonly string[] => [
    ...['-u', '-N', '-L', word(socketName), 'attach-session', '-f', 'read-only,ignore-size'],
    ...['-t', agentTarget(agentId)],
  ],
} as const;

/**
 * The line that carries `commands` over a control client, with `;` between them: tmux runs them in order and stops at the first
 * that fails. Each argument is written so that tmux's command parser (tmux(1), PARSING SYNTAX) gives back the same bytes: inside
 * double quotes, every byte but letters, digits, harmless punctuation and non-ASCII as a three-digit octal escape. Proved by a
 * round trip through tmux in `test/integration/tmux/quoting.test.ts`.
 * @throws {TmuxError} tmux.invalidArgument – an argument contains NUL.
 */
export function encodeCommandLine(commands: readonly TmuxCommand[]): string {
  return commands
    .filter(({ isInner }) => isInner !== true)
    .map(({ name, args }) => [name, ...args.map((argument) => quote(argument, name))].join(' '))
    .join(' ; ');
}

function quote(argument: string, command: string): string {
  if (/^[A-Za-z0-9-]+$/.test(argument)) return argument;
  if (argument.includes('\0')) throw new TmuxError('tmux.invalidArgument', command, { detail: 'NUL in an argument' });
  const escaped = argument.replace(
    /[^A-Za-z0-9 _./:=,@%+\u0080-\uffff-]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}

function read(name: string, ...args: readonly string[]): TmuxCommand {
  return { name, args, isMutating: false };
}

function change(name: string, ...args: readonly string[]): TmuxCommand {
  return { name, args, isMutating: true };
}

/** A name of ours: never expanded, never an option. */
function word(text: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/.test(text))
    throw new TmuxError('tmux.invalidArgument', 'word', { detail: 'not a plain word' });
  return text;
}

function count(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new TmuxError('tmux.invalidArgument', 'number', { detail: 'not a count' });
  return String(value);
}

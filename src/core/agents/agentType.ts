import type { AgentKey } from './agentHost';
import type { Activity } from './agentState';

/** An activity that a screen can show; `unknown` is what is left when no rule matches. */
export type ShownActivity = Exclude<Activity, 'unknown'>;

/**
 * Where a rule looks: the last lines that are not blank (`bottom`), all of them (`screen`), the terminal's title, the name of the
 * foreground command; or the input box, the last lines above it and the first below it, of which there are none while it is hidden.
 */
export type ScreenRegion = 'bottom' | 'screen' | 'box' | 'aboveBox' | 'belowBox' | 'title' | 'foreground';

/** One way to recognise an activity. All patterns are checked line by line; `{shellName}` in them stands for the user's shell. */
export interface ScreenRule {
  /** Named in evidence; unique in its type. A question that begins with `sign-in` is told as such: the person is asked who they are. */
  readonly id: string;
  readonly activity: ShownActivity;
  readonly where: ScreenRegion;
  /** For `bottom`, `aboveBox` and `belowBox`: how many lines that are not blank, 1–60. Default 12. */
  readonly lines?: number;
  /** Only what follows the last line of the region that matches this: the last turn. The whole region when none does. */
  readonly since?: string;
  /** Only while the input box is in this state. */
  readonly box?: 'empty' | 'draft' | 'visible' | 'hidden';
  /** A regular expression within the limits of `boundedPattern.ts`, found somewhere in a line. */
  readonly pattern: string;
  /** Further patterns that must each be found in the same region. */
  readonly also?: readonly string[];
  /** Patterns that must not be found in the same region. */
  readonly excludes?: readonly string[];
  readonly ignoreCase?: boolean;
  /** It says that it tries a failed request again: told although a hook or a title only says that it works. */
  readonly isRetry?: boolean;
  /** Only when nothing on the screen shows work: what looks like it while it works is what a tool printed. */
  readonly afterTurn?: boolean;
}

/**
 * How the program's input box is found on the screen. Its end is the last line that matches `bottom` (without one, the end of the
 * screen); its beginning is found from there upwards, by `member`, else by `top`, else by `first`. Patterns are within the limits of
 * `boundedPattern.ts` and are checked against single lines. What is not found whole is hidden.
 */
export interface InputBoxRule {
  /** The first line of the box, with the prompt sign. Without `member` and `top` the last such line begins the box. */
  readonly first: string;
  /** Line above the box, not part of it. */
  readonly top?: string;
  /** Line below the box, not part of it. */
  readonly bottom?: string;
  /** The box is the unbroken run of such lines above `bottom`. */
  readonly member?: string;
  /** The first such line below `first` ends the draft. Without it on the screen the box is hidden: it is still being drawn, or covered. */
  readonly until?: string;
  /** The last such line in the box ends the draft; what follows is no draft. Without it the box is hidden. */
  readonly footer?: string;
  /**
   * A draft that is taller than the screen: what is drawn of it reaches from the top of the screen to `bottom` (without `bottom`: from
   * `first` to the end of the screen), and every line is like this.
   */
  readonly overflow?: string;
  /**
   * One of the last three lines above the box that are not blank. The program shows earlier prompts in boxes that look the same: a
   * draft without such a line may be one of those, on a screen that is half drawn.
   */
  readonly above?: string;
  /** What is right of the part of the line that `bottom` matches is no part of the box, nor of what is above and below it: a side panel. */
  readonly clip?: boolean;
  /** Cut off the beginning of the first line and of each further line. */
  readonly strip: readonly string[];
  /** A draft that is wholly one of these is an empty box. The lines of the draft are joined by \n. */
  readonly placeholders?: readonly string[];
  /** Lines of the box that are no draft: menus. */
  readonly ignore?: readonly string[];
  /** When one of these is found in a line below the draft, something covers the box: it is hidden. */
  readonly covered?: readonly string[];
}

/** Text in a manifest that may hold placeholders, or a value that is written as JSON or TOML after they were replaced inside it. */
export type Template = string | { readonly json: unknown } | { readonly prefix?: string; readonly toml: unknown };

/**
 * What is added to one launch so that the program reports to us, without touching the user's own configuration.
 * Placeholders: `{orc}` (absolute path of our tool), `{orcQuoted}` (the same as a shell word), `{tools}` (folder of it),
 * `{toolsUrl}` (the same as a `file:` URL without an ending slash), `{launch}` (0700 folder of this launch), `{folder}`,
 * `{sessionId}` (the conversation's id, when there is one).
 */
export interface Injection {
  /** Between the command and the agent's own arguments. */
  readonly args?: readonly Template[];
  /** A `json` value is merged into the JSON that the agent's environment has under that name already: objects by key, lists appended. */
  readonly env?: Readonly<Record<string, Template>>;
  /** Written into the launch folder (0600) before the start: name → content. */
  readonly files?: Readonly<Record<string, Template>>;
  /**
   * For programs that take no settings for one launch: `variable` names a folder made for the run, which holds `folder`; in it the
   * user's own `folder` is linked entry by entry, except `settingsFile`, which is the user's merged with `settings`. What the program
   * makes or changes there goes to the user's folder when the run is over.
   */
  readonly home?: {
    readonly variable: string;
    readonly folder: string;
    readonly settingsFile: string;
    readonly settings: unknown;
    /** What lies beside `folder` and is looked for by the program, too: linked when it is there. */
    readonly besides?: readonly string[];
    /**
     * The user's own settings keep hooks from being run when one of `when` holds (a list at `path`: when it has `equals`). Then these
     * keys of `settings` are left out, so that nothing is switched on, and `says` tells people.
     */
    readonly silence?: {
      readonly when: readonly { readonly path: string; readonly equals: string | number | boolean }[];
      readonly leavesOut: readonly string[];
      readonly says: string;
    };
    /** Folders that the program makes at its first start and that must be shared by runs: made in the user's folder when they are missing. */
    readonly keepFolders?: readonly string[];
    /** Files that the program may make later (a login): linked although they are not there yet. */
    readonly keepFiles?: readonly string[];
    /** Variable → file of the user's `folder` that the program replaces instead of writing into it, which would only replace the link. */
    readonly fileVariables?: Readonly<Record<string, string>>;
  };
}

/** What one event of the program's own hooks tells. Paths are JSON pointers into the payload; of several rules for one event the first that fits counts. */
export interface HookRule {
  readonly event: string;
  /** Only when the payload has this value at this pointer. */
  readonly when?: { readonly path: string; readonly equals: string | number | boolean };
  readonly activity?: ShownActivity;
  /** The prompt that was accepted: evidence for a delivery. */
  readonly promptPath?: string;
  readonly sessionIdPath?: string;
  /** A permission request or question. */
  readonly permission?: {
    readonly kind: 'permission' | 'question';
    readonly idPath?: string;
    readonly toolPath?: string;
    readonly detailPath?: string;
  };
  /** When this pointer leads to a list that is not empty or to `true`, the event does not end the turn. */
  readonly unlessPath?: string;
  /** The program ends its turn now: until a hook with `idle` says that it is over (10 s at most) nothing is typed, for it might never be run. */
  readonly endsTurn?: boolean;
  /** It may be told of another tool call, or late: while a question of a hook is open it says nothing about whether that still waits. */
  readonly leavesQuestion?: boolean;
  /** For people; `{…}` is not replaced. */
  readonly says: string;
}

/** OSC sequences in the output that tell the state: code and pattern → activity. */
export interface OscRule {
  readonly id: string;
  readonly code: number;
  readonly pattern: string;
  readonly activity: ShownActivity;
}

/** A small JSON file in which the program itself keeps what it does. Read when it changes; stale files of other processes count for nothing. */
export interface StatusFileRule {
  /** The program's home: the folder that this variable of the launch names, else `folder` in the user's home. */
  readonly home: { readonly variable: string; readonly folder: string };
  /** Relative to the home; `{pid}` stands for the process. */
  readonly path: string;
  /** JSON pointer to the process's start time, as the operating system states it (Linux); when it is another one, the file is of another process. */
  readonly startTimePath?: string;
  /** The first whose values are all there counts; when none fits the file says nothing. */
  readonly states: readonly {
    readonly id: string;
    readonly when: readonly { readonly path: string; readonly equals: string }[];
    readonly activity: ShownActivity;
  }[];
}

/** What a program cannot be seen to do, or never does, by the name of the situation. */
export const UNSEEN = [
  'rate_limit_retry', 'overload_retry', 'retry_cause', 'rate_limit_end', 'overload_end', 'final_error',
] as const; // prettier-ignore
export type Unseen = (typeof UNSEEN)[number];

/** How a permission request is answered. */
export interface ApprovalDoor {
  /** The hook's answer, written as JSON; `{reason}` is replaced. Absent: that answer cannot be given by the hook. */
  readonly hook?: {
    readonly allow?: unknown;
    readonly deny?: unknown;
    /** The hook waits for a person at most this long; 0: it answers with nothing at once (the program draws nothing while it waits). */
    readonly waitMs: number;
  };
  /** Keys that answer the dialog on the screen, wherever its selection stands. */
  readonly keys?: { readonly allow?: readonly AgentKey[]; readonly deny?: readonly AgentKey[] };
  /** First line of the dialog on the screen (its last match); absent: the last 16 lines that are not blank. */
  readonly dialogTop?: string;
}

/** One polite attempt to end the program, before SIGTERM. Keys and text are skipped while a dialog is open: they would answer it. */
export type QuitStep =
  | { readonly text: string }
  | { readonly keys: readonly AgentKey[] }
  | { readonly signal: 'SIGHUP' | 'SIGINT' };

/** When a started process counts as running. */
export interface Readiness {
  /**
   * `alive`: it exists for `afterMs`. `settled`: its screen has settled once, or it was alive for `afterMs`. `rule`: a screen rule
   * matches, or it was alive for `afterMs` if that is above 0: another version of the program may draw what no rule knows.
   */
  readonly when: 'alive' | 'settled' | 'rule';
  /** Milliseconds since the launch. */
  readonly afterMs: number;
}

/** What a program itself does to a text that was pasted into it. Nothing here is done by us: it is told in receipts, and expected. */
export interface InputAlterations {
  /** Each tab becomes so many spaces, 1–8. */
  readonly tabSpaces?: number;
  /** Blanks around the text are dropped: `always`; or `unlessCollapsed`: not of a collapsed text that it takes while it rests. */
  readonly trims?: 'always' | 'unlessCollapsed';
  /** A text of more characters or lines than this is shown as a placeholder, and put in its place when it is submitted. */
  readonly collapses?: { readonly overCharacters: number; readonly overLines: number };
  /** A collapsed text gets a space behind it. */
  readonly padsCollapsed?: boolean;
  /** Characters without width that are dropped. */
  readonly dropsZeroWidth?: string;
  /** `@name` becomes the path of the file it found; the contents of the files follow the text, below a line that begins with `contentsHeading`. */
  readonly resolvesMentions?: { readonly contentsHeading: string };
  /** Prompts that wait inside the program become one: only one is let in. */
  readonly joinsQueued?: boolean;
}

/**
 * Everything the product knows about one kind of agent: data, never code (schema: `media/schemas/agentType.schema.json`).
 * Users, workspaces (after approval) and extensions add their own.
 */
export interface AgentType {
  /** `^[a-z0-9][a-z0-9-]{0,40}$` */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  /** A VS Code codicon id. */
  readonly icon: string;
  /** The program whose presence on the PATH shows that the type can be used. */
  readonly detect?: { readonly command: string };
  /** One line for people: how to install it. */
  readonly installHint?: string;
  /**
   * The command as a vector. Elements that are exactly `{shell}`, `{execPath}` or `{demoAgent}` are replaced by a path;
   * `{command}` by the whole vector of the agent's own `command`.
   */
  readonly command: readonly string[];
  /** Added to the clean environment, below the agent's own `env`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Appended to the command to continue a session; `{sessionId}` is replaced. Absent: cannot resume. */
  readonly resume?: readonly string[];
  readonly readiness: Readiness;
  readonly screenRules: readonly ScreenRule[];
  /** A program without rules: when it was silent this long and its last line matches, it is `unknown, probably waiting`. */
  readonly silence?: { readonly afterMs: number; readonly pattern: string };
  readonly prompt: {
    /** Prompts may be pasted and submitted. False: typing blindly into this program is not safe. */
    readonly canPaste: boolean;
    /** Default `Enter`. */
    readonly submitKey: AgentKey;
    /** Pause between the paste and the submit key; 100 ms was safe for every program tried. */
    readonly submitDelayMs: number;
    /** A first character that would start a command, a shell line or a mention gets a space before it. */
    readonly leadingSpace?: string;
    /** What is put there instead of a space, for programs that trim. */
    readonly leadingGuard?: string;
    /** A last word that begins with one of these, or a final backslash, gets a space after it. */
    readonly trailingSpace?: string;
    /** How long the first prompt of a process may take to be acknowledged. Default 12 s. */
    readonly firstAckMs?: number;
    /** Prompts sent while it works are taken and run later. */
    readonly queuesWhileBusy?: boolean;
    /** While a line like this is near the end of the screen, the submit key is held back, for 3 s at most: it would be half taken. */
    readonly holdWhile?: string;
    /** Milliseconds (0–2500) that it is left alone after it has come to rest: a prompt that comes while a turn is being ended may never be run. */
    readonly restMs?: number;
  };
  /** Where the input box is; absent: prompts are pasted without evidence from the screen, and only where `canPaste`. */
  readonly box?: InputBoxRule;
  /** Something covers the program's usual screen (a transcript view, a picker): the activity is `unknown` and the box hidden. Patterns for the last `lines` (1–60, default 12) lines that are not blank. */
  readonly overlays?: readonly { readonly id: string; readonly pattern: string; readonly lines?: number }[];
  /** It may retry a failed request for minutes without saying so: work without any event or progress on the screen for this long is said to be possibly retrying. */
  readonly silentRetryMs?: number;
  readonly inject?: Injection;
  readonly hooks?: readonly HookRule[];
  readonly osc?: readonly OscRule[];
  readonly statusFile?: StatusFileRule;
  /** What no source of this type tells, each with a sentence for people that says what is shown instead. */
  readonly unseen?: Readonly<Partial<Record<Unseen, string>>>;
  readonly approval?: ApprovalDoor;
  /** The conversation's id: `ours` when we choose it at the first launch (`newArgs`), `hook` when the program tells it. */
  readonly session?: {
    readonly id: 'ours' | 'hook';
    readonly newArgs?: readonly string[];
    /** A conversation in which nothing was ever said cannot be resumed. */
    readonly needsTurn: boolean;
    /** What is lost of an interrupted turn and of queued prompts, in words for people. */
    readonly losses: readonly string[];
    /** The program refuses a conversation it does not have by ending at once: its end before it is ready says so. */
    readonly endsWhenUnknown?: boolean;
  };
  /** Which reader understands the program's own records of tokens and cost. */
  readonly usage?: 'claude' | 'codex' | 'gemini' | 'opencode';
  /** For the check of the installed program. */
  readonly doctor?: {
    /** Versions on which this manifest's facts were seen. */
    readonly knownVersions: readonly string[];
    /** Makes it print its version and end. Default `--version`. */
    readonly versionArgs?: readonly string[];
    /** Where it is started: in an empty folder of its own (default) or where agents of the workspace work. */
    readonly folder?: 'workspace';
    /** Added for the trial start in an empty folder (`{folder}`): what keeps it from asking whether the folder is trusted, for this one launch. */
    readonly args?: readonly Template[];
    /** The event it reports by itself at its start; absent: it reports nothing before its first prompt. */
    readonly firstHook?: string;
  };
  /** How the program alters input that was pasted correctly, as measured. Declared in every receipt that it applies to. */
  readonly alters?: InputAlterations;
  readonly quit: readonly QuitStep[];
  /** How long each step of the ending (quit, SIGTERM) may take. */
  readonly graceMs: number;
  /** Version of the program on which these facts were seen, and what is not known. */
  readonly notes?: readonly string[];
}

export const AGENT_TYPE_ID_PATTERN = /^[a-z0-9][a-z0-9-]{0,40}$/;

export const DEFAULT_RULE_LINES = 12;

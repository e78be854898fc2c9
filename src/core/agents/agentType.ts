import type { AgentKey } from './agentHost';
import type { Activity } from './agentState';

/** An activity that a screen can show; `unknown` is what is left when no rule matches. */
export type ShownActivity = Exclude<Activity, 'unknown'>;

/** Where a rule looks: the last lines that are not blank, the terminal's title, or the name of the foreground command. */
export type ScreenRegion = 'bottom' | 'title' | 'foreground';

/** One way to recognise an activity. All patterns are checked line by line; `{shellName}` in them stands for the user's shell. */
export interface ScreenRule {
  /** Named in evidence; unique in its type. */
  readonly id: string;
  readonly activity: ShownActivity;
  readonly where: ScreenRegion;
  /** For `bottom`: how many lines, 1–60. Default 12. */
  readonly lines?: number;
  /** A regular expression within the limits of `boundedPattern.ts`, found somewhere in a line. */
  readonly pattern: string;
  /** Further patterns that must each be found in the same region. */
  readonly also?: readonly string[];
  /** Patterns that must not be found in the same region. */
  readonly excludes?: readonly string[];
  readonly ignoreCase?: boolean;
}

/** One polite attempt to end the program, before SIGTERM. Keys and text are skipped while a dialog is open: they would answer it. */
export type QuitStep =
  { readonly text: string } | { readonly keys: readonly AgentKey[] } | { readonly signal: 'SIGHUP' | 'SIGINT' };

/** When a started process counts as running. */
export interface Readiness {
  /** `alive`: it exists for `afterMs`. `settled`: its screen has settled once, or it was alive for `afterMs`. `rule`: a screen rule matches. */
  readonly when: 'alive' | 'settled' | 'rule';
  /** Milliseconds since the launch; for `rule` unused. */
  readonly afterMs: number;
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
  };
  readonly quit: readonly QuitStep[];
  /** How long each step of the ending (quit, SIGTERM) may take. */
  readonly graceMs: number;
  /** Version of the program on which these facts were seen, and what is not known. */
  readonly notes?: readonly string[];
}

export const AGENT_TYPE_ID_PATTERN = /^[a-z0-9][a-z0-9-]{0,40}$/;

export const DEFAULT_RULE_LINES = 12;

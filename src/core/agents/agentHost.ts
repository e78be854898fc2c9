import type { Event } from '../base/event';
import type { AgentId, ProcessIdentity } from './agent';
import type { ExitCause, Liveness } from './agentState';

/** All that is needed to start one process for an agent. Made by the AgentFactory; contains no user text where a format is expanded. */
export interface LaunchSpec {
  readonly agentId: AgentId;
  readonly generation: number;
  /** Entered by the launch script itself (`cd --`), never passed to tmux. */
  readonly folder: string;
  /** The command as a vector, at least one element; run without a shell's interpretation. */
  readonly argv: readonly string[];
  /** The whole environment of the process besides what the terminal itself needs. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Written into the private folder of this launch ({@link AgentHost.launchFolder}; folders 0700, files 0600) before the process starts: path → content.
   * Paths are relative, of at most 4 parts, each of which matches `^[A-Za-z0-9._-]{1,60}$` and is not `.` or `..`; `launch.sh` is taken.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** Screen size while nobody is attached. */
  readonly columns?: number;
  readonly rows?: number;
}

/** One agent that the host knows to have been launched by us, alive or dead, from its tags. */
export interface HostedAgent {
  readonly agentId: AgentId;
  readonly generation: number;
  /** The launch script's process; undefined when the host could not tell. */
  readonly process?: ProcessIdentity;
  readonly liveness: Liveness;
  /** The command that is in the foreground of the terminal, by name. Untrusted text. */
  readonly foreground: string;
  /** Terminal title set by the program. Untrusted text. */
  readonly title: string;
}

export interface AgentExit {
  readonly agentId: AgentId;
  readonly generation: number;
  readonly cause: ExitCause;
  readonly source: 'exit_file' | 'pane' | 'process';
  /** Epoch ms at which we learned of it. */
  readonly observedAtMs: number;
}

/** An agent's terminal wrote something. */
export interface AgentOutput {
  readonly agentId: AgentId;
  readonly generation: number;
  readonly observedAtMs: number;
}

/** A terminal whose output changed and has now been quiet for the settle time (120 ms), or has begun to change and goes on (after 160 ms, then every second). */
export interface SettledScreen {
  readonly agentId: AgentId;
  readonly generation: number;
  /** Visible lines, joined by \n, trailing blanks cut. Untrusted text. */
  readonly text: string;
  readonly title: string;
  readonly foreground: string;
  readonly cursor: { readonly x: number; readonly y: number };
  /** The person is looking at the scroll-back (tmux copy mode): the text may be old. */
  readonly isInCopyMode: boolean;
  /** For so long nothing had been put out when it was read: the text has been there since. Undefined: not known. */
  readonly quietMs?: number;
  /**
   * The program has asked for bracketed paste (xterm, DECSET 2004), so that a paste of several lines comes as one text; false: it would be typed line by
   * line, each with its line end. Undefined: not known: it may have asked before we listened.
   */
  readonly bracketsPaste?: boolean;
  readonly observedAtMs: number;
}

/** An operating system command (OSC) in an agent's output: a title (0, 2) or a program's own report of its state. */
export interface OscSequence {
  readonly agentId: AgentId;
  readonly generation: number;
  readonly code: number;
  /** Without introducer and terminator, at most 1000 characters. Untrusted text. */
  readonly text: string;
  readonly observedAtMs: number;
}

/** How keys are pressed into a screen that was read. */
export interface PressOptions {
  /**
   * `screen`: whoever has the terminal compares it again, line by line, in the turn in which the keys are pressed. One that has become another is read
   * and judged again, three times at most; so is what was there when they were pressed.
   */
  readonly guard?: 'screen';
}

/** Whether agents can be started and seen at all. */
export type HostStatus =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'ready'; readonly version: string }
  /** The server died or does not answer; the host is trying to come back. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** Cannot work until the person changes something; `code` is a TmuxErrorCode. */
  | { readonly kind: 'blocked'; readonly code: string; readonly detail: string };

/**
 * Where agents run. The agents module owns this port; `core/tmux` implements it, `test/support/fakeAgentHost.ts`
 * fakes it, `test/contract/agentHost.contract.ts` holds both to the same behaviour.
 * Calls for one agent are made one at a time by the supervisor. Every call rejects with a typed error whose code
 * begins with `tmux.`; events are silent after `dispose`.
 */
export interface AgentHost {
  readonly status: HostStatus;
  readonly onDidChangeStatus: Event<HostStatus>;
  /** At most once per agent and generation. What was dead already when the host connected is told by `list`, not here. */
  readonly onDidExit: Event<AgentExit>;
  readonly onDidSettleScreen: Event<SettledScreen>;
  /** Output arrived: at most 4 per second and agent. A heartbeat, not a stream. */
  readonly onDidOutput: Event<AgentOutput>;

  /**
   * Titles (OSC 0 and 2, only when the text changed) and OSC 7501, as they come in the output, between two settled screens too: at most
   * 20 per second and agent of each of both kinds (short bursts of 8); of a flood the newest is told, the others are dropped. Only of
   * terminals whose output is streamed: up to 64 agents all, beyond that those that are looked at; of the others the title of each
   * settled screen is told when it changed, and no OSC 7501.
   */
  readonly onDidOsc: Event<OscSequence>;

  /** A terminal with our tags appeared or vanished, whoever did it (another window, a person): `list` tells. */
  readonly onDidChangeHosted: Event<void>;

  /**
   * The private folder of one launch: absolute, made by `launch` for {@link LaunchSpec.files}, removed when the process has ended. Known
   * before the launch, so that arguments can name what is in it. Never fails, needs no connection.
   */
  launchFolder(agentId: AgentId, generation: number): string;
  /** Connects (starting the server when there is none). Idempotent. Resolves when `status` is no longer `stopped`; never rejects for tmux reasons (see `status`). */
  start(signal?: AbortSignal): Promise<void>;
  /** Everything that carries our tags, alive or dead. @throws tmux.serverGone, tmux.timeout – then nothing is known. */
  list(): Promise<readonly HostedAgent[]>;
  /** Starts the process; resolves when it exists. @throws tmux.alreadyExists when a session of this agent exists. */
  launch(spec: LaunchSpec, signal?: AbortSignal): Promise<ProcessIdentity>;
  /** Liveness by the best evidence there is; `unknown` when the probe failed. Never rejects. */
  probe(agentId: AgentId): Promise<Liveness>;
  /** Reads the visible screen now. @throws tmux.noSuchTarget */
  capture(agentId: AgentId): Promise<SettledScreen>;
  /** Pastes `text` as one bracketed paste through a private buffer. Control characters but \n and \t are removed first. @throws tmux.noSuchTarget, tmux.inputTooLarge (64 KiB) */
  paste(agentId: AgentId, text: string): Promise<void>;
  /** Presses named keys (`Enter`, `Escape`, `C-c`; a closed list). @throws tmux.noSuchTarget */
  press(agentId: AgentId, keys: readonly AgentKey[]): Promise<void>;
  /**
   * Reads the screen and presses `keys` only if `isExpected` says so of what is there now: nothing comes between the
   * reading and the keys but what the program draws in that instant. Resolves with whether they were pressed.
   * @throws tmux.noSuchTarget; tmux.screenChanged – guarded: the keys were pressed, but into a screen of which `isExpected` says no
   */
  pressIf(
    agentId: AgentId,
    keys: readonly AgentKey[],
    isExpected: (screen: SettledScreen) => boolean,
    options?: PressOptions,
  ): Promise<boolean>;
  /** Ends tmux's copy mode, if a person has left the terminal in it: input would be swallowed. @throws tmux.noSuchTarget */
  leaveCopyMode(agentId: AgentId): Promise<void>;
  /** Removes the agent's terminal, whatever is in it. The processes must have been ended before. Idempotent. */
  discard(agentId: AgentId): Promise<void>;
  /** Streams raw terminal output for a read-only mirror, after one `snapshot` of the present screen; disposing stops it. */
  mirror(
    agentId: AgentId,
    sink: {
      readonly onData: (data: string) => void;
      readonly onSize: (columns: number, rows: number) => void;
      readonly onEnd: () => void;
    },
  ): { dispose(): void };
  /** What a terminal must run to attach a person: absolute program and argument vector. */
  attachCommand(
    agentId: AgentId,
    options?: {
      /** An observer whose window acts through the owner: its person may type, as in the owner's own window. */
      readonly mayType?: boolean;
    },
  ): { readonly program: string; readonly args: readonly string[] };
  /** Which agent each attached client (by its pid) looks at: how terminals are adopted after a reload. */
  attachedClients(): Promise<ReadonlyMap<number, AgentId>>;
  /** Leaves, agents keep running. When nothing of ours runs any more the server is ended too. */
  stop(): Promise<void>;
  dispose(): void;
}

export const AGENT_KEYS = [
  'Enter',
  'Escape',
  'C-c',
  'C-d',
  'C-u',
  'Up',
  'Down',
  'Left',
  'Right',
  'Tab',
  'BTab',
  'Space',
  'BSpace',
  '0',
  '1',
  '2',
  '3',
  '4',
  '5',
  '6',
  '7',
  '8',
  '9',
  'y',
  'n',
] as const;
/** Keys that may be pressed for an agent; anything else goes through `paste`. */
export type AgentKey = (typeof AGENT_KEYS)[number];

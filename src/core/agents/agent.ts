import type { Activity, DesiredState, Evidence, ExitCause, Lifecycle, RestartPolicy } from './agentState';

/** Our name for an agent everywhere outside the user interface; matches {@link AGENT_ID_PATTERN}; also the tmux session name. Never reused. */
export type AgentId = string & { readonly __brand: 'AgentId' };

/** The only shape of name that ever reaches tmux. */
export const AGENT_ID_PATTERN = /^[a-z0-9][a-z0-9-]{0,40}$/;

export function isAgentId(text: string): text is AgentId {
  return AGENT_ID_PATTERN.test(text);
}

/** What a person asks for. Validated by `agentSpec.ts`; kept with the agent so that it can be started again. */
export interface AgentSpec {
  /** Display name, 1–80 characters, free text; never reaches tmux. */
  readonly name: string;
  /** Id of an agent type known to the AgentFactory. */
  readonly typeId: string;
  /** Absolute folder the agent works in. */
  readonly folder: string;
  /** Address `role:<role>`, free of meaning for access rights. */
  readonly role?: string;
  readonly team?: string;
  /** Typed into the agent once it is ready, if its type can be typed into (`prompt.canPaste`) and it does not ask something first; otherwise a notice says so. */
  readonly firstPrompt?: string;
  /** Appended to the type's command. */
  readonly args?: readonly string[];
  /** Added to the clean environment; values may be secret and never leave the launch script and the store. */
  readonly env?: Readonly<Record<string, string>>;
  /** For type `command`: the whole command line as a vector. */
  readonly command?: readonly string[];
  /** Default `on_failure`. */
  readonly restartPolicy?: RestartPolicy;
}

/** Identity of one started process, so that a pid that was given away again is never mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time as the operating system states it (Linux: clock ticks since boot; macOS: `ps -o lstart=`). */
  readonly startTime: string;
}

/** Everything that is kept of one agent. A readonly value: each change makes a new one. */
export interface AgentRecord {
  readonly id: AgentId;
  readonly spec: AgentSpec;
  /** The name in the fleet file of the entry that it was started for; stays when the agent is renamed. Absent: a person started it. */
  readonly fleetName?: string;
  readonly desired: DesiredState;
  readonly lifecycle: Lifecycle;
  readonly activity: Activity;
  /** Counts starts from 1; 0 = never started. Facts of an older generation are ignored (R19). */
  readonly generation: number;
  /** A later generation that was used already, in a history that a restore has replaced: the next start counts from it. */
  readonly generationFloor?: number;
  /** The launch script of this generation. Stays after its end until the whole run (its session, too) is proved gone; then undefined. */
  readonly process?: ProcessIdentity;
  /** Every process of the run that was seen when its end began: whoever finishes a stop still knows a tool whose parent is gone. Goes with `process`. */
  readonly ending?: readonly ProcessIdentity[];
  /** How the last generation ended. */
  readonly exit?: ExitCause;
  /** Machine-readable reason of the last change, `snake_case`: `started_by_person`, `start_deadline_missed`. */
  readonly reason: string;
  /** Who caused the last change: `person`, `policy`, `engine` or an agent id. */
  readonly actor: string;
  /** What the present state rests on, strongest first; never empty after the first start. */
  readonly evidence: readonly Evidence[];
  /** Epoch ms of the last change of lifecycle or activity. */
  readonly sinceMs: number;
  readonly createdAtMs: number;
  /** Epoch ms of the automatic restarts inside the intensity window, oldest first. */
  readonly restartsAtMs: readonly number[];
  /** While `backoff`: epoch ms of the next start. */
  readonly nextStartAtMs?: number;
  /** The program's own id of the conversation, for resuming it; kept over generations. */
  readonly sessionId?: string;
  /** Something was said in that conversation: it can be resumed where the program needs that. */
  readonly hasSessionTurn?: boolean;
  /** The file in which the program records that conversation, as its hooks told: what it used is read there. */
  readonly transcriptPath?: string;
  /** True once the first prompt of this generation is on its way (its receipt tells how far), or there is none. */
  readonly isFirstPromptDone: boolean;
}

/** The highest generation that was ever used: no start may use it again. */
export function lastGeneration({ generation, generationFloor = 0 }: AgentRecord): number {
  return Math.max(generation, generationFloor);
}

/** It was found alive without a record: nothing is known of how it was started, and a person starts no such agent without a command. */
export function isWithoutRecord({ spec }: Pick<AgentRecord, 'spec'>): boolean {
  return spec.typeId === 'command' && spec.command === undefined;
}

/** One line of an agent's history: kept, so that "why does it say so?" has an answer. */
export interface AgentChange {
  /** ULID. */
  readonly id: string;
  readonly agentId: AgentId;
  readonly generation: number;
  readonly atMs: number;
  readonly from: { readonly lifecycle: Lifecycle; readonly activity: Activity };
  readonly to: { readonly lifecycle: Lifecycle; readonly activity: Activity };
  readonly reason: string;
  readonly actor: string;
  readonly evidence: readonly Evidence[];
}

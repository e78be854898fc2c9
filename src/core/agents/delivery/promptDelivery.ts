import type { AgentId } from '../agent';

/**
 * A prompt on its way into an agent: `queued → typing → typed → submitted → acknowledged`; side exits `failed`,
 * `delivery_unknown`, `canceled`. Every step is kept before it is done, so that a crash in between is never answered by a
 * second paste (R7).
 */
export const DeliveryState = {
  /** Kept; waits for its turn or for the agent to become free. */
  Queued: 'queued',
  /** The paste is about to happen or has happened; from here on it is never pasted again. */
  Typing: 'typing',
  /** The text was seen in the input box. */
  Typed: 'typed',
  /** The submit key is about to be pressed or was pressed. */
  Submitted: 'submitted',
  /** Evidence that the program took it. */
  Acknowledged: 'acknowledged',
  /** It certainly did not arrive; `reason` says why. */
  Failed: 'failed',
  /** It may or may not have arrived: settled by late evidence or by a person, never by a second paste. */
  DeliveryUnknown: 'delivery_unknown',
  /** Taken back by a person before anything was typed. */
  Canceled: 'canceled',
} as const;
export type DeliveryState = (typeof DeliveryState)[keyof typeof DeliveryState];

/** How the text was changed so that the program takes it as text: part of the receipt. */
export interface PromptChange {
  /** `line_endings`, `control_characters`, `escape_sequences`, `normalised`, `trimmed`, `leading_space`, `trailing_space`, `tabs`, `zero_width`. */
  readonly kind: string;
  /** In words, for people: `a space before the first character, so that "/" is no command`. */
  readonly detail: string;
}

export const BlockedReason = {
  DialogOpen: 'dialog_open',
  DraftInBox: 'draft_in_box',
  InputHidden: 'input_hidden',
  NotReady: 'not_ready',
  NotRunning: 'not_running',
  Paused: 'paused',
  WrongForeground: 'wrong_foreground',
} as const;
/** Why nothing may be typed now. */
export type BlockedReason = (typeof BlockedReason)[keyof typeof BlockedReason];

/** What is kept of one delivery: an immutable value, a new one at each step. */
export interface PromptDelivery {
  /** ULID. */
  readonly id: string;
  readonly agentId: AgentId;
  /** Generation it was typed into; 0 while queued. */
  readonly generation: number;
  /** As it was given. */
  readonly text: string;
  /** As it is typed; empty while queued. */
  readonly prepared: string;
  readonly changes: readonly PromptChange[];
  readonly state: DeliveryState;
  /** What the acknowledgement rests on. */
  readonly evidence?: 'hook' | 'screen' | 'person';
  /**
   * For `failed` and `delivery_unknown`, `snake_case`: `no_draft`, `not_submitted`, `no_evidence`, `no_evidence_possible` (a type
   * whose programs show nothing that could be one), `draft_mixed` (somebody typed into the same box: not submitted), `not_taken`
   * (the terminal refused it), `ended`, `interrupted_by_crash`, `lost`; for `queued`: the {@link BlockedReason} it waits for.
   */
  readonly reason?: string;
  /** In words: the evidence, or what went wrong. Untrusted parts cleaned. */
  readonly detail?: string;
  /** How often the submit key was pressed. */
  readonly submitCount: number;
  readonly createdAtMs: number;
  /** Epoch ms of the last step. */
  readonly stateAtMs: number;
  /** Epoch ms of every step that was taken. */
  readonly steps: Readonly<Partial<Record<DeliveryState, number>>>;
  /** `person`, `engine`, or an agent's id. */
  readonly actor: string;
  /** The first prompt of a run: a later run brings its own, so that one left over is taken back then. */
  readonly isFirstPrompt?: boolean;
}

/** A delivery for people and other programs: without the texts. */
export type PromptReceipt = Omit<PromptDelivery, 'text' | 'prepared'> & {
  /** First 120 characters of the text, cleaned. */
  readonly excerpt: string;
};

export interface SendPromptOptions {
  /** `refuse` (default): a blocked agent is a typed error, nothing is kept. `queue`: waits until the agent is free. */
  readonly whenBlocked?: 'refuse' | 'queue';
  /** Default `person`. */
  readonly actor?: string;
  /** Told at once, before anything else happens: by which id the receipts of this delivery are known. Not over the gateway. */
  readonly onBegin?: (receiptId: string) => void;
  /** Ends the waiting; takes the prompt back when nothing was typed yet. */
  readonly signal?: AbortSignal;
}

export function isFinal(state: DeliveryState): boolean {
  return state === 'acknowledged' || state === 'failed' || state === 'delivery_unknown' || state === 'canceled';
}

/** Where deliveries are kept. The Orchestrator puts it on the DataStore; `test/support` fakes it. */
export interface DeliveryStore {
  /** Resolves when it is durable. */
  save(delivery: PromptDelivery): Promise<void>;
  /** Not final ones of all agents (also `delivery_unknown`), oldest first: what a new owner goes on with. */
  loadOpen(): Promise<readonly PromptDelivery[]>;
  /** Newest first. */
  list(agentId: AgentId, limit: number): Promise<readonly PromptDelivery[]>;
  get(id: string): Promise<PromptDelivery | undefined>;
  /** The agent was removed: its deliveries go, with the texts that they hold. */
  forget(agentId: AgentId): Promise<void>;
}

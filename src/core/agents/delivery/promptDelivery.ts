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

export const PromptChangeKind = {
  LineEndings: 'line_endings',
  EscapeSequences: 'escape_sequences',
  ControlCharacters: 'control_characters',
  Normalised: 'normalised',
  Trimmed: 'trimmed',
  LeadingSpace: 'leading_space',
  /** An invisible character where the program would drop a space again, and run the text as a command. */
  LeadingGuard: 'leading_guard',
  TrailingSpace: 'trailing_space',
  /** From here on: what the program itself does. */
  Tabs: 'tabs',
  Padded: 'padded',
  Mentions: 'mentions',
  ZeroWidth: 'zero_width',
  /** It is not known whether the program takes several lines as one text. */
  LinesMaySplit: 'lines_may_split',
} as const;
export type PromptChangeKind = (typeof PromptChangeKind)[keyof typeof PromptChangeKind];

/** How the text was changed so that the program takes it as text: part of the receipt. */
export interface PromptChange {
  readonly kind: PromptChangeKind;
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

export const DeliveryReason = {
  ...BlockedReason,
  /** The text never came into the input box. */
  NoDraft: 'no_draft',
  /** The text is in the box, the submit key did nothing or was not pressed. */
  NotSubmitted: 'not_submitted',
  NoEvidence: 'no_evidence',
  /** Programs of this type show nothing that could be evidence. */
  NoEvidencePossible: 'no_evidence_possible',
  /** Somebody typed into the same box: not submitted. */
  DraftMixed: 'draft_mixed',
  /** Several lines for a program that would take each for itself: nothing was typed. */
  WouldSplit: 'would_split',
  /** The terminal refused the text. */
  NotTaken: 'not_taken',
  /** The run was over before it was known. */
  Ended: 'ended',
  /** An unexpected failure after the paste. */
  Interrupted: 'interrupted',
  InterruptedByCrash: 'interrupted_by_crash',
  /** A person says so. */
  Lost: 'lost',
  /** A first prompt of an earlier run, taken back. */
  Superseded: 'superseded',
} as const;
/** Why a delivery waits (a {@link BlockedReason}), failed, may not have arrived or was taken back. */
export type DeliveryReason = (typeof DeliveryReason)[keyof typeof DeliveryReason];

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
  /** For `queued` the {@link BlockedReason} that it waits for. One of a newer version may have another. */
  readonly reason?: DeliveryReason;
  /** In words: the evidence, or what went wrong. Untrusted parts cleaned. */
  readonly detail?: string;
  /** Acknowledged by the screen although the program worked when the text came: it may hold it back inside until later. */
  readonly cameDuringWork?: boolean;
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
  /** Its text was sent again, as the delivery of this id: whatever became of this one, it is no open question any more. */
  readonly resentAs?: string;
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

/** Nobody knows whether it arrived, and evidence may still come; of programs that give none only a person can say. Once it was sent again, a hook with its text tells of the new one. */
export function awaitsEvidence({ state, reason, resentAs }: PromptDelivery): boolean {
  return state === 'delivery_unknown' && reason !== 'no_evidence_possible' && resentAs === undefined;
}

/** It was seen to leave the input box, and no hook has told of it: one may do so later. */
export function owesEvidence({ state, evidence }: Pick<PromptDelivery, 'state' | 'evidence'>): boolean {
  return state === 'acknowledged' && evidence === 'screen';
}

/** So many deliveries are watched for evidence that comes late, the newest of all agents; what became of older ones a person can still say. */
export const MAX_WATCHED = 200;

/** Where deliveries are kept. The Orchestrator puts it on the DataStore; `test/support` fakes it. */
export interface DeliveryStore {
  /** Resolves when it is durable. */
  save(delivery: PromptDelivery): Promise<void>;
  /**
   * What a new owner goes on with, of all agents, oldest first: all that wait or were under way, and of those that await evidence
   * ({@link awaitsEvidence}) the newest {@link MAX_WATCHED}, or fewer when many newer ones can have none.
   */
  loadOpen(): Promise<readonly PromptDelivery[]>;
  /** Newest first. */
  list(agentId: AgentId, limit: number): Promise<readonly PromptDelivery[]>;
  get(id: string): Promise<PromptDelivery | undefined>;
  /** The agent was removed: its deliveries go, with the texts that they hold. */
  forget(agentId: AgentId): Promise<void>;
}

import type { AgentId } from './agent';

/** Where an answer came from: the window's row and dialogs, a notification, `orc`, the agent's own terminal, or a rule in the settings. */
export const AnswerDoor = {
  Window: 'window',
  Notification: 'notification',
  Orc: 'orc',
  Terminal: 'terminal',
  Rule: 'rule',
} as const;
export type AnswerDoor = (typeof AnswerDoor)[keyof typeof AnswerDoor];

/** `unknown`: it was answered in the terminal, or it is not known whether the answer met the question. */
export const AnswerOutcome = { Allowed: 'allowed', Denied: 'denied', Unknown: 'unknown' } as const;
export type AnswerOutcome = (typeof AnswerOutcome)[keyof typeof AnswerOutcome];

/** What an agent asked, as the person saw it, and what was answered. Kept as long as history is. Texts are the program's: untrusted. */
export interface AnsweredRequest {
  /** Of the request (ULID). */
  readonly id: string;
  readonly agentId: AgentId;
  readonly generation: number;
  readonly kind: 'permission' | 'question';
  readonly tool?: string;
  /** One line. */
  readonly title: string;
  /** The complete text that was shown, at most 32 KiB. */
  readonly shown: string;
  /** The program told more than that. */
  readonly isCut: boolean;
  readonly outcome: AnswerOutcome;
  readonly via: AnswerDoor;
  /** The rule that allowed it, in words. */
  readonly rule?: string;
  /** Why it was denied, as the person wrote it. */
  readonly reason?: string;
  /** `person`, or `policy` for a rule. */
  readonly actor: string;
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

const WHERE: Readonly<Record<AnswerDoor, string>> = {
  window: 'in the window',
  notification: 'in a notification',
  orc: 'by orc',
  terminal: 'in its terminal',
  rule: 'by a rule',
};

/** `allowed in a notification`, `answered in its terminal`. */
export function answerWords({ outcome, via }: Pick<AnsweredRequest, 'outcome' | 'via'>): string {
  return `${outcome === 'unknown' ? 'answered' : outcome} ${WHERE[via]}`;
}

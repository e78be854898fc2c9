import type { AgentId } from './agent';

/** What an agent asks a person, as exactly as its program tells it. All texts are untrusted: cleaned of control and bidi characters, never shortened in silence. */
export interface PermissionRequest {
  /** Ours (ULID); a new one for each question, so that an answer never meets another question. */
  readonly id: string;
  readonly agentId: AgentId;
  readonly generation: number;
  readonly kind: 'permission' | 'question';
  /** The tool it wants to use, when it says so: `Bash`, `apply_patch`, an MCP tool's name. */
  readonly tool?: string;
  /** One line: what it is about. */
  readonly title: string;
  /** The complete request: the command, the file and its change, the question with its options. At most 32 KiB; `isCut` when the program told more. */
  readonly detail: string;
  readonly isCut: boolean;
  readonly source: 'hook' | 'screen';
  /** `hook`: answered through the program's own door. `keys`: by keys, only while this very dialog is on the screen. `none`: only in the terminal. */
  readonly door: 'hook' | 'keys' | 'none';
  /** Answers that can be given from here: what was cut is never allowed, for nobody has seen all of it. */
  readonly canAllow: boolean;
  readonly canDeny: boolean;
  /** A refusal may carry a reason that reaches the model. */
  readonly canGiveReason: boolean;
  /** The visible dialog that the person is shown; an answer by keys is refused when the screen shows another one. */
  readonly dialog?: string;
  readonly askedAtMs: number;
}

export type PermissionAnswer = { readonly kind: 'allow' } | { readonly kind: 'deny'; readonly reason?: string };

/** A rule that a person wrote in the settings: the only way in which something is answered without a person. Every use is logged. */
export interface AllowRule {
  /** Agent type id, or `*`. */
  readonly type: string;
  /** Exact tool name. */
  readonly tool: string;
  /** The whole command or path must match this regular expression (`boundedPattern.ts`), anchored at both ends. */
  readonly pattern: string;
}

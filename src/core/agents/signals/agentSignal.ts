import type { AgentId } from '../agent';
import type { Activity, EvidenceSource } from '../agentState';

/** One piece of news about what an agent does, from any source but the settled screen. */
export interface AgentSignal {
  readonly agentId: AgentId;
  readonly generation: number;
  readonly source: EvidenceSource & ('hook' | 'title' | 'osc' | 'status_file');
  readonly activity: Activity;
  /** The hook event or rule, in words. Untrusted parts cleaned. */
  readonly detail: string;
  /** Epoch ms at which we learned of it. */
  readonly observedAtMs: number;
  /** The turn is over but work goes on in the background: an empty input box does not contradict it. Only with `busy`; ends with the next hook. */
  readonly isBackground?: boolean;
}

/** What a hook says beside the activity; the delivery and the resume take it from here. */
export interface HookFact {
  readonly agentId: AgentId;
  readonly generation: number;
  readonly event: string;
  /** The program accepted this prompt. */
  readonly prompt?: string;
  readonly sessionId?: string;
  /** What it says of the activity; absent when it says nothing, or when a newer one was there before it. */
  readonly activity?: Activity;
  /** The turn is being ended, and is over when a hook says so. */
  readonly endsTurn?: boolean;
  readonly observedAtMs: number;
}

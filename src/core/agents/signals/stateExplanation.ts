import type { AgentId } from '../agent';
import type { Activity, EvidenceSource, Lifecycle } from '../agentState';

/** The evidence chain behind an agent's state. All texts are untrusted and cleaned. */
export interface StateExplanation {
  readonly agentId: AgentId;
  readonly lifecycle: Lifecycle;
  readonly activity: Activity;
  readonly sinceMs: number;
  /** One sentence: which signal decided and why. */
  readonly conclusion: string;
  /** Everything that is known, the deciding one first. */
  readonly signals: readonly ExplainedSignal[];
  readonly degraded: readonly string[];
}

export interface ExplainedSignal {
  readonly source: EvidenceSource;
  readonly activity: Activity;
  readonly detail: string;
  readonly observedAtMs: number;
  readonly weight: 'decides' | 'agrees' | 'outranked' | 'older';
}

/** The seed's AlertLevel (`semantics.md` 6). */
export const AlertLevel = { Info: 'info', Warning: 'warning', Error: 'error', Critical: 'critical' } as const;
export type AlertLevel = (typeof AlertLevel)[keyof typeof AlertLevel];

/** Something a person should know and can act on. */
export interface AlertNotice {
  /** Identity: raising the same fingerprint again replaces, it does not add. `store.readOnly`, `agent.quarantined:reviewer`. */
  readonly fingerprint: string;
  readonly level: AlertLevel;
  /** What happened, one sentence, plain text. */
  readonly title: string;
  /** Why, and what to do next. */
  readonly detail: string;
  /** The agent it is about, when there is one. */
  readonly agentId?: string;
  readonly atMs: number;
}

/** Takes notices. Modules raise, never show. `AlertSystem` (part of monitoring) will replace what is behind it. */
export interface AlertSink {
  raise(notice: AlertNotice): void;
  /** The condition is over. Unknown fingerprints are ignored. */
  resolve(fingerprint: string): void;
}

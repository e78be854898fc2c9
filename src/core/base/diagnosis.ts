/** One thing that was looked at, for people. No secrets. */
export interface Diagnosis {
  readonly id: string;
  readonly label: string;
  readonly level: 'ok' | 'info' | 'warning' | 'error';
  readonly detail: string;
  /** What to do, when something is wrong. */
  readonly advice?: string;
}

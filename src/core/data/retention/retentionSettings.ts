/** What a person set about old records. */
export interface RetentionSettings {
  /** Lines of history older than so many days leave the store; 0: never. */
  readonly historyDays: number;
  /** Prompts that came to their end so many days ago leave the store; 0: never. */
  readonly promptDays: number;
  /** Where they go. */
  readonly then: 'archive' | 'delete';
}

export const defaultRetention: RetentionSettings = { historyDays: 90, promptDays: 365, then: 'archive' };

/** A hundred years. */
export const maxRetentionDays = 36_500;

export function isRetentionSettings(value: unknown): value is RetentionSettings {
  if (typeof value !== 'object' || value === null) return false;
  const { historyDays, promptDays, then } = value as Partial<Record<keyof RetentionSettings, unknown>>; // checked here
  const areDays = [historyDays, promptDays].every(
    (days) => Number.isInteger(days) && Number(days) >= 0 && Number(days) <= maxRetentionDays,
  );
  return areDays && (then === 'archive' || then === 'delete');
}

import type { AllowRule } from './agents/permissionRequest';
import type { RestartSettings } from './agents/restartBudget';
import type { RetentionSettings } from './data/retention/retentionSettings';

/** What the person can set, complete and within limits; read at each use. */
export interface EngineSettings {
  /** False in Restricted Mode: the engine only watches what runs already. */
  readonly isTrusted: boolean;
  readonly startDeadlineMs: number;
  readonly restart: RestartSettings;
  /** What agents may do without a person being asked; default: nothing. */
  readonly allowRules?: readonly AllowRule[];
  /** What becomes of old records; default: `defaultRetention`. */
  readonly retention?: RetentionSettings;
  /** Folder that stands in the record of an agent found running without a record; absolute. */
  readonly recoveredFolder: string;
}

import type { AgentRecord } from './agents/agent';
import { AGENTS } from './dataAgentStore';
import type { BackupReport, MaintenanceOptions } from './data/durableStore';
import type { StoreKeeper, UnusableBackup } from './data/storeCare';

/** What is known of a file before it takes the place of the store. */
export type BackupInspection = UsableBackup | UnusableBackup;

export interface UsableBackup extends BackupReport {
  readonly isUsable: true;
  readonly schemaVersion: number;
  /** When the newest change in it was made. */
  readonly lastChangeAtMs?: number;
  /** Those that were not removed by then; at most 1 000. Untrusted text. */
  readonly agents: readonly BackedUpAgent[];
}

export interface BackedUpAgent {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
}

/** @throws {DataError} data.io; what aborted it */
export async function inspectBackup(
  keeper: StoreKeeper,
  file: string,
  options: MaintenanceOptions,
): Promise<BackupInspection> {
  const found = await keeper.inspectBackup(file, AGENTS.kind, options);
  if (!found.isUsable) return found;
  const { contents, ...report } = found;
  return {
    ...report,
    agents: (contents?.values ?? []).flatMap(agentOf),
    ...(contents?.lastChangeAtMs !== undefined && { lastChangeAtMs: contents.lastChangeAtMs }),
  };
}

/** A kept agent, perhaps of another version: what is not as expected is left out. */
function agentOf(value: unknown): readonly BackedUpAgent[] {
  if (typeof value !== 'object' || value === null) return [];
  const { id, lifecycle, spec } = value as Partial<AgentRecord>; // looked at field by field
  if (typeof id !== 'string' || lifecycle === 'retired') return [];
  if (typeof spec?.name !== 'string' || typeof spec.folder !== 'string') return [];
  return [{ id, name: spec.name, folder: spec.folder }];
}

import { transcriptFormat, transcripts } from './agentTranscript';
import type { Clock } from './base/clock';
import type { Logger } from './base/log';
import type { DataStore } from './data/dataStore';
import { exportData } from './data/exchange/dataExport';
import { DataProcessor } from './data/processing/dataProcessor';
import type { EngineCalls } from './engineCalls';
import { KEPT_COLLECTIONS } from './ownerIntegrity';
import type { Workspace } from './workspace';

export interface OwnerExportPorts {
  readonly store: DataStore;
  readonly workspace: Pick<Workspace, 'exportFiles' | 'breathe'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Values of environment variables: secret, whatever they look like. Those of agents, of types, and what a type adds to a launch; in the
 * text of an approval they are found by its lines (`redact.ts`, `environment`).
 */
export const SECRET_PLACES = [
  ['value', 'spec', 'env', '*'],
  ['value', 'env', '*'],
  ['value', 'inject', 'env', '*'],
] as const;

/** Exports of everything that the owner keeps. */
export function createExporter({ store, workspace, clock, log }: OwnerExportPorts): EngineCalls['exportData'] {
  const processor = new DataProcessor({ clock, log, breathe: () => workspace.breathe() });
  const ports = {
    store,
    files: workspace.exportFiles,
    processor,
    nowMs: () => clock.nowMs(),
    collections: KEPT_COLLECTIONS,
    secretPlaces: SECRET_PLACES,
    document: { records: transcripts, format: transcriptFormat },
  };
  return (request, onProgress, signal) =>
    exportData(ports, request, (done) => onProgress({ name: 'records', done, total: 0 }), signal);
}

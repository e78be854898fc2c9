import type { ImportReport } from '../../src/shared/importReport';

/** What an import of one new agent and one known line of history would do. */
export function anImportReport(more: Partial<ImportReport> = {}): ImportReport {
  return {
    file: '/project/export.json',
    format: 'ndjson',
    fingerprint: 'f'.repeat(64),
    integrity: 'whole',
    isRedacted: true,
    exportedAtMs: 1_700_000_000_000,
    records: 2,
    counts: { new: 1, identical: 1, conflicting: 0, replaced: 0, invalid: 0, skipped: 0 },
    countsByKind: { agent: { new: 1 }, agentChange: { identical: 1 } },
    countsByReason: {},
    entries: [],
    isCut: false,
    agents: [
      {
        ...{ id: 'scout', name: 'Scout', typeId: 'command', folder: '/project' },
        ...{ command: ['sh', '-c', 'make'], env: ['TOKEN'], isReplaced: false },
      },
    ],
    isApplied: false,
    ...more,
  };
}

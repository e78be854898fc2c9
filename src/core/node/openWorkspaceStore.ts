import { basename, dirname } from 'node:path';
import { Emitter } from '../base/event';
import { silentLogger } from '../base/log';
import { type OpenDataStoreOptions, openDataStore } from '../data/node/openDataStore';
import { formerPages, type FormerRecords, readFormerStore } from '../data/node/formerStore';
import type { NodeStoreKeeper } from '../data/node/nodeStoreKeeper';
import type { OpenReport } from '../data/node/storeProtocol';
import type { Quarantined } from '../data/node/storeQuarantine';
import { readInThread } from '../data/node/storeReader';
import { type AppliedRestore, forgetRestored } from '../data/node/storeRestore';
import { AGENTS } from '../dataAgentStore';
import { DELIVERIES, UNDER_WAY } from '../dataDeliveryStore';
import { STORE_LOSS, STORE_QUARANTINED, STORE_RESTORED } from '../engine';
import { FLEET_TYPES } from '../fleetTypes';
import type { OpenedStore, StoreWarning } from '../workspace';

/** What is carried over for agents that live. */
const FORMER_AGENTS = [{ kind: AGENTS.kind }, { kind: FLEET_TYPES.kind }];
const FORMER_OPEN = UNDER_WAY.map((state) => ({ kind: DELIVERIES.kind, where: { state } }));

export interface OpenWorkspaceStoreOptions extends OpenDataStoreOptions {
  readonly keeper: NodeStoreKeeper;
}

/** Opens the store of a workspace and says what the person must know about that. @throws {DataError} */
export async function openWorkspaceStore(options: OpenWorkspaceStoreOptions): Promise<OpenedStore> {
  const { log = silentLogger } = options;
  const openReader = readInThread(options.workerFile, options.wasmFile);
  const damage = new Emitter<void>((error) => log.error('a listener of the store failed', { error }));
  const onBackupDamage = (): void => damage.fire();
  const how = { onDamage: 'quarantine', settlesRestore: true, ...options, onBackupDamage } as const;
  const { store, report } = await openDataStore(how);
  const { restored, isNew } = report;
  if (restored !== undefined || isNew) options.keeper.forgetCheck(); // it was of the former file
  if (restored) log.warn('a backup was restored', { ...restored });
  const former = restored && (await readFormerStore(restored, FORMER_AGENTS, openReader, log));
  return {
    store,
    durable: { store, wasUnclean: report.wasUnclean, isChecked: report.isChecked, onDidFindDamage: damage.event },
    ...(restored && {
      restored: {
        backup: restored.backup === undefined ? 'a backup' : basename(restored.backup),
        ...(former && { former: former.records }),
        formerDeliveries: (ids: readonly string[]) => {
          const known = ids.map((id) => ({ kind: DELIVERIES.kind, where: { id } }));
          return readFormerStore(restored, [...FORMER_OPEN, ...known], openReader, log);
        },
        formerReceipts: (agentIds, newest) => {
          const questions = agentIds.map((agentId) => ({ kind: DELIVERIES.kind, where: { agentId }, newest }));
          return formerPages(restored, questions, openReader, log);
        },
        settle: () => forgetRestored(options.folder),
      },
    }),
    warnings: warningsOf(report, former),
  };
}

function warningsOf(
  { file, missingChanges, quarantined, restored }: OpenReport,
  former: FormerRecords | undefined,
): readonly StoreWarning[] {
  const warnings: StoreWarning[] = [];
  if (restored)
    warnings.push({
      fingerprint: STORE_RESTORED,
      level: 'info',
      title: 'A backup was restored',
      detail: restoredText(restored, former),
    });
  if (quarantined) {
    const detail = quarantinedText(quarantined, dirname(file));
    warnings.push({ fingerprint: STORE_QUARANTINED, title: 'The store was damaged', detail });
  }
  if (missingChanges) {
    const detail = `${missingChanges.acknowledgedSeq - missingChanges.foundSeq} acknowledged changes are missing from ${file}: the file was damaged or replaced while nothing ran. Agents keep running and are shown; nothing is written until you decide.`;
    warnings.push({ fingerprint: STORE_LOSS, title: 'Part of the store is missing', detail });
  }
  return warnings;
}

/** Told at each start: what to do is in it, and how it is told no more. */
export function quarantinedText({ files, atMs }: Quarantined, folder: string): string {
  const when = atMs === undefined ? '' : ` on ${new Date(atMs).toISOString().slice(0, 16).replace('T', ' at ')} UTC`;
  const where = files.length === 0 ? `in ${folder}, under names with .corrupt-` : `as ${files.join(' and ')}`;
  return `It was put aside ${where}${when}; nothing was overwritten. Running agents go on and are shown again under their ids; names, history and agents that did not run are in ${files.length > 1 ? 'those files' : 'that file'}. Restore a backup to have them back, or start those that you miss anew; Continue Without Missing Changes ends this notice.`;
}

/** In few words: more about the files is in the log. */
export function restoredText(
  { records, presentBackup, replacedFile }: AppliedRestore,
  former: Pick<FormerRecords, 'isWhole'> | undefined,
): string {
  const holds = records === undefined ? '' : `It holds ${records === 1 ? '1 record' : `${records} records`}. `;
  const undo = presentBackup === undefined ? '' : ' Restore from Backup undoes this.';
  const aside =
    replacedFile === undefined || presentBackup !== undefined
      ? ''
      : ` No backup was made of the store before it, which was put aside as ${replacedFile}; where it is damaged, newer prompts and settings of agents may be missing here.`;
  return `${holds}Agents kept running; what else was kept after it was made is not in the store any more.${aside}${formerText(former)}${undo}`;
}

function formerText(former: Pick<FormerRecords, 'isWhole'> | undefined): string {
  if (former?.isWhole) return '';
  const how = former ? 'only in part' : 'not';
  return ` The store before it could ${how} be read: agents that ${former ? 'neither that part nor the backup knows' : 'the backup does not know'} are shown under their ids.`;
}

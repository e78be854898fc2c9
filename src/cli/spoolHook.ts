import fs from 'node:fs';
import type { SpooledHook } from '../shared/hookSpool';
import { leaveInSpool } from '../shared/spoolWriter';

/**
 * Leaves a report for the engine: see {@link leaveInSpool}.
 * @throws {Error} of node:fs, or when the folder is not ours alone
 */
export function spoolHook(folder: string, report: Omit<SpooledHook, 'format'>): void {
  const unique = `${process.pid.toString(36)}-${process.hrtime.bigint().toString(36)}`;
  leaveInSpool(fs, { folder, uid: process.getuid?.(), unique }, report);
}

import fs from 'node:fs';
import type { SpooledHook } from '../shared/hookSpool';
import { leaveInSpool } from '../shared/spoolWriter';

/**
 * Leaves a report for the engine: see {@link leaveInSpool}. `token`: of the run.
 * @throws {Error} of node:fs, or when the folder is not ours alone
 */
export async function spoolHook(folder: string, token: string, report: Omit<SpooledHook, 'claims'>): Promise<void> {
  const { createHmac } = await import('node:crypto'); // costs time that no other hook needs
  const unique = `${process.pid.toString(36)}-${process.hrtime.bigint().toString(36)}`;
  const mac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  leaveInSpool(fs, { folder, uid: process.getuid?.(), unique }, { token, mac }, report);
}

import { parseArgs } from 'node:util';

export interface HostArguments {
  readonly workspace: string;
  /** Undefined: where editors keep it. */
  readonly storage: string | undefined;
  /** Started by a window: waits until the last one is gone, and ends by itself when there is nothing to supervise. */
  readonly isStandby: boolean;
}

export const HOST_USAGE = 'usage: host.js --workspace DIR [--storage DIR] [--standby]';

/** @throws {Error} with a sentence about what is wrong */
export function parseHostArguments(args: readonly string[]): HostArguments {
  const { values } = parseArgs({
    args: [...args],
    options: { workspace: { type: 'string' }, storage: { type: 'string' }, standby: { type: 'boolean' } },
  });
  if (!values.workspace) throw new Error('--workspace is missing');
  return { workspace: values.workspace, storage: values.storage, isStandby: values.standby === true };
}

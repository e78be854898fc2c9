import type { StoreFaultPoint } from '../../src/core/data/node/storeFaultPoints';

/** What is to happen at the named instants of a store; in the file `faults.json` of its folder. */
export interface StoreFaults {
  /** Instants that are told on standard output, from the store's own thread. */
  readonly tell?: readonly StoreFaultPoint[];
  /** The process is killed when it comes to this instant for the n-th time. */
  readonly killAt?: { readonly point: StoreFaultPoint; readonly nth: number };
}

export const FAULTS_FILE = 'faults.json';

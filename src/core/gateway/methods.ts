import { agentMethods } from './agentMethods';
import { forAnybody, type MethodTable, tableOf } from './methodTable';
import { personMethods } from './personMethods';

/**
 * The one table of everything that can be asked: who may, with what, and what happens. What is not here does not exist.
 * Tested in every cell: method × caller (S11).
 */
export const GATEWAY_METHODS: MethodTable = tableOf({
  ping: forAnybody({}, (_, { version }) => ({ version })),
  ...agentMethods,
  ...personMethods,
});

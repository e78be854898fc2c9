import type { Evidence } from './agentState';

/** What was ordered and is done by its line of the history, in words. */
const ORDERS = [
  'created',
  'start ordered',
  'paused',
  'resumed',
  'restart ordered',
  'stop ordered',
  'stop begun',
  'stopped',
  'stop finished',
  'removed',
  'renamed',
  'changed',
  'imported',
] as const;
export type Ordered = (typeof ORDERS)[number];

const ACTORS: Readonly<Record<string, string>> = {
  person: 'a person',
  policy: 'the restart policy',
  engine: 'the engine',
};
/** The most pieces that are kept: orders do not pile up. */
const MOST = 8;

/** That it was ordered, and by whom: `paused by a person`. */
export function orderEvidence(ordered: Ordered, actor: string, observedAtMs: number): Evidence {
  const source = actor === 'person' ? 'person' : 'policy';
  return { source, detail: `${ordered} by ${ACTORS[actor] ?? actor}`, observedAtMs };
}

/** The order, then what is known beside it when its turn comes: an earlier order is over. */
export function withOrder(order: Evidence): (before: readonly Evidence[]) => readonly Evidence[] {
  const isEarlierOrder = (piece: Evidence): boolean => ORDERS.some((ordered) => isOrder(piece, ordered));
  return (before) => [order, ...before.filter((piece) => !isEarlierOrder(piece))].slice(0, MOST);
}

/** The piece that says who has paused it; none where nobody did. */
export function pauseEvidence(evidence: readonly Evidence[]): readonly Evidence[] {
  return evidence.filter((piece) => isOrder(piece, 'paused')).slice(0, 1);
}

function isOrder({ source, detail }: Evidence, ordered: Ordered): boolean {
  return (source === 'person' || source === 'policy') && detail.startsWith(`${ordered} by `);
}

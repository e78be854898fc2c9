import { CHANGED_METHOD } from '../../shared/gatewayMethods';
import { DisposableStore } from '../base/disposable';
import type { WatchFact, WatchSnapshot } from './gatewayResults';
import { listedViews } from './listedViews';
import type { PersonCall } from './methodTable';

/**
 * Everything that a window shows, and from then on every change. Synchronous: nothing can happen between the snapshot and the
 * subscription, and the snapshot is answered before the first change is told.
 */
export function watch({ engine, notify, subscribe }: PersonCall): WatchSnapshot {
  const subscription = new DisposableStore();
  let seq = 0;
  const tell = (fact: WatchFact): void => notify(CHANGED_METHOD, { seq: ++seq, ...fact });
  subscription.add(engine.onDidChangeStatus((status) => tell({ kind: 'status', status })));
  subscription.add(engine.onDidChangeAgent(({ id, view }) => tell({ kind: 'agent', agentId: id, view: view ?? null })));
  subscription.add(engine.onDidChangeAgentTypes(() => tell({ kind: 'types', types: engine.agentTypes })));
  subscription.add(engine.onDidChangeNotices((change) => tell({ kind: 'notice', change })));
  subscription.add(engine.onDidChangeReceipt((receipt) => tell({ kind: 'receipt', receipt })));
  subscribe(subscription);
  const { status, agents, agentTypes: types, notices } = engine;
  return { seq, status, agents: listedViews(agents), types, notices };
}

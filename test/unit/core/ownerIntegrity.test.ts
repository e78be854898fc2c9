import assert from 'node:assert/strict';
import type { AgentChange, AgentRecord } from '../../../src/core/agents/agent';
import type { HostedAgent } from '../../../src/core/agents/agentHost';
import { newDelivery } from '../../../src/core/agents/delivery/deliveryRecord';
import { AGENT_CHANGES, AGENTS } from '../../../src/core/dataAgentStore';
import { DELIVERIES } from '../../../src/core/dataDeliveryStore';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { createKeptValidator } from '../../../src/core/keptRules';
import { createOwnerIntegrity, type OwnerIntegrity } from '../../../src/core/ownerIntegrity';
import { agentId, aRecord, aSpec } from '../../support/builders';
import { ManualClock } from '../../support/manualClock';

describe('the check of what an owner keeps', () => {
  let store: MemoryDataStore;
  let hosted: HostedAgent[];
  let reconciled: number;
  let integrity: OwnerIntegrity;

  beforeEach(() => {
    const clock = new ManualClock();
    store = new MemoryDataStore({ clock });
    [hosted, reconciled] = [[], 0];
    integrity = createOwnerIntegrity({
      store,
      validator: createKeptValidator(clock),
      host: { list: async () => hosted },
      reconcile: async () => void reconciled++,
      breathe: async () => undefined,
    });
  });

  const agent = (id: string, changes: Partial<AgentRecord> = {}): Promise<void> =>
    store.tx((tx) => tx.put(AGENTS, id, aRecord({ id: agentId(id), spec: aSpec({ name: id }), ...changes })));
  const change = (nr: number, of: string, from: AgentChange['from']['lifecycle'], to: AgentChange['to']['lifecycle'], generation = 1): Promise<void> =>
    store.tx((tx) => tx.put(AGENT_CHANGES, `0${nr}`, {
      id: `0${nr}`, agentId: agentId(of), generation, atMs: nr, reason: 'x', actor: 'engine', evidence: [],
      from: { lifecycle: from, activity: 'unknown' }, to: { lifecycle: to, activity: 'unknown' },
    })); // prettier-ignore
  const prompt = (id: string, of: string): Promise<void> =>
    store.tx((tx) => tx.put(DELIVERIES, id, newDelivery({ id, agentId: agentId(of), text: 't', actor: 'person' }, 1)));
  const told = async (): Promise<readonly string[]> =>
    (await integrity.check()).findings.map(({ code, kind, id, fix }) => `${code} ${kind} ${id} ${fix.kind}`);

  it('finds nothing in a life as it is lived', async () => {
    await agent('a', { lifecycle: 'running', desired: 'running', generation: 1 });
    await agent('b', { lifecycle: 'retired', desired: 'stopped', generation: 2, spec: aSpec({ name: 'a' }) });
    await agent('c', { lifecycle: 'backoff', desired: 'running', generation: 1 });
    await change(1, 'a', 'created', 'created', 0);
    await change(2, 'a', 'created', 'starting');
    await change(3, 'a', 'starting', 'running');
    await prompt('p', 'a');
    hosted = [
      { agentId: agentId('a'), generation: 1, liveness: { kind: 'alive' }, foreground: '', title: '' },
      { agentId: agentId('c'), generation: 1, liveness: { kind: 'dead', cause: {} }, foreground: '', title: '' },
    ];
    assert.deepEqual(await told(), []);
  });

  it('finds what does not fit together, each with what can be done', async () => {
    await agent('a', { lifecycle: 'running', desired: 'running', generation: 1 });
    await agent('b', { lifecycle: 'stopped', desired: 'stopped', generation: 1, spec: aSpec({ name: 'A' }) });
    await agent('gone', { lifecycle: 'retired', desired: 'stopped' });
    await change(1, 'a', 'created', 'starting');
    await change(2, 'a', 'running', 'failed');
    await change(3, 'nobody', 'created', 'starting');
    await prompt('p', 'gone');
    hosted = [{ agentId: agentId('b'), generation: 1, liveness: { kind: 'alive' }, foreground: '', title: '' }];
    assert.deepEqual(await told(), [
      'terminal.gone agent a reconcile',
      'terminal.unexpected agent b reconcile',
      'record.duplicate agent b advice',
      'sequence.gap agentChange 02 advice',
      'reference.missing agentChange 03 deleteRecord',
      'record.orphan delivery p deleteRecord',
    ]);
    for (const { fix } of (await integrity.check()).findings) if (fix.kind === 'deleteRecord') await integrity.fix(fix);
    await integrity.fix({ kind: 'reconcile', label: '' });
    assert.deepEqual([(await told()).length, reconciled], [4, 1]);
  });

  it('never offers to remove an agent', async () => {
    await store.tx((tx) => tx.put(AGENTS, 'x', { ...aRecord(), id: agentId('other') }));
    assert.deepEqual(await told(), ['record.invalid agent x advice']);
  });
});

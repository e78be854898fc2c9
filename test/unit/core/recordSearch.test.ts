import assert from 'node:assert/strict';
import type { AgentChange } from '../../../src/core/agents/agent';
import type { AnsweredRequest } from '../../../src/core/agents/answeredRequest';
import { newDelivery } from '../../../src/core/agents/delivery/deliveryRecord';
import { AGENT_CHANGES, AGENTS, ANSWERS, APPROVALS } from '../../../src/core/dataAgentStore';
import { DELIVERIES } from '../../../src/core/dataDeliveryStore';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { RecordSearch } from '../../../src/core/recordSearch';
import { agentId, aRecord, aSpec } from '../../support/builders';
import { ManualClock } from '../../support/manualClock';

describe('searching what an owner keeps', () => {
  const reviewer = aRecord({
    id: agentId('reviewer'),
    spec: aSpec({ name: 'Critic', firstPrompt: 'look for the needle', env: { API_KEY: 'needle-in-env' } }),
  });
  const delivery = newDelivery(
    { id: '1'.padStart(26, '0'), agentId: reviewer.id, text: `the needle ${'and hay '.repeat(400)}`, actor: 'person' },
    5,
  );
  const approved = [
    'Critic (Theirs)\n  command: needle --sharp',
    '  environment: SENTRY_DSN=\'https://envcanary\'\n  adds environment: MORE={"deep":"envcanary"}',
  ].join('\n');
  const approval = { hash: 'a'.repeat(64), shown: approved, approvedAtMs: 7, actor: 'person' };
  const answer: AnsweredRequest = {
    ...{ id: '2'.padStart(26, '0'), agentId: reviewer.id, generation: 1, kind: 'permission', tool: 'Bash' },
    ...{ title: 'Allow this command?', shown: 'Allow this command?\nsew --thread', isCut: false, outcome: 'denied' },
    ...{ via: 'notification', actor: 'person', askedAtMs: 8, answeredAtMs: 9 },
  };
  const change: AgentChange = {
    ...{ id: '3'.padStart(26, '0'), agentId: reviewer.id, generation: 1, atMs: 10, actor: 'engine' },
    ...{ from: { lifecycle: 'running', activity: 'busy' }, to: { lifecycle: 'failed', activity: 'unknown' } },
    ...{ reason: 'exited', evidence: [{ source: 'exit_file', detail: 'ended with code 137', observedAtMs: 10 }] },
  };
  let search: RecordSearch;

  beforeEach(async () => {
    const store = new MemoryDataStore({ clock: new ManualClock() });
    search = new RecordSearch(store);
    await store.tx((tx) => {
      tx.put(AGENTS, reviewer.id, reviewer);
      tx.put(DELIVERIES, delivery.id, delivery);
      tx.put(APPROVALS, approval.hash, approval);
      tx.put(ANSWERS, answer.id, answer);
      tx.put(AGENT_CHANGES, change.id, change);
    });
  });

  it('finds prompts, agents and approvals, the newest first, and says what each is about', async () => {
    const { found, isComplete } = await search.search({ query: 'NEEDLE' });
    assert.ok(isComplete);
    assert.deepEqual(
      found.map(({ kind, agentId, about, atMs, isTextCut }) => [kind, agentId, about, atMs, isTextCut]),
      [
        ['approval', undefined, 'person', 7, false],
        ['prompt', 'reviewer', 'queued', 5, true],
        ['agent', 'reviewer', 'Critic', reviewer.createdAtMs, false],
      ],
    );
    assert.equal(found[1]?.text.length, 2_000);
    assert.match(found[2]?.snippet.text ?? '', /look for the needle/);
  });

  it('finds what an agent asked, and says how it was answered', async () => {
    const { found } = await search.search({ query: 'sew thread', kinds: ['approval'] });
    assert.deepEqual(
      found.map(({ kind, agentId, about, atMs, text }) => [kind, agentId, about, atMs, text]),
      [['approval', 'reviewer', 'denied in a notification', 9, answer.shown]],
    );
  });

  it('finds lines of history by their reason and evidence, as a transcript tells them', async () => {
    for (const query of ['exited', '"code 137"']) {
      const { found } = await search.search({ query, kinds: ['history'] });
      assert.deepEqual(
        found.map(({ kind, agentId, about, atMs, text }) => [kind, agentId, about, atMs, text]),
        [['history', 'reviewer', 'failed, unknown', 10, 'exited: ended with code 137']],
      );
    }
    assert.equal((await search.search({ query: 'code 137' })).found.length, 1);
  });

  it('never finds or shows the values of environment variables', async () => {
    assert.deepEqual((await search.search({ query: 'env' })).found, []);
    assert.doesNotMatch(JSON.stringify(await search.search({ query: 'critic' })), /needle-in-env|envcanary/);
    for (const query of ['envcanary', 'envcan*', '"https envcanary"', '"deep envcanary"'])
      assert.deepEqual((await search.search({ query })).found, [], query);
    const { found } = await search.search({ query: 'sentry_dsn' });
    assert.match(found[0]?.text ?? '', /environment: SENTRY_DSN=\[redacted\]\n  adds environment: MORE=\[redacted\]$/);
    assert.doesNotMatch(JSON.stringify(found), /envcanary/);
  });

  it('looks only among what is asked for, and goes on where the last answer ended', async () => {
    const kinds = (await search.search({ query: 'needle', kinds: ['prompt', 'agent'] })).found.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['prompt', 'agent']);
    const first = (await search.search({ query: 'needle', limit: 1 })).found[0];
    assert.ok(first);
    const rest = (await search.search({ query: 'needle', before: first.position })).found;
    assert.deepEqual([first.kind, ...rest.map(({ kind }) => kind)], ['approval', 'prompt', 'agent']);
  });
});

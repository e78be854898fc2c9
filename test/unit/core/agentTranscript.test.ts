import assert from 'node:assert/strict';
import { transcriptFormat, transcripts } from '../../../src/core/agentTranscript';
import { SystemClock } from '../../../src/core/base/clock';
import { AGENT_CHANGES, AGENTS, ANSWERS, APPROVALS } from '../../../src/core/dataAgentStore';
import type { Collection } from '../../../src/core/data/dataStore';
import { DataError } from '../../../src/core/data/dataErrors';
import { withSnapshot } from '../../../src/core/data/exchange/snapshot';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import type { JsonObject } from '../../../src/core/data/processing/dataTransformation';
import { newDelivery } from '../../../src/core/agents/delivery/deliveryRecord';
import { DELIVERIES } from '../../../src/core/dataDeliveryStore';
import { agentId, aRecord } from '../../support/builders';

describe('transcripts', () => {
  it('tell of prompts and states of each agent in order of time, then of approvals, without any markup', async () => {
    const store = new MemoryDataStore({ clock: new SystemClock() });
    await store.tx((tx) => {
      const put = (collection: Collection<never>, value: object): void =>
        tx.put(
          collection,
          (value as { id?: string; hash: string }).id ?? (value as { hash: string }).hash,
          value as never,
        );
      const state = { lifecycle: 'running', activity: 'idle' };
      const evidence = [{ source: 'screen', detail: 'a *prompt* line', observedAtMs: 1 }];
      const spec = { name: '<b>One</b>', typeId: 'demo', folder: '/p' };
      const agent = { ...state, spec, desired: 'running', generation: 1, evidence: [], restartsAtMs: [], sinceMs: 0 };
      const change = {
        agentId: 'one',
        generation: 1,
        from: state,
        to: state,
        reason: 'ready',
        actor: 'engine',
        evidence,
      };
      const delivery = {
        agentId: 'one',
        prepared: '',
        actor: 'person',
        generation: 1,
        submitCount: 1,
        changes: [],
        steps: {},
      };
      put(AGENTS as unknown as Collection<never>, { ...agent, id: 'one' });
      put(AGENTS as unknown as Collection<never>, { ...agent, id: 'two', spec: { ...spec, name: 'Two' } });
      put(AGENT_CHANGES as unknown as Collection<never>, { ...change, id: 'c1', atMs: 1_000 });
      put(AGENT_CHANGES as unknown as Collection<never>, { ...change, id: 'c2', atMs: 3_000 });
      put(DELIVERIES as unknown as Collection<never>, {
        ...delivery,
        id: 'd1',
        text: '```\n# not a heading',
        state: 'acknowledged',
        createdAtMs: 2_000,
        stateAtMs: 2_500,
      });
      put(ANSWERS as unknown as Collection<never>, {
        ...{ id: 'r1', agentId: 'one', generation: 1, kind: 'permission', tool: 'Bash', title: 'Allow this command?' },
        ...{ shown: 'Allow this command?\nrm -r build', isCut: false, outcome: 'allowed', via: 'notification' },
        ...{ actor: 'person', askedAtMs: 2_600, answeredAtMs: 2_700 },
      });
      put(APPROVALS as unknown as Collection<never>, {
        hash: 'b',
        shown: 'sh -c late',
        approvedAtMs: 9_000,
        actor: 'person',
      });
      put(APPROVALS as unknown as Collection<never>, {
        hash: 'a2',
        shown: 'sh -c early',
        approvedAtMs: 8_000,
        actor: 'person',
      });
    });
    const all = [AGENTS, AGENT_CHANGES, DELIVERIES, ANSWERS, APPROVALS] as unknown as readonly Collection<never>[];
    const inPages = {
      find: store.find.bind(store),
      changes: store.changes.bind(store),
      health: store.health,
      snapshot: () => Promise.reject(new DataError('data.io', 'the disk is full')),
    };
    const read = async (from: Parameters<typeof withSnapshot>[0]): Promise<string> =>
      withSnapshot(from, all, async (snapshot) => {
        let text = '';
        for await (const page of transcripts(snapshot))
          for await (const part of transcriptFormat().stream(page)) text += part;
        return text;
      }, undefined, { pageSize: 1 }); // prettier-ignore
    const text = await read(store);
    assert.deepEqual(
      text.split('\n').filter((line) => line.startsWith('## ')).map((line) => line.replaceAll('\\', '')),
      [
        '## Agent <b>One</b>',
        '## 1970-01-01T00:00:01.000Z running, idle',
        '## 1970-01-01T00:00:02.000Z Prompt',
        '## 1970-01-01T00:00:02.700Z Request',
        '## 1970-01-01T00:00:03.000Z running, idle',
        '## Agent Two',
        '## 1970-01-01T00:00:08.000Z Approved by person',
        '## 1970-01-01T00:00:09.000Z Approved by person',
      ],
    ); // prettier-ignore
    assert.ok(text.includes('````\n```\n# not a heading\n````\n') && text.includes('a \\*prompt\\* line'), text);
    assert.equal(/(?<!\\)<b>/.test(text), false);
    assert.ok(text.includes('- answer: allowed in a notification, asked at 1970-01-01T00:00:02.600Z\n- tool: Bash\n- by: person\n\n```\nAllow this command?\nrm -r build\n```\n'), text); // prettier-ignore
    // Approvals are put in order within what is read together.
    assert.equal((await read(inPages)).split('\n').length, text.split('\n').length);
    await store.close();
  });

  it('tell last, in order of time, of what belongs to agents whose own record is damaged or gone', async () => {
    const store = new MemoryDataStore({ clock: new SystemClock() });
    const state = { lifecycle: 'running', activity: 'idle' } as const;
    const id = (n: number): string => String(n).padStart(26, '0');
    const prompt = (n: number, of: string) => newDelivery({ id: id(n), agentId: agentId(of), text: `text ${n}`, actor: 'person' }, n * 1_000); // prettier-ignore
    await store.tx((tx) => {
      tx.put(AGENTS, 'here', aRecord({ id: agentId('here') }));
      tx.put({ ...AGENTS, parse: (value) => value as never }, 'damaged', { id: 'damaged' } as never);
      tx.put(DELIVERIES, id(1), prompt(1, 'here'));
      for (const [n, of] of [[2, 'gone'], [4, 'damaged']] as const) tx.put(DELIVERIES, id(n), prompt(n, of)); // prettier-ignore
      tx.put(AGENT_CHANGES, id(3), {
        ...{ id: id(3), agentId: agentId('damaged'), generation: 1, atMs: 3_000, actor: 'engine', reason: 'ready' },
        ...{ from: state, to: state, evidence: [] },
      });
      tx.put(ANSWERS, id(5), {
        ...{ id: id(5), agentId: agentId('gone'), generation: 1, kind: 'permission', title: 'May I?', shown: 'rm -r build' },
        ...{ isCut: false, outcome: 'allowed', via: 'notification', actor: 'person', askedAtMs: 4_000, answeredAtMs: 5_000 },
      });
      tx.put(APPROVALS, 'a', { hash: 'a', shown: 'sh -c late', approvedAtMs: 9_000, actor: 'person' });
    }); // prettier-ignore
    const all = [AGENTS, AGENT_CHANGES, DELIVERIES, ANSWERS, APPROVALS] as unknown as readonly Collection<never>[];
    const told = await withSnapshot(store, all, async (snapshot) => {
      const sections: JsonObject[] = [];
      for await (const page of transcripts(snapshot)) sections.push(...page);
      assert.deepEqual(snapshot.damaged, [{ kind: 'agent', id: 'damaged' }]);
      return sections;
    });
    const lines = told.map(({ title, agent, body }) => [String(title), agent, body]);
    const at = lines.findIndex(([title]) => title === 'Agents that cannot be read');
    assert.deepEqual(lines.slice(at + 1), [
      ['1970-01-01T00:00:02.000Z Prompt', 'gone', 'text 2'],
      ['1970-01-01T00:00:03.000Z running, idle', 'damaged', undefined],
      ['1970-01-01T00:00:04.000Z Prompt', 'damaged', 'text 4'],
      ['1970-01-01T00:00:05.000Z Request', 'gone', 'rm -r build'],
    ]);
    assert.equal(lines[at - 1]?.[2], 'sh -c late', 'after the approvals');
    assert.equal(lines.filter(([, , body]) => body === 'text 1').length, 1);
    await store.close();
  });
});

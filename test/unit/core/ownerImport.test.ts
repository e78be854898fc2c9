import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { AgentType } from '../../../src/core/agents/agentType';
import { AGENT_CHANGES, AGENTS, ANSWERS, APPROVALS } from '../../../src/core/dataAgentStore';
import { DELIVERIES } from '../../../src/core/dataDeliveryStore';
import type { PromptDelivery } from '../../../src/core/agents/delivery/promptDelivery';
import type { AgentRecord } from '../../../src/core/agents/agent';
import { DEAD_LETTERS } from '../../../src/core/data/processing/deadLetterStore';
import { PIPELINES } from '../../../src/core/data/processing/pipelineStore';
import type { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import type { Engine, ImportReport, ImportRequest } from '../../../src/core/engine';
import { FLEET_TYPES } from '../../../src/core/fleetTypes';
import { agentId, aRecord, aSpec } from '../../support/builders';
import { WindowedMachine } from '../../support/windowedMachine';

const FIRST_LINE = '0'.repeat(26);
const TYPE = {
  ...{ id: 'mine', label: 'Mine', icon: 'rocket', command: ['true'], screenRules: [] },
  ...{ readiness: { when: 'alive', afterMs: 0 }, prompt: { canPaste: false }, quit: [], graceMs: 1_000 },
} as unknown as AgentType;

function aDelivery(changes: Partial<PromptDelivery>): PromptDelivery {
  return {
    ...{ id: '01JGFJJZ00000000000000000A', agentId: agentId('scout'), generation: 1, text: 'go', prepared: 'go' },
    ...{ changes: [], state: 'acknowledged', submitCount: 1, createdAtMs: 1_000, stateAtMs: 2_000 },
    ...{ steps: { queued: 1_000, acknowledged: 2_000 }, actor: 'person' },
    ...changes,
  };
}

describe('Imports of agents', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'core-import-'));
    file = path.join(folder, 'export.ndjson');
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  async function engineOn(machine: WindowedMachine): Promise<Engine> {
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    return engine;
  }
  const nothing = (): void => undefined;
  const { signal } = new AbortController();
  const running = aRecord({
    id: agentId('scout'),
    spec: aSpec({
      name: 'Scout',
      typeId: 'command',
      command: ['true', '--now'],
      env: { TOKEN: 'canary', MODE: 'x' },
    }),
    ...{ desired: 'running', lifecycle: 'running', activity: 'busy', generation: 3, createdAtMs: 500 },
    ...{ process: { pid: 7, startTime: '8' }, sessionId: 'session', restartsAtMs: [1], isFirstPromptDone: true },
  });

  /** What another machine exported that had a running agent, its history and prompts, approvals and a fleet type. */
  async function exportElsewhere(
    withSecrets = true,
    change: (store: MemoryDataStore) => Promise<void> = async () => {},
  ): Promise<void> {
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    await machine.store.tx((tx) => {
      tx.put(AGENTS, 'scout', running);
      tx.put(AGENT_CHANGES, FIRST_LINE, {
        ...{
          id: FIRST_LINE,
          agentId: agentId('scout'),
          generation: 3,
          atMs: 900,
          reason: 'ready',
          actor: 'engine',
          evidence: [],
        },
        from: { lifecycle: 'starting', activity: 'unknown' },
        to: { lifecycle: 'running', activity: 'idle' },
      });
      tx.put(DELIVERIES, 'd1', aDelivery({ id: 'd1' }));
      tx.put(
        DELIVERIES,
        'd2',
        aDelivery({ id: 'd2', state: 'queued', reason: 'not_ready', prepared: '', steps: { queued: 1 } }),
      );
      tx.put(DELIVERIES, 'd3', aDelivery({ id: 'd3', state: 'typed' }));
      const shown =
        'Scout (Command)\n  command: make -j 4 --token ghp_abcdefghijklmnopqrst all of it\n  folder: /project';
      tx.put(APPROVALS, 'a'.repeat(64), { hash: 'a'.repeat(64), shown, approvedAtMs: 1, actor: 'person' });
      tx.put(FLEET_TYPES, 'mine', TYPE);
    });
    await change(machine.store);
    await engine.exportData({ file, format: 'ndjson', withSecrets, overwrite: true }, nothing, signal);
    await machine.run(engine.stop());
  }

  async function importInto(engine: Engine, request: Partial<ImportRequest> = {}): Promise<ImportReport> {
    const { fingerprint } = await engine.importData({ file, ...request }, nothing, signal);
    return engine.importData({ file, ...request, apply: fingerprint }, nothing, signal);
  }

  it('bring agents in stopped, without anything of a run, with their history; nothing is started or typed', async () => {
    await exportElsewhere();
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    const report = await importInto(engine);
    assert.deepEqual(report.counts, { new: 5, identical: 0, conflicting: 0, replaced: 0, invalid: 0, skipped: 2 });
    const [agent] = engine.agents;
    assert.deepEqual([agent?.id, agent?.lifecycle, agent?.desired], ['scout', 'stopped', 'stopped']);
    const kept = (await machine.store.get(AGENTS, 'scout'))?.value;
    const { process, sessionId, restartsAtMs, generation, spec, reason } = kept ?? ({} as Partial<AgentRecord>);
    assert.deepEqual([process, sessionId, restartsAtMs, generation, reason], [undefined, undefined, [], 3, 'imported']);
    assert.deepEqual(spec, running.spec);
    const states = (await machine.store.find(DELIVERIES)).map(({ id, value }) => [id, value.state, value.reason]);
    assert.deepEqual(states, [
      ['d1', 'acknowledged', undefined],
      ['d2', 'canceled', undefined],
      ['d3', 'delivery_unknown', 'interrupted'],
    ]); // prettier-ignore
    const history = await engine.history(agentId('scout'));
    assert.deepEqual(history.map(({ to, reason }) => [to.lifecycle, reason]), [['stopped', 'imported'], ['lost', 'imported'], ['running', 'ready']]); // prettier-ignore
    await machine.world.clock.advanceMs(60_000);
    const acting = machine.world.host.calls.filter(({ method }) => method !== 'start' && method !== 'list');
    assert.deepEqual(acting, []);
    assert.equal(engine.agent('scout')?.lifecycle, 'stopped');
    // It can be started, and is kept as its next generation.
    await machine.run(engine.startExisting(agentId('scout')));
    assert.equal((await machine.store.get(AGENTS, 'scout'))?.value.generation, 4);
    await machine.run(engine.stop());
  });

  it('S1 never bring in what a person approved, nor an agent type that came with it', async () => {
    await exportElsewhere();
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    const report = await importInto(engine, { replace: true });
    assert.deepEqual(report.countsByReason, { trustDecision: 2 });
    const titles = report.entries.flatMap(({ title }) => title ?? []);
    assert.deepEqual(titles, [
      'Scout (Command): make -j 4 --token [redacted] all …, in /project',
      'the agent type mine',
    ]);
    assert.deepEqual([await machine.store.find(APPROVALS), await machine.store.find(FLEET_TYPES)], [[], []]);
    assert.ok(!engine.agentTypes.some(({ id }) => id === 'mine'));
    await machine.run(engine.stop());
  });

  it('bring in pipelines and what their runs refused; one that secrets were taken out of stays out', async () => {
    const steps = [{ use: 'limit', with: { count: 1 } }];
    const secret = { use: 'default', with: { values: { key: 'ghp_abcdefghijklmnopqrst' } } };
    const letter = { run: 'teams', atMs: 1, excerpt: '{}', step: 'limit', stepIndex: 0, code: 'a.b', message: 'no' };
    await exportElsewhere(false, (store) =>
      store.tx((tx) => {
        tx.put(PIPELINES, 'teams', { name: 'teams', version: 1, steps });
        tx.put(PIPELINES, 'keyed', { name: 'keyed', version: 1, steps: [secret] });
        tx.put(DEAD_LETTERS, FIRST_LINE, letter);
      }),
    );
    const text = fs.readFileSync(file, 'utf8');
    assert.equal(text.includes('ghp_abcdefghijklmnopqrst'), false);
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    const report = await importInto(engine);
    assert.deepEqual(report.countsByReason, { trustDecision: 2, redacted: 1 });
    assert.deepEqual((await engine.pipelines()).map(({ name }) => name), ['teams']); // prettier-ignore
    assert.deepEqual((await engine.rejected('teams')).map(({ message }) => message), ['no']); // prettier-ignore
    await machine.run(engine.stop());
  });

  it('tell what an agent would run, and which secrets it lacks', async () => {
    await exportElsewhere(false);
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    const report = await importInto(engine);
    assert.deepEqual(report.agents, [
      {
        ...{ id: 'scout', name: 'Scout', typeId: 'command', folder: running.spec.folder },
        ...{ command: ['true', '--now'], env: [], isReplaced: false },
      },
    ]);
    assert.match(report.entries.find(({ kind }) => kind === 'agent')?.changes?.[0] ?? '', /MODE, TOKEN|TOKEN, MODE/);
    assert.equal(engine.agent('scout')?.lifecycle, 'stopped');
    assert.equal((await machine.store.get(AGENTS, 'scout'))?.value.spec.env, undefined);
    assert.equal((await importInto(engine)).counts.identical, 5);
    await machine.run(engine.stop());
  });

  it('S18 bring in what an agent asked and was answered, without the secrets of what was shown', async () => {
    const secret = 'ghp_abcdefghijklmnopqrst';
    await exportElsewhere(false, (store) =>
      store.tx((tx) =>
        tx.put(ANSWERS, 'r1', {
          ...{ id: 'r1', agentId: agentId('scout'), generation: 3, kind: 'permission', isCut: false, actor: 'person' },
          ...{
            title: `Bash: curl -u ${secret}`,
            shown: `curl -u ${secret} https://a.b`,
            outcome: 'denied',
            via: 'orc',
          },
          ...{ reason: `not with ${secret}`, askedAtMs: 5, answeredAtMs: 6 },
        }),
      ),
    );
    assert.ok(!fs.readFileSync(file, 'utf8').includes(secret));
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    assert.deepEqual((await importInto(engine)).countsByKind['answer'], { new: 1 });
    const [answer] = await machine.store.find(ANSWERS);
    assert.equal(answer?.value.shown, 'curl -u [redacted] https://a.b');
    assert.deepEqual((await engine.searchRecords({ query: 'curl' })).found.map(({ about }) => about), ['denied by orc']); // prettier-ignore
    await machine.run(engine.stop());
  });

  it('leave out an agent whose command lost a secret, with all that belongs to it', async () => {
    await exportElsewhere(false, (store) =>
      store.tx((tx) =>
        tx.put(AGENTS, 'scout', { ...running, spec: { ...running.spec, args: ['--token=ghp_abcdefghijklmnopqrst'] } }),
      ),
    );
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    const report = await importInto(engine);
    assert.deepEqual(report.countsByReason, { redacted: 1, agentLeftOut: 4, trustDecision: 2 });
    assert.equal(engine.agents.length, 0);
    await machine.run(engine.stop());
  });

  it('keep the agent that is here; replace it only while it is at rest, and never one that lives', async () => {
    await exportElsewhere();
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    await importInto(engine);
    await machine.run(engine.renameAgent(agentId('scout'), 'Mine'));
    const kept = await importInto(engine);
    assert.deepEqual([kept.counts.conflicting, kept.counts.identical, engine.agent('scout')?.name], [1, 4, 'Mine']);
    await machine.run(engine.startExisting(agentId('scout')));
    assert.deepEqual((await importInto(engine, { replace: true })).countsByReason, { agentLives: 1, trustDecision: 2 });
    assert.deepEqual([engine.agent('scout')?.name, engine.agent('scout')?.lifecycle], ['Mine', 'running']);
    await machine.run(engine.stopAgent(agentId('scout')));
    const replaced = await importInto(engine, { replace: true });
    assert.deepEqual([replaced.counts.replaced, engine.agent('scout')?.name], [1, 'Scout']);
    await machine.world.clock.advanceMs(0);
    const { value } = (await machine.store.get(AGENTS, 'scout')) ?? assert.fail();
    assert.deepEqual([value.spec.name, value.lifecycle, value.generation], ['Scout', 'stopped', 4]);
    await machine.run(engine.startExisting(agentId('scout')));
    assert.equal((await machine.store.get(AGENTS, 'scout'))?.value.generation, 5);
    await machine.run(engine.stop());
  });

  it('do not mix up two agents: what belongs to another one of the same id or name stay out', async () => {
    await exportElsewhere();
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    const id = await machine.run(engine.startAgent(aSpec({ name: 'Scout', typeId: 'shell' })));
    assert.equal(id, 'scout');
    const report = await importInto(engine);
    assert.deepEqual([report.counts.conflicting, report.countsByReason], [1, { agentLeftOut: 4, trustDecision: 2 }]);
    await machine.run(engine.renameAgent(id, 'Other'));
    const named = await machine.run(engine.startAgent(aSpec({ name: 'Renamed', typeId: 'shell' })));
    await machine.run(engine.renameAgent(named, 'Scout'));
    await machine.run(engine.stop());
  });

  it('R12 R19 bring a removed agent back at rest, with its records, as the next of its own generations', async () => {
    await exportElsewhere();
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    await importInto(engine);
    await machine.run(engine.startExisting(agentId('scout')));
    await machine.run(engine.removeAgent(agentId('scout')));
    await machine.world.clock.advanceMs(0);
    assert.deepEqual([engine.agents.length, (await machine.store.find(DELIVERIES)).length], [0, 0]);

    const report = await importInto(engine);
    assert.deepEqual([report.counts.new, report.counts.identical, report.counts.conflicting], [4, 1, 0]);
    assert.deepEqual(report.entries.find(({ kind }) => kind === 'agent')?.changes, ['it was removed here: it comes back, stopped']); // prettier-ignore
    assert.deepEqual(report.agents.map(({ id, isReplaced }) => [id, isReplaced]), [['scout', false]]); // prettier-ignore
    assert.deepEqual([engine.agent('scout')?.lifecycle, engine.agent('scout')?.desired], ['stopped', 'stopped']);
    const { value } = (await machine.store.get(AGENTS, 'scout')) ?? assert.fail();
    assert.deepEqual([value.generation, value.spec, value.process], [4, running.spec, undefined]);
    assert.equal((await machine.store.find(DELIVERIES)).length, 3);
    const [line] = await engine.history(agentId('scout'), 1);
    assert.deepEqual([line?.from.lifecycle, line?.to.lifecycle, line?.generation, line?.reason], ['retired', 'stopped', 4, 'imported']); // prettier-ignore
    assert.equal((await importInto(engine)).counts.identical, 5);
    const { findings } = await engine.checkIntegrity(nothing, signal);
    assert.deepEqual(findings.filter(({ severity }) => severity !== 'info'), []); // prettier-ignore

    await machine.run(engine.startExisting(agentId('scout')));
    assert.equal((await machine.store.get(AGENTS, 'scout'))?.value.generation, 5);
    const other = await machine.run(engine.startAgent(aSpec({ name: 'scout!', typeId: 'shell' })));
    assert.notEqual(other, 'scout');
    await machine.run(engine.removeAgent(agentId('scout')));
    await machine.run(engine.renameAgent(other, 'Scout'));
    assert.equal((await importInto(engine)).countsByReason.nameTaken, 1);
    await machine.run(engine.stop());
  });

  it('give the id of a removed agent to nobody else, and remove nobody', async () => {
    const removed: AgentRecord = { ...running, desired: 'stopped', lifecycle: 'retired', activity: 'unknown' };
    await exportElsewhere();
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    const id = await machine.run(engine.startAgent(aSpec({ name: 'Scout', typeId: 'shell' })));
    await machine.run(engine.removeAgent(id));
    for (const replace of [false, true])
      assert.deepEqual((await importInto(engine, { replace })).countsByReason, {
        ...{ idRetired: 1, agentLeftOut: 4, trustDecision: 2 },
      });
    assert.equal((await machine.store.get(AGENTS, 'scout'))?.value.lifecycle, 'retired');
    await machine.run(engine.stop());

    const second = new WindowedMachine();
    const here = await engineOn(second);
    await importInto(here);
    await exportElsewhere(true, (store) => store.tx((tx) => tx.put(AGENTS, 'scout', removed)));
    for (const replace of [false, true])
      assert.equal((await importInto(here, { replace })).countsByReason.removedThere, 1);
    assert.equal(here.agent('scout')?.lifecycle, 'stopped');
    await second.run(here.stop());
  });

  it('refuse a value that the rules of its kind refuse, with the place', async () => {
    await exportElsewhere();
    const text = fs.readFileSync(file, 'utf8').replace('"lifecycle":"running"', '"lifecycle":"flying"');
    fs.writeFileSync(file, text.replace('"name":"Scout"', '"name":"Scout","sudo":true'));
    const machine = new WindowedMachine();
    const engine = await engineOn(machine);
    const report = await engine.importData({ file }, nothing, signal);
    const [bad] = report.entries.filter(({ verdict }) => verdict === 'invalid');
    assert.deepEqual(bad?.problems?.map(({ path }) => path).sort(), ['/value/lifecycle', '/value/spec/sudo']);
    assert.deepEqual([report.integrity, report.counts.invalid, report.countsByReason.agentLeftOut], ['changed', 1, 4]);
    await machine.run(engine.stop());
  });
});

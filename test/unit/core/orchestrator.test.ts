import assert from 'node:assert/strict';
import type { AgentId, AgentSpec } from '../../../src/core/agents/agent';
import { AGENT_CHANGES, AGENTS, APPROVALS } from '../../../src/core/dataAgentStore';
import { DELIVERIES } from '../../../src/core/dataDeliveryStore';
import type { Collection } from '../../../src/core/data/dataStore';
import { DataError } from '../../../src/core/data/dataErrors';
import { type Engine, STORE_LOSS } from '../../../src/core/engine';
import { loadParts } from '../../../src/core/engineParts';
import { GatewayError } from '../../../src/core/gateway/gatewayErrors';
import { GATEWAY_CLOSED } from '../../../src/core/ownerDoor';
import { aSpec } from '../../support/builders';
import type { LinkedHost } from '../../support/supervisedWorld';
import { ManualClock } from '../../support/manualClock';
import { WindowedMachine } from '../../support/windowedMachine';
import { createKeptValidator } from '../../../src/core/keptRules';

const FLEET = JSON.stringify({
  agents: [
    { name: 'One', type: 'shell' },
    { name: 'Two', type: 'command', command: ['true'] },
  ],
});

const OWN_TYPE = {
  id: 'mine',
  label: 'Mine',
  icon: 'rocket',
  command: ['true'],
  readiness: { when: 'alive', afterMs: 0 },
  screenRules: [],
  prompt: { canPaste: false },
};

/** Every event of an engine; a new one that is missing here does not compile. */
const ENGINE_EVENTS = Object.keys({
  onDidChangeStatus: true,
  onDidChangeAgent: true,
  onDidChangeAgentTypes: true,
  onDidChangeNotices: true,
  onDidChangeReceipt: true,
} satisfies Record<EngineEvent, true>) as readonly EngineEvent[]; // the keys of just this object
type EngineEvent = Extract<keyof Engine, `onDid${string}`>;

/** Starts, prompts, exits, restarts, a lost server and a store that is read-only: what is kept and what was asked of the host. */
async function scriptedRun(listen: (engine: Engine) => void) {
  const machine = new WindowedMachine();
  const { world, store } = machine;
  const engine = machine.window(1);
  listen(engine);
  await machine.run(engine.start());
  await machine.settle();
  const start = (name: string, more: Partial<AgentSpec> = {}): Promise<AgentId> =>
    machine.run(engine.startAgent(aSpec({ name, typeId: 'shell', ...more })));
  const [one, two, three] = [await start('One'), await start('Two', { restartPolicy: 'always' }), await start('Three')];
  world.host.simulateScreen(one, { text: '$ ', title: 'shell', foreground: 'bash' });
  world.host.simulateOutput(one, 'text');
  await world.clock.advanceMs(2_000);
  const prompt = engine.sendPrompt(one, 'list the files');
  await world.clock.advanceMs(60_000);
  world.host.simulateExit(two, { code: 3 });
  await world.clock.advanceMs(60_000);
  await machine.run(engine.renameAgent(one, 'First'));
  await machine.run(engine.pauseAgent(three));
  await machine.run(engine.resumeAgent(three));
  await machine.run(engine.restartAgent(three));
  engine.registerAgentType(OWN_TYPE);
  store.simulateReadOnly('No space is left on the disk.');
  store.simulateReadOnly(undefined);
  world.host.simulateConnectionLoss();
  world.host.simulateServerReturn();
  await machine.settle();
  await machine.run(engine.stopAgent(three));
  await machine.run(engine.removeAgent(three));
  await machine.run(engine.stop());
  const kept = [AGENTS, AGENT_CHANGES, APPROVALS, DELIVERIES] as readonly Collection<unknown>[];
  return {
    changes: await store.changes(0, 10_000),
    records: await Promise.all(kept.map((collection) => store.find(collection))),
    calls: world.host.calls,
    prompt: await prompt,
  };
}

describe('Orchestrator', () => {
  before(async () => {
    await loadParts(); // reading program files takes real time, which the clock of these tests does not wait for
  });

  it('owns the workspace, starts an agent, shows it, and leaves it running when it stops', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    const facts: string[] = [];
    engine.onDidChangeAgent(({ id, view }) => facts.push(`${id} ${view?.lifecycle ?? 'gone'}`));
    await machine.run(engine.start());
    await machine.settle();
    assert.deepEqual(engine.status, {
      kind: 'ready',
      epoch: 1,
      tmuxVersion: '3.3a',
      isTmuxLost: false,
      isReadOnly: false,
    });

    const id = await machine.run(engine.startAgent(aSpec({ name: 'Reviewer', typeId: 'shell' })));
    assert.equal(engine.agent(id)?.lifecycle, 'running');
    assert.deepEqual([...new Set(facts)], ['reviewer created', 'reviewer starting', 'reviewer running']);
    const report = await machine.run(engine.checkIntegrity(() => undefined, new AbortController().signal));
    assert.deepEqual([report.isWhole, report.findings, report.sessions], [true, [], 1]);

    await machine.run(engine.stop());
    assert.equal(engine.status.kind, 'stopped');
    assert.equal((await machine.world.host.list())[0]?.liveness.kind, 'alive');
  });

  it('does the same whether anybody listens or not: the store and every call of the host are equal', async () => {
    const alone = await scriptedRun(() => undefined);
    const heard = new Map<string, number>();
    const observed = await scriptedRun((engine) => {
      for (const name of ENGINE_EVENTS) {
        engine[name](() => void heard.set(name, (heard.get(name) ?? 0) + 1));
        engine[name](() => assert.fail('a listener that fails'));
      }
    });
    assert.deepEqual([...heard.keys()].sort(), [...ENGINE_EVENTS].sort(), 'there was something to hear of each event');
    assert.ok(alone.changes.length > 20 && alone.calls.length > 20, 'there was something to compare');
    assert.deepEqual(observed, alone);
    const validator = createKeptValidator(new ManualClock());
    for (const { kind, id, value } of alone.records.flat())
      assert.deepEqual(validator.validate(kind, value, { recordId: id }).problems, [], `${kind} ${id}`);
  });

  it('R14 finds its agents again after a crash and starts none of them twice', async () => {
    const machine = new WindowedMachine();
    const first = machine.window(1);
    await machine.run(first.start());
    await machine.settle();
    const id = await machine.run(first.startAgent(aSpec({ typeId: 'shell' })));
    first.dispose(); // nothing polite: as after kill -9
    machine.folder.simulateDeath();

    const second = machine.window(2);
    await machine.run(second.start());
    await machine.settle();
    assert.deepEqual(
      [second.agent(id)?.lifecycle, second.agent(id)?.generation, machine.world.launches(id)],
      ['running', 1, 1],
    );
    await machine.run(second.stop());
  });

  it('follows while another window owns, refuses to act, and takes over when the owner dies', async () => {
    const machine = new WindowedMachine();
    const owner = machine.window(1);
    const follower = machine.window(2);
    await machine.run(owner.start());
    await machine.settle();
    const id = await machine.run(owner.startAgent(aSpec({ typeId: 'shell' })));
    await machine.run(follower.start());
    await machine.settle();
    assert.deepEqual(follower.status, { kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: false });
    await assert.rejects(follower.stopAgent(id), { code: 'engine.following' });
    const observer = machine.hosts.at(-1) as LinkedHost;
    observer.simulateHosted({ agentId: id, generation: 1, folder: '/project', argv: ['sh'], env: {} });
    await machine.settle();
    assert.deepEqual([follower.agent(id)?.name, follower.agent(id)?.isManagedElsewhere], [id, true]);

    owner.dispose();
    machine.folder.simulateDeath();
    await machine.settle();
    assert.equal(follower.status.kind, 'ready');
    assert.deepEqual(
      [follower.agent(id)?.name, follower.agent(id)?.isManagedElsewhere, machine.world.launches(id)],
      ['Reviewer', false, 1],
    );
    await machine.run(follower.stop());
  });

  it('shows and does what the owner does while it is connected to it, and only looks while it is not', async () => {
    const machine = new WindowedMachine();
    machine.isGatewayReachable = true;
    const owner = machine.window(1);
    const follower = machine.window(2);
    await machine.run(owner.start());
    await machine.settle();
    const id = await machine.run(owner.startAgent(aSpec({ typeId: 'shell' })));
    await machine.run(follower.start());
    await machine.until(() => follower.status.kind === 'following' && follower.status.isConnected);
    assert.deepEqual(follower.status, { kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: true });
    assert.deepEqual(follower.agents, owner.agents);
    await machine.run(follower.renameAgent(id, 'Second'));
    await machine.settle();
    assert.deepEqual([owner.agent(id)?.name, follower.agent(id)?.name], ['Second', 'Second']);
    await assert.rejects(machine.run(follower.stopAgent('nobody' as AgentId)), { code: 'agent.notFound' });
    await machine.run(follower.stopAgent(id));
    await machine.settle();
    assert.deepEqual([owner.agent(id)?.lifecycle, follower.agent(id)?.lifecycle], ['stopped', 'stopped']);

    machine.isGatewayReachable = false;
    owner.dispose();
    machine.folder.simulateDeath();
    await machine.settle();
    assert.equal(follower.status.kind, 'ready', 'and owns when the owner is gone');
    assert.equal(follower.agent(id)?.name, 'Second');
    await machine.run(follower.stop());
  });

  it('works without a gateway, and says what does not', async () => {
    const machine = new WindowedMachine();
    machine.accessError = new GatewayError('gateway.pathTooLong', 'the path of the socket is too long');
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    assert.equal(engine.status.kind, 'ready');
    assert.deepEqual(
      engine.notices.map(({ fingerprint }) => fingerprint),
      [GATEWAY_CLOSED],
    );
    await machine.run(engine.startAgent(aSpec({ typeId: 'shell' })));
    await machine.run(engine.stop());
    assert.deepEqual(engine.notices, []);
  });

  it('R13 lets a person take over from an owner that does not respond; the old owner becomes a follower', async () => {
    const machine = new WindowedMachine();
    const owner = machine.window(1);
    const follower = machine.window(2);
    await machine.run(owner.start());
    await machine.settle();
    await machine.run(follower.start());
    follower.takeOver();
    await machine.settle();
    assert.equal(follower.status.kind, 'following', 'a responding owner keeps its workspace');
    machine.folder.simulateHang(true);
    await machine.settle();
    assert.deepEqual(follower.status, { kind: 'following', ownerPid: 1, isOwnerResponding: false, isConnected: false });
    follower.takeOver();
    await machine.settle();
    assert.equal(follower.status.kind, 'ready');
    await machine.world.clock.advanceMs(10_000);
    assert.equal(owner.status.kind, 'following');
    await assert.rejects(owner.startAgent(aSpec()), { code: 'engine.following' });
    await machine.run(Promise.all([owner.stop(), follower.stop()]));
  });

  it('says what blocks it, and works once that is mended and a person tries again', async () => {
    const machine = new WindowedMachine();
    machine.openError = new DataError('data.newerSchema', 'the store was written by version 9');
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    assert.deepEqual(engine.status, {
      kind: 'blocked',
      code: 'data.newerSchema',
      detail: 'data.newerSchema: the store was written by version 9',
    });
    await assert.rejects(engine.startAgent(aSpec()), { code: 'engine.blocked' });
    const raised = () => engine.notices.map(({ fingerprint, level }) => `${level} ${fingerprint}`);
    assert.deepEqual(raised(), ['critical store.blocked']);

    machine.openError = undefined;
    machine.world.host.simulateStatusAtStart({ kind: 'blocked', code: 'tmux.notInstalled', detail: 'no tmux' });
    await machine.run(engine.start());
    await machine.settle();
    assert.equal(engine.status.kind === 'blocked' && engine.status.code, 'tmux.notInstalled');

    machine.world.host.simulateStatus({ kind: 'ready', version: '3.3a' });
    await machine.run(engine.start());
    await machine.settle();
    assert.equal(engine.status.kind, 'ready');
    assert.deepEqual(raised(), []);
    await machine.run(engine.stop());
  });

  it('S1 watches and starts nothing while the workspace is not trusted, and begins to work when it is', async () => {
    const machine = new WindowedMachine();
    machine.isTrusted = false;
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    assert.deepEqual([engine.status.kind, machine.folder.owner], ['restricted', undefined]);
    await assert.rejects(engine.startAgent(aSpec()), { code: 'engine.restricted' });
    await assert.rejects(engine.planFleet(FLEET, '/project/.vscode/agents.json'), { code: 'engine.restricted' });
    machine.isTrusted = true;
    await machine.run(engine.start());
    await machine.settle();
    assert.equal(engine.status.kind, 'ready');
    await machine.run(engine.stop());
  });

  it('raises one notice while the store cannot be written, and takes it back', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    machine.store.simulateReadOnly('No space is left on the disk.');
    assert.deepEqual(
      [engine.notices.map((notice) => notice.fingerprint), engine.status.kind === 'ready' && engine.status.isReadOnly],
      [['store.readOnly'], true],
    );
    await assert.rejects(machine.run(engine.startAgent(aSpec({ typeId: 'shell' }))), { code: 'data.readOnly' });
    machine.store.simulateReadOnly(undefined);
    assert.deepEqual([engine.notices, engine.status.kind === 'ready' && engine.status.isReadOnly], [[], false]);
    await machine.run(engine.stop());
  });

  it('writes nothing while acknowledged changes are missing, until a person goes on without them', async () => {
    const machine = new WindowedMachine();
    machine.isLossy = true;
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    assert.deepEqual(
      engine.notices.map(({ fingerprint }) => fingerprint),
      [STORE_LOSS],
    );
    await assert.rejects(machine.run(engine.startAgent(aSpec({ typeId: 'shell' }))), { code: 'data.readOnly' });
    await machine.run(engine.acceptStoreLoss());
    await machine.settle();
    assert.deepEqual(engine.notices, []);
    await machine.run(engine.startAgent(aSpec({ name: 'After', typeId: 'shell' })));
    await machine.run(engine.stop());
  });

  it('goes on without missing changes under the same ownership, whoever else waits, and takes its notices along', async () => {
    const machine = new WindowedMachine();
    machine.isLossy = true;
    const engine = machine.window(1);
    const other = machine.window(2);
    await machine.run(engine.start());
    await machine.settle();
    await machine.run(other.start());
    await machine.settle();
    await machine.run(engine.acceptStoreLoss());
    await machine.settle();
    assert.deepEqual([engine.status.kind, other.status.kind, engine.notices], ['ready', 'following', []]);
    await machine.run(Promise.all([other.stop(), engine.stop()]));
  });

  it('tries again when a person asks while nothing can be written', async () => {
    const machine = new WindowedMachine();
    machine.isLossy = true;
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    machine.isLossy = false; // a person put a backup in its place
    await machine.run(engine.start());
    await machine.settle();
    assert.deepEqual([engine.status.kind === 'ready' && engine.status.isReadOnly, engine.notices], [false, []]);
    await machine.run(engine.stop());
    assert.deepEqual(engine.notices, []);
  });

  it('follows when somebody took over while it was still getting ready', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    machine.onOpenStore = () => {
      machine.onOpenStore = () => undefined;
      machine.folder.epoch += 1; // lock.<n+1> is somebody else's
      throw new DataError('data.fenced', 'another owner has taken over');
    };
    await machine.run(engine.start());
    await machine.settle();
    assert.notEqual(engine.status.kind, 'blocked');
    await machine.run(engine.stop());
  });

  it('lets a call that comes while it is starting wait for it', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    const beginning = engine.start();
    await beginning;
    assert.equal(engine.status.kind, 'starting');
    const starting = engine.startAgent(aSpec({ typeId: 'shell' }));
    await machine.until(() => engine.status.kind !== 'starting');
    assert.equal(engine.agent(await machine.run(starting))?.lifecycle, 'running');
    await machine.run(engine.stop());
  });

  it('begins and ends one after the other, however they are called', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    await machine.run(Promise.all([engine.start(), engine.stop(), engine.start(), engine.stop(), engine.start()]));
    await machine.settle();
    assert.equal(engine.status.kind, 'ready');
    await machine.run(Promise.all([engine.stop(), engine.start(), engine.stop()]));
    assert.equal(engine.status.kind, 'stopped');
  });

  it('says why tmux cannot be started, that it never ran, and what to do', async () => {
    const machine = new WindowedMachine();
    machine.world.host.simulateStatusAtStart({ kind: 'lost', reason: 'no pty' });
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    assert.deepEqual(engine.status.kind === 'ready' && engine.status.tmuxLoss, { reason: 'no pty', hasRun: false });
    const [diagnosis] = await machine.run(engine.diagnose());
    assert.deepEqual([diagnosis?.level, diagnosis?.detail], ['error', 'tmux cannot be started: no pty']);
    assert.match(diagnosis?.advice ?? '', /Run `tmux/);
    await machine.run(engine.stop());
  });

  it('says that tmux is lost and comes back by itself', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    machine.world.host.simulateServerLoss();
    assert.equal(engine.status.kind === 'ready' && engine.status.isTmuxLost, true);
    assert.equal(engine.status.kind === 'ready' && engine.status.tmuxLoss?.hasRun, true);
    assert.match((await machine.run(engine.diagnose()))[0]?.detail ?? '', /^tmux has stopped/);
    machine.world.host.simulateServerReturn();
    await machine.settle();
    assert.equal(engine.status.kind === 'ready' && engine.status.isTmuxLost, false);
    await machine.run(engine.stop());
  });

  it('leaves no timer behind when it is disposed', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    await machine.run(engine.startAgent(aSpec({ typeId: 'shell' })));
    await machine.run(engine.stop());
    engine.dispose();
    await machine.world.clock.advanceMs(0);
    assert.equal(machine.world.clock.pendingCount, 0);
  });
});

describe('Fleets', () => {
  it('S1 starts only what a person approved, exactly; one changed byte asks again', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    const plan = await machine.run(engine.planFleet(FLEET, '/project/.vscode/agents.json'));
    assert.deepEqual(plan.agents.map((entry) => [entry.spec.name, entry.spec.folder, entry.isApproved]), [['One', '/project', false], ['Two', '/project', false]]); // prettier-ignore
    const start = (what: typeof plan) =>
      machine.run(engine.startFleet(what, () => undefined, new AbortController().signal));
    await assert.rejects(start(plan), { code: 'agent.notApproved' });
    await assert.rejects(machine.run(engine.approveFleet(['0'.repeat(64)])), { code: 'agent.notApproved' });

    await machine.run(engine.approveFleet(plan.agents.map((entry) => entry.hash)));
    const forged = {
      ...plan,
      agents: plan.agents.map((entry) => ({ ...entry, spec: { ...entry.spec, args: ['--evil'] } })),
    };
    await assert.rejects(start(forged), { code: 'agent.notApproved' });
    const result = await start(plan);
    assert.deepEqual([[...result.succeeded].sort(), result.failed], [['One', 'Two'], []]);
    assert.deepEqual((await start(plan)).skipped.includes('One'), true);

    const changed = await machine.run(
      engine.planFleet(FLEET.replace('"true"', '"true "'), '/project/.vscode/agents.json'),
    );
    assert.deepEqual(
      changed.agents.map((entry) => entry.isApproved),
      [true, false],
    );
    await machine.run(engine.stop());
  });

  it('keeps the order of its file, also for the next engine', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    const names = ['Zoe', 'Adam', 'Mia', 'Bob'];
    const text = JSON.stringify({ agents: names.map((name) => ({ name, type: 'shell' })) });
    const plan = await machine.run(engine.planFleet(text, '/project/.vscode/agents.json'));
    await machine.run(engine.approveFleet(plan.agents.map((entry) => entry.hash)));
    await machine.run(engine.startFleet(plan, () => undefined, new AbortController().signal));
    await machine.run(engine.stop());
    const second = machine.window(2);
    await machine.run(second.start());
    await machine.settle();
    assert.deepEqual(
      second.agents.map(({ name }) => name),
      names,
    );
    await machine.run(second.stop());
  });

  it('reports each agent, goes on after one failed, and stops early when canceled', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    const names = ['A', 'B', 'C'];
    const text = JSON.stringify({
      agents: names.map((name) => ({ name, type: 'shell', ...(name === 'B' && { folder: 'nowhere' }) })),
    });
    const plan = await machine.run(engine.planFleet(text, '/project/.vscode/agents.json'));
    await machine.run(engine.approveFleet(plan.agents.map((entry) => entry.hash)));
    const steps: string[] = [];
    const result = await machine.run(
      engine.startFleet(
        plan,
        (step) => steps.push(`${step.name}${step.error ? ' failed' : ''}`),
        new AbortController().signal,
      ),
    );
    assert.deepEqual([[...steps].sort(), [...result.succeeded].sort(), result.failed.map(({ name }) => name)], [['A', 'B failed', 'C'], ['A', 'C'], ['B']]); // prettier-ignore

    const all = await machine.run(engine.stopAll(() => undefined, new AbortController().signal));
    assert.deepEqual(
      [[...all.succeeded].sort(), all.skipped, engine.agents.map(({ lifecycle }) => lifecycle).sort()],
      [['A', 'C'], ['B'], ['failed', 'stopped', 'stopped']],
    );
    const canceled = await machine.run(engine.startFleet(plan, () => undefined, AbortSignal.abort()));
    assert.deepEqual([canceled.succeeded, canceled.isCanceled], [[], true]);
    await machine.run(engine.stop());
  });

  it('keeps a type that came with an approved fleet, so that its agents start again without the file', async () => {
    const machine = new WindowedMachine();
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    const text = JSON.stringify({ types: [OWN_TYPE], agents: [{ name: 'M', type: 'mine' }] });
    const plan = await machine.run(engine.planFleet(text, '/project/.vscode/agents.json'));
    assert.deepEqual(plan.problems, []);
    assert.equal(
      engine.agentTypes.some(({ id }) => id === 'mine'),
      false,
      'not before it is approved',
    );
    await machine.run(engine.approveFleet(plan.agents.map((entry) => entry.hash)));
    await machine.run(engine.startFleet(plan, () => undefined, new AbortController().signal));
    assert.equal(engine.agent('m')?.typeLabel, 'Mine');
    await machine.run(engine.stop());

    const second = machine.window(2);
    await machine.run(second.start());
    await machine.settle();
    assert.deepEqual([second.agent('m')?.typeLabel, second.agent('m')?.lifecycle], ['Mine', 'running']);
    await machine.run(second.restartAgent('m' as AgentId));
    const again = await machine.run(second.planFleet(text, '/project/.vscode/agents.json'));
    assert.deepEqual([again.problems, again.agents[0]?.isApproved], [[], true]);
    await machine.run(second.stop());
  });
});

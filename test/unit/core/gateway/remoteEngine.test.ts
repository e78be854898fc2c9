import assert from 'node:assert/strict';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import { silentLogger } from '../../../../src/core/base/log';
import { GatewayClient } from '../../../../src/core/gateway/gatewayClient';
import { GatewayError } from '../../../../src/core/gateway/gatewayErrors';
import { RemoteEngine } from '../../../../src/core/gateway/remoteEngine';
import type { Engine } from '../../../../src/core/engine';
import { EngineError } from '../../../../src/core/engineErrors';
import { agentId, aSpec } from '../../../support/builders';
import { eventually } from '../../../support/eventually';
import { anAgentView, aReceipt, aRequest } from '../../../support/fakeEngine';
import { MemoryConnection } from '../../../support/gatewayPair';
import { memoryWorld, PERSON_KEY } from '../../../support/gatewayWorld';

const reviewer = agentId('reviewer');
const noSteps = (): void => undefined;
const notice = (fingerprint: string) =>
  ({ fingerprint, level: 'info', title: fingerprint, detail: '', atMs: 1 }) as const;

describe('the engine of a window that follows', () => {
  let setup: ReturnType<typeof memoryWorld>;
  let remote: RemoteEngine;
  const follow = async (): Promise<RemoteEngine> => {
    const { connection } = setup.world.listener.connect();
    const client = await GatewayClient.open(connection, { client: 'window', personKey: PERSON_KEY }, { clock: setup.clock, log: silentLogger }); // prettier-ignore
    return RemoteEngine.follow(client, silentLogger);
  };
  const turn = (): Promise<void> => setup.clock.advanceMs(5);

  beforeEach(async () => {
    setup = memoryWorld();
    setup.world.engine.simulateNotice(notice('first'));
    setup.world.engine.simulateNotice(notice('second'));
    remote = await follow();
  });
  afterEach(() => {
    remote.dispose();
    setup.world.dispose();
  });

  it('has what the owner has', () => {
    const { engine } = setup.world;
    assert.deepEqual(remote.status, engine.status);
    assert.deepEqual(remote.agents, engine.agents);
    assert.deepEqual(remote.agent('tester'), engine.agent('tester'));
    assert.deepEqual(remote.agentTypes, engine.agentTypes);
    assert.deepEqual(remote.notices, engine.notices);
    assert.deepEqual(remote.notices.map(({ title }) => title), ['second', 'first']); // prettier-ignore
  });

  it('tells the facts of the owner in their order, and is then equal to it', async () => {
    const { engine } = setup.world;
    const facts: string[] = [];
    remote.onDidChangeAgent(({ id, view, previous }) => facts.push(`${id} ${previous?.activity} ${view?.activity}`));
    remote.onDidChangeNotices(({ kind, notice }) => facts.push(`${kind} ${notice.fingerprint}`));
    remote.onDidChangeStatus(({ kind }) => facts.push(kind));
    remote.onDidChangeAgentTypes(() => facts.push('types'));
    remote.onDidChangeReceipt(({ id }) => facts.push(id));
    engine.simulateAgent(anAgentView({ generation: 2, activity: 'busy' }));
    engine.simulateAgent(anAgentView({ id: agentId('newcomer') }));
    engine.simulateRemoval(agentId('tester'));
    engine.simulateNotice(notice('first'));
    engine.simulateResolved('second');
    engine.simulateStatus({ kind: 'starting' });
    engine.simulateReceipt(aReceipt({ id: 'r1', agentId: agentId('elsewhere') }));
    await turn();
    assert.deepEqual(facts, [
      'reviewer idle busy',
      'newcomer undefined idle',
      'tester idle undefined',
      'raised first',
      'resolved second',
      'starting',
      'r1',
    ]);
    assert.deepEqual(remote.agents, engine.agents);
    assert.deepEqual(remote.notices, engine.notices);
  });

  it('tells where in its window an answer was given', async () => {
    const { engine } = setup.world;
    const doors: unknown[] = [];
    engine.answerRequest = async (...[, , , via]: Parameters<Engine['answerRequest']>) => void doors.push(via);
    await remote.answerRequest(reviewer, 'request-1', { kind: 'allow' }, 'notification');
    await remote.answerRequest(reviewer, 'request-1', { kind: 'deny' });
    assert.deepEqual(doors, ['notification', 'window']);
  });

  it('a change between the snapshot and its arrival is not lost', async () => {
    const { engine } = setup.world;
    const following = follow();
    for (let at = 0; at < 40; at++) {
      engine.simulateAgent(anAgentView({ generation: 2, sinceMs: at }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const late = await following;
    await turn();
    assert.deepEqual(late.agents, engine.agents);
    late.dispose();
  });

  it('forwards every acting call', async () => {
    const { engine } = setup.world;
    const { signal } = new AbortController();
    engine.simulateAgent(anAgentView({ generation: 2, request: aRequest({ id: 'request-1' }) }));
    assert.equal(await remote.startAgent(aSpec({ name: 'Newcomer' })), 'newcomer');
    await remote.startExisting(reviewer);
    await remote.stopAgent(reviewer);
    await remote.restartAgent(reviewer);
    await remote.pauseAgent(reviewer);
    await remote.resumeAgent(reviewer);
    await remote.releaseQuarantine(reviewer);
    await remote.renameAgent(reviewer, 'Critic');
    assert.deepEqual(await remote.resumeSession(reviewer), engine.resumed);
    assert.equal((await remote.sendPrompt(reviewer, 'look', { whenBlocked: 'queue' })).id, 'receipt-1');
    await remote.resendPrompt('receipt-1');
    await remote.cancelPrompt('receipt-1');
    await remote.settleDelivery('receipt-1', 'arrived');
    await remote.answerRequest(reviewer, 'request-1', { kind: 'allow' });
    await remote.answerRequest(reviewer, 'request-1', { kind: 'deny', reason: 'no' });
    await remote.doctor('demo', signal);
    await remote.planFleet('{}', '/project/.vscode/agents.json');
    await remote.approveFleet(['a'.repeat(64)]);
    await remote.startFleet({ agents: [], problems: [] }, noSteps, signal);
    await remote.stopAll(noSteps, signal);
    await remote.resumeFleet(noSteps, signal);
    await remote.acceptStoreLoss();
    await remote.exportData({ file: '/x.md', format: 'markdown' }, noSteps, signal);
    const { fingerprint } = await remote.importData({ file: '/x.json' }, noSteps, signal);
    assert.equal((await remote.importData({ file: '/x.json', apply: fingerprint }, noSteps, signal)).isApplied, true);
    assert.deepEqual((await remote.searchRecords({ query: 'needle' })).found, []);
    assert.deepEqual([await remote.pipelines(), await remote.rejected('p', 5)], [[], []]);
    assert.equal((await remote.runPipeline({ pipeline: 'p', file: '/x.csv' }, noSteps, signal)).rejected, 1);
    assert.equal((await remote.checkIntegrity(noSteps, signal)).isWhole, true);
    const removal = { kind: 'deleteRecord', label: 'Remove it', recordKind: 'delivery', id: 'd', version: 2 } as const;
    assert.equal(await remote.fixIntegrity(removal), 'Done.');
    assert.equal(await remote.fixIntegrity({ kind: 'reconcile', label: '' }), 'Done.');
    assert.equal((await remote.checkData('quick', noSteps, signal)).isWhole, true);
    await remote.backUpData(undefined, noSteps, signal);
    await remote.backUpData('/x.db', noSteps, signal);
    assert.equal((await remote.restoreData('/x.db', noSteps, signal)).seq, 5);
    await remote.compactData(noSteps, signal);
    await remote.removeAgent(agentId('newcomer'));
    assert.deepEqual(engine.calls, [
      'startAgent Newcomer',
      'startExisting reviewer',
      'stopAgent reviewer',
      'restartAgent reviewer',
      'pauseAgent reviewer',
      'resumeAgent reviewer',
      'releaseQuarantine reviewer',
      'renameAgent reviewer Critic',
      'resumeSession reviewer',
      'sendPrompt reviewer look (queue)',
      'resendPrompt receipt-1',
      'cancelPrompt receipt-1',
      'settleDelivery receipt-1 arrived',
      'answerRequest reviewer request-1 allow',
      'answerRequest reviewer request-1 deny no',
      'doctor demo',
      'planFleet',
      `approveFleet ${'a'.repeat(64)}`,
      'startFleet',
      'stopAll',
      'resumeFleet',
      'acceptStoreLoss',
      'exportData markdown /x.md',
      'importData /x.json',
      `importData /x.json ${fingerprint}`,
      'searchRecords needle',
      'pipelines',
      'rejected p',
      'runPipeline /x.csv',
      'checkIntegrity',
      'fixIntegrity delivery d',
      'fixIntegrity reconcile',
      'checkData quick',
      'backUpData ',
      'backUpData /x.db',
      'restoreData /x.db',
      'compactData',
      'removeAgent newcomer',
    ]);
  });

  it('reads through the owner', async () => {
    const { engine } = setup.world;
    engine.simulateReceipt(aReceipt({ id: 'r1' }));
    engine.screen = async () => 'the screen';
    assert.deepEqual(await remote.receipts(reviewer, 5), await engine.receipts(reviewer));
    assert.deepEqual(await remote.explain(reviewer), await engine.explain(reviewer));
    assert.equal(await remote.screen(reviewer), 'the screen');
    assert.deepEqual(await remote.history(reviewer), []);
    assert.deepEqual(await remote.diagnose(), await engine.diagnose());
    assert.deepEqual(await remote.dataStatus(), await engine.dataStatus());
    assert.deepEqual(await remote.remoteAttachCommand(reviewer), engine.attachCommand(reviewer));
  });

  it('fails as the owner fails', async () => {
    setup.world.engine.failWith(new AgentError('agent.quarantined', 'it is quarantined', { agentId: 'reviewer' }));
    const failed = remote.stopAgent(reviewer);
    await assert.rejects(failed, (error) => AgentError.is(error, 'agent.quarantined') && error.agentId === 'reviewer');
    setup.world.engine.failWith(new EngineError('engine.starting', 'soon'));
    await assert.rejects(remote.stopAgent(reviewer), (error) => error instanceof EngineError);
    setup.world.engine.failWith(new Error('a bug'));
    await assert.rejects(remote.stopAgent(reviewer), (error) => GatewayError.is(error, 'gateway.internal'));
  });

  it('the errors in the steps and the result of a fleet call are errors again', async () => {
    setup.world.engine.stopAll = async (onProgress) => {
      const error = new AgentError('agent.killFailed', 'it lives');
      onProgress({ name: 'A', done: 1, total: 1, error });
      return { succeeded: [], skipped: [], failed: [{ name: 'A', error }], isCanceled: false };
    };
    const errors: unknown[] = [];
    const result = await remote.stopAll(({ error }) => errors.push(error), new AbortController().signal);
    assert.ok(
      AgentError.is(errors[0], 'agent.killFailed') && AgentError.is(result.failed[0]?.error, 'agent.killFailed'),
    );
  });

  it('a connection that ends ends it: what is under way is unknown', async () => {
    let closed = 0;
    remote.onDidClose(() => closed++);
    setup.world.engine.stopAgent = () => new Promise(() => undefined);
    const outcome = assert.rejects(remote.stopAgent(reviewer), (error) =>
      GatewayError.is(error, 'gateway.disconnected'),
    );
    await turn();
    setup.world.gateway.dispose();
    await outcome;
    assert.equal(closed, 1);
    await eventually('no listener to be left', () => setup.world.engine.listenerCount === 0 || undefined);
  });

  it('closes when a change is missing: whoever follows begins anew, with everything', async () => {
    const [mine, other] = MemoryConnection.pair();
    const snapshot = { seq: 0, status: { kind: 'stopped' }, agents: [], types: [], notices: [] };
    const hello = { protocol: 1, version: '1', principal: 'person', workspace: '' };
    other.onDidReceive((line) => {
      const { id, method } = JSON.parse(line) as { id: number; method: string };
      other.send(JSON.stringify({ jsonrpc: '2.0', id, result: method === 'hello' ? hello : snapshot }));
    });
    const client = await GatewayClient.open(
      mine,
      { client: 'x', personKey: 'x' },
      { clock: setup.clock, log: silentLogger },
    );
    const following = await RemoteEngine.follow(client, silentLogger);
    const tell = (seq: number): number =>
      other.send(
        JSON.stringify({
          jsonrpc: '2.0',
          method: 'changed',
          params: { seq, kind: 'status', status: { kind: 'starting' } },
        }),
      );
    tell(1);
    await turn();
    assert.deepEqual([following.status.kind, mine.isClosed], ['starting', false]);
    tell(3);
    await turn();
    assert.equal(mine.isClosed, true);
  });

  it('its end is the end of the watch at the owner', async () => {
    remote.dispose();
    await turn();
    assert.deepEqual([setup.world.engine.listenerCount, setup.world.gateway.connectionCount], [0, 0]);
  });
});

import assert from 'node:assert/strict';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import { silentLogger } from '../../../../src/core/base/log';
import type { Engine } from '../../../../src/core/engine';
import { GatewayClient } from '../../../../src/core/gateway/gatewayClient';
import { GatewayError, type GatewayErrorCode } from '../../../../src/core/gateway/gatewayErrors';
import { GATEWAY_LIMITS } from '../../../../src/shared/gatewayProtocol';
import { eventually } from '../../../support/eventually';
import { MemoryConnection } from '../../../support/gatewayPair';
import { memoryWorld, PERSON_KEY } from '../../../support/gatewayWorld';

const failsWith = (code: GatewayErrorCode) => (error: unknown) =>
  GatewayError.is(error, code) || assert.fail(String(error));

describe('the client of the gateway', () => {
  let setup: ReturnType<typeof memoryWorld>;
  const open = (credential: object = { personKey: PERSON_KEY }): Promise<GatewayClient> =>
    GatewayClient.open(setup.world.listener.connect().connection, { client: 'test', ...credential }, { clock: setup.clock, log: silentLogger }); // prettier-ignore
  beforeEach(() => (setup = memoryWorld()));
  afterEach(() => setup.world.dispose());

  it('asks and is answered', async () => {
    const client = await open();
    assert.equal(client.hello.version, '1.2.3');
    assert.deepEqual(await client.request('ping', {}), { version: '1.2.3' });
    const list = await client.request('agent.list', {});
    assert.deepEqual(list.map(({ id }) => id), ['reviewer', 'tester']); // prettier-ignore
  });

  it('is refused with a wrong key, and its connection is closed', async () => {
    await assert.rejects(open({ personKey: 'wrong' }), failsWith('gateway.unauthenticated'));
    await eventually('the close', () => setup.world.gateway.connectionCount === 0 || undefined);
  });

  it('learns that another protocol is spoken', async () => {
    const [mine, other] = MemoryConnection.pair();
    const data = { status: 'FAILED_PRECONDITION' };
    other.onDidReceive(() => other.send(JSON.stringify({ id: 1, error: { code: -32006, message: 'speaks 2', data } })));
    const opening = GatewayClient.open(
      mine,
      { client: 'x', personKey: 'x' },
      { clock: setup.clock, log: silentLogger },
    );
    await assert.rejects(opening, failsWith('gateway.protocolMismatch'));
    assert.ok(mine.isClosed);
  });

  it('gives up when hello is not answered in time', async () => {
    const [mine] = MemoryConnection.pair();
    const opening = GatewayClient.open(
      mine,
      { client: 'x', personKey: 'x' },
      { clock: setup.clock, log: silentLogger },
    );
    const outcome = assert.rejects(opening, failsWith('gateway.unreachable'));
    await setup.clock.advanceMs(GATEWAY_LIMITS.helloMs);
    await outcome;
    assert.ok(mine.isClosed);
  });

  it('throws the errors of the engine as they are', async () => {
    const client = await open();
    setup.world.engine.failWith(new AgentError('agent.draftInBox', 'a draft', { agentId: 'reviewer' }));
    const sent = client.request('agent.prompt', { agentId: 'reviewer', text: 'x' });
    await assert.rejects(sent, (error) => AgentError.is(error, 'agent.draftInBox') && error.agentId === 'reviewer');
  });

  it('has no time limit of its own', async () => {
    const client = await open();
    let finish = (): void => undefined;
    setup.world.engine.stopAgent = () => new Promise((resolve) => (finish = resolve));
    const stopping = client.request('agent.stop', { agentId: 'reviewer' });
    await setup.clock.advanceMs(24 * 3_600_000);
    finish();
    assert.equal(await stopping, null);
  });

  it('cancels at the other side and ends the waiting at once', async () => {
    const client = await open();
    let seen: AbortSignal | undefined;
    (setup.world.engine as Engine).stopAgent = (_id, signal) => {
      seen = signal;
      return new Promise<void>(() => undefined);
    };
    const canceling = new AbortController();
    const stopping = client.request('agent.stop', { agentId: 'reviewer' }, { signal: canceling.signal });
    await eventually('the call', () => seen);
    canceling.abort(new Error('enough'));
    await assert.rejects(stopping, /enough/);
    await eventually('the abort at the engine', () => seen?.aborted);
    await assert.rejects(client.request('ping', {}, { signal: canceling.signal }), /enough/);
  });

  it('rejects what is under way when the connection ends, and says that the outcome is not known', async () => {
    const client = await open();
    let closed = 0;
    client.onDidClose(() => closed++);
    setup.world.engine.stopAgent = () => new Promise(() => undefined);
    const stopping = client.request('agent.stop', { agentId: 'reviewer' });
    const outcome = assert.rejects(stopping, failsWith('gateway.disconnected'));
    await setup.clock.advanceMs(10);
    setup.world.gateway.dispose();
    await outcome;
    await assert.rejects(client.request('ping', {}), failsWith('gateway.disconnected'));
    client.dispose();
    assert.equal(closed, 1);
  });

  it('comes again when it was told that it came too fast', async () => {
    const client = await open();
    const burst = GATEWAY_LIMITS.personRequestBurst + 3;
    const pings = Promise.all(Array.from({ length: burst }, () => client.request('ping', {})));
    for (let at = 0; at < 50; at++) await setup.clock.advanceMs(20);
    assert.equal((await pings).length, burst);
  });

  it('reports the steps of a fleet call', async () => {
    const client = await open();
    setup.world.engine.stopAll = async (onProgress) => {
      onProgress({ name: 'A', done: 1, total: 1 });
      return { succeeded: ['A'], skipped: [], failed: [], isCanceled: false };
    };
    const steps: string[] = [];
    await client.request('fleet.stopAll', {}, { onProgress: ({ name }) => steps.push(name) });
    assert.deepEqual(steps, ['A']);
  });

  it('closes the connection when it gets something that is no frame', async () => {
    const [mine, other] = MemoryConnection.pair();
    const opening = GatewayClient.open(
      mine,
      { client: 'x', personKey: 'x' },
      { clock: setup.clock, log: silentLogger },
    );
    other.send('<html>');
    await assert.rejects(opening, failsWith('gateway.disconnected'));
  });
});

import assert from 'node:assert/strict';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import { agentId } from '../../../support/builders';
import { eventually } from '../../../support/eventually';
import { aReceipt } from '../../../support/fakeEngine';
import { KeptLog, memoryWorld, PERSON_KEY, RawCaller } from '../../../support/gatewayWorld';
import { GATEWAY_LIMITS, GATEWAY_PROTOCOL, RpcStatus } from '../../../../src/shared/gatewayProtocol';

const hello = (more: object = {}): object => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'hello',
  params: { protocol: GATEWAY_PROTOCOL, client: 'test', personKey: PERSON_KEY, ...more },
});
const statusOf = async (raw: RawCaller, method: string, params?: unknown): Promise<RpcStatus | undefined> =>
  (await raw.call(method, params)).error?.data.status;

describe('a session of the gateway', () => {
  let setup: ReturnType<typeof memoryWorld>;
  let log: KeptLog;
  beforeEach(() => {
    log = new KeptLog();
    setup = memoryWorld(log);
  });
  afterEach(() => {
    setup.world.dispose();
    assert.equal(setup.clock.pendingCount, 0, 'timers are left');
    assert.equal(setup.world.engine.listenerCount, 0, 'listeners are left');
  });

  describe('hello', () => {
    it('tells who the engine takes the caller for', async () => {
      const person = await setup.connect().hello({ personKey: PERSON_KEY });
      const common = { protocol: GATEWAY_PROTOCOL, version: '1.2.3', workspace: '/project' };
      assert.deepEqual(person, { ...common, principal: 'person' });
      const agent = await setup.connect().hello({ token: 'reviewer:2' });
      assert.deepEqual(agent, { ...common, principal: 'agent', agentId: 'reviewer' });
    });

    it('may be followed by requests at once', async () => {
      const raw = setup.connect();
      raw.send(hello());
      raw.request('ping', {}, 2);
      await raw.answer(2);
      assert.deepEqual(
        raw.received.map(({ id, error }) => [id, error]),
        [
          [1, undefined],
          [2, undefined],
        ],
      );
    });

    it('of another protocol is refused with both protocols named, whatever else it holds', async () => {
      const raw = setup.connect();
      raw.send(hello({ protocol: 7, novelty: true }));
      const { error } = await raw.answer(1);
      assert.equal(error?.data.status, RpcStatus.FailedPrecondition);
      assert.match(error?.message ?? '', /1\.2\.3.*protocol 1.*protocol 7/);
      await raw.closed();
      assert.equal(setup.world.authenticator.attempts, 0);
    });

    const wrong: readonly (readonly [string, object, RpcStatus])[] = [
      ['a wrong key', hello({ personKey: 'b'.repeat(64) }), RpcStatus.Unauthenticated],
      ['a wrong token', hello({ personKey: undefined, token: 'x' }), RpcStatus.Unauthenticated],
      ['both credentials', hello({ token: 'reviewer:2' }), RpcStatus.InvalidArgument],
      ['no credential', hello({ personKey: undefined }), RpcStatus.InvalidArgument],
      ['a huge token', hello({ personKey: undefined, token: 'x'.repeat(5_000) }), RpcStatus.InvalidArgument],
      ['no client', hello({ client: '' }), RpcStatus.InvalidArgument],
      ['a long client', hello({ client: 'x'.repeat(101) }), RpcStatus.InvalidArgument],
      ['another method', { ...hello(), method: 'ping' }, RpcStatus.Unauthenticated],
    ];
    for (const [what, frame, status] of wrong) {
      it(`with ${what} is ${status}, and the connection ends`, async () => {
        const raw = setup.connect();
        raw.send(frame);
        assert.equal((await raw.answer(1)).error?.data.status, status);
        await raw.closed();
        assert.equal(setup.world.gateway.connectionCount, 0);
      });
    }

    it('S10 a refusal repeats nothing of the credential, nor does the log', async () => {
      const raw = setup.connect();
      raw.send(hello({ personKey: 'canary0123456789' }));
      await raw.answer(1);
      assert.doesNotMatch(JSON.stringify(raw.received) + log.lines.join('\n'), /canary/);
    });

    it('S9 what speaks another protocol, such as HTTP, is closed without a word', async () => {
      for (const line of [
        'GET / HTTP/1.1\r',
        'POST /rpc HTTP/1.1\r',
        '',
        'null',
        '[]',
        '"hello"',
        '\u0016\u0003\u0001',
      ]) {
        const raw = setup.connect();
        raw.send(line);
        await raw.closed();
        assert.deepEqual(raw.received, []);
      }
      assert.equal(setup.world.authenticator.attempts, 0);
    });

    it('S17 must come within 5 s', async () => {
      const raw = setup.connect();
      await setup.clock.advanceMs(GATEWAY_LIMITS.helloMs - 1);
      assert.equal(raw.isClosed, false);
      await setup.clock.advanceMs(1);
      await raw.closed();
    });

    it('a second one is no method', async () => {
      const raw = await setup.person();
      assert.equal(await statusOf(raw, 'hello', {}), RpcStatus.Unimplemented);
    });
  });

  describe('requests', () => {
    it('are answered as they finish', async () => {
      const raw = await setup.agent();
      let finish = (): void => undefined;
      setup.world.hooks.answer = () => new Promise((resolve) => (finish = () => resolve({ output: 'late' })));
      const held = raw.request('hook.report', { event: 'PermissionRequest', payload: null, sentAtMs: 1 });
      assert.equal((await raw.call('ping')).error, undefined);
      finish();
      assert.deepEqual((await raw.answer(held)).result, { output: 'late' });
    });

    it('without an id are done and not answered', async () => {
      const raw = await setup.person();
      raw.send({ jsonrpc: '2.0', method: 'agent.stop', params: { agentId: 'reviewer' } });
      raw.send({ jsonrpc: '2.0', method: 'agent.stop', params: { agentId: '!!' } });
      await raw.call('ping');
      assert.deepEqual(setup.world.engine.calls, ['stopAgent reviewer']);
      assert.equal(raw.received.length, 2); // hello and ping
    });

    it('fail with the typed code of the engine', async () => {
      const raw = await setup.person();
      setup.world.engine.failWith(new AgentError('agent.dialogOpen', 'it asks', { agentId: 'reviewer' }));
      const { error } = await raw.call('agent.prompt', { agentId: 'reviewer', text: 'hello' });
      assert.deepEqual(error?.data, {
        status: RpcStatus.FailedPrecondition,
        code: 'agent.dialogOpen',
        agentId: 'reviewer',
      });
    });

    it('that fail unexpectedly tell nothing, and are logged', async () => {
      const raw = await setup.person();
      setup.world.engine.failWith(new Error('inside /home/someone'));
      const { error } = await raw.call('agent.stop', { agentId: 'reviewer' });
      assert.equal(error?.data.status, RpcStatus.Internal);
      assert.doesNotMatch(JSON.stringify(error), /someone/);
      assert.match(log.lines.join('\n'), /error a request failed unexpectedly method=agent.stop error=Error: inside/);
    });

    const malformed: readonly (readonly [string, string])[] = [
      ['no JSON', '{'],
      ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]'],
      ['no version', '{"id":9,"method":"ping"}'],
      ['another version', '{"jsonrpc":"1.0","id":9,"method":"ping"}'],
      ['a number as method', '{"jsonrpc":"2.0","id":9,"method":5}'],
      ['a list of parameters', '{"jsonrpc":"2.0","id":9,"method":"ping","params":[]}'],
      ['an id that is no number or text', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
      ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
      ['a fraction as id', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'],
      ['a field too many', '{"jsonrpc":"2.0","id":9,"method":"ping","token":"x"}'],
      ['an answer', '{"jsonrpc":"2.0","id":9,"result":1}'],
      ['a deep value', `{"jsonrpc":"2.0","id":9,"method":"ping","params":{"a":${'['.repeat(40)}${']'.repeat(40)}}}`],
    ];
    for (const [what, frame] of malformed) {
      it(`that are ${what} are INVALID_ARGUMENT, and the connection goes on`, async () => {
        const raw = await setup.person();
        raw.send(frame);
        const { error } = await eventually('an error', () => raw.received.find((one) => one.error));
        assert.equal(error?.data.status, RpcStatus.InvalidArgument);
        assert.equal((await raw.call('ping')).error, undefined);
      });
    }

    it('with an id that is under way are refused; the text and the number are different ids', async () => {
      const raw = await setup.agent();
      setup.world.hooks.answer = () => new Promise(() => undefined);
      const report = { event: 'Stop', payload: null, sentAtMs: 1 };
      raw.request('hook.report', report, 5);
      raw.request('hook.report', report, '5');
      raw.request('hook.report', report, 5);
      const { error } = await raw.answer(5);
      assert.equal(error?.data.status, RpcStatus.InvalidArgument);
      assert.equal(setup.world.hooks.reports.length, 2);
    });

    it('S17 a text larger than a body is refused, unless it is a fleet file or a hook', async () => {
      const raw = await setup.person();
      const fits = 'é'.repeat(GATEWAY_LIMITS.bodyBytes / 2);
      assert.equal(await statusOf(raw, 'agent.prompt', { agentId: 'reviewer', text: fits }), undefined);
      const large = `${fits}x`;
      assert.equal(
        await statusOf(raw, 'agent.prompt', { agentId: 'reviewer', text: large }),
        RpcStatus.InvalidArgument,
      );
      const spec = { name: 'A', typeId: 'demo', folder: '/project', env: { A: 'x'.repeat(70_000) } };
      assert.equal(await statusOf(raw, 'agent.start', { spec }), RpcStatus.InvalidArgument);
      assert.equal(await statusOf(raw, 'fleet.plan', { text: large.repeat(4), fileName: '/a/b' }), undefined);
      const agent = await setup.agent();
      assert.equal(
        await statusOf(agent, 'hook.report', { event: 'a', payload: large.repeat(3), sentAtMs: 1 }),
        undefined,
      );
    });

    it('prompts that nobody waits for are answered with their first receipt, and go on without the caller', async () => {
      const raw = await setup.person();
      const { engine } = setup.world;
      const created = { createdAtMs: setup.clock.nowMs() };
      let signal: AbortSignal | undefined;
      let finish = (): void => undefined;
      engine.deliver = (id, _text, options) => {
        signal = options.signal;
        options.onBegin?.('receipt-7');
        engine.simulateReceipt(aReceipt({ id: 'another', agentId: id, state: 'queued', ...created }));
        engine.simulateReceipt(aReceipt({ id: 'receipt-7', agentId: id, state: 'queued', ...created }));
        return new Promise((resolve) => {
          finish = () => resolve(aReceipt({ id: 'receipt-7', agentId: id, ...created }));
        });
      };
      const { result } = await raw.call('agent.prompt', { agentId: 'reviewer', text: 'hello', wait: false });
      assert.deepEqual([(result as { id: string }).id, (result as { state: string }).state], ['receipt-7', 'queued']);
      raw.connection.dispose();
      await raw.closed();
      assert.equal(signal, undefined);
      finish();
      await eventually('the end of the delivery', () => engine.listenerCount === 0 || undefined);
    });

    it('of a fleet tell each step before the answer', async () => {
      const raw = await setup.person();
      const { engine } = setup.world;
      engine.stopAll = async (onProgress) => {
        onProgress({ name: 'A', done: 1, total: 2 });
        onProgress({ name: 'B', done: 2, total: 2, error: new AgentError('agent.killFailed', 'it lives') });
        return {
          succeeded: ['A'],
          skipped: [],
          failed: [{ name: 'B', error: new Error('inside') }],
          isCanceled: false,
        };
      };
      const { result } = await raw.call('fleet.stopAll');
      const [a, b] = raw.notifications('progress');
      assert.deepEqual([a?.['step'], a?.['id']], [{ name: 'A', done: 1, total: 2 }, b?.['id']]);
      assert.equal((b?.['step'] as { error: { data: { code: string } } }).error.data.code, 'agent.killFailed');
      assert.doesNotMatch(JSON.stringify(result), /inside/);
      assert.equal(raw.received.at(-1)?.result, result);
    });

    it('S17 an answer that is too large for the caller is an error, not a cut-off', async () => {
      const raw = await setup.person();
      setup.world.engine.screen = async () => 'x'.repeat(GATEWAY_LIMITS.outgoingBytes);
      assert.equal(await statusOf(raw, 'agent.screen', { agentId: 'reviewer' }), RpcStatus.ResourceExhausted);
      assert.equal((await raw.call('ping')).error, undefined);
    });
  });

  describe('cancellation', () => {
    const holdHooks = (): AbortSignal[] => {
      const signals: AbortSignal[] = [];
      setup.world.hooks.answer = (_, signal) =>
        new Promise((_resolve, reject) => {
          signals.push(signal);
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      return signals;
    };
    const report = { event: 'PermissionRequest', payload: null, sentAtMs: 1 };

    it('aborts the request of that id only', async () => {
      const raw = await setup.agent();
      const signals = holdHooks();
      const first = raw.request('hook.report', report);
      const second = raw.request('hook.report', report);
      raw.send({ jsonrpc: '2.0', method: '$/cancel', params: { id: first } });
      assert.equal((await raw.answer(first)).error?.data.status, RpcStatus.Canceled);
      assert.deepEqual(signals.map(({ aborted }) => aborted), [true, false]); // prettier-ignore
      assert.equal(raw.received.some(({ id }) => id === second), false); // prettier-ignore
    });

    it('of what is unknown does nothing', async () => {
      const raw = await setup.agent();
      for (const params of [{ id: 99 }, {}, { id: {} }]) raw.send({ jsonrpc: '2.0', method: '$/cancel', params });
      assert.equal((await raw.call('ping')).error, undefined);
    });

    it('is what the end of the connection means for all that is under way', async () => {
      const raw = await setup.agent();
      const signals = holdHooks();
      raw.request('hook.report', report);
      raw.send({ jsonrpc: '2.0', method: 'hook.report', params: report });
      await eventually('both to be held', () => signals.length === 2 || undefined);
      raw.connection.dispose();
      await eventually('both to be aborted', () => signals.every(({ aborted }) => aborted) || undefined);
      assert.doesNotMatch(log.lines.join('\n'), /unexpected/);
    });

    it('of the whole gateway aborts everything and closes every connection', async () => {
      const [raw, person] = [await setup.agent(), await setup.person()];
      const signals = holdHooks();
      raw.request('hook.report', report);
      await person.call('watch');
      await eventually('it to be held', () => signals.length === 1 || undefined);
      setup.world.gateway.dispose();
      assert.equal(signals[0]?.aborted, true);
      await Promise.all([raw.closed(), person.closed()]);
      assert.ok(setup.world.listener.isDisposed);
    });
  });

  describe('idleness', () => {
    it('S17 ends a connection after 30 s', async () => {
      const raw = await setup.person();
      await setup.clock.advanceMs(GATEWAY_LIMITS.idleMs - 1_000);
      await raw.call('ping');
      await setup.clock.advanceMs(GATEWAY_LIMITS.idleMs - 1);
      assert.equal(raw.isClosed, false);
      await setup.clock.advanceMs(1);
      await raw.closed();
    });

    it('is not while something is under way or subscribed', async () => {
      const [agent, person] = [await setup.agent(), await setup.person()];
      setup.world.hooks.answer = () => new Promise(() => undefined);
      agent.request('hook.report', { event: 'a', payload: null, sentAtMs: 1 });
      await person.call('watch');
      await setup.clock.advanceMs(GATEWAY_LIMITS.idleMs * 10);
      assert.deepEqual([agent.isClosed, person.isClosed], [false, false]);
    });
  });

  describe('watching', () => {
    it('begins with a complete snapshot and goes on without a gap', async () => {
      const raw = await setup.person();
      const { engine } = setup.world;
      const { result } = await raw.call('watch');
      const snapshot = result as { seq: number; agents: { id: string }[]; status: unknown };
      assert.deepEqual(
        [snapshot.seq, snapshot.agents.map(({ id }) => id), snapshot.status],
        [0, ['reviewer', 'tester'], engine.status],
      );
      engine.simulateRemoval(agentId('tester'));
      engine.simulateStatus({ kind: 'stopped' });
      engine.simulateNotice({ fingerprint: 'a', level: 'info', title: 'T', detail: 'D', atMs: 1 });
      engine.simulateReceipt(aReceipt());
      const changes = await eventually('all changes', () => {
        const found = raw.notifications('changed');
        return found.length >= 5 ? found : undefined;
      });
      assert.deepEqual(changes.map(({ seq, kind }) => [seq, kind]), [
        [1, 'agent'], [2, 'status'], [3, 'notice'], [4, 'agent'], [5, 'receipt'],
      ]); // prettier-ignore
      assert.equal(changes[0]?.['view'], null);
    });

    it('anew replaces what was before', async () => {
      const raw = await setup.person();
      const { engine } = setup.world;
      await raw.call('watch');
      const once = engine.listenerCount;
      await raw.call('watch');
      assert.equal(engine.listenerCount, once);
    });

    it('S17 ends for who does not read', async () => {
      const raw = await setup.person();
      await raw.call('watch');
      raw.connection.pause();
      const detail = 'x'.repeat(1024 * 1024);
      for (let at = 0; at < 6; at++) {
        setup.world.engine.simulateNotice({ fingerprint: String(at), level: 'info', title: '', detail, atMs: at });
      }
      await eventually('the cut-off', () => setup.world.gateway.connectionCount === 0 || undefined);
      assert.match(log.lines.join('\n'), /does not read/);
    });
  });

  describe('limits', () => {
    it('S17 a caller that comes too fast is told when to come again, and is read no further until then', async () => {
      const { connection, accepted } = setup.world.listener.connect();
      const raw = new RawCaller(connection);
      await raw.hello({ token: 'reviewer:2' });
      for (let at = 0; at < GATEWAY_LIMITS.requestBurst + 5; at++) raw.request('ping', {}, at);
      const { error } = await raw.answer(GATEWAY_LIMITS.requestBurst);
      assert.equal(error?.data.status, RpcStatus.ResourceExhausted);
      assert.equal(error?.data.retryAfterMs, 1000 / GATEWAY_LIMITS.requestsPerSecond);
      assert.equal(accepted.isPaused, true);
      assert.equal(raw.received.length, 1 + GATEWAY_LIMITS.requestBurst + 1);
      await setup.clock.advanceMs(50);
      assert.equal((await raw.answer(GATEWAY_LIMITS.requestBurst + 1)).error, undefined);
      await setup.clock.advanceMs(1000);
      await raw.answer(GATEWAY_LIMITS.requestBurst + 4);
      assert.equal(accepted.isPaused, false);
    });

    it('S17 the rate is of the agent, over all its connections, and of no other', async () => {
      const [one, two, other] = [await setup.agent(), await setup.agent(), await setup.agent('tester:1')];
      for (let at = 0; at < GATEWAY_LIMITS.requestBurst; at++) one.request('ping', {}, at);
      await one.answer(GATEWAY_LIMITS.requestBurst - 1);
      assert.equal(await statusOf(two, 'ping'), RpcStatus.ResourceExhausted);
      assert.equal(await statusOf(other, 'ping'), undefined);
    });

    it('S17 a frame of a megabyte costs as much as many requests, and waits until the rate allows it', async () => {
      const raw = await setup.agent();
      const report = { event: 'a', payload: 'x'.repeat(900_000), sentAtMs: 1 };
      for (let id = 0; id < 4; id++) raw.request('hook.report', report, id);
      await raw.answer(1);
      await setup.clock.advanceMs(0);
      assert.equal(setup.world.hooks.reports.length, 2);
      await setup.clock.advanceMs(2_000);
      for (let id = 2; id < 4; id++) assert.equal((await raw.answer(id)).error, undefined);
    });

    it('S17 what is under way is bounded', async () => {
      const raw = await setup.agent();
      setup.world.hooks.answer = () => new Promise(() => undefined);
      let last = 0;
      for (let at = 0; at <= GATEWAY_LIMITS.requestsUnderWay; at++) {
        last = raw.request('hook.report', { event: 'a', payload: null, sentAtMs: 1 }, at) as number;
        await setup.clock.advanceMs(100);
      }
      assert.equal((await raw.answer(last)).error?.data.status, RpcStatus.ResourceExhausted);
      assert.equal(setup.world.hooks.reports.length, GATEWAY_LIMITS.requestsUnderWay);
    });

    it('S17 an agent has a bounded number of connections, and agents leave room for people', async () => {
      for (let at = 0; at < GATEWAY_LIMITS.connectionsPerAgent; at++) await setup.agent();
      await assert.rejects(setup.agent(), /too many connections/);
      for (let at = 0; setup.world.gateway.connectionCount < 56; at++) await setup.agent(`a${at}:1`);
      await assert.rejects(setup.agent('late:1'), /too many connections/);
      for (let at = 0; at < GATEWAY_LIMITS.connectionsForPeople; at++) await setup.person();
      assert.equal(setup.world.gateway.connectionCount, GATEWAY_LIMITS.connections);
    });

    it('S17 connections without hello give way, the oldest first; then idle ones; work never does', async () => {
      const busy = await setup.person();
      await busy.call('watch');
      const silent = Array.from({ length: GATEWAY_LIMITS.connections - 1 }, () => setup.connect());
      const late = await setup.person();
      await silent[0]?.closed();
      assert.equal(silent[1]?.isClosed, false);
      assert.equal(setup.world.gateway.connectionCount, GATEWAY_LIMITS.connections);
      assert.deepEqual([busy.isClosed, late.isClosed], [false, false]);
    });

    it('S17 with nobody idle a further connection is refused', async () => {
      for (let at = 0; at < GATEWAY_LIMITS.connections; at++) await (await setup.person()).call('watch');
      await setup.clock.advanceMs(5_000);
      await setup.connect().closed();
      assert.equal(setup.world.gateway.connectionCount, GATEWAY_LIMITS.connections);
    });
  });
});

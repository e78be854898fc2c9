import assert from 'node:assert/strict';
import fc from 'fast-check';
import { anAgentView, aRequest } from '../../../support/fakeEngine';
import { memoryWorld, type RawCaller } from '../../../support/gatewayWorld';
import { rightParams } from '../../../support/gatewayRequests';
import { trials } from '../../../support/trials';
import { GATEWAY_METHODS } from '../../../../src/core/gateway/methods';
import type { GatewayMethod } from '../../../../src/shared/gatewayMethods';
import { RpcStatus } from '../../../../src/shared/gatewayProtocol';

/** Who calls, about whom: the columns of the matrix. */
const callers = ['person', 'agent itself', 'agent about another', 'agent of an old generation', 'nobody'] as const;
type Caller = (typeof callers)[number];

/** Written out, not taken from the table: what the table should be. */
const forAgents: readonly GatewayMethod[] = ['hook.report', 'self.status'];
const forAll: readonly GatewayMethod[] = ['ping'];
const methods = Object.keys(rightParams('reviewer')) as GatewayMethod[];

function expected(method: GatewayMethod, caller: Caller): RpcStatus | 'ok' {
  if (caller === 'nobody') return RpcStatus.Unauthenticated;
  if (caller === 'agent of an old generation') return RpcStatus.Unauthenticated;
  if (forAll.includes(method)) return 'ok';
  if (caller === 'person') return forAgents.includes(method) ? RpcStatus.PermissionDenied : 'ok';
  if (!forAgents.includes(method)) return RpcStatus.PermissionDenied;
  return caller === 'agent itself' ? 'ok' : RpcStatus.PermissionDenied;
}

describe('who may do what', () => {
  it('S11 the table has exactly the methods that are tested here', () => {
    assert.deepEqual([...GATEWAY_METHODS.keys()].sort(), [...methods].sort());
  });

  for (const caller of callers) {
    for (const method of methods) {
      it(`S11 ${method} × ${caller}: ${expected(method, caller)}`, async () => {
        const { world, connect, person, agent } = memoryWorld();
        world.engine.simulateAgent(anAgentView({ generation: 2, request: aRequest() }));
        const callsBefore = world.engine.calls.length;
        const about = caller === 'agent about another' ? 'tester' : 'reviewer';
        const params: Record<string, unknown> = { ...rightParams(about)[method] };
        let raw: RawCaller;
        if (caller === 'person') raw = await person();
        else if (caller === 'nobody') raw = connect();
        else raw = await agent();
        if (caller === 'agent about another' && forAgents.includes(method)) params['agentId'] = 'tester';
        if (caller === 'agent of an old generation') world.authenticator.revoke('reviewer', 2);
        const { error } = await raw.call(method, params);
        assert.equal(error?.data.status ?? 'ok', expected(method, caller), error?.message);
        if (error) assert.deepEqual([world.engine.calls.length - callsBefore, world.hooks.reports.length], [0, 0]);
        if (error?.data.status === RpcStatus.Unauthenticated) await raw.closed();
        world.dispose();
      });
    }
  }

  it('S11 a report is of whoever the token says, whatever the request holds', async () => {
    const { world, agent } = memoryWorld();
    const raw = await agent('reviewer:2');
    await raw.call('hook.report', { event: 'Stop', payload: { agentId: 'tester', from: 'tester' }, sentAtMs: 1 });
    assert.deepEqual(
      world.hooks.reports.map(({ agentId, generation }) => [agentId, generation]),
      [['reviewer', 2]],
    );
    world.dispose();
  });

  it('S11 no value in agentId, generation, from, role or principal makes an agent anybody else', async () => {
    const forged = fc.record(
      {
        agentId: fc.oneof(
          fc.constantFrom('tester', 'Reviewer', 'reviewer ', '../reviewer', '', '*', 'person'),
          fc.jsonValue(),
        ),
        generation: fc.oneof(fc.constantFrom(1, 3, 2.5, -1, '2', null), fc.jsonValue()),
        from: fc.constantFrom('person', 'tester'),
        role: fc.constantFrom('admin', 'person'),
        principal: fc.constant({ kind: 'person' }),
        constructor: fc.constant({}),
      },
      { requiredKeys: [] },
    );
    const runs = trials(300, 2_000, 20_000);
    const { world, clock, agent } = memoryWorld();
    const raw = await agent();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...forAgents), forged, async (method, fields) => {
        await clock.advanceMs(1_000); // the rate is not what is tested
        const isOwn =
          Object.keys(fields).every((key) => key === 'agentId' || key === 'generation') &&
          (fields.agentId === undefined || fields.agentId === 'reviewer') &&
          (fields.generation === undefined || fields.generation === 2);
        const before = world.hooks.reports.length;
        const { error } = await raw.call(method, { ...rightParams('reviewer')[method], ...fields });
        if (isOwn) return assert.equal(error, undefined);
        assert.match(error?.data.status ?? 'ok', /^(PERMISSION_DENIED|INVALID_ARGUMENT)$/);
        assert.equal(world.hooks.reports.length, before);
      }),
      { numRuns: runs },
    );
    world.dispose();
  }).timeout(120_000);

  it('S11 names that every object has are fields like others: refused', async () => {
    const { world, agent } = memoryWorld();
    const raw = await agent();
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      raw.send(`{"jsonrpc":"2.0","id":"${name}","method":"self.status","params":{"${name}":{"kind":"person"}}}`);
      assert.equal((await raw.answer(name)).error?.data.status, RpcStatus.InvalidArgument, name);
      assert.equal((await raw.call(name)).error?.data.status, RpcStatus.Unimplemented, name);
    }
    world.dispose();
  });

  it('S11 a token of a generation that is over is refused at hello, and the connection ends', async () => {
    const { world, connect } = memoryWorld();
    world.authenticator.revoke('reviewer', 1);
    const raw = connect();
    await assert.rejects(raw.hello({ token: 'reviewer:1' }), /could not be established/);
    await raw.closed();
    world.dispose();
  });

  it('S11 an agent whose generation ends while it is connected is cut off at its next request', async () => {
    const { world, agent } = memoryWorld();
    const raw = await agent();
    assert.equal((await raw.call('ping')).error, undefined);
    world.authenticator.revoke('reviewer', 2);
    assert.equal((await raw.call('self.status')).error?.data.status, RpcStatus.Unauthenticated);
    await raw.closed();
    world.dispose();
  });

  it('S12 what an agent asked while its token counted is answered, however long that takes; nothing after it is', async () => {
    const { world, agent } = memoryWorld();
    const raw = await agent();
    let answer = (_: { readonly output: string }): void => assert.fail('nobody asks');
    world.hooks.answer = () => new Promise((resolve) => (answer = resolve));
    const params = { event: 'PermissionRequest', payload: {}, sentAtMs: 1 };
    raw.send(JSON.stringify({ jsonrpc: '2.0', id: 'held', method: 'hook.report', params }));
    assert.equal((await raw.call('ping')).error, undefined);
    world.authenticator.revoke('reviewer', 2);
    answer({ output: 'allowed' });
    assert.deepEqual((await raw.answer('held')).result, { output: 'allowed' });
    assert.equal((await raw.call('self.status')).error?.data.status, RpcStatus.Unauthenticated);
    await raw.closed();
    world.dispose();
  });

  it('S5 an agent learns nothing about others from what it may ask', async () => {
    const { world, agent } = memoryWorld();
    const { result } = await (await agent()).call('self.status');
    assert.doesNotMatch(JSON.stringify(result), /tester|\/project/i);
    assert.deepEqual(Object.keys(result as object).sort(), [
      'activity', 'agentId', 'desired', 'generation', 'lifecycle', 'name', 'queuedPromptCount', 'sinceMs', 'typeId',
    ]); // prettier-ignore
    world.dispose();
  });
});

import assert from 'node:assert/strict';
import { AgentAccess } from '../../../src/core/agentAccess';
import type { AgentRecord } from '../../../src/core/agents/agent';
import { AgentRegistry } from '../../../src/core/agents/agentRegistry';
import type { Lifecycle } from '../../../src/core/agents/agentState';
import { silentLogger } from '../../../src/core/base/log';
import { AuthError } from '../../../src/core/services/authentication/authErrors';
import { agentId, aRecord, seededRandom } from '../../support/builders';
import { sizedMs, trials } from '../../support/trials';

const ID = agentId('reviewer');

/** `provided`: when the file of a token is written; at once by default. */
function world(
  records: readonly AgentRecord[] = [],
  provided: (id: string) => Promise<void> = () => Promise.resolve(),
) {
  const registry = new AgentRegistry(
    (id, read) => ({ id, get record() { return read(); } }) as never, // only the record of an agent is looked at
    (error) => assert.fail(String(error)),
  ); // prettier-ignore
  const writer = registry.claimWriter();
  for (const record of records) writer.add(record);
  const files = new Set<string>();
  const endedBefore: number[] = [];
  const endedIds = new Set<string>();
  const access = new AgentAccess({
    registry,
    log: silentLogger,
    isPersonKey: (candidate) => candidate === 'the key',
    epoch: 5,
    tokens: {
      issue: () => '',
      verifyLeft: () => assert.fail('nothing was left'),
      revoke: () => {},
      revokeId: () => {},
      revokeBefore: (epoch) => void endedBefore.push(epoch),
      verify: (token) => {
        const [sub = '', generation] = token.split('@');
        if (generation === undefined) throw new AuthError('auth.unauthenticated');
        return { sub, generation: Number(generation), jti: token, epoch: 1, iat: 0, exp: 1 };
      },
      isCurrent: ({ jti }) => !endedIds.has(jti),
    },
    tokenFiles: {
      provide: (id, generation) => {
        files.add(`${id}@${generation}`);
        return provided(id);
      },
      remove: (id, generation) => Promise.resolve(void files.delete(`${id}@${generation}`)),
      dispose: () => {},
    },
  });
  const isAccepted = (token: string): boolean => {
    try {
      return access.authenticate({ token, client: 'test' }).kind === 'agent';
    } catch (error) {
      assert.ok(error instanceof AuthError && error.code === 'auth.unauthenticated');
      return false;
    }
  };
  return { registry, writer, files, endedBefore, endedIds, access, isAccepted };
}

describe('who may call', function () {
  this.timeout(sizedMs(20_000, 120_000, 600_000));

  it('S10 an agent has its token from the claim of its run until the run is over', () => {
    const { writer, files, isAccepted } = world();
    const step = (lifecycle: Lifecycle, generation: number): void =>
      writer.replace(aRecord({ id: ID, lifecycle, generation }));
    writer.add(aRecord({ id: ID }));
    assert.deepEqual([...files], []);
    step('starting', 1);
    assert.deepEqual([...files], ['reviewer@1']);
    for (const lifecycle of ['running', 'paused', 'stopping'] as const) {
      step(lifecycle, 1);
      assert.deepEqual([...files], ['reviewer@1'], lifecycle);
      assert.equal(isAccepted('reviewer@1'), true);
    }
    step('stopped', 1);
    assert.deepEqual([...files], []);
    assert.equal(isAccepted('reviewer@1'), false);
    step('starting', 2);
    assert.deepEqual([...files], ['reviewer@2']);
    assert.equal(isAccepted('reviewer@1'), false, 'R19');
    assert.equal(isAccepted('reviewer@2'), true);
    assert.equal(isAccepted('reviewer@3'), false);
    assert.equal(isAccepted('tester@2'), false);
    step('failed', 2);
    step('retired', 2);
    assert.deepEqual([...files], []);
  });

  it('S12 who has called is asked for the token that was shown again, not only for the run', () => {
    const { endedIds, access } = world([aRecord({ id: ID, lifecycle: 'running', generation: 1 })]);
    const agent = access.authenticate({ token: 'reviewer@1', client: 'test' });
    const person = access.authenticate({ personKey: 'the key', client: 'test' });
    assert.equal(access.isStillValid(agent), true);
    endedIds.add('reviewer@1');
    assert.equal(access.isStillValid(agent), false, 'expired, replaced or of an epoch that is over');
    assert.equal(access.isStillValid(person), true);
  });

  it('S10 agents that were found running have one, too', () => {
    const { files } = world([aRecord({ id: ID, lifecycle: 'running', generation: 7 })]);
    assert.deepEqual([...files], ['reviewer@7']);
  });

  it('S12 what earlier owners issued ends once every agent that was found has a token of this one, not before', async () => {
    const written = new Map<string, () => void>();
    const provided = (id: string): Promise<void> => new Promise((resolve) => written.set(id, resolve));
    const found = ['reviewer', 'tester'].map((id) => aRecord({ id: agentId(id), lifecycle: 'running', generation: 1 }));
    const { writer, endedBefore } = world([...found, aRecord({ id: agentId('resting') })], provided);
    writer.add(aRecord({ id: agentId('newcomer'), lifecycle: 'starting', generation: 1 }));
    written.get('reviewer')?.();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(endedBefore, [], 'one file is still that of the owner before');
    written.get('tester')?.();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(endedBefore, [5], 'who came later is not waited for');
  });

  it('S12 an owner that is over ends nothing', async () => {
    let finish = (): void => undefined;
    const provided = (): Promise<void> => new Promise((resolve) => (finish = resolve));
    const { access, endedBefore } = world([aRecord({ id: ID, lifecycle: 'running', generation: 1 })], provided);
    access.dispose();
    finish();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(endedBefore, []);
  });

  it('R19 S10 no order of runs leaves a token of an earlier run in use', () => {
    const lifecycles: readonly Lifecycle[] = [
      'starting',
      'running',
      'lost',
      'stopped',
      'failed',
      'backoff',
      'exited',
      'stopping',
    ];
    for (let seed = 0; seed < trials(50, 10_000, 50_000); seed += 1) {
      const random = seededRandom(seed);
      const { writer, files, isAccepted } = world([aRecord({ id: ID })]);
      let generation = 0;
      for (let i = 0; i < 30; i += 1) {
        if (random() < 0.3) generation += 1;
        const lifecycle = lifecycles[Math.floor(random() * lifecycles.length)] ?? 'running';
        writer.replace(aRecord({ id: ID, lifecycle, generation }));
        const isAlive = generation > 0 && ['starting', 'running', 'lost', 'stopping'].includes(lifecycle);
        assert.deepEqual([...files], isAlive ? [`reviewer@${generation}`] : [], `seed ${seed}`);
        for (let old = 0; old < generation; old += 1)
          assert.equal(isAccepted(`reviewer@${old}`), false, `seed ${seed}`);
      }
    }
  });

  it('S11 a person shows the key and nothing else', () => {
    const { access } = world();
    assert.deepEqual(access.authenticate({ personKey: 'the key', client: 'orc' }), { kind: 'person', client: 'orc' });
    for (const hello of [
      {},
      { personKey: '' },
      { personKey: 'another' },
      { personKey: 'the key', token: 'reviewer@1' },
      { token: 'x' },
      { token: '../x@1' },
    ])
      assert.throws(() => access.authenticate({ ...hello, client: 'orc' }), { code: 'auth.unauthenticated' });
  });
});

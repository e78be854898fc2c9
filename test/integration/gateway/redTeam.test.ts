import assert from 'node:assert/strict';
import path from 'node:path';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { connectSocket } from '../../../src/core/gateway/node/connectGateway';
import { UnixGatewayListener } from '../../../src/core/gateway/node/unixGatewayListener';
import { eventually } from '../../support/eventually';
import { GatewayWorld, RawCaller } from '../../support/gatewayWorld';
import { RED_TEAM_REQUESTS } from '../../support/redTeamRequests';
import { temporaryFolder } from '../../support/storeWorker';

const log = silentLogger;
const clock = new SystemClock();

describe('an agent that was talked into it', () => {
  let world: GatewayWorld<UnixGatewayListener>;
  let remove: () => void;
  const owned: { dispose(): void }[] = [];
  const connect = async (token: string): Promise<RawCaller> => {
    const connection = await connectSocket({ socket: world.gateway.path }, { clock, log });
    owned.push(connection);
    const caller = new RawCaller(connection);
    await caller.hello({ token });
    return caller;
  };

  beforeEach(async () => {
    const { folder, remove: removeFolder } = temporaryFolder();
    remove = removeFolder;
    const paths: [string] = [path.join(folder, 'run', 'gateway.sock')];
    world = new GatewayWorld(await UnixGatewayListener.listen({ paths, clock, log }), clock);
  });
  afterEach(() => {
    for (const one of owned.splice(0)) one.dispose();
    world.dispose();
    remove();
  });

  it('S5 there are at least 50 such requests', () => assert.ok(RED_TEAM_REQUESTS.length >= 50));

  for (const { what, frame } of RED_TEAM_REQUESTS) {
    it(`S5 cannot ${what} (S11)`, async () => {
      const caller = await connect('reviewer:2');
      const before = [JSON.stringify(world.engine.agents), JSON.stringify(world.engine.status)];
      caller.send(frame);
      await caller.call('ping').catch(() => caller.closed()); // whatever was sent before it was taken by now
      const answers = caller.received.filter(({ id, error }) => id !== undefined && id !== 1000 && id !== 1001 && error); // prettier-ignore
      const isSilent = !frame.includes('"id":1,') && !frame.startsWith('[');
      if (!isSilent) {
        assert.equal(answers.length, 1);
        assert.match(answers[0]?.error?.data.status ?? '', /^(PERMISSION_DENIED|INVALID_ARGUMENT|UNIMPLEMENTED)$/);
      }
      assert.equal(caller.received.some(({ result, id }) => id === 1 && result !== undefined), false); // prettier-ignore
      assert.deepEqual(world.engine.calls, []);
      assert.deepEqual(world.hooks.reports, []);
      assert.deepEqual([JSON.stringify(world.engine.agents), JSON.stringify(world.engine.status)], before);
      assert.doesNotMatch(JSON.stringify(caller.received), /tester/i);
    });
  }

  it('S11 cannot cancel what another agent asked, although the ids are the same', async () => {
    const [victim, attacker] = [await connect('tester:1'), await connect('reviewer:2')];
    let signal: AbortSignal | undefined;
    world.hooks.answer = (_, held) => {
      signal = held;
      return new Promise(() => undefined);
    };
    victim.request('hook.report', { event: 'PermissionRequest', payload: null, sentAtMs: 1 }, 7);
    await eventually('the report', () => signal);
    attacker.send({ jsonrpc: '2.0', method: '$/cancel', params: { id: 7 } });
    await attacker.call('ping');
    assert.equal(signal?.aborted, false);
  });
});

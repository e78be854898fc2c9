import assert from 'node:assert/strict';
import { GatewayClient } from '../../../../src/core/gateway/gatewayClient';
import { MAX_ANSWER_BYTES } from '../../../../src/core/gateway/rpcFrames';
import { isLeftOut, listedViews } from '../../../../src/core/gateway/listedViews';
import { RemoteEngine } from '../../../../src/core/gateway/remoteEngine';
import type { AgentView } from '../../../../src/core/engine';
import { silentLogger } from '../../../../src/core/base/log';
import { agentId } from '../../../support/builders';
import { eventually } from '../../../support/eventually';
import { aReceipt, aRequest, anAgentView } from '../../../support/fakeEngine';
import { memoryWorld, PERSON_KEY } from '../../../support/gatewayWorld';

const AGENTS = 500;
/** Every line of a change has what JSON writes with two characters. */
const LINE = '+ const text = "\\n";\n';

/** An agent of which everything that can be told is told, as long as it may be in earnest. */
const talkative = (index: number, detailLength: number): AgentView => {
  const id = agentId(`${'agent-with-a-long-name'.padEnd(32, '-x')}-${index}`);
  return anAgentView({
    id,
    name: `Reviewer ${index} `.padEnd(80, 'ß'),
    folder: '/home/somebody/projects/'.padEnd(160, 'packages/'),
    role: 'x'.repeat(80),
    team: 'x'.repeat(80),
    activity: 'awaiting_approval',
    needsYou: 'approval',
    evidence: Array.from({ length: 4 }, () => ({ source: 'screen', detail: '"'.repeat(200), observedAtMs: 1e12 })),
    lastReceipt: aReceipt({ agentId: id, excerpt: '"'.repeat(120), detail: 'x'.repeat(200) }),
    request: aRequest({
      agentId: id,
      title: 'x'.repeat(200),
      detail: LINE.repeat(Math.ceil(detailLength / LINE.length)).slice(0, detailLength),
      isCut: false,
    }),
    degraded: Array.from({ length: 3 }, () => 'no hooks: activity comes from the screen only'),
  });
};
/** Types and notices come with them. */
const limit = MAX_ANSWER_BYTES - 256 * 1024;
const bytesOf = (views: readonly AgentView[]): number => Buffer.byteLength(JSON.stringify(views));

describe('an answer with every agent', () => {
  it(`of ${AGENTS} talkative agents is complete and fits into a frame`, () => {
    const views = Array.from({ length: AGENTS }, (_, index) => talkative(index, 500));
    assert.equal(listedViews(views), views);
    assert.ok(bytesOf(views) < limit, `${bytesOf(views)} bytes`);
  });

  it('leaves out the longest requests, and says so, when all together are too much', () => {
    const short = talkative(0, 100);
    const views = [short, ...Array.from({ length: AGENTS - 1 }, (_, index) => talkative(index + 1, 32 * 1024))];
    assert.ok(bytesOf(views) > limit);
    const listed = listedViews(views);
    assert.ok(bytesOf(listed) < limit, `${bytesOf(listed)} bytes`);
    assert.equal(listed[0], short);
    const leftOut = listed.filter(({ request }) => isLeftOut(request));
    assert.ok(leftOut.length > AGENTS - 20 && leftOut.length < AGENTS, `${leftOut.length} left out`);
    assert.deepEqual(
      listed.map(({ id, request }) => [id, request?.id, request?.title]),
      views.map(({ id, request }) => [id, request?.id, request?.title]),
    );
  });

  it('is completed by a window that follows', async () => {
    const { world, clock } = memoryWorld();
    const { engine } = world;
    for (let at = 0; at < 40; at++) engine.simulateAgent(talkative(at, 32 * 1024));
    const ports = { clock, log: silentLogger };
    const { connection } = world.listener.connect();
    const client = await GatewayClient.open(connection, { client: 'window', personKey: PERSON_KEY }, ports);
    const remote = await RemoteEngine.follow(client, silentLogger);
    assert.ok(remote.agents.some(({ request }) => isLeftOut(request)));
    // What changes while the texts are fetched is newer than they are.
    const changed = talkative(0, 10);
    engine.simulateAgent(changed);
    await eventually('all is there', () => !remote.agents.some(({ request }) => isLeftOut(request)));
    assert.deepEqual(remote.agents, engine.agents);
    assert.deepEqual(remote.agent(changed.id), changed);
    remote.dispose();
    world.dispose();
  });
});

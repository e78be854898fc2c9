import assert from 'node:assert/strict';
import { silentLogger } from '../../../../src/core/base/log';
import { lastWords, wordsEvidence, wordsOf } from '../../../../src/core/agents/lastWords';
import { agentId } from '../../../support/builders';
import { SupervisedWorld } from '../../../support/supervisedWorld';

const ID = agentId('reviewer');
const SCREEN = 'npm start\n\n\u001b[31mError:\u001b[0m \u202ecannot find module\n  code: 7\n│      │\n\n';

async function crashed(world: SupervisedWorld, text = SCREEN): Promise<void> {
  world.host.setScreen(ID, { text });
  world.host.simulateExit(ID, { code: 1 });
  await world.clock.advanceMs(10);
}

describe('what a run said last', () => {
  it('is kept with its end, as plain text, and looked for once', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent({ restartPolicy: 'never' });
    world.host.calls.length = 0;
    await crashed(world);
    assert.deepEqual(
      agent.record.evidence.map(({ source, detail }) => `${source}: ${detail}`),
      ['exit_file: ended: code 1', 'screen: last on its screen: npm start ⏎ Error: cannot find module ⏎ code: 7'],
    );
    assert.equal(agent.record.reason, 'exit_code');
    assert.equal(world.host.calls.filter(({ method }) => method === 'capture').length, 1);
    assert.deepEqual(wordsOf(agent.record.evidence), ['npm start', 'Error: cannot find module', 'code: 7']);
  });

  it('is no footer that names a key and what it does', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent({ restartPolicy: 'never' });
    await crashed(world, 'Error: press enter to continue\n\n  esc to interrupt\n  ? for shortcuts · ctrl+t to hide\n');
    assert.deepEqual(wordsOf(agent.record.evidence), ['Error: press enter to continue']);
  });

  it('is no progress', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent({ restartPolicy: 'never' });
    await crashed(world, 'Error: no space (tried 3 times)\n• Working (0s · esc to interrupt)\n✻ Thinking… (3s · ↑ 20 tokens · esc to interrupt)\n⠙ Generating\n'); // prettier-ignore
    assert.deepEqual(wordsOf(agent.record.evidence), ['Error: no space (tried 3 times)']);
  });

  it('is not looked for after an end without a failure, and is none when its terminal is gone', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent({ restartPolicy: 'never' });
    world.host.failNext('capture');
    await crashed(world);
    assert.deepEqual(agent.record.evidence.map(({ detail }) => detail), ['ended: code 1']); // prettier-ignore
    const other = new SupervisedWorld();
    await other.runningAgent({ restartPolicy: 'never' });
    other.host.calls.length = 0;
    other.host.simulateExit(ID, { code: 0 });
    await other.clock.advanceMs(10);
    assert.equal(other.host.calls.filter(({ method }) => method === 'capture').length, 0);
  });

  it('never takes more than one KiB', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent({ restartPolicy: 'never' });
    world.host.setScreen(ID, { text: `${'錯'.repeat(400)}\n`.repeat(8) });
    const words = await lastWords(agent, agent.record.generation, silentLogger);
    const bytes = new TextEncoder().encode(wordsEvidence(words, 0)[0]?.detail ?? '').length;
    assert.ok(bytes > 500 && bytes <= 1024, String(bytes));
    assert.deepEqual(await lastWords(agent, agent.record.generation + 1, silentLogger), []);
  });

  it('stays known while a restart waits, and is told with the quarantine', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent({ restartPolicy: 'on_failure' });
    const crash = (): void => {
      world.host.setScreen(ID, { text: 'no space left on device' });
      world.host.simulateExit(ID, { code: 28 });
    };
    crash();
    await world.clock.advanceMs(10);
    world.host.onDidLaunch = () => void world.clock.setTimer(3_000, crash);
    assert.deepEqual(
      [agent.record.lifecycle, ...wordsOf(agent.record.evidence)],
      ['backoff', 'no space left on device'],
    );
    await world.clock.advanceMs(600_000);
    assert.equal(agent.record.lifecycle, 'quarantined');
    assert.match(
      world.raised[0]?.detail ?? '',
      /releases it\. It last ended with code 28: "no space left on device"\.$/,
    );
    assert.deepEqual(wordsOf(agent.record.evidence), ['no space left on device']);
  });
});

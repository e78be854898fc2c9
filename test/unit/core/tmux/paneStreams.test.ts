import assert from 'node:assert/strict';
import type { AgentId } from '../../../../src/core/agents/agent';
import type { SettledScreen } from '../../../../src/core/agents/agentHost';
import { silentLogger } from '../../../../src/core/base/log';
import { HostedAgents, type HostedEntry } from '../../../../src/core/tmux/hostedAgents';
import { PaneStreams } from '../../../../src/core/tmux/node/paneStreams';
import { MAX_STREAMED_PANES } from '../../../../src/core/tmux/node/streamPolicy';
import { paneFormat } from '../../../../src/core/tmux/tmuxFormat';
import { asPaneId, asWindowId } from '../../../../src/core/tmux/tmuxArgs';
import { ManualClock } from '../../../support/manualClock';

const ENTRY: HostedEntry = {
  agentId: 'one' as AgentId,
  generation: 1,
  pid: 1,
  paneId: asPaneId('%1'),
  windowId: asWindowId('@1'),
  process: undefined,
  isHosted: true,
  cause: undefined,
};

/** `heard`: what comes on the connection of the output before it answers what was asked after the reading. */
function createFixture(heard: (streams: PaneStreams, clock: ManualClock) => Promise<void>) {
  const clock = new ManualClock();
  const agents = new HostedAgents();
  const settled: AgentId[] = [];
  agents.add({ ...ENTRY });
  const connection = {
    format: paneFormat('m'),
    runOnWatch: async () => {
      await heard(streams, clock);
      return [];
    },
  };
  const streams: PaneStreams = new PaneStreams({
    agents,
    clock,
    log: silentLogger,
    connection: () => connection,
    panes: {
      capture: async ({ agentId, generation }): Promise<SettledScreen> => ({
        agentId,
        generation,
        text: 'what it draws now',
        title: '',
        foreground: '',
        cursor: { x: 0, y: 0 },
        isInCopyMode: false,
        observedAtMs: clock.nowMs(),
      }),
    },
    onSettled: ({ agentId }) => settled.push(agentId),
    onOsc: () => undefined,
    onOutput: () => undefined,
  });
  streams.open(connection, true);
  streams.update();
  streams.onOutput(ENTRY.paneId, Buffer.from('before'));
  return { clock, streams, agents, settled };
}

describe('paneStreams', () => {
  it('tells how long a screen had rested when it was read', async () => {
    const { clock, streams } = createFixture(async (_, time) => {
      if (time.monotonicMs() === 400) await time.advanceMs(50);
    });
    await clock.advanceMs(400);
    assert.equal((await streams.capture(ENTRY)).quietMs, 400);
  });

  it('asks once for screens that were read together, and again for one that is read later', async () => {
    let asked = 0;
    const { streams, clock, agents } = createFixture(async () => void asked++);
    const other: HostedEntry = { ...ENTRY, agentId: 'two' as AgentId, pid: 2, paneId: asPaneId('%2') };
    agents.add(other);
    streams.onOutput(other.paneId, Buffer.from('before'));
    await clock.advanceMs(400);
    asked = 0;
    const screens = await Promise.all([ENTRY, other].map((entry) => streams.capture(entry)));
    assert.deepEqual([asked, ...screens.map(({ quietMs }) => quietMs)], [1, 400, 400]);
    await streams.capture(other);
    assert.equal(asked, 2);
  });

  it('does not take for rested what shows output that was not heard yet when it was read', async () => {
    const { clock, streams } = createFixture(async (all) =>
      all.onOutput(ENTRY.paneId, Buffer.from('what it draws now')),
    );
    await clock.advanceMs(400);
    assert.equal((await streams.capture(ENTRY)).quietMs, 0);
  });

  it('does not know how long a screen had rested when the connection of the output has gone', async () => {
    const { clock, streams } = createFixture(() => Promise.reject(new Error('gone')));
    await clock.advanceMs(400);
    const screen = await streams.capture(ENTRY);
    assert.equal(screen.quietMs, undefined);
    assert.equal(screen.text, 'what it draws now');
  });

  it('reads a screen whose output is streamed again: what it put out before was not told', async () => {
    const { clock, streams, agents, settled } = createFixture(() => Promise.resolve());
    await clock.advanceMs(400);
    const others = Array.from({ length: MAX_STREAMED_PANES }, (_, index) => `other-${index}` as AgentId);
    for (const [index, agentId] of others.entries())
      agents.add({ ...ENTRY, agentId, paneId: asPaneId(`%${index + 2}`) });
    streams.update();
    await clock.advanceMs(400);
    settled.length = 0;
    const [gone] = others;
    assert.ok(gone);
    agents.remove(gone);
    streams.update();
    await clock.advanceMs(400);
    assert.equal(settled.length, MAX_STREAMED_PANES);
    assert.ok(settled.includes(ENTRY.agentId));
  });

  it('reads a screen that had settled before it was known whose it is', async () => {
    const { clock, streams, agents, settled } = createFixture(() => Promise.resolve());
    const entry = { ...ENTRY, agentId: 'launched' as AgentId, paneId: asPaneId('%2') };
    streams.onOutput(entry.paneId, Buffer.from('ready'));
    await clock.advanceMs(1_000);
    assert.deepEqual(settled, ['one']);
    agents.add(entry);
    streams.noteLaunched(entry);
    await clock.advanceMs(1_000);
    assert.deepEqual(settled, ['one', 'launched']);
  });

  it('R15 forgets nothing of a terminal that a new server gave the pane id of a lost one', async () => {
    const { clock, streams, agents, settled } = createFixture(() => Promise.resolve());
    const lost = agents.get(ENTRY.agentId) ?? ENTRY;
    agents.unhost(lost);
    const entry = { ...ENTRY, agentId: 'launched' as AgentId };
    agents.add(entry);
    streams.noteLaunched(entry);
    streams.onOutput(entry.paneId, Buffer.from('\\033[?2004h'));
    agents.remove(ENTRY.agentId);
    streams.forget(lost, false);
    await clock.advanceMs(1_000);
    assert.deepEqual([settled, (await streams.capture(entry)).bracketsPaste], [['launched'], true]);
    streams.forget(entry, true);
    assert.equal((await streams.capture(entry)).bracketsPaste, undefined);
  });

  it('does not know how long a screen had rested whose output is not streamed', async () => {
    const { clock, streams } = createFixture(() => Promise.resolve());
    streams.close();
    await clock.advanceMs(400);
    assert.equal((await streams.capture(ENTRY)).quietMs, undefined);
  });
});

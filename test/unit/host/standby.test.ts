import assert from 'node:assert/strict';
import type { AgentId } from '../../../src/core/agents/agent';
import type { AgentView, AgentViewChange, EngineStatus } from '../../../src/core/engine';
import { toDisposable } from '../../../src/core/base/disposable';
import { Emitter } from '../../../src/core/base/event';
import { parseHostArguments } from '../../../src/host/hostArguments';
import { watchStandby } from '../../../src/host/standby';
import { ManualClock } from '../../support/manualClock';

const READY: EngineStatus = { kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false };
const FOLLOWING: EngineStatus = { kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: true };
const agent = (lifecycle: AgentView['lifecycle']): AgentView => ({ lifecycle }) as AgentView; // nothing else is looked at

class FakeEngine {
  readonly #onStatus = new Emitter<EngineStatus>((error) => assert.fail(String(error)));
  readonly #onAgent = new Emitter<AgentViewChange>((error) => assert.fail(String(error)));
  readonly onDidChangeStatus = this.#onStatus.event;
  readonly onDidChangeAgent = this.#onAgent.event;
  status: EngineStatus = READY;
  agents: readonly AgentView[] = [];

  say(status: EngineStatus): void {
    this.status = status;
    this.#onStatus.fire(status);
  }

  /** One after the other, as the engine tells it. */
  become(agents: readonly AgentView[]): void {
    const before = this.agents;
    this.agents = agents;
    for (let at = 0; at < Math.max(before.length, agents.length); at++)
      this.#onAgent.fire({ id: `a${at}` as AgentId, view: agents[at], previous: before[at] });
  }
}

describe('a host that was started by a window', () => {
  let clock: ManualClock;
  let engine: FakeEngine;
  let isWanted: boolean;
  let isWindowWaiting: boolean;
  let tellSettings: () => void;
  let ends: string[];

  beforeEach(() => {
    clock = new ManualClock();
    engine = new FakeEngine();
    engine.agents = [agent('running')];
    isWanted = true;
    isWindowWaiting = false;
    ends = [];
    watchStandby({
      engine,
      clock,
      isWanted: () => isWanted,
      isWindowWaiting: async () => isWindowWaiting,
      watchWanted: (onChange) => {
        tellSettings = onChange;
        return toDisposable(() => (tellSettings = () => undefined));
      },
      lingerMs: 60_000,
      onEnd: (why) => void ends.push(why),
    });
  });

  it('goes on while something lives, may live, or is to be started again', async () => {
    for (const lifecycle of ['starting', 'running', 'paused', 'stopping', 'lost', 'backoff'] as const) {
      engine.become([agent('stopped'), agent(lifecycle)]);
      await clock.advanceMs(600_000);
      assert.deepEqual([lifecycle, ...ends], [lifecycle]);
    }
  });

  it('ends once nothing has lived for a while', async () => {
    engine.become([agent('stopped'), agent('failed'), agent('quarantined')]);
    await clock.advanceMs(59_000);
    engine.become([agent('running')]);
    await clock.advanceMs(10_000);
    engine.become([]);
    await clock.advanceMs(59_999);
    assert.deepEqual(ends, []);
    await clock.advanceMs(1);
    await clock.advanceMs(600_000);
    assert.deepEqual(ends, ['nothingLives']);
  });

  it('waits as long as a window owns the workspace, and looks once a minute at most', async () => {
    engine.agents = [];
    engine.say(FOLLOWING);
    let looks = 0;
    Object.defineProperty(engine, 'agents', { get: () => (looks++, []) });
    Object.defineProperty(engine, 'status', { get: () => (looks++, FOLLOWING) });
    await clock.advanceMs(3_600_000);
    assert.deepEqual(ends, []);
    assert.ok(looks <= 60 * 4, `${looks} looks`);
  });

  it('ends at once when it is not wanted any more', () => {
    isWanted = false;
    assert.deepEqual(ends, []);
    tellSettings();
    tellSettings();
    assert.deepEqual(ends, ['notWanted']);
  });

  it('ends within a minute when it is not wanted any more and nobody could tell', async () => {
    isWanted = false;
    await clock.advanceMs(60_000);
    assert.deepEqual(ends, ['notWanted']);
  });

  it('makes way for a window, once it owns the workspace', async () => {
    isWindowWaiting = true;
    engine.say(FOLLOWING);
    tellSettings();
    await clock.advanceMs(120_000);
    assert.deepEqual(ends, []);
    engine.say(READY);
    await clock.advanceMs(0);
    tellSettings();
    await clock.advanceMs(120_000);
    assert.deepEqual(ends, ['windowWaits']);
  });

  it('ends when it cannot work', () => {
    engine.say({ kind: 'blocked', code: 'x', detail: '' });
    assert.deepEqual(ends, ['blocked']);
  });
});

describe('the command line of the host', () => {
  it('needs a workspace', () => {
    assert.deepEqual(parseHostArguments(['--workspace', '/w', '--standby']), {
      workspace: '/w',
      storage: undefined,
      isStandby: true,
    });
    for (const args of [[], ['--workspace'], ['--workspace', '/w', '--other'], ['--workspace', '/w', 'more']])
      assert.throws(() => parseHostArguments(args));
  });
});

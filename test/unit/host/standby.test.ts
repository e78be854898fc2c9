import assert from 'node:assert/strict';
import type { AgentView, EngineStatus } from '../../../src/core/engine';
import { parseHostArguments } from '../../../src/host/hostArguments';
import { watchStandby } from '../../../src/host/standby';
import { ManualClock } from '../../support/manualClock';

const READY: EngineStatus = { kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false };
const FOLLOWING: EngineStatus = { kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: true };
const agent = (lifecycle: AgentView['lifecycle']): AgentView => ({ lifecycle }) as AgentView; // nothing else is looked at

describe('a host that was started by a window', () => {
  let clock: ManualClock;
  let engine: { status: EngineStatus; agents: readonly AgentView[] };
  let isWanted: boolean;
  let ended: string | undefined;

  beforeEach(() => {
    clock = new ManualClock();
    engine = { status: READY, agents: [agent('running')] };
    isWanted = true;
    ended = undefined;
    watchStandby({ engine, clock, isWanted: () => isWanted, lingerMs: 60_000, onEnd: (why) => (ended = why) });
  });

  it('goes on while something lives, may live, or is to be started again', async () => {
    for (const lifecycle of ['starting', 'running', 'paused', 'stopping', 'lost', 'backoff'] as const) {
      engine.agents = [agent('stopped'), agent(lifecycle)];
      await clock.advanceMs(600_000);
      assert.deepEqual([lifecycle, ended], [lifecycle, undefined]);
    }
  });

  it('ends once nothing has lived for a while', async () => {
    engine.agents = [agent('stopped'), agent('failed'), agent('quarantined')];
    await clock.advanceMs(59_000);
    assert.equal(ended, undefined);
    engine.agents = [agent('running')];
    await clock.advanceMs(10_000);
    engine.agents = [];
    await clock.advanceMs(59_000);
    assert.equal(ended, undefined);
    await clock.advanceMs(10_000);
    assert.equal(ended, 'nothingLives');
  });

  it('waits as long as a window owns the workspace', async () => {
    engine.status = FOLLOWING;
    engine.agents = [];
    await clock.advanceMs(3_600_000);
    assert.equal(ended, undefined);
  });

  it('ends when it is not wanted any more, and when it cannot work', async () => {
    isWanted = false;
    await clock.advanceMs(3_000);
    assert.equal(ended, 'notWanted');
    ended = undefined;
    watchStandby({
      engine: { status: { kind: 'blocked', code: 'x', detail: '' }, agents: [] },
      clock,
      isWanted: () => true,
      lingerMs: 60_000,
      onEnd: (why) => (ended = why),
    });
    await clock.advanceMs(3_000);
    assert.equal(ended, 'blocked');
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

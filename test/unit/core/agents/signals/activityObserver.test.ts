import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ActivityObserver } from '../../../../../src/core/agents/activityObserver';
import { requireAgentType } from '../../../../../src/core/agents/agentTypeParser';
import { AgentRegistry } from '../../../../../src/core/agents/agentRegistry';
import { AgentStateManager } from '../../../../../src/core/agents/agentStateManager';
import { BaseAgent } from '../../../../../src/core/agents/baseAgent';
import type { Activity } from '../../../../../src/core/agents/agentState';
import type { AgentSignal } from '../../../../../src/core/agents/signals/agentSignal';
import { agentId, aRecord } from '../../../../support/builders';
import { SupervisedWorld } from '../../../../support/supervisedWorld';
import { sizedMs, trials } from '../../../../support/trials';

const ID = agentId('reviewer');
const TYPE = requireAgentType({
  id: 'told',
  label: 'Told',
  command: ['told'],
  readiness: { when: 'alive', afterMs: 0 },
  screenRules: [
    { id: 'dialog', activity: 'awaiting_approval', where: 'bottom', pattern: '^ALLOW\\?' },
    { id: 'working', activity: 'busy', where: 'bottom', pattern: '^WORK' },
    { id: 'box', activity: 'idle', where: 'bottom', pattern: '^>$' },
    { id: 'spinner', activity: 'busy', where: 'title', pattern: '^[⠀-⣿] ' },
    { id: 'action', activity: 'awaiting_input', where: 'title', pattern: '^Action' },
  ],
  osc: [
    { id: 'working', code: 7501, pattern: '^state=working', activity: 'busy' },
    { id: 'idle', code: 7501, pattern: '^state=idle', activity: 'idle' },
    { id: 'blocked', code: 7501, pattern: '^state=blocked', activity: 'awaiting_approval' },
  ],
  overlays: [{ id: 'transcript', pattern: '^TRANSCRIPT' }],
  silentRetryMs: 60_000,
  prompt: { canPaste: true },
  quit: [],
  graceMs: 1_000,
});

/** An observer over fakes, with one running agent of the type above and the host it runs in. */
async function createFixture(generation = 4) {
  const world = new SupervisedWorld();
  const { host, clock } = world;
  const ports = world.ports();
  ports.factory.register(TYPE);
  const fail = (error: unknown): never => {
    throw error;
  };
  const registry = new AgentRegistry((id, read) => new BaseAgent(id, read, host, ports.factory, clock), fail);
  const state = new AgentStateManager({ ...ports, registry });
  await state.create(
    aRecord({ lifecycle: 'running', generation, spec: { name: 'Reviewer', typeId: 'told', folder: '/project' } }),
  );
  await host.start();
  host.simulateHosted({ agentId: ID, generation, folder: '/project', argv: ['told'], env: {} });
  const observer = new ActivityObserver({ ...ports, registry, state });
  const history: string[] = [];
  const startedMs = clock.monotonicMs();
  state.onDidChangeState(({ change }) => {
    if (change) history.push(`${clock.monotonicMs() - startedMs} ${change.to.activity} ${change.reason}`);
  });
  const signal = (activity: Activity, changes: Partial<AgentSignal> = {}): void =>
    observer.signal({ agentId: ID, generation, source: 'hook', activity, detail: `hook ${activity}`, observedAtMs: clock.nowMs(), ...changes }); // prettier-ignore
  const record = () => registry.get(ID).record;
  const captures = (): number => host.calls.filter(({ method }) => method === 'capture').length;
  return { host, clock, observer, history, signal, record, captures };
}

describe('activityObserver', () => {
  it('writes what a hook says at once, without a look', async () => {
    const { clock, history, signal, captures, record } = await createFixture();
    signal('busy');
    await clock.advanceMs(0);
    assert.deepEqual(history, ['0 busy hook']);
    assert.equal(record().evidence[0]?.detail, 'hook busy');
    assert.equal(captures(), 0);
  });

  it('reads title rules when the title changes, and the OSC of the type', async () => {
    const { host, clock, history } = await createFixture();
    host.simulateOsc(ID, 0, '⠂ thinking');
    await clock.advanceMs(50);
    host.simulateOsc(ID, 2, '⠐ thinking');
    await clock.advanceMs(50);
    host.simulateOsc(ID, 7501, 'state=blocked:kind=permission');
    await clock.advanceMs(50);
    host.simulateOsc(ID, 7501, 'state=working');
    await clock.advanceMs(50);
    assert.deepEqual(history, ['0 busy title_rule', '100 awaiting_approval osc_rule', '150 busy osc_rule']);
  });

  it('looks by itself when something says that the turn is over', async () => {
    const { host, clock, history, signal, captures } = await createFixture();
    signal('busy');
    host.setScreen(ID, { text: '>' });
    await clock.advanceMs(1_000);
    signal('idle');
    await clock.advanceMs(10);
    assert.deepEqual(history, ['0 busy hook', '1000 idle hook']);
    assert.equal(captures(), 1);
    await clock.advanceMs(60_000);
    assert.equal(captures(), 1, 'an idle agent is not looked at again');
    assert.equal(clock.pendingCount, 0, 'and no timer waits');
  });

  it('finds an interrupted agent idle within a second, when no hook tells', async () => {
    for (const end of ['title', 'screen'] as const) {
      const { host, clock, history, signal, captures } = await createFixture();
      signal('busy');
      host.simulateOsc(ID, 0, '⠂ thinking');
      host.simulateScreen(ID, { text: 'WORK' });
      await clock.advanceMs(5_000);
      if (end === 'title') host.setScreen(ID, { text: '>' });
      else host.simulateScreen(ID, { text: '>' });
      host.simulateOsc(ID, 0, 'done');
      await clock.advanceMs(1_000);
      assert.match(history.at(-1) ?? '', /^51\d\d idle screen_contradicts$/, end);
      assert.ok(captures() <= 4, `${captures()}`);
    }
  });

  it('never says idle while a dialog is up', async () => {
    const { host, clock, history, signal } = await createFixture();
    host.simulateScreen(ID, { text: 'ALLOW?' });
    signal('idle');
    host.simulateOsc(ID, 7501, 'state=idle');
    await clock.advanceMs(10_000);
    assert.deepEqual(history, ['0 awaiting_approval screen_rule']);
  });

  it('R19 ignores what is told of another generation, in any mixture', async () => {
    const news = fc.tuple(
      fc.integer({ min: 2, max: 6 }),
      fc.constantFrom('hook' as const, 'title' as const, 'osc' as const),
      fc.constantFrom<Activity>('idle', 'busy', 'awaiting_approval', 'error'),
      fc.integer({ min: 0, max: 500 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(news, { maxLength: 20 }), async (list) => {
        const play = async (wanted: (generation: number) => boolean): Promise<readonly string[]> => {
          const { host, clock, history, signal, observer } = await createFixture();
          host.setScreen(ID, { text: '>' });
          for (const [generation, source, activity, waitMs] of list) {
            if (wanted(generation)) signal(activity, { generation, source });
            await clock.advanceMs(waitMs);
          }
          await clock.advanceMs(1_000);
          observer.dispose();
          return history;
        };
        assert.deepEqual(await play(() => true), await play((generation) => generation === 4));
      }),
      { numRuns: trials(20, 10_000, 50_000) },
    );
  }).timeout(sizedMs(20_000, 1_800_000, 7_200_000));

  it('believes no old news that comes late, also when the wall clock was set meanwhile', async () => {
    const { host, clock, history, signal } = await createFixture();
    host.simulateScreen(ID, { text: '>' });
    await clock.advanceMs(5_000);
    signal('busy', { observedAtMs: clock.nowMs() - 4_900 });
    await clock.advanceMs(1_000);
    assert.equal(history.at(-1)?.split(' ')[1], 'idle');
    clock.jumpWallMs(-3_600_000);
    signal('busy');
    await clock.advanceMs(0);
    assert.equal(history.at(-1)?.split(' ')[1], 'busy', 'after a jump back of the wall clock');
  });

  it('says unknown under an overlay, and what is told newer than it', async () => {
    const { host, clock, record, signal } = await createFixture();
    signal('busy');
    host.simulateScreen(ID, { text: 'WORK' });
    await clock.advanceMs(1_000);
    host.simulateScreen(ID, { text: 'TRANSCRIPT' });
    await clock.advanceMs(1_000);
    assert.deepEqual([record().activity, record().reason], ['unknown', 'overlay']);
    signal('busy');
    await clock.advanceMs(0);
    assert.equal(record().activity, 'busy');
  });

  it('waits for the end of copy mode at a low rate', async () => {
    const { host, clock, record, signal, captures } = await createFixture();
    signal('busy');
    host.setScreen(ID, { text: '>', isInCopyMode: true });
    await clock.advanceMs(1);
    signal('idle');
    await clock.advanceMs(10_000);
    assert.equal(record().activity, 'busy');
    assert.ok(captures() <= 12, `${captures()}`);
    host.setScreen(ID, { isInCopyMode: false });
    await clock.advanceMs(1_100);
    assert.equal(record().activity, 'idle');
    assert.equal(clock.pendingCount, 0);
  });

  it('goes on after looks that failed, and gives up when the terminal stays away', async () => {
    const { host, clock, record, signal, captures } = await createFixture();
    host.setScreen(ID, { text: '>' });
    host.failNext('capture');
    signal('idle');
    await clock.advanceMs(500);
    assert.equal(record().activity, 'idle');
    for (let i = 0; i < 50; i++) host.failNext('capture');
    signal('busy');
    await clock.advanceMs(1);
    signal('idle');
    await clock.advanceMs(60_000);
    assert.ok(captures() <= 8, `${captures()}`);
  });

  it('says that work without an event or progress is possibly retrying, until there is one', async () => {
    const { host, clock, record, history } = await createFixture();
    host.simulateOsc(ID, 0, '⠂ Working');
    for (let second = 1; second <= 70; second++) {
      host.simulateScreen(ID, { text: `text\nWORK (esc to cancel, ${second}s) ⠋` });
      await clock.advanceMs(1_000);
    }
    assert.match(record().evidence[0]?.detail ?? '', /^possibly retrying: 60 s/);
    assert.deepEqual([record().activity, history.length], ['busy', 1]);
    host.simulateScreen(ID, { text: 'text and more\nWORK (esc to cancel, 71s)' });
    await clock.advanceMs(0);
    assert.doesNotMatch(record().evidence[0]?.detail ?? '', /retrying/);
  });

  it('explains its state by the newest of every source', async () => {
    const { host, clock, observer, signal } = await createFixture();
    signal('busy');
    host.simulateOsc(ID, 0, '⠂ thinking');
    await clock.advanceMs(2_000);
    host.simulateScreen(ID, { text: 'ALLOW?' });
    await clock.advanceMs(10);
    const { signals, conclusion, activity, lifecycle } = observer.explain(ID);
    assert.deepEqual([lifecycle, activity], ['running', 'awaiting_approval']);
    assert.deepEqual(
      signals.map(({ source, activity: said, weight }) => [source, said, weight]),
      [
        ['screen', 'awaiting_approval', 'decides'],
        ['hook', 'busy', 'older'],
        ['title', 'busy', 'older'],
      ],
    );
    assert.match(
      conclusion,
      /^It waits for an approval: its screen says so \(bottom rule "dialog": ALLOW\?\); a dialog/,
    );
  });

  it('leaves no timer behind', async () => {
    const { clock, host, observer, signal } = await createFixture();
    host.simulateScreen(ID, { text: '>' });
    signal('busy');
    signal('idle');
    observer.dispose();
    await clock.advanceMs(0);
    assert.equal(clock.pendingCount, 0);
    signal('busy');
    assert.equal(clock.pendingCount, 0);
  });
});

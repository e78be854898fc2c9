import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isScreenFact, resolveActivity } from '../../../../../src/core/agents/activityResolver';
import type { Activity } from '../../../../../src/core/agents/agentState';
import {
  type AgentFacts,
  NO_FACTS,
  type ScreenKind,
  type SignalFact,
  withScreen,
  withSignal,
} from '../../../../../src/core/agents/signals/agentFacts';
import { sizedMs, trials } from '../../../../support/trials';

/** What a test screen shows: an activity by a rule, or a kind of "no rule matches". */
type Picture = Exclude<Activity, 'unknown'> | Exclude<ScreenKind, 'rule'>;
type Step = readonly [atMs: number, source: SignalFact['source'], activity: Activity] | readonly [atMs: number, picture: Picture]; // prettier-ignore

const KINDS: readonly string[] = ['draft', 'overlay', 'hidden', 'bare', 'plain'];

function signal(atMs: number, source: SignalFact['source'], activity: Activity): SignalFact {
  return { source, activity, detail: `${source} ${activity}`, observedAtMs: atMs, atMs };
}

function look(facts: AgentFacts, atMs: number, picture: Picture, quietMs?: number): AgentFacts {
  const isKind = KINDS.includes(picture);
  const activity = isKind ? 'unknown' : (picture as Activity); // all others are activities
  const evidence = { source: 'screen' as const, detail: picture, observedAtMs: atMs };
  const kind = isKind ? (picture as ScreenKind) : 'rule'; // just asked
  const rested = quietMs === undefined ? {} : { quietMs };
  return withScreen(facts, { kind, atMs, ...rested, reading: { activity, rule: isKind ? '' : picture, evidence } });
}

/**
 * An agent whose screen is looked at when the resolver asks, as the observer does. A picture among the steps is what the screen shows
 * from then on; it is also looked at then (it has settled).
 */
class World {
  facts = NO_FACTS;
  shown: Activity = 'unknown';
  picture: Picture = 'plain';
  nowMs = 0;
  looks = 0;
  trace: string[] = [];

  play(steps: readonly Step[], untilMs: number): this {
    const queue = [...steps];
    for (;;) {
      const step = queue[0];
      const lookInMs = this.#resolve();
      const lookAtMs = lookInMs === undefined ? Infinity : this.nowMs + Math.max(lookInMs, 1);
      const stepAtMs = step?.[0] ?? Infinity;
      const nextMs = Math.min(stepAtMs, lookAtMs);
      if (nextMs > untilMs) return this;
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (stepAtMs <= lookAtMs && step) {
        queue.shift();
        this.take(step);
      } else {
        this.looks++;
        this.facts = look(this.facts, this.nowMs, this.picture);
      }
    }
  }

  take(step: Step): void {
    if (step.length === 3) this.facts = withSignal(this.facts, signal(...step));
    else {
      this.picture = step[1];
      this.facts = look(this.facts, this.nowMs, this.picture);
    }
  }

  #resolve(): number | undefined {
    const { verdict, lookInMs } = resolveActivity(this.facts, this.shown, this.nowMs);
    if (verdict && verdict.activity !== this.shown) this.trace.push(`${this.nowMs} ${verdict.activity}`);
    this.shown = verdict?.activity ?? this.shown;
    if (verdict && isScreenFact(verdict.by)) assert.equal(verdict.by.reading.activity, verdict.activity);
    return lookInMs;
  }
}

/** What is shown after the steps and two seconds of silence. */
const after = (...steps: readonly Step[]): Activity => {
  const world = new World();
  const endMs = steps.at(-1)?.[0] ?? 0;
  return world.play(steps, endMs + 2_000).shown;
};
/** What was shown when. */
const trace = (...steps: readonly Step[]): readonly string[] =>
  new World().play(steps, (steps.at(-1)?.[0] ?? 0) + 2_000).trace;

describe('activityResolver', () => {
  describe('with nothing but the screen', () => {
    it('believes dialogs, work and errors at once', () => {
      for (const activity of ['awaiting_approval', 'awaiting_input', 'error', 'rate_limited', 'busy'] as const)
        assert.deepEqual(trace([5, activity]), [`5 ${activity}`]);
    });

    it('believes one look at a screen that had rested for 200 ms, and asks for that look', () => {
      const busy = look(NO_FACTS, 0, 'busy');
      const resolve = (facts: AgentFacts, nowMs: number) => {
        const { verdict, lookInMs } = resolveActivity(facts, 'busy', nowMs);
        return [verdict?.activity, lookInMs];
      };
      assert.deepEqual(resolve(look(busy, 330, 'idle', 130), 330), [undefined, 70]);
      assert.deepEqual(resolve(look(busy, 400, 'idle', 200), 400), ['idle', undefined]);
      assert.deepEqual(resolve(look(look(busy, 330, 'idle', 130), 400, 'idle', 200), 400), ['idle', undefined]);
      assert.deepEqual(resolve(look(busy, 400, 'idle', 5), 400), [undefined, 120]); // seen twice is sooner
      assert.deepEqual(resolve(look(busy, 400, 'plain', 5_000), 400)[0], undefined); // unknown is not believed sooner
    });

    it('believes idle only when it is seen twice, 120 ms apart, with nothing in between', () => {
      assert.deepEqual(trace([0, 'busy'], [10, 'idle']), ['0 busy', '130 idle']);
      assert.deepEqual(trace([0, 'busy'], [10, 'idle'], [60, 'busy'], [100, 'idle']), ['0 busy', '220 idle']);
    });

    it('does not flicker to unknown while a screen is redrawn, and says unknown when it lasts', () => {
      assert.deepEqual(trace([0, 'busy'], [10, 'plain'], [500, 'busy']), ['0 busy']);
      assert.deepEqual(trace([0, 'busy'], [10, 'overlay']), ['0 busy', '810 unknown']);
    });
  });

  describe('with hooks', () => {
    it('believes work, questions and errors at once', () => {
      for (const activity of ['awaiting_approval', 'awaiting_input', 'error', 'rate_limited', 'busy'] as const)
        assert.deepEqual(trace([0, 'idle'], [500, 'hook', activity])[1], `500 ${activity}`);
    });

    it('looks when a turn has ended, and then one look at an empty box is enough', () => {
      assert.deepEqual(trace([0, 'hook', 'busy'], [500, 'busy'], [900, 'idle'], [1_000, 'hook', 'idle']), [
        '0 busy',
        '1001 idle',
      ]);
    });

    it('is not idle when the turn has ended but a dialog is up', () => {
      assert.equal(
        after([0, 'hook', 'busy'], [500, 'awaiting_approval'], [1_000, 'hook', 'idle']),
        'awaiting_approval',
      );
    });

    it('is not idle while work goes on in the background, until the next hook', () => {
      const facts = look(
        look(withSignal(NO_FACTS, { ...signal(0, 'hook', 'busy'), isBackground: true }), 1_000, 'idle'),
        2_000,
        'idle',
      );
      assert.equal(resolveActivity(facts, 'busy', 2_000).verdict?.activity, 'busy');
      const ended = look(withSignal(facts, signal(3_000, 'hook', 'idle')), 3_010, 'idle');
      assert.equal(resolveActivity(ended, 'busy', 3_010).verdict?.activity, 'idle');
    });

    it('interrupted or denied, which no hook tells, it is idle within a second', () => {
      for (const activity of ['busy', 'awaiting_approval', 'awaiting_input', 'rate_limited'] as const) {
        const steps = trace([0, 'hook', activity], [10, 'plain'], [5_000, 'idle']);
        assert.equal(steps.at(-1), '5120 idle', activity);
      }
    });

    it('is not contradicted by a screen that is not drawn yet', () => {
      assert.deepEqual(trace([0, 'idle'], [2_000, 'hook', 'busy'], [2_300, 'busy']), ['120 idle', '2000 busy']);
    });

    it('a question is not contradicted by work on the screen before its dialog is drawn, and at once after', () => {
      assert.deepEqual(
        trace([0, 'busy'], [1_000, 'hook', 'awaiting_approval'], [1_700, 'awaiting_approval'], [1_800, 'idle']),
        ['0 busy', '1000 awaiting_approval', '1920 idle'],
      );
      assert.deepEqual(trace([0, 'busy'], [1_000, 'hook', 'awaiting_approval']), [
        '0 busy',
        '1000 awaiting_approval',
        '1920 busy',
      ]);
    });

    it('that come late do not bring back what a later screen has shown', () => {
      assert.equal(after([0, 'busy'], [3_000, 'idle'], [4_000, 'hook', 'idle']), 'idle');
      const late = withSignal(look(look(NO_FACTS, 3_000, 'idle'), 3_200, 'idle'), signal(100, 'hook', 'busy'));
      assert.equal(resolveActivity(late, 'idle', 3_300).verdict?.activity, 'idle');
    });

    it('contradicted once, they do not come back when the picture changes', () => {
      assert.equal(after([0, 'hook', 'busy'], [2_000, 'idle'], [6_000, 'plain']), 'unknown');
    });

    it('an allowed permission is work again as soon as the screen shows it twice', () => {
      const steps = trace(
        [0, 'hook', 'busy'],
        [500, 'hook', 'awaiting_approval'],
        [600, 'awaiting_approval'],
        [9_000, 'busy'],
      );
      assert.deepEqual(steps, ['0 busy', '500 awaiting_approval', '9120 busy']);
    });
  });

  describe('with titles and OSC', () => {
    it('lets the newest of hook, title and OSC win over the screen', () => {
      assert.equal(after([0, 'osc', 'busy'], [500, 'idle']), 'busy');
      assert.equal(after([0, 'idle'], [500, 'hook', 'idle'], [1_000, 'title', 'busy']), 'busy');
    });

    it('shows idle after a title or an OSC only when the empty box is seen twice since', () => {
      assert.deepEqual(trace([0, 'osc', 'busy'], [100, 'busy'], [900, 'idle'], [1_000, 'osc', 'idle']), [
        '0 busy',
        '1121 idle',
      ]);
      assert.equal(after([0, 'osc', 'busy'], [900, 'overlay'], [1_000, 'osc', 'idle']), 'unknown');
      assert.equal(after([0, 'osc', 'busy'], [900, 'hidden'], [1_000, 'osc', 'idle']), 'unknown');
    });

    it('a title that stops to tell of work lets the screen decide', () => {
      const steps = trace(
        [0, 'hook', 'busy'],
        [50, 'title', 'busy'],
        [100, 'busy'],
        [5_000, 'idle'],
        [5_050, 'title', 'unknown'],
      );
      assert.deepEqual(steps, ['0 busy', '5120 idle']);
      assert.equal(
        after([0, 'hook', 'busy'], [50, 'title', 'busy'], [5_000, 'draft'], [5_050, 'title', 'unknown']),
        'unknown',
      );
    });

    it('lets "blocked" win over newer work, and takes the most exact of several', () => {
      assert.equal(after([0, 'osc', 'awaiting_approval'], [100, 'hook', 'busy']), 'awaiting_approval');
      assert.equal(after([0, 'osc', 'awaiting_approval'], [100, 'title', 'awaiting_input']), 'awaiting_approval');
      assert.equal(after([0, 'title', 'awaiting_input'], [100, 'osc', 'busy']), 'busy');
    });

    it('lets the screen say what kind of work it is', () => {
      assert.equal(after([0, 'title', 'busy'], [1_000, 'rate_limited']), 'rate_limited');
      assert.equal(after([0, 'rate_limited'], [1_000, 'title', 'busy'], [1_200, 'busy']), 'busy');
    });
  });

  it('a status file tells what no hook tells: a question that was denied, and Esc', () => {
    const denied = new World().play(
      [[0, 'hook', 'busy'], [100, 'awaiting_approval'], [120, 'status_file', 'awaiting_approval'], [900, 'status_file', 'idle'], [910, 'idle']],
      3_000,
    ); // prettier-ignore
    assert.equal(denied.shown, 'idle');
    const asks = new World().play(
      [
        [0, 'hook', 'busy'],
        [50, 'status_file', 'awaiting_approval'],
      ],
      3_000,
    );
    assert.equal(asks.shown, 'awaiting_approval');
  });

  it('a screen that says that it tries again tells more than a title that says that it works', () => {
    let facts = withSignal(NO_FACTS, signal(0, 'title', 'busy'));
    const evidence = { source: 'screen' as const, detail: 'retrying', observedAtMs: 10 };
    const reading = { activity: 'busy' as const, rule: 'retrying', evidence, isRetry: true as const };
    facts = withScreen(facts, { kind: 'rule', atMs: 10, reading });
    const { verdict } = resolveActivity(facts, 'busy', 20);
    assert.ok(verdict && isScreenFact(verdict.by));
    assert.equal(verdict.why, 'refined');
  });

  it('an error lasts until the next turn, whatever ends after it', () => {
    assert.equal(after([0, 'hook', 'busy'], [900, 'idle'], [1_000, 'hook', 'error'], [1_100, 'hook', 'idle']), 'error');
    assert.equal(after([0, 'osc', 'busy'], [900, 'idle'], [1_000, 'osc', 'error'], [1_100, 'osc', 'idle']), 'error');
    assert.equal(after([0, 'hook', 'error'], [10, 'idle'], [5_000, 'hook', 'busy'], [6_000, 'hook', 'idle']), 'idle');
    assert.equal(after([0, 'hook', 'error'], [10, 'idle'], [5_000, 'busy']), 'busy');
  });

  it('a screen that names a used-up limit tells more than a hook or an OSC that says that the turn failed', () => {
    for (const source of ['hook', 'osc'] as const) {
      assert.equal(after([0, source, 'busy'], [900, source, 'error'], [1_000, 'rate_limited']), 'rate_limited');
      const ended = after(
        [0, source, 'busy'],
        [900, source, 'error'],
        [1_000, 'rate_limited'],
        [1_100, source, 'idle'],
      );
      assert.equal(ended, 'rate_limited');
      assert.equal(after([0, 'rate_limited'], [900, source, 'error'], [910, 'error']), 'error');
    }
    // What is tried again has not failed.
    const evidence = { source: 'screen' as const, detail: 'retrying', observedAtMs: 10 };
    const reading = { activity: 'rate_limited' as const, rule: 'retrying', evidence, isRetry: true as const };
    const facts = withScreen(withSignal(NO_FACTS, signal(0, 'hook', 'error')), { kind: 'rule', atMs: 10, reading });
    assert.equal(resolveActivity(facts, 'busy', 20).verdict?.activity, 'error');
  });

  it('under an overlay is unknown, unless something newer is told', () => {
    assert.equal(after([0, 'hook', 'busy'], [100, 'busy'], [3_000, 'overlay']), 'unknown');
    assert.equal(after([0, 'hook', 'busy'], [100, 'busy'], [3_000, 'overlay'], [4_500, 'hook', 'busy']), 'busy');
    assert.equal(after([0, 'title', 'busy'], [100, 'busy'], [3_000, 'overlay']), 'busy');
  });

  describe('R25 whatever comes', function () {
    this.timeout(sizedMs(20_000, 120_000, 600_000));
    const activity = fc.constantFrom<Activity>('idle', 'busy', 'awaiting_approval', 'awaiting_input', 'rate_limited', 'error'); // prettier-ignore
    const picture = fc.constantFrom<Picture>('idle', 'busy', 'awaiting_approval', 'awaiting_input', 'rate_limited', 'error', 'draft', 'overlay', 'hidden', 'plain'); // prettier-ignore
    const atMs = fc.integer({ min: 0, max: 4_000 });
    const level = fc.oneof(activity, fc.constant<Activity>('unknown'));
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.tuple(atMs, fc.constant('hook' as const), activity),
      fc.tuple(atMs, fc.constantFrom('title' as const, 'osc' as const), level),
      fc.tuple(atMs, picture),
    );
    const steps = fc.array(step, { maxLength: 30 }).map((list) => list.toSorted((a, b) => a[0] - b[0]));
    const runs = (): { numRuns: number } => ({ numRuns: trials(2_000, 10_000, 50_000) });

    it('is never idle under a dialog, nor before a look that shows none', () => {
      fc.assert(
        fc.property(steps, fc.integer({ min: 0, max: 5_000 }), (list, untilMs) => {
          const world = new World().play(list, untilMs);
          const last = world.facts.screens.at(-1)?.reading.activity;
          if (last === 'awaiting_approval' || last === 'awaiting_input') assert.equal(world.shown, last);
          if (world.shown === 'idle') assert.ok(last !== undefined);
        }),
        runs(),
      );
    });

    it('comes to rest within a second of silence, with few looks', () => {
      fc.assert(
        fc.property(steps, (list) => {
          const endMs = list.at(-1)?.[0] ?? 0;
          const world = new World().play(list, endMs + 1_000);
          const { shown, looks } = world;
          world.play([], endMs + 60_000);
          assert.equal(world.shown, shown);
          assert.equal(world.looks, looks, 'it went on looking');
          assert.ok(looks <= 6 * (list.length + 1), `${looks} looks`);
        }),
        runs(),
      );
    });

    it('says the same of the same facts, in whatever order they came', () => {
      const shuffled = steps.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
      );
      fc.assert(
        fc.property(shuffled, picture, ([ordered, mixed], finalPicture) => {
          const settle = (list: readonly Step[]): Activity => {
            const world = new World();
            for (const one of list) if (one.length === 3) world.take(one);
            for (const one of ordered) if (one.length === 2) world.facts = look(world.facts, one[0], one[1]);
            world.nowMs = 5_000;
            return world.play([[5_000, finalPicture]], 8_000).shown;
          };
          assert.equal(settle(mixed), settle(ordered));
        }),
        runs(),
      );
    });
  });
});

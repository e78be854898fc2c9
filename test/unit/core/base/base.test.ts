import assert from 'node:assert/strict';
import { sleep, withTimeout } from '../../../../src/core/base/clock';
import { DisposableStore, MutableDisposable, toDisposable } from '../../../../src/core/base/disposable';
import { describeError } from '../../../../src/core/base/errors';
import { Emitter } from '../../../../src/core/base/event';
import { UlidIds } from '../../../../src/core/base/ids';
import { formatFields } from '../../../../src/core/base/log';
import { TmuxError } from '../../../../src/core/tmux/tmuxErrors';
import { ManualClock } from '../../../support/manualClock';

describe('Emitter', () => {
  it('reports a throwing listener and still serves the others, now and later', () => {
    const failures: unknown[] = [];
    const got: number[] = [];
    const emitter = new Emitter<number>((error) => failures.push(error));
    emitter.event(() => {
      throw new Error('boom');
    });
    emitter.event((n) => got.push(n));
    emitter.fire(1);
    emitter.fire(2);
    assert.deepEqual([got, failures.length], [[1, 2], 2]);
  });

  it('still delivers after the failure reporter itself threw', () => {
    let isBad = true;
    const got: number[] = [];
    const emitter = new Emitter<number>(() => {
      throw new Error('reporter');
    });
    emitter.event((n) => {
      if (isBad) throw new Error('boom');
      got.push(n);
    });
    assert.throws(() => emitter.fire(1), /reporter/);
    isBad = false;
    emitter.fire(2);
    assert.deepEqual(got, [2]);
  });

  it('keeps one order for facts fired from inside a listener', () => {
    const emitter = new Emitter<number>(() => {});
    const first: number[] = [];
    const second: number[] = [];
    emitter.event((n) => {
      first.push(n);
      if (n === 1) emitter.fire(2);
    });
    emitter.event((n) => second.push(n));
    emitter.fire(1);
    assert.deepEqual(
      [first, second],
      [
        [1, 2],
        [1, 2],
      ],
    );
  });

  it('lets the same function subscribe twice and unsubscribe once, and is silent after dispose', () => {
    let count = 0;
    const listener = (): void => {
      count++;
    };
    const emitter = new Emitter<void>(() => {});
    const first = emitter.event(listener);
    emitter.event(listener);
    first.dispose();
    first.dispose();
    emitter.fire();
    emitter.dispose();
    emitter.fire();
    assert.deepEqual([count, emitter.listenerCount], [1, 0]);
  });
});

describe('DisposableStore', () => {
  it('releases newest first, survives a failing child, and releases late arrivals at once', () => {
    const log: string[] = [];
    const store = new DisposableStore();
    store.add({ dispose: () => log.push('a') });
    store.add({
      dispose: () => {
        log.push('b');
        throw new Error('b');
      },
    });
    store.add({ dispose: () => log.push('c') });
    assert.throws(() => store.dispose(), AggregateError);
    store.add({ dispose: () => log.push('late') });
    store.dispose();
    assert.deepEqual([log, store.size], [['c', 'b', 'a', 'late'], 0]);
  });
});

describe('MutableDisposable', () => {
  it('releases what it replaces, and what arrives after dispose', () => {
    const log: string[] = [];
    const slot = new MutableDisposable<{ dispose(): void }>();
    slot.value = toDisposable(() => log.push('a'));
    slot.value = toDisposable(() => log.push('b'));
    slot.dispose();
    slot.value = toDisposable(() => log.push('late'));
    assert.deepEqual([log, slot.value], [['a', 'b', 'late'], undefined]);
  });
});

describe('sleep', () => {
  it('wakes at its time, and at once when aborted during the wait', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    void sleep(clock, 100).then(() => log.push(`woke at ${clock.monotonicMs()}`));
    const abort = new AbortController();
    void sleep(clock, 100, abort.signal).catch((error: unknown) =>
      log.push(`aborted: ${String(error)} at ${clock.monotonicMs()}`),
    );
    await clock.advanceMs(40);
    abort.abort('stop');
    await clock.advanceMs(100);
    assert.deepEqual([log, clock.pendingCount], [['aborted: stop at 40', 'woke at 100'], 0]);
  });
});

describe('withTimeout', () => {
  it('fails at the deadline and leaves no timer behind when the work was faster', async () => {
    const clock = new ManualClock();
    assert.equal(await withTimeout(clock, 50, Promise.resolve(7), () => new Error('late')), 7);
    const late = assert.rejects(
      withTimeout(clock, 50, new Promise(() => {}), () => new Error('late')),
      /late/,
    );
    await clock.advanceMs(50);
    await late;
    assert.equal(clock.pendingCount, 0);
  });
});

describe('UlidIds', () => {
  it('makes strictly increasing ids of 26 characters, also within one millisecond and when the clock goes back', () => {
    let now = 1_000;
    const ids = new UlidIds(
      () => now,
      (size) => new Uint8Array(size).fill(31),
    );
    const made = Array.from({ length: 2_000 }, (_, i) => {
      now = i < 1_000 ? 1_000 : 900;
      return ids.next();
    });
    assert.deepEqual([...made].sort(), made);
    assert.equal(new Set(made).size, 2_000);
    assert.ok(made.every((id) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)));
  });
});

describe('errors and logs', () => {
  it('narrows on code and keeps the cause', () => {
    const error: unknown = new TmuxError('tmux.noSuchTarget', 'has-session', {
      cause: 1,
      detail: "can't find session: x",
    });
    assert.ok(TmuxError.is(error, 'tmux.noSuchTarget') && !TmuxError.is(error, 'tmux.timeout'));
    assert.deepEqual(
      [error.name, error.disposition, error.cause, describeError(error)],
      ['TmuxError', 'giveUp', 1, "tmux.noSuchTarget: tmux has-session (can't find session: x)"],
    );
  });

  it('prints fields in order, quoting what would be ambiguous', () => {
    assert.equal(formatFields({ agent: 'a', code: 0, why: 'two words' }), ' agent=a code=0 why="two words"');
  });
});

import assert from 'node:assert/strict';
import type { SearchAnswer, SearchRequest } from '../../../src/core/engine';
import { type FinderState, RecordFinder } from '../../../src/vscode/commands/recordFinder';
import { ManualClock } from '../../support/manualClock';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('searching as one types', () => {
  const clock = new ManualClock();
  const asked: string[] = [];
  let answers: ((answer: SearchAnswer | Error) => void)[] = [];
  const engine = {
    searchRecords: ({ query }: SearchRequest): Promise<SearchAnswer> => {
      asked.push(query);
      return new Promise((resolve, reject) =>
        answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer))),
      );
    },
  };
  const answer = { found: [], isComplete: true };
  let finder: RecordFinder;
  let states: FinderState['kind'][];

  beforeEach(() => {
    asked.length = 0;
    answers = [];
    states = [];
    finder = new RecordFinder(engine, clock, (error) => assert.fail(String(error)));
    finder.onDidChange(({ kind }) => states.push(kind));
  });
  afterEach(() => finder.dispose());

  it('asks after a pause only, for the beginning of the last word, and for words that are complete as they are', async () => {
    for (const text of ['n', 'ne', 'nee']) finder.type(text);
    assert.deepEqual(asked, []);
    await clock.advanceMs(200);
    for (const text of ['needle ', '"a needle', '"a needle"', '!']) {
      finder.type(text);
      await clock.advanceMs(200);
    }
    assert.deepEqual(asked, ['nee*', 'needle ', '"a needle', '"a needle"', '!']);
    finder.type(' ');
    await clock.advanceMs(200);
    assert.deepEqual([asked.length, states.at(-1)], [5, 'empty']);
  });

  it('shows the answer to what stands there now, whichever comes first, and what failed', async () => {
    finder.type('first');
    await clock.advanceMs(200);
    finder.type('second');
    await clock.advanceMs(200);
    answers[1]?.(answer);
    await settled();
    answers[0]?.(new Error('late'));
    await settled();
    assert.deepEqual(states, ['looking', 'looking', 'found']);
    finder.type('third');
    await clock.advanceMs(200);
    answers[2]?.(new Error('no'));
    await settled();
    assert.equal(states.at(-1), 'failed');
    finder.type('fourth');
    finder.dispose();
    await clock.advanceMs(200);
    assert.equal(asked.length, 3);
  });
});

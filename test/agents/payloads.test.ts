import { strict as assert } from 'node:assert';
import { coverage, schedule } from './deliverySchedule';
import { isAsDeclared, PAYLOADS } from './payloads';

describe('What a program is declared to alter', () => {
  it('is a mention that becomes the path of the file that is there, and nothing else', () => {
    const isResolved = (arrived: string, prepared: string): boolean =>
      isAsDeclared(arrived, prepared, { trims: 'always', resolvesMentions: { contentsHeading: '---' } });
    assert.ok(isResolved('about @notes.txt', 'about @notes '));
    assert.ok(isResolved('@notes.txt is it', '@notes.txt is it'));
    assert.ok(isResolved('about @nobody', 'about @nobody'));
    for (const wrong of ['about @notes', 'about @notes.md', 'about @notes.txt.bak', 'about @src/notes.txt'])
      assert.equal(isResolved(wrong, 'about @notes '), false, wrong);
    assert.equal(isResolved('about @nobody.txt', 'about @nobody'), false);
  });

  it('is every blank around a short text, and around a long one that comes while the program works', () => {
    const alters = { trims: 'unlessCollapsed', collapses: { overCharacters: 800, overLines: 3 } } as const;
    const isTrimmed = (arrived: string, prepared: string, whileWorking = false): boolean =>
      isAsDeclared(arrived, prepared, alters, whileWorking);
    const long = 'line\n'.repeat(4) + '@x';
    assert.ok(isTrimmed('about @x', 'about @x '));
    assert.equal(isTrimmed('about @x ', 'about @x '), false);
    assert.ok(isTrimmed(`${long} `, `${long} `) && isTrimmed(long, `${long} `, true));
    assert.ok(!isTrimmed(long, `${long} `) && !isTrimmed(`${long} `, `${long} `, true));
    assert.equal(isTrimmed(`${long}  `, `${long} `), false);
  });
});

describe('The trials of deliveries', () => {
  it('are every payload once in a short run, and every payload in every situation in one of 500', () => {
    const short = schedule(PAYLOADS.length);
    assert.equal(new Set(short.map(({ payload }) => payload)).size, PAYLOADS.length);
    for (const [name, payloads] of coverage(short))
      assert.ok(payloads.size >= (name === 'launch' ? 1 : 2), `${name}: ${payloads.size}`); // a launch begins with a prompt in a test of its own, too
    for (const [name, payloads] of coverage(schedule(500))) assert.equal(payloads.size, PAYLOADS.length, name);
  });
});

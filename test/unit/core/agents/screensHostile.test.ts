// Runs alone: how long it takes is measured.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { readBox } from '../../../../src/core/agents/inputBox';
import { compileScreen, readScreen, readSilence } from '../../../../src/core/agents/screenReader';
import { readRecordedScreens } from '../../../agents/recordedScreens';
import { aScreen } from '../../../support/builders';
import { sizedMs, trials } from '../../../support/trials';

const MAX_MS = 5;
const LOOKS = 10;
const HOSTILE_CHARACTERS = 100_000;

const types = builtInTypes().map((type) => ({ type, compiled: compileScreen(type, 'bash') }));

/** The quickest of a few looks: a busy machine may interrupt one, not all. */
function quickestMs(look: () => void): number {
  let bestMs = Infinity;
  for (let count = 0; count < LOOKS && bestMs > MAX_MS; count++) {
    const startedMs = performance.now();
    look();
    bestMs = Math.min(bestMs, performance.now() - startedMs);
  }
  return bestMs;
}

function assertReadable(text: string, title = '', what = 'a screen'): void {
  const screen = aScreen({ text, title });
  for (const { type, compiled } of types) {
    const takenMs = quickestMs(() => {
      readScreen(compiled, screen);
      readBox(type, screen);
      readSilence(compiled, screen, 2_000);
    });
    assert.ok(takenMs <= MAX_MS, `${type.id} took ${takenMs.toFixed(1)} ms for ${what}`);
  }
}

/** Pieces of what the programs draw, so that rules come far before they fail. */
const fragments = [
  '─'.repeat(200), '▄'.repeat(200), '▀'.repeat(200), `╹${'▀'.repeat(60)}`, '❯ ', '❯ 1. Yes', '› ', ' > ', ' *   ', '┃  ', '┃ x ┃',
  '│ ● 1. Allow once', '╭─', '● API Error: ', '■ x', '✕ x', '▣  Build', '• Working (1s • esc to interrupt)', '(esc to cancel, 1m 2s)', ' · /x',
  'Do you want to', 'Enter to select · ', 'Esc to cancel', '△ ', 'esc', ' '.repeat(80), '[retrying in 9s attempt #3]', '⬝⬝⬝⬝⬝⬝⬝⬝ ',
] as const; // prettier-ignore

describe('screens that mean harm', function () {
  this.timeout(sizedMs(20_000, 120_000, 1_800_000));

  before(() => {
    for (let round = 0; round < 30; round++) assertReadable(fragments.join('\n')); // compiled code, not its compilation
  });

  it('S17 are read without an error and in time, whatever stands on them', () => {
    const line = fc
      .array(fc.oneof(fc.constantFrom(...fragments), fc.string({ unit: 'binary', maxLength: 40 })), { maxLength: 8 })
      .map((parts) => parts.join(''));
    const title = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('⠂ x', '✳ x', '✋ x', '✦ x'));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), title, (lines, shown) => assertReadable(lines.join('\n'), shown)),
      { numRuns: trials(100, 1_000, 20_000) },
    );
  });

  it('S17 are read in time when they have 100 000 characters', () => {
    for (const fragment of [...fragments, 'a', '\n', 'a\n', '\u0000', '𝕏', '\u202e', ' \n']) {
      const text = fragment.repeat(Math.ceil(HOSTILE_CHARACTERS / fragment.length)).slice(0, HOSTILE_CHARACTERS);
      assertReadable(text, text, `${JSON.stringify(fragment)} again and again`);
      const lines = `${fragment}\n`.repeat(HOSTILE_CHARACTERS / (fragment.length + 1));
      assertReadable(lines, '', `lines of ${JSON.stringify(fragment)}`);
      assertReadable(`${fragment.repeat(300).slice(0, 256)}\n`.repeat(400), '', `long lines of ${JSON.stringify(fragment)}`); // prettier-ignore
    }
  });

  it('S17 are read without an error when a recorded one is cut or its lines are mixed up', () => {
    const screens = readRecordedScreens();
    fc.assert(
      fc.property(fc.constantFrom(...screens), fc.nat(60), fc.nat(60), fc.boolean(), ({ lines, title }, from, to, isReversed) => {
        const part = lines.slice(Math.min(from, to), Math.max(from, to));
        assertReadable((isReversed ? [...part].reverse() : part).join('\n'), title);
      }),
      { numRuns: trials(100, 1_000, 10_000) },
    ); // prettier-ignore
  });
});

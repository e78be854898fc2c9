import assert from 'node:assert/strict';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { readBox } from '../../../../src/core/agents/inputBox';
import { compileScreen, readScreen } from '../../../../src/core/agents/screenReader';
import { type RecordedScreen, readRecordedScreens } from '../../../agents/recordedScreens';

const ACCURACY = 0.99;
const MIN_SCREENS = 60;
/** In each of these; other sizes come from terminals that change theirs. */
const SIZES = ['120x40', '80x24'];
const HELD_OUT_SHARE = 1 / 3;

interface Judged {
  readonly screen: RecordedScreen;
  readonly path: string;
  readonly activity: string;
  readonly box: string;
  readonly isActivityRight: boolean;
  readonly isBoxRight: boolean;
}

const types = new Map(builtInTypes().map((type) => [type.id, { type, compiled: compileScreen(type, 'bash') }]));
/** Of a program that has ended nothing is asked: its death is known from the process. */
const judged = readRecordedScreens()
  .filter(({ isDead }) => !isDead)
  .map(judge);
const programs = new Set(judged.map(({ screen }) => `${screen.typeId} ${screen.version}`));

function judge(screen: RecordedScreen): Judged {
  const { cli, version, name, expected, title, foreground, cursor, isInCopyMode } = screen;
  const { type, compiled } = types.get(screen.typeId)!;
  const text = screen.lines.join('\n');
  const { activity } = readScreen(compiled, { text, title, foreground, cursor, isInCopyMode, observedAtMs: 0 });
  const box = readBox(type, { text, isInCopyMode }).kind;
  return {
    screen,
    path: `${cli}/${version}/${sizeOf(screen)}/${name}`,
    activity,
    box,
    isActivityRight: [expected.activity, ...(expected.alsoRight ?? [])].includes(activity),
    isBoxRight: [expected.box, ...(expected.alsoRightBox ?? [])].includes(box),
  };
}

function sizeOf({ size }: RecordedScreen): string {
  return `${size.columns}x${size.rows}`;
}

function of(program: string, set?: RecordedScreen['set']): readonly Judged[] {
  return judged.filter(
    ({ screen }) => `${screen.typeId} ${screen.version}` === program && (set === undefined || screen.set === set),
  );
}

/** Prints what is wrong on the screens that rules may be tuned on, and only the number of the others. */
function assertAccurate(all: readonly Judged[], isRight: (one: Judged) => boolean, what: string): void {
  const wrong = all.filter((one) => !isRight(one));
  const shown = wrong
    .filter(({ screen }) => screen.set === 'tuning')
    .map(({ path, activity, box, screen }) => `${path}: ${activity}/${box} for ${screen.expected.activity}/${screen.expected.box}`); // prettier-ignore
  assert.ok(
    wrong.length <= all.length * (1 - ACCURACY),
    `${wrong.length} of ${all.length} ${what} wrong:\n${shown.join('\n')}`,
  );
}

describe('recorded screens', () => {
  after(() => {
    for (const program of programs) {
      const right = (set: RecordedScreen['set'] | undefined, isRight: (one: Judged) => boolean): string =>
        `${of(program, set).filter(isRight).length} of ${of(program, set).length}`;
      console.log(
        `      ${program}: activity ${right(undefined, (one) => one.isActivityRight)} (held out ${right('heldOut', (one) => one.isActivityRight)}), ` +
          `box ${right(undefined, (one) => one.isBoxRight)} (held out ${right('heldOut', (one) => one.isBoxRight)})`,
      );
    }
  });

  it('are there for every program with screen rules of its own, enough of them and in two sizes', () => {
    const read = new Set(judged.map(({ screen }) => screen.typeId));
    assert.deepEqual([...read].sort(), ['claude-code', 'codex', 'gemini', 'opencode']);
    for (const program of programs) {
      assert.ok(of(program).length >= MIN_SCREENS, `${program} has ${of(program).length} screens`);
      for (const size of SIZES) {
        const screens = of(program).filter((one) => sizeOf(one.screen) === size);
        assert.ok(screens.length >= MIN_SCREENS, `${program} has ${screens.length} screens in ${size}`);
      }
    }
  });

  it('are held out from the tuning by at least a third for every program, in each size', () => {
    for (const program of programs) {
      for (const size of SIZES) {
        const inSize = (set?: RecordedScreen['set']): number =>
          of(program, set).filter(({ screen }) => sizeOf(screen) === size).length;
        const [all, heldOut] = [inSize(), inSize('heldOut')];
        assert.ok(heldOut >= all * HELD_OUT_SHARE, `${program} in ${size}: ${heldOut} of ${all} are held out`);
      }
    }
  });

  it('are held out or tuned on, never both', () => {
    const names = { tuning: new Set<string>(), heldOut: new Set<string>() };
    for (const { screen } of judged) names[screen.set].add(`${screen.cli} ${screen.name}`);
    assert.deepEqual(
      [...names.heldOut].filter((name) => names.tuning.has(name)),
      [],
    );
  });

  it("have one right activity each, but that the person's own text in the box of an idle program may also be unknown", () => {
    for (const { screen, path } of judged) {
      const { alsoRight, activity, box } = screen.expected;
      if (alsoRight === undefined) continue;
      assert.deepEqual([activity, box, ...alsoRight], ['idle', 'draft', 'unknown'], path);
    }
  });

  for (const program of programs) {
    it(`show the activity of ${program}`, () => {
      assertAccurate(of(program, 'tuning'), (one) => one.isActivityRight, 'activities');
      assertAccurate(of(program, 'heldOut'), (one) => one.isActivityRight, 'held-out activities');
    });

    it(`show the input box of ${program}`, () => {
      assertAccurate(of(program, 'tuning'), (one) => one.isBoxRight, 'boxes');
      assertAccurate(of(program, 'heldOut'), (one) => one.isBoxRight, 'held-out boxes');
    });

    it(`never show ${program} as idle or its box as free while a dialog is up`, () => {
      for (const { screen, path, activity, box } of of(program)) {
        if (!screen.expected.isDialog) continue;
        assert.notEqual(activity, 'idle', path);
        assert.notEqual(box, 'empty', path);
      }
    });

    it(`never show ${program} as idle while the lower part of a dialog is up, however low the terminal is`, () => {
      for (const { screen, path } of of(program).filter((one) => one.screen.expected.isDialog)) {
        for (let from = 1; from < screen.lines.length; from++) {
          const cut = judge({ ...screen, lines: screen.lines.slice(from) });
          assert.notEqual(cut.activity, 'idle', `${path} from line ${from}`);
          assert.notEqual(cut.box, 'empty', `${path} from line ${from}`);
        }
      }
    });

    it(`never show ${program} as idle when a dialog is drawn below an old input box`, () => {
      const idle = of(program).filter(({ screen, box }) => screen.expected.activity === 'idle' && box === 'empty');
      for (const { screen, path } of of(program).filter((one) => one.screen.expected.isDialog)) {
        for (const { screen: before } of idle.slice(0, 10)) {
          const both = judge({ ...screen, lines: [...before.lines, ...screen.lines] });
          assert.notEqual(both.activity, 'idle', `${path} below ${before.name}`);
          assert.notEqual(both.box, 'empty', `${path} below ${before.name}`);
        }
      }
    });

    it(`never show ${program} as idle or its box as free while an overlay covers the usual screen`, () => {
      for (const { screen, path, activity, box } of of(program)) {
        if (screen.expected.activity !== 'unknown') continue;
        assert.notEqual(activity, 'idle', path);
        if (!screen.expected.alsoRightBox?.includes('empty')) assert.notEqual(box, 'empty', path);
      }
    });

    it(`never show a box of ${program} as empty that holds something`, () => {
      for (const { screen, path, box } of of(program))
        if (screen.expected.box === 'draft') assert.notEqual(box, 'empty', path);
    });
  }
});

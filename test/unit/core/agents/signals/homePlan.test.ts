import assert from 'node:assert/strict';
import { addMissing, homeSettings, settingChanges } from '../../../../../src/core/agents/signals/homePlan';

const silence = {
  when: [{ path: '/hooksConfig/enabled', equals: false }, { path: '/hooksConfig/disabled', equals: 'ours' }],
  leavesOut: ['hooks', 'hooksConfig'],
  says: 'switched off',
}; // prettier-ignore
const ours = { general: { update: false }, hooks: { Stop: ['ours'] }, hooksConfig: { notifications: false } };

describe('settings of a home', () => {
  it('are the person’s with ours over them', () => {
    assert.deepEqual(homeSettings({ settings: ours, silence }, { ui: 1, hooks: { Stop: ['mine'] } }), {
      settings: { ui: 1, ...ours, hooks: { Stop: ['mine', 'ours'] } },
      ours,
    });
  });

  it('have no hooks of ours where the person’s switch hooks off, and switch nothing on', () => {
    for (const hooksConfig of [{ enabled: false }, { disabled: ['a', 'ours'] }]) {
      const made = homeSettings({ settings: ours, silence }, { hooksConfig, hooks: { Stop: ['mine'] } });
      assert.deepEqual(made, {
        settings: { hooksConfig, hooks: { Stop: ['mine'] }, general: { update: false } },
        ours: { general: { update: false } },
        silence: 'switched off',
      });
    }
    for (const hooksConfig of [{ enabled: true }, { disabled: ['a'] }, { disabled: 'no list' }])
      assert.equal(homeSettings({ settings: ours, silence }, { hooksConfig }).silence, undefined);
  });

  const mine = { ui: { theme: 'x', tips: true }, hooks: { Stop: ['mine'] } };
  const { settings: given } = homeSettings({ settings: ours, silence }, mine);
  const changes = (now: object, theirs: object = mine) =>
    settingChanges(given, { ...now }, { theirs: { ...theirs }, ours });

  it('tell what the program changed, and nothing when it changed nothing', () => {
    assert.deepEqual(changes(structuredClone(given)), []);
    const now = { ...given, ui: { theme: 'y' }, model: { name: 'm' }, general: { update: false, vim: true } };
    assert.deepEqual(changes(now), [
      { path: ['ui', 'theme'], value: 'y' },
      { path: ['ui', 'tips'], value: undefined },
      { path: ['general', 'vim'], value: true },
      { path: ['model'], value: { name: 'm' } },
    ]);
  });

  it('give back nothing of ours, changed or removed', () => {
    const now = {
      ui: mine.ui,
      general: { update: true },
      hooks: { Stop: ['other'] },
      hooksConfig: { notifications: true, disabled: ['b'] },
    };
    assert.deepEqual(changes(now), [{ path: ['hooksConfig', 'disabled'], value: ['b'] }]); // prettier-ignore
    assert.deepEqual(changes({ ui: mine.ui }), []);
  });

  it('leave what the person has changed since', () => {
    const now = { ...given, ui: { theme: 'y', tips: true, wide: 1 } };
    assert.deepEqual(changes(now, { ui: { theme: 'z', tips: true } }), [{ path: ['ui', 'wide'], value: 1 }]);
    assert.deepEqual(changes(now, { ui: 'no object' }), []);
    assert.deepEqual(changes({ ...given, model: 1 }, { ...mine, model: 2 }), []);
  });

  it('know prototypes’ names as keys like others', () => {
    const now = { ...given, ...(JSON.parse('{"__proto__":{"a":1},"constructor":1}') as object) };
    assert.deepEqual(changes(now).map(({ path }) => path), [['__proto__'], ['constructor']]); // prettier-ignore
  });

  it('add to an object what it lacks, at every depth', () => {
    assert.deepEqual(addMissing({ a: 1, b: { c: [1] } }, { a: 2, b: { c: [2], d: 3 }, e: 4 }), { a: 1, b: { c: [1], d: 3 }, e: 4 }); // prettier-ignore
  });
});

import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import manifest from '../../../package.json';
import { SettingKey } from '../../../src/vscode/manifest';
import { compileSettings, defaultSettings } from '../../../src/vscode/settings';

describe('settings', () => {
  it('have the same defaults as package.json says', () => {
    const defaults = new Map<string, unknown>();
    for (const { properties } of manifest.contributes.configuration) {
      for (const [key, { default: value }] of Object.entries(properties)) defaults.set(key, value);
    }
    assert.deepEqual(
      compileSettings((key) => defaults.get(`coreOrchestrator.${key}`)),
      defaultSettings,
    );
  });

  it('are complete and within limits whatever the files hold', () => {
    const shape = Object.keys(defaultSettings).sort();
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.values(SettingKey)), fc.anything()), (values) => {
        const settings = compileSettings((key) => values[key]);
        assert.deepEqual(Object.keys(settings).sort(), shape);
        assert.ok(settings.startDeadlineMs >= 5_000 && settings.startDeadlineMs <= 600_000);
        assert.ok(settings.restartLongestDelayMs >= settings.restartFirstDelayMs);
        assert.ok(settings.passEnvironment.every((name) => /^[A-Za-z_]\w*$/.test(name)));
      }),
    );
  });

  it('take only complete allow rules, and only what belongs to them', () => {
    const rule = { type: '*', tool: 'Bash', pattern: 'npm test' };
    const given = [
      { ...rule, more: 1 },
      { ...rule, tool: '' },
      { type: '*', tool: 'Bash' },
      { ...rule, pattern: 3 },
      null,
      'x',
      [rule],
    ];
    const rulesOf = (value: unknown): unknown =>
      compileSettings((key) => (key === SettingKey.AllowRules ? value : undefined)).allowRules;
    assert.deepEqual(rulesOf(given), [rule]);
    assert.deepEqual([rulesOf('*'), rulesOf({ 0: rule }), rulesOf(undefined)], [[], [], []]);
    assert.deepEqual(rulesOf([Object.create(rule)]), [], 'inherited parts are not a rule');
  });

  it('keep supervising only by a plain true', () => {
    const kept = [true, 'true', 1].map(
      (value) => compileSettings((key) => (key === SettingKey.KeepSupervising ? value : undefined)).isSupervisionKept,
    );
    assert.deepEqual(kept, [true, false, false]);
  });

  it('allow other extensions to act only by a plain true', () => {
    const allowed = [true, 'true', 1, {}, undefined].map(
      (value) => compileSettings((key) => (key === SettingKey.AllowWrite ? value : undefined)).isApiWriteAllowed,
    );
    assert.deepEqual(allowed, [true, false, false, false, false]);
  });
});

import { strict as assert } from 'node:assert';
import { builtInTypes } from '../../../src/core/agents/builtInTypes';
import { AgentTypes } from '../../../src/core/agentTypes';
import { silentLogger } from '../../../src/core/base/log';
import { Emitter } from '../../../src/core/base/event';
import { keepSettingsTypes } from '../../../src/vscode/agents/settingsTypes';
import { compileSettings, type Settings } from '../../../src/vscode/settings';

const mine = { id: 'mine', label: 'Mine', command: ['mine'] };

describe('agent types of the settings', () => {
  it('follow the setting; a mistake is told once, with its place', () => {
    const types = new AgentTypes(builtInTypes, (error) => assert.fail(String(error)));
    const changed = new Emitter<Settings>((error) => assert.fail(String(error)));
    const settings = { current: compileSettings(() => undefined), onDidChange: changed.event };
    const shown: string[] = [];
    const kept = keepSettingsTypes(
      { registerAgentType: (manifest) => types.register(manifest) },
      settings,
      { show: (severity, text) => void shown.push(`${severity}: ${text}`) },
      silentLogger,
    );
    const set = (value: unknown): string => {
      settings.current = compileSettings((key) => (key === 'agentTypes' ? value : undefined));
      changed.fire(settings.current);
      return types.infos.filter(({ isBuiltIn }) => !isBuiltIn).map(({ id }) => id).join(); // prettier-ignore
    };
    assert.equal(set([mine]), 'mine');
    assert.deepEqual(shown, []);
    assert.equal(set([mine, { ...mine, id: 'Other' }]), 'mine');
    assert.equal(set([mine, { ...mine, id: 'Other' }]), 'mine');
    assert.equal(shown.length, 1);
    assert.match(shown.join(), /^warning: .*coreOrchestrator\.agentTypes\[1\]\.id: must be a-z, 0-9 and -\.$/);
    assert.equal(set('no list'), '');
    set([mine]);
    kept.dispose();
    assert.equal(types.infos.every(({ isBuiltIn }) => isBuiltIn), true); // prettier-ignore
  });
});

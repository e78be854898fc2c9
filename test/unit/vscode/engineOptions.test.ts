import { strict as assert } from 'node:assert';
import manifest from '../../../package.json';
import { engineOptions, hostOptions, workspaceOptions } from '../../../src/vscode/engineOptions';
import type { SettingKey } from '../../../src/vscode/manifest';
import { compileSettings } from '../../../src/vscode/settings';

const mine = { id: 'mine', label: 'Mine', command: ['mine'] };
const rule = { type: '*', tool: 'Bash', pattern: 'npm test' };
const engine = ['engineOptions', 'hostOptions.engine'];
const workspace = ['workspaceOptions', 'hostOptions'];

/** What a person sets, and every place that it reaches, by its path there. */
const reached: Readonly<Record<SettingKey, readonly [given: unknown, reached: unknown, ...paths: readonly string[]]>> =
  {
    tmuxPath: ['/opt/tmux', '/opt/tmux', ...workspace.map((at) => `${at}.tmuxPath`)],
    agentTypes: [[mine], [mine], 'settings.agentTypes', 'hostOptions.agentTypes'],
    'agents.groupBy': ['team', 'team', 'settings.groupBy'],
    'agents.passEnvironment': [['HTTPS_PROXY'], ['HTTPS_PROXY'], ...workspace.map((at) => `${at}.passEnvironment`)],
    'agents.startDeadlineSeconds': [7, 7_000, ...engine.map((at) => `${at}.startDeadlineMs`)],
    keepSupervising: [true, true, 'hostOptions.isKept'],
    'approvals.allow': [[rule], [rule], ...engine.map((at) => `${at}.allowRules`)],
    'restart.firstDelaySeconds': [2, 2_000, ...engine.map((at) => `${at}.restart.firstDelayMs`)],
    'restart.longestDelaySeconds': [90, 90_000, ...engine.map((at) => `${at}.restart.maxDelayMs`)],
    'restart.limit': [3, 3, ...engine.map((at) => `${at}.restart.maxRestarts`)],
    'restart.periodMinutes': [4, 240_000, ...engine.map((at) => `${at}.restart.windowMs`)],
    notifications: ['none', 'none', 'settings.notifications'],
    'terminal.location': ['beside', 'beside', 'settings.terminalPlace'],
    'api.allowWrite': [true, true, 'settings.isApiWriteAllowed'],
    'store.engine': ['sql.js', 'sql.js', ...workspace.map((at) => `${at}.storeEngine`)],
    'store.keepBackups': [3, 3, ...workspace.map((at) => `${at}.keptBackups`)],
    'store.retention.historyDays': [11, 11, ...engine.map((at) => `${at}.retention.historyDays`)],
    'store.retention.promptDays': [12, 12, ...engine.map((at) => `${at}.retention.promptDays`)],
    'store.retention.then': ['delete', 'delete', ...engine.map((at) => `${at}.retention.then`)],
  };

function allOptions(given: Readonly<Partial<Record<SettingKey, unknown>>>): unknown {
  const settings = compileSettings((key) => given[key]);
  return {
    settings,
    engineOptions: engineOptions(settings),
    workspaceOptions: workspaceOptions(settings),
    hostOptions: hostOptions(settings, 'host.js'),
  };
}

const at = (of: unknown, path: string): unknown =>
  path.split('.').reduce((value, key) => (value as Record<string, unknown>)[key], of);

describe('settings that the engine gets', () => {
  const contributed = manifest.contributes.configuration.flatMap(({ properties }) => Object.keys(properties));

  it('are all that package.json has', () =>
    assert.deepEqual(Object.keys(reached).map((key) => `coreOrchestrator.${key}`).sort(), contributed.sort())); // prettier-ignore

  for (const [key, [given, expected, ...paths]] of Object.entries(reached))
    it(`coreOrchestrator.${key} reaches ${paths.join(' and ')}`, () => {
      const options = allOptions({ [key]: given });
      for (const path of paths) {
        assert.notDeepEqual(at(allOptions({}), path), expected, 'the default is another');
        assert.deepEqual(at(options, path), expected, path);
      }
    });
});

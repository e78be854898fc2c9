import type { Disposable } from '../../core/base/disposable';
import type { Logger } from '../../core/base/log';
import type { Engine } from '../../core/engine';
import { ListedAgentTypes, type ListedTypeProblem } from '../../core/listedAgentTypes';
import { showLogButton } from '../errorMessages';
import type { LiveSettings } from '../liveSettings';
import { SECTION, SettingKey } from '../manifest';
import type { Reporter } from '../reporter';

/** Keeps the agent types of the setting `coreOrchestrator.agentTypes` registered. What is wrong with one is told once, with its place. */
export function keepSettingsTypes(
  engine: Pick<Engine, 'registerAgentType'>,
  settings: Pick<LiveSettings, 'current' | 'onDidChange'>,
  reporter: Pick<Reporter, 'show'>,
  log: Logger,
): Disposable {
  const listed = new ListedAgentTypes(engine);
  let told = '';
  const apply = (): void => {
    const lines = listed.set(settings.current.agentTypes).map(lineOf);
    const text = lines.join('\n');
    if (text === told) return;
    told = text;
    const [first] = lines;
    if (first === undefined) return;
    log.warn('agent types of the settings have mistakes', { problems: lines });
    const more = lines.length === 1 ? '' : ` (and ${lines.length - 1} more)`;
    reporter.show('warning', `An agent type of your settings has mistakes and is left out. ${first}${more}.`, [
      { title: 'Open Settings', command: 'workbench.action.openSettingsJson' },
      showLogButton,
    ]);
  };
  apply();
  const subscription = settings.onDidChange(apply);
  return {
    dispose: () => {
      subscription.dispose();
      listed.dispose();
    },
  };
}

function lineOf({ path, message }: ListedTypeProblem): string {
  return `${SECTION}.${SettingKey.AgentTypes}${path}: ${message}`;
}

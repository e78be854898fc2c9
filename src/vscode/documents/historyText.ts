import type { AgentChange } from '../../core/agents/agent';
import type { AgentView } from '../../core/engine';
import { activityWords, stateWords, withTerm } from '../../shared/stateWords';
import { facts } from '../agents/agentTooltip';
import { localTime, zoneName } from './localTime';

/** An agent's kept changes as text, newest first, with the evidence of each. */
export function historyText(agent: AgentView, changes: readonly AgentChange[], nowMs: number): string {
  const lines = [`History of ${agent.name}`, ''];
  for (const { label, value } of facts(agent, nowMs)) lines.push(`${label}: ${value}`);
  lines.push(
    '',
    changes.length === 0 ? 'No changes are kept yet.' : `Changes, newest first (times of ${zoneName()}):`,
    '',
  );
  for (const change of changes) {
    const time = localTime(change.atMs);
    lines.push(
      `${time}  start ${change.generation}  ${words(change.from)} -> ${words(change.to)}  by ${change.actor}: ${change.reason.replaceAll('_', ' ')}`,
    );
    for (const piece of change.evidence) lines.push(`    ${piece.source}: ${piece.detail.replace(/\s+/g, ' ')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `running, needs input (awaiting_input)`, `not reachable (lost)`. */
function words({ lifecycle, activity }: AgentChange['from']): string {
  const isObserved = lifecycle === 'running' || lifecycle === 'paused';
  if (isObserved) return `${lifecycle}, ${withTerm(activityWords(activity), { lifecycle: 'running', activity })}`;
  return withTerm(stateWords({ lifecycle, activity }), { lifecycle, activity });
}

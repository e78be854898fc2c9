import type { AgentChange } from '../../core/agents/agent';
import type { AgentView } from '../../core/engine';
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

function words(state: AgentChange['from']): string {
  const isObserved = state.lifecycle === 'running' || state.lifecycle === 'paused';
  return isObserved ? `${state.lifecycle}, ${state.activity.replaceAll('_', ' ')}` : state.lifecycle;
}

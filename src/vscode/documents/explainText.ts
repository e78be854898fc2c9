import type { AgentView, ExplainedSignal, StateExplanation } from '../../core/engine';
import { withTerm } from '../../shared/stateWords';
import { type AgentState, stateWords } from '../agents/agentText';
import { ageWords, facts, sourceWords } from '../agents/agentTooltip';
import { localTime, zoneName } from './localTime';

const weightWords: Record<ExplainedSignal['weight'], string> = {
  decides: 'decides',
  agrees: 'agrees',
  outranked: 'outranked by a stronger source',
  older: 'older than what decides',
};

/** Why an agent's row says what it says: the conclusion, then every piece of evidence with its age and weight. Plain text. */
export function explainText(agent: AgentView, explanation: StateExplanation, nowMs: number): string {
  const state = { ...agent, lifecycle: explanation.lifecycle, activity: explanation.activity };
  // What it does has a meaning only while it lives; evidence of another state is about that.
  const isAlive = state.lifecycle === 'running' || state.lifecycle === 'paused';
  const lines = [`Why ${oneLine(agent.name)} is ${quoted(state)}`, '', oneLine(explanation.conclusion), ''];
  lines.push(
    `Since ${localTime(explanation.sinceMs)} (${ageWords(nowMs - explanation.sinceMs)}; times of ${zoneName()})`,
    '',
  );
  lines.push(explanation.signals.length === 0 ? 'There is no evidence yet.' : 'Evidence, the deciding piece first:');
  for (const signal of explanation.signals) {
    lines.push(
      '',
      `${weightWords[signal.weight]}: ${sourceWords[signal.source]} says ${quoted(isAlive ? { lifecycle: 'running', activity: signal.activity } : state)}`,
    );
    lines.push(`    ${oneLine(signal.detail)}`);
    lines.push(`    ${localTime(signal.observedAtMs)} (${ageWords(nowMs - signal.observedAtMs)})`);
  }
  if (agent.conditions.length > 0) lines.push('', 'Conditions:');
  for (const { type, status, reason, lastTransitionMs } of agent.conditions)
    lines.push(`    ${type}: ${status} (${reason}), since ${localTime(lastTransitionMs)}`);
  lines.push('', 'What is not known or not possible for this agent:');
  if (explanation.degraded.length === 0) lines.push('    nothing: all its sources are there');
  for (const part of explanation.degraded) lines.push(`    ${oneLine(part)}`);
  lines.push('', 'All facts:');
  for (const { label, value } of facts(agent, nowMs)) lines.push(`    ${label}: ${oneLine(value)}`);
  return `${lines.join('\n')}\n`;
}

/** `"working" (busy)`: as the row says it, and its term where that is another. */
function quoted(state: AgentState): string {
  return withTerm(`"${stateWords(state)}"`, state);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

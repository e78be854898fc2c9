import type { Evidence } from '../../core/agents/agentState';
import type { AgentView } from '../../core/engine';
import { exitWords, longDuration, stateWords } from './agentText';

/** One fact about an agent. Both sides are plain text: whoever shows them escapes them. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

const sourceWords: Record<Evidence['source'], string> = {
  process: 'process',
  exit_file: 'exit code',
  pane: 'terminal',
  hook: 'the agent itself',
  title: 'terminal title',
  screen: 'screen',
  person: 'a person',
  policy: 'restart policy',
  adoption: 'found running',
};

const policyWords: Record<AgentView['restartPolicy'], string> = {
  never: 'never',
  on_failure: 'after a failure',
  always: 'always',
};

/** What is known about an agent, in reading order. */
export function facts(agent: AgentView, nowMs: number): readonly Fact[] {
  const since = longDuration(nowMs - agent.sinceMs);
  const all: (Fact | undefined)[] = [
    { label: 'State', value: since === '' ? stateWords(agent) : `${stateWords(agent)}, ${since}` },
    agent.isManagedElsewhere ? { label: 'Access', value: 'read-only from this window' } : undefined,
    { label: 'Type', value: agent.typeLabel },
    { label: 'Folder', value: agent.folder },
    agent.role === undefined ? undefined : { label: 'Role', value: agent.role },
    agent.team === undefined ? undefined : { label: 'Team', value: agent.team },
    agent.pid === undefined ? undefined : { label: 'Process', value: String(agent.pid) },
    agent.exit === undefined ? undefined : { label: 'Last end', value: exitWords(agent.exit) || 'cause not known' },
    { label: 'Restarts', value: restarts(agent, nowMs) },
    { label: 'Id', value: agent.id },
    { label: 'Reason', value: agent.reason.replaceAll('_', ' ') },
  ];
  return all.filter((fact): fact is Fact => fact !== undefined && fact.value !== '');
}

/** Why we believe the state, strongest first, with the age of each piece. */
export function evidenceLines(agent: AgentView, nowMs: number): readonly string[] {
  return agent.evidence.map((piece) => {
    const age = longDuration(nowMs - piece.observedAtMs);
    return `${sourceWords[piece.source]}: ${piece.detail} (${age === '' ? 'just now' : `${age} ago`})`;
  });
}

function restarts(agent: AgentView, nowMs: number): string {
  const parts = [policyWords[agent.restartPolicy]];
  if (agent.recentRestartCount > 0) parts.push(`${agent.recentRestartCount} recently`);
  if (agent.nextStartAtMs !== undefined) {
    parts.push(`next in ${Math.max(0, Math.ceil((agent.nextStartAtMs - nowMs) / 1000))} s`);
  }
  return parts.join(', ');
}

import type { Evidence } from '../../core/agents/agentState';
import type { AgentUsage, AgentView } from '../../core/engine';
import { doorWords, requestTitle } from '../approvals/requestText';
import { queueWords, receiptLine, unsureWords } from '../prompts/receiptText';
import { exitWords, longDuration, needsSignIn, SIGN_IN_WORDS, stateWithTerm } from './agentText';
import { lastLine } from '../../core/agentTrouble';

/** One fact about an agent. Both sides are plain text: whoever shows them escapes them. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

export const sourceWords: Record<Evidence['source'], string> = {
  process: 'process',
  exit_file: 'exit code',
  pane: 'terminal',
  hook: 'the agent itself',
  title: 'terminal title',
  osc: 'the agent’s own status signal',
  status_file: 'status file of the program',
  screen: 'screen',
  person: 'a person',
  policy: 'a rule of ours',
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
    { label: 'State', value: since === '' ? stateWithTerm(agent) : `${stateWithTerm(agent)}, ${since}` },
    agent.isManagedElsewhere ? { label: 'Access', value: 'read-only from this window' } : undefined,
    agent.request === undefined
      ? undefined
      : { label: agent.request.kind === 'question' ? 'Asks' : 'Wants', value: askedValue(agent.request) },
    { label: 'Last prompt', value: lastPrompt(agent, nowMs) },
    { label: 'Not known', value: unsureWords(agent.unsurePromptCount, agent.lastReceipt) },
    { label: 'Queue', value: queueWords(agent.queuedPromptCount) },
    { label: 'Type', value: agent.typeLabel },
    { label: 'Folder', value: agent.folder },
    agent.role === undefined ? undefined : { label: 'Role', value: agent.role },
    agent.team === undefined ? undefined : { label: 'Team', value: agent.team },
    agent.pid === undefined ? undefined : { label: 'Process', value: String(agent.pid) },
    agent.exit === undefined ? undefined : { label: 'Last end', value: endValue(agent, agent.exit) },
    { label: 'Restarts', value: restarts(agent, nowMs) },
    { label: 'Usage', value: agent.usage ? usageWords(agent.usage, nowMs) : '' },
    { label: 'Degraded', value: agent.degraded.join('; ') },
    agent.isResumable ? { label: 'Conversation', value: 'can be resumed' } : undefined,
    { label: 'Id', value: agent.id },
    { label: 'Reason', value: needsSignIn(agent) ? SIGN_IN_WORDS : agent.reason.replaceAll('_', ' ') },
  ];
  return all.filter((fact): fact is Fact => fact !== undefined && fact.value !== '');
}

/** Why we believe the state, strongest first, with the age of each piece. */
export function evidenceLines(agent: AgentView, nowMs: number): readonly string[] {
  return agent.evidence.map((piece) => {
    return `${sourceWords[piece.source]}: ${piece.detail} (${ageWords(nowMs - piece.observedAtMs)})`;
  });
}

/** `just now`, `3 minutes ago`. */
export function ageWords(ageMs: number): string {
  const age = longDuration(ageMs);
  return age === '' ? 'just now' : `${age} ago`;
}

/** Tokens by the four classes and the cost as reported, and how much of the work that covers. Nothing is estimated. */
export function usageWords(usage: AgentUsage, nowMs: number): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  const cost = usage.costUsd === undefined ? 'cost not reported' : `$${usage.costUsd.toFixed(2)} as reported`;
  return [
    `${count(usage.inputTokens)} in, ${count(usage.outputTokens)} out, ${count(usage.cacheReadTokens)} from cache, ${count(usage.cacheWriteTokens)} to cache (tokens)`,
    cost,
    `covers ${usage.coverage}`,
    `as of ${ageWords(nowMs - usage.updatedAtMs)}`,
  ].join('; ');
}

function endValue(agent: AgentView, exit: NonNullable<AgentView['exit']>): string {
  return [exitWords(exit) || 'cause not known', lastLine(agent)].filter(Boolean).join(': ');
}

function askedValue(request: NonNullable<AgentView['request']>): string {
  return `${requestTitle(request, 200)} (${request.source === 'hook' ? 'as the agent told' : 'read off its screen'}; ${doorWords(request)})`;
}

function lastPrompt({ lastReceipt }: AgentView, nowMs: number): string {
  if (!lastReceipt) return '';
  return `${receiptLine(lastReceipt)} (${ageWords(nowMs - lastReceipt.stateAtMs)}): ${lastReceipt.excerpt}`;
}

function restarts(agent: AgentView, nowMs: number): string {
  const parts = [policyWords[agent.restartPolicy]];
  if (agent.recentRestartCount > 0) parts.push(`${agent.recentRestartCount} recently`);
  if (agent.nextStartAtMs !== undefined) {
    parts.push(`next in ${Math.max(0, Math.ceil((agent.nextStartAtMs - nowMs) / 1000))} s`);
  }
  return parts.join(', ');
}

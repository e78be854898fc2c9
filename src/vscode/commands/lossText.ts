import type { AgentView } from '../../core/engine';

/** Says what is known: who is in the middle of something, and of whom that cannot be told. */
export function lossText(agents: readonly AgentView[]): string {
  const names = (some: readonly AgentView[]): string => some.map((agent) => agent.name).join(', ');
  const unknown = agents.filter((agent) => agent.activity === 'unknown');
  const busy = agents.filter((agent) => agent.activity !== 'unknown');
  const parts = [
    ...(busy.length > 0 ? [`In the middle of something: ${names(busy)}.`] : []),
    ...(unknown.length > 0 ? [`Not known whether in the middle of something: ${names(unknown)}.`] : []),
  ];
  return `${parts.join(' ')} What is not finished will be lost.`;
}

/** What a restart does besides ending and starting; empty when nothing. */
export function restartText(agents: readonly (AgentView | undefined)[]): string {
  const names = agents.filter((agent) => agent?.hasFirstPrompt).map((agent) => agent?.name ?? '');
  if (names.length === 0) return '';
  const does =
    names.length === 1
      ? 'begins a new conversation and sends its first prompt again'
      : 'begins new conversations and sends their first prompts again';
  return ` A restart of ${names.join(', ')} ${does}.`;
}

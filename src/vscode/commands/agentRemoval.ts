import type { AgentId } from '../../core/agents/agent';
import type { AgentView, Engine } from '../../core/engine';
import { isInTheMiddle, isLive } from '../agents/agentText';
import { CommandId } from '../manifest';
import type { WindowPort } from '../notices/windowPort';
import { lossText } from './lossText';

const EXPORT = 'Export Data…';
/** More names than this are not read. */
const NAMED = 8;
/** What a person is asked before agents are removed. Plain text. */
export interface RemovalQuestion {
  readonly question: string;
  readonly detail: string;
  /** Removes them. */
  readonly button: string;
}

/** One question for all of them: who runs and is ended for it, and what is deleted. */
export function removalQuestion(agents: readonly AgentView[]): RemovalQuestion {
  const [first] = agents;
  const running = agents.filter(runs);
  const busy = agents.filter(isInTheMiddle);
  const isOne = agents.length === 1 && first !== undefined;
  const whose = isOne ? 'Its' : 'Their';
  const verb = running.length > 0 ? 'End and remove' : 'Remove';
  const all = running.length === agents.length;
  const ended = isOne
    ? 'It runs, and is ended first.'
    : `${all ? 'All of them run, and are' : `${names(running)} ${running.length === 1 ? 'runs, and is' : 'run, and are'}`} ended first.`;
  const parts = [
    ...(isOne ? [] : [`${names(agents)}.`]),
    ...(running.length > 0 ? [`${ended}${busy.length > 0 ? ` ${lossText(busy)}` : ''}`] : []),
    `${whose} prompts are deleted: searches and exports do not have them any more. ${whose} history is not shown any more. What the program itself keeps of a conversation stays with the program.`,
    'This cannot be undone. Export Data or Back Up Store keeps a copy.',
  ];
  return {
    question: isOne ? `${verb} ${first.name}?` : `${verb} ${agents.length} agents?`,
    detail: parts.join('\n\n'),
    button: `${running.length > 0 ? 'End and Remove' : 'Remove'} ${isOne ? 'Agent' : 'Agents'}`,
  };
}

/** True when the person wants them removed. Asked again when one of them has begun to run meanwhile. Nothing is asked about agents that are not there. */
export async function confirmRemoval(
  window: Pick<WindowPort, 'confirm' | 'run'>,
  engine: Pick<Engine, 'agent'>,
  ids: readonly AgentId[],
): Promise<boolean> {
  for (;;) {
    const agents = present(engine, ids);
    if (agents.length === 0) return true;
    const { question, detail, button } = removalQuestion(agents);
    const answer = await window.confirm(question, detail, [EXPORT, button]);
    if (answer === EXPORT) window.run(CommandId.ExportData);
    if (answer !== button) return false;
    const asked = new Set(agents.filter(runs).map(({ id }) => id));
    if (present(engine, ids).every((agent) => !runs(agent) || asked.has(agent.id))) return true;
  }
}

function present(engine: Pick<Engine, 'agent'>, ids: readonly AgentId[]): readonly AgentView[] {
  return ids.map((id) => engine.agent(id)).filter((agent) => agent !== undefined);
}

/** A removal ends something: its program, or the restart that it waits for. */
function runs(agent: AgentView): boolean {
  return isLive(agent) || agent.lifecycle === 'backoff';
}

function names(agents: readonly AgentView[]): string {
  const more = agents.length - NAMED;
  const named = agents.slice(0, NAMED).map(({ name }) => name);
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}

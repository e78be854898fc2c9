import type { AgentRequest, AgentRow } from './engineAnswers';
import { cleanLine } from './terminalText';

/** One word for any shell of a person (sh, bash, zsh, fish): as it is where nothing in it means something to a shell. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_%+:,./][A-Za-z0-9_@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * How a person names this agent in a shell: by its name where that leads to it and to no other, and can be read and typed as it is;
 * else by its id.
 */
export function handleOf({ id, name }: Pick<AgentRow, 'id' | 'name'>, agents: readonly AgentRow[]): string {
  const isTypable = name !== '' && !name.startsWith('-') && cleanLine(name) === name;
  const isTaken = agents.some(
    (other) => other.id !== id && (other.id === name || other.name.toLowerCase() === name.toLowerCase()),
  );
  return shellWord(isTypable && !isTaken ? name : cleanLine(id));
}

/** Neither running nor to be started: the engine is at it. */
const UNDER_WAY: ReadonlySet<string> = new Set(['starting', 'stopping', 'lost']);

/** Nothing that was cut is allowed: nobody has seen all of it. */
export function isAllowable({ canAllow, isCut }: AgentRequest): boolean {
  return canAllow !== false && !isCut;
}

/** What a person can answer in place of the agent's terminal. */
function canBeAllowed({ request }: AgentRow): boolean {
  return request?.kind === 'permission' && request.canAllow === true && isAllowable(request);
}

/**
 * What to do after the engine refused something about this agent, as it is now: a sentence with one command that works. Undefined: the
 * code says nothing about an agent. `isTerminal`: a person looks at this.
 */
export function nextStep(code: string, agent: AgentRow, handle: string, isTerminal: boolean): string | undefined {
  const attach = `\`orc attach ${handle}\``;
  const why = `\`orc why ${handle}\``;
  const start = `\`orc start --existing ${handle}\``;
  const unpause = `Let it take prompts again: \`orc unpause ${handle}\`.`;
  if (agent.lifecycle === 'paused' && code === 'agent.cannotResume') return unpause;
  switch (code) {
    case 'agent.dialogOpen':
      return canBeAllowed(agent)
        ? `\`orc ${isTerminal ? 'approve' : 'why'} ${handle}\` shows what it asks and ${isTerminal ? 'takes your answer' : 'how to answer'}; with --queue the prompt waits until then.`
        : `Answer it in its terminal: ${attach}; with --queue the prompt waits until then.`;
    case 'agent.draftInBox':
      return `Send or clear the draft in ${attach}; with --queue the prompt waits until then.`;
    case 'agent.inputHidden':
      return `See what covers its input in ${attach}; with --queue the prompt waits until it is free.`;
    case 'agent.notReady':
      return `See what it does in ${attach}; with --queue the prompt waits until it is ready.`;
    case 'agent.linesWouldSplit':
      return `Send it as one line, or each line as a prompt of its own; see what takes them in ${attach}.`;
    case 'agent.notRunning':
      return UNDER_WAY.has(agent.lifecycle) ? `See how far it is: ${why}.` : `Start it: ${start}.`;
    case 'agent.paused':
      return unpause;
    case 'agent.deliveryUnknown':
      return `Look at it before you send it again, nothing is typed a second time by itself: \`orc screen ${handle}\`.`;
    case 'agent.cannotResume':
      if (agent.lifecycle === 'running') return `It runs: see it in ${attach}.`;
      return `Start it in a new conversation: ${start}.`;
    case 'agent.quarantined':
      return `It failed too often in a row. Try once more: ${start}.`;
    case 'agent.commandNotFound':
      return `Install it; the agent is kept, and tried again with ${start}.`;
    case 'agent.folderMissing':
      return `Make the folder; the agent is kept, and tried again with ${start}.`;
    case 'agent.endedEarly':
      return `The agent is kept; see what it said: \`orc screen ${handle}\`.`;
    case 'agent.startDeadline':
      return `See how far it is: ${why}.`;
    case 'agent.cannotAnswer':
      return `Answer in its terminal: ${attach}.`;
    case 'agent.requestGone':
      return !agent.request && agent.needsYou
        ? `It waits for something in its terminal: ${attach}.`
        : `See ${agent.request ? 'what it asks' : 'what it does'} now: ${why}.`;
    default:
      return undefined;
  }
}

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { GatewayMethod } from '../shared/gatewayMethods';
import { textOf } from './commandLine';
import type { VerbContext } from './context';
import type { AgentRow, FleetAnswer, ResumeAnswer } from './engineAnswers';
import { CliError, ExitCode, usageError } from './exitCodes';
import { handleOf, shellWord } from './nextStep';
import { agrees } from './requestVerbs';
import { cleanLine } from './terminalText';

type OneAgentMethod = GatewayMethod &
  ('agent.stop' | 'agent.restart' | 'agent.pause' | 'agent.unpause' | 'agent.remove');

/** A verb that does the same to each of the agents it names, one after the other, and says of each what was `done`; goes on after a failure, and ends with the first. */
function eachAgent(method: OneAgentMethod, done: (name: string, agent: AgentRow) => string) {
  return async (context: VerbContext): Promise<ExitCode> => {
    const agents = await context.agents();
    const chosen: AgentRow[] = [];
    for (const name of context.line.operands) chosen.push(await context.agent(name));
    if (agents.length > 0 && chosen.length === 0)
      throw usageError(`${context.line.verb.name} takes ${context.line.verb.operands}`);
    if (method === 'agent.remove' && !(await isRemovalMeant(context, chosen))) {
      context.say('not removed');
      return ExitCode.Refused;
    }
    const failures: CliError[] = [];
    const succeeded: string[] = [];
    for (const agent of chosen) {
      const { id, name } = agent;
      try {
        await context.call(method, { agentId: id });
        succeeded.push(id);
        if (!context.isJson) context.say(done(cleanLine(name), agent));
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        if (chosen.length === 1) throw error;
        failures.push(error);
        context.terminal.writeError(`orc: ${cleanLine(name)}: ${error.message}\n`);
      }
    }
    if (context.isJson) context.say(JSON.stringify({ succeeded }, undefined, 2));
    return failures[0]?.exitCode ?? ExitCode.Ok;
  };
}

/** True with `--yes`, or when the person at the terminal agrees. @throws {CliError} Usage: without either */
async function isRemovalMeant(context: VerbContext, chosen: readonly AgentRow[]): Promise<boolean> {
  if (context.has('yes')) return true;
  const what = 'a removal ends what runs and deletes the prompts';
  if (context.isJson || !context.isAtTerminal) {
    const handles = chosen.map((agent) => context.handle(agent)).join(' ');
    throw usageError(what, `If you mean it: orc remove ${handles} --yes`);
  }
  const names = chosen.map(({ name }) => cleanLine(name)).join(', ');
  return agrees(context, `${what}: remove ${names}?`);
}

/** What a start in a new conversation does besides. */
const firstPromptWords = ({ hasFirstPrompt }: AgentRow): string =>
  hasFirstPrompt ? ' in a new conversation; its first prompt is sent again' : '';

/** Nothing of it runs, and nothing is about to. */
const OVER: ReadonlySet<string> = new Set(['stopped', 'exited', 'failed']);

const stopEach = eachAgent('agent.stop', (name, { lifecycle }) =>
  OVER.has(lifecycle) ? `${name} had ended already` : `stopped ${name}`,
);
export const restart = eachAgent('agent.restart', (name, agent) => `restarted ${name}${firstPromptWords(agent)}`);
export const pause = eachAgent('agent.pause', (name) => `paused ${name}`);
export const unpause = eachAgent('agent.unpause', (name) => `takes prompts again: ${name}`);
export const remove = eachAgent('agent.remove', (name) => `removed ${name}`);

export async function stop(context: VerbContext): Promise<ExitCode> {
  return context.has('all') ? fleet(context, 'fleet.stopAll', 'stopped') : stopEach(context);
}

/** @throws {CliError} Usage: before anything is kept of an agent that could not start there */
function existingFolder(folder: string): string {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw usageError(`there is no folder ${cleanLine(folder)}`, 'Name an existing one with --folder.');
}

export async function start(context: VerbContext): Promise<ExitCode> {
  const what = context.operand(0);
  const types = (await context.call('agent.types', {})) as readonly { readonly id: string }[]; // the engine's own
  if (context.has('existing') || !types.some(({ id }) => id === what)) return startExisting(context, what, types);
  const { line, terminal } = context;
  const name = textOf(line, 'name') ?? freeName(what, await context.agents());
  const optional = { role: textOf(line, 'role'), team: textOf(line, 'team'), firstPrompt: textOf(line, 'prompt') };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  // The custom command has no command of its own: what follows -- is all of it.
  const rest = line.rest && line.rest.length > 0 ? { [what === 'command' ? 'command' : 'args']: line.rest } : {};
  const spec = {
    name,
    typeId: what,
    folder: existingFolder(resolve(terminal.cwd, textOf(line, 'folder') ?? '.')),
    ...given,
    ...rest,
  };
  const { agentId } = (await context.call('agent.start', { spec })) as { readonly agentId: string }; // the engine's own
  context.answer({ agentId, isStarted: true }, () => `started ${cleanLine(name)} (${cleanLine(agentId)})`);
  return ExitCode.Ok;
}

async function startExisting(
  context: VerbContext,
  name: string,
  types: readonly { readonly id: string }[],
): Promise<ExitCode> {
  const agents = await context.agents();
  const isKnown = agents.some((agent) => agent.id === name || agent.name.toLowerCase() === name.toLowerCase());
  if (!isKnown)
    throw new CliError(
      ExitCode.NotFound,
      `"${cleanLine(name)}" is neither an agent type nor an agent`,
      `Types: ${types.map(({ id }) => cleanLine(id)).join(', ')}.`,
    );
  const agent = await context.agent(name);
  if (agent.lifecycle === 'running') {
    const begin = `\`orc restart ${handleOf(agent, agents)}\` begins anew`;
    context.answer({ agentId: agent.id, isStarted: false }, () => `${cleanLine(agent.name)} runs already; ${begin}`);
    return ExitCode.Ok;
  }
  const method = agent.lifecycle === 'quarantined' ? 'agent.release' : 'agent.startExisting';
  await context.call(method, { agentId: agent.id });
  context.answer(
    { agentId: agent.id, isStarted: true },
    () => `started ${cleanLine(agent.name)}${firstPromptWords(agent)}`,
  );
  return ExitCode.Ok;
}

/** `codex`, `codex 2`, … */
export function freeName(typeId: string, agents: readonly Pick<AgentRow, 'name'>[]): string {
  const taken = new Set(agents.map(({ name }) => name.toLowerCase()));
  for (let number = 1; ; number++) {
    const name = number === 1 ? typeId : `${typeId} ${number}`;
    if (!taken.has(name)) return name;
  }
}

export async function resume(context: VerbContext): Promise<ExitCode> {
  if (context.has('all')) return fleet(context, 'fleet.resume', 'resumed');
  if (context.line.operands.length === 0) throw usageError('resume takes AGENT or --all');
  const agent = await context.agent(context.operand(0));
  const report = (await context.call('agent.resume', { agentId: agent.id })) as ResumeAnswer; // the engine's own
  context.answer(
    { agentId: agent.id, ...report },
    () => `resumed ${cleanLine(agent.name)} ${reportLines(report).join('\n')}`,
  );
  return ExitCode.Ok;
}

/** In which conversation it is; what that has lost, and how its prompts are sent again. */
function reportLines({ sessionId, losses, lostPrompts, interruptedPrompt: cut }: ResumeAnswer): readonly string[] {
  return [
    `in its conversation ${cleanLine(sessionId)}`,
    ...losses.map((loss) => `lost: ${cleanLine(loss)}`),
    ...[cut ?? [], ...lostPrompts]
      .flat()
      .map(
        (one) =>
          `${one === cut ? 'turn interrupted' : 'not delivered'}: "${cleanLine(one.excerpt, 60)}"; send it again: orc resend ${cleanLine(one.id)}`,
      ),
  ];
}

/** Of a fleet that was resumed: how each agent came back, with its losses below it. */
function returnLines({ returned = [] }: FleetAnswer): readonly string[] {
  return returned.map(
    ({ name, report }) => `${cleanLine(name)}: ${(report ? reportLines(report) : ['started anew']).join('\n  ')}`,
  );
}

async function fleet(context: VerbContext, method: 'fleet.stopAll' | 'fleet.resume', done: string): Promise<ExitCode> {
  if (context.line.operands.length > 0) throw usageError(`${context.line.verb.name} takes agents or --all, not both`);
  const result = (await context.call(method, {})) as FleetAnswer; // the engine's own
  context.answer(result, () => {
    const failed = result.failed.map(({ name, error }) => `failed: ${cleanLine(name)}: ${cleanLine(messageOf(error))}`);
    const names = result.succeeded.map((name) => cleanLine(name)).join(', ') || 'none';
    return [`${done} ${names}`, ...returnLines(result), ...failed].join('\n');
  });
  return result.failed.length > 0 ? ExitCode.Failure : ExitCode.Ok;
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}

export async function rename(context: VerbContext): Promise<ExitCode> {
  const agent = await context.agent(context.operand(0));
  const name = context.operand(1);
  await context.call('agent.rename', { agentId: agent.id, name });
  context.answer({ agentId: agent.id, name }, () => `${cleanLine(agent.name)} is called ${cleanLine(name)} now`);
  return ExitCode.Ok;
}

export async function attach(context: VerbContext): Promise<ExitCode | number> {
  if (!context.isJson && !context.isAtTerminal)
    throw usageError(
      'attach needs a terminal',
      `\`orc screen ${shellWord(cleanLine(context.operand(0)))}\` prints what it shows; --json prints the command.`,
    );
  const agent = await context.agent(context.operand(0));
  const command = (await context.call('agent.attachCommand', { agentId: agent.id })) as {
    readonly program: string;
    readonly args: readonly string[];
  }; // the engine's own
  if (context.isJson) {
    context.say(JSON.stringify(command, undefined, 2));
    return ExitCode.Ok;
  }
  context.dispose();
  const { attachTerminal } = await import('./attachTerminal.js');
  return attachTerminal(command.program, command.args, context.terminal.env);
}

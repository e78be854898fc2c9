import { textOf } from './commandLine';
import type { VerbContext } from './context';
import type { AgentRequest, AgentRow } from './engineAnswers';
import { CliError, ExitCode, usageError } from './exitCodes';
import { isAllowable } from './nextStep';
import { cleanBlock, cleanLine } from './terminalText';

export async function approve(context: VerbContext): Promise<ExitCode> {
  const agent = await context.agent(context.operand(0));
  const named = textOf(context.line, 'request');
  if (named === undefined && !isAllowable(requestOf(agent))) throw onlyInTerminal(agent, agent.request?.isCut);
  const requestId = named ?? (await confirmed(context, agent, requestOf(agent)));
  if (requestId === undefined) {
    context.say('not approved');
    return ExitCode.Refused;
  }
  await context.call('agent.approve', { agentId: agent.id, requestId });
  context.answer({ agentId: agent.id, requestId }, () => 'approved');
  return ExitCode.Ok;
}

/** The id of the request that the person saw and allowed; undefined when they did not. */
async function confirmed(context: VerbContext, agent: AgentRow, request: AgentRequest): Promise<string | undefined> {
  if (context.has('yes')) return request.id;
  if (context.isJson || !context.isAtTerminal)
    throw usageError(
      'approve without a terminal needs --request ID, so that only what you saw is allowed',
      `\`orc why ${context.handle(agent)}\` shows what it asks now, with its id; --yes allows whatever it asks.`,
    );
  context.say(
    `${context.strong(cleanLine(agent.name))} asks: ${cleanLine(request.title)}\n${cleanBlock(request.detail)}`,
  );
  return (await agrees(context, 'Allow this?')) ? request.id : undefined;
}

/** What the person at the terminal says to this; no is the default. */
export async function agrees(context: VerbContext, question: string): Promise<boolean> {
  context.terminal.write(`${question} [y/N] `);
  return /^y(es)?$/i.test((await readLine()).trim());
}

/** One line of the terminal. */
function readLine(): Promise<string> {
  return new Promise((resolve) => {
    process.stdin.once('data', (data: Buffer) => resolve(data.toString('utf8')));
    process.stdin.once('end', () => resolve(''));
  }).then((line) => {
    process.stdin.pause();
    return line as string;
  });
}

export async function deny(context: VerbContext): Promise<ExitCode> {
  const agent = await context.agent(context.operand(0));
  const reason = textOf(context.line, 'reason');
  const named = textOf(context.line, 'request');
  if (named === undefined && requestOf(agent).canDeny === false) throw onlyInTerminal(agent);
  const requestId = named ?? requestOf(agent).id;
  if (reason !== undefined && agent.request?.id === requestId && agent.request.canGiveReason === false)
    context.terminal.writeError('orc: this agent takes no reason: it is refused without one\n');
  await context.call('agent.deny', { agentId: agent.id, requestId, ...(reason !== undefined && { reason }) });
  context.answer({ agentId: agent.id, requestId }, () => 'denied');
  return ExitCode.Ok;
}

function onlyInTerminal({ id, name }: AgentRow, isCut = false): CliError {
  const data = { status: 'FAILED_PRECONDITION', code: 'agent.cannotAnswer', agentId: id };
  return new CliError(
    ExitCode.Refused,
    `${cleanLine(name)} ${isCut ? 'asks for more than can be shown: it can be allowed only in its terminal' : 'can only be answered in its terminal'}`,
    undefined,
    data,
  );
}

/** @throws {CliError} Refused when it asks nothing */
function requestOf(agent: AgentRow): AgentRequest {
  if (agent.request) return agent.request;
  throw new CliError(
    ExitCode.Refused,
    agent.needsYou
      ? `${cleanLine(agent.name)} waits for a person, not for an answer from here`
      : `${cleanLine(agent.name)} asks for nothing now`,
    undefined, // by its code
    { status: 'FAILED_PRECONDITION', code: 'agent.requestGone', agentId: agent.id },
  );
}

import { GATEWAY_LIMITS } from '../shared/gatewayProtocol';
import { deliveryWords, reasonWords, whyWords } from '../shared/receiptWords';
import { positive, textOf, timeoutOf } from './commandLine';
import type { VerbContext } from './context';
import type { Receipt } from './engineAnswers';
import { CliError, ExitCode, usageError } from './exitCodes';
import { ReceiptNews } from './receiptNews';
import { cleanLine, formatAge, formatTable } from './terminalText';

const FINAL: ReadonlySet<string> = new Set(['acknowledged', 'failed', 'delivery_unknown', 'canceled']);

export async function prompt(context: VerbContext): Promise<ExitCode> {
  const text = await promptText(context);
  const engine = context.engine();
  const agent = await context.agent(context.operand(0));
  const whenBlocked = context.has('queue') ? ('queue' as const) : ('refuse' as const);
  const news = context.has('wait') ? await ReceiptNews.begin(engine) : undefined;
  const first = (await engine.call('agent.prompt', { agentId: agent.id, text, whenBlocked, wait: false })) as Receipt; // the engine's own
  return news ? follow(context, news, first) : tell(context, first);
}

const TEXT_ADVICE = 'Give it as words, or on standard input.';

async function promptText(context: VerbContext): Promise<string> {
  const words = [...context.line.operands.slice(1), ...(context.line.rest ?? [])];
  const isInput = words.length === 0 || (words.length === 1 && words[0] === '-');
  if (isInput && context.terminal.isInputTerminal && words.length === 0)
    throw usageError('prompt takes a text', TEXT_ADVICE);
  const text = isInput ? await readAll() : words.join(' ');
  if (text.trim() === '') throw usageError('the prompt is empty', TEXT_ADVICE);
  const bytes = Buffer.byteLength(text);
  if (bytes > GATEWAY_LIMITS.bodyBytes)
    throw usageError(
      `the prompt has ${bytes} bytes, more than ${GATEWAY_LIMITS.bodyBytes}`,
      'Put it into a file and name the file in the prompt.',
    );
  return text;
}

async function readAll(): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin) {
    parts.push(part as Buffer); // no encoding was set
    size += (part as Buffer).length;
    if (size > GATEWAY_LIMITS.bodyBytes + 4) break; // it is refused whatever comes
  }
  return Buffer.concat(parts).toString('utf8');
}

function tell(context: VerbContext, receipt: Receipt): ExitCode {
  context.answer(receipt, () => `${words(receipt)} (receipt ${cleanLine(receipt.id)})`);
  return exitCodeOf(receipt);
}

/** Every step that was taken, each once, until the last one. */
async function follow(context: VerbContext, news: ReceiptNews, first: Receipt): Promise<ExitCode> {
  const told = new Set<string>();
  const timeoutMs = timeoutOf(context.line);
  const endMs = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  for (;;) {
    const receipt = news.newest(first.id) ?? first;
    tellSteps(context, receipt, told);
    if (FINAL.has(receipt.state)) return exitCodeOf(receipt);
    if (await news.next(receipt, endMs === undefined ? undefined : endMs - performance.now())) continue;
    throw new CliError(
      ExitCode.TimedOut,
      `the prompt is ${words(receipt)} after ${textOf(context.line, 'timeout') ?? ''} s`,
      `It goes on: \`orc receipts ${cleanLine(receipt.agentId)}\` shows what became of it.`,
    );
  }
}

/** Several steps may have been taken at once: the receipt has them all, with their times. */
function tellSteps(context: VerbContext, receipt: Receipt, told: Set<string>): void {
  const steps = Object.entries(receipt.steps).sort(([, a], [, b]) => a - b);
  const all = steps.some(([state]) => state === receipt.state)
    ? steps
    : [...steps, [receipt.state, receipt.stateAtMs] as const];
  for (const [state, atMs] of all) {
    if (told.has(state)) continue;
    told.add(state);
    const isLatest = state === receipt.state;
    if (context.isJson) context.say(JSON.stringify({ ...receipt, state, stateAtMs: atMs }));
    else
      context.say(
        `${String(Math.max(0, atMs - receipt.createdAtMs)).padStart(6)} ms  ${isLatest ? words(receipt) : cleanLine(state)}`,
      );
  }
}

/** State, evidence or reason, and what was changed of the text. */
function words(receipt: Receipt): string {
  const { state, evidence, changes } = receipt;
  const why = [...(evidence ? [`by ${evidence}`] : []), ...whyWords(receipt)].map((each) => cleanLine(each, 200));
  const altered = (changes ?? []).map((change) => cleanLine(change.detail));
  const end = FINAL.has(state) && altered.length > 0 ? `; changed: ${altered.join(', ')}` : '';
  return `${cleanLine(deliveryWords(state))}${why.length > 0 ? ` (${why.join(', ')})` : ''}${end}`;
}

/** State with its evidence or reason, and whether it was sent again, for a table. */
function shortly(receipt: Receipt): string {
  const why = receipt.evidence ?? reasonWords(receipt);
  return cleanLine(`${deliveryWords(receipt.state)}${receipt.resentAs ? ', sent again' : ''}${why ? ` (${why})` : ''}`);
}

function exitCodeOf({ state }: Receipt): ExitCode {
  if (state === 'delivery_unknown') return ExitCode.DeliveryUnknown;
  if (state === 'canceled') return ExitCode.Refused;
  return state === 'failed' ? ExitCode.Failure : ExitCode.Ok;
}

export async function receipts(context: VerbContext): Promise<ExitCode> {
  const limit = Math.ceil(positive('limit', textOf(context.line, 'limit') ?? '20', 500));
  const agent = await context.agent(context.operand(0));
  const all = (await context.call('agent.receipts', { agentId: agent.id, limit })) as readonly Receipt[]; // the engine's own
  context.answer({ agentId: agent.id, receipts: all }, () => {
    if (all.length === 0) return 'no prompts were sent to it';
    const rows = all.map((each) => [
      cleanLine(each.id),
      formatAge(Date.now() - each.createdAtMs),
      shortly(each),
      cleanLine(each.excerpt, 120),
    ]);
    return formatTable(['RECEIPT', 'AGO', 'STATE', 'TEXT'], rows, context.terminal.columns, { kept: [0] });
  });
  return ExitCode.Ok;
}

export async function cancel(context: VerbContext): Promise<ExitCode> {
  const receiptId = context.operand(0);
  await context.call('agent.cancelPrompt', { receiptId });
  context.answer({ receiptId }, () => 'taken back');
  return ExitCode.Ok;
}

export async function settle(context: VerbContext): Promise<ExitCode> {
  const [receiptId = '', outcome] = context.line.operands;
  if (outcome !== 'arrived' && outcome !== 'lost') throw usageError('settle takes a receipt, then arrived or lost');
  await context.call('agent.settleDelivery', { receiptId, outcome });
  context.answer({ receiptId, outcome }, () => `noted: it ${outcome === 'lost' ? 'was lost' : 'arrived'}`);
  return ExitCode.Ok;
}

export async function resend(context: VerbContext): Promise<ExitCode> {
  const whenBlocked = context.has('queue') ? ('queue' as const) : ('refuse' as const);
  const engine = context.engine();
  return tell(
    context,
    (await engine.call('agent.resendPrompt', { receiptId: context.operand(0), whenBlocked })) as Receipt,
  ); // the engine's own
}

import { deliveryWords } from '../shared/receiptWords';
import { requestLine } from '../shared/requestTitle';
import { type StateCodes, stateWords, withTerm } from '../shared/stateWords';
import type { AgentRequest, AgentRow, Check, DoctorAnswer, Explanation, Notice, StatusAnswer } from './engineAnswers';
import type { VerbContext } from './context';
import { ExitCode } from './exitCodes';
import { bytesWords, type DataStatusAnswer, storeWords } from './maintenanceVerbs';
import { isAllowable, shellWord } from './nextStep';
import { cleanBlock, cleanLine, fitted, formatAge, formatTable, type TableFit } from './terminalText';

/** Names and ids are typed again: they stay whole; of what does not fit, the note goes first. */
const LIST_FIT: TableFit = { kept: [0, 1], droppable: [5, 2, 4, 1] };

export async function status(context: VerbContext): Promise<ExitCode> {
  const [answer, agents, notices, store] = (await Promise.all([
    context.call('engine.status', {}),
    context.call('agent.list', {}),
    context.call('engine.notices', {}),
    context.call('data.status', {}).catch(() => undefined), // it has none now, and says above why; or it is older than this
  ])) as [StatusAnswer, readonly AgentRow[], readonly Notice[], DataStatusAnswer | undefined]; // the engine's own; shown defensively
  const waiting = agents.filter(({ needsYou }) => needsYou);
  context.answer(
    { ...answer, agents: countsOf(agents), needsYou: waiting.map(({ id }) => id), notices, ...(store && { store }) },
    () => {
      const lines = [
        `${context.strong('engine')}  ${cleanLine(statusWords(answer.status))}, version ${cleanLine(answer.version)}`,
        `${context.strong('folder')}  ${cleanLine(answer.workspace) || 'none'}`,
        `${context.strong('agents')}  ${agentsSentence(agents)}`,
        ...waiting.map((agent) =>
          fitted(
            `needs you: ${cleanLine(agent.name)}, ${stateOf(agent)} since ${ageOf(agent)}${requestOf(agent)}`,
            context.terminal.columns,
          ),
        ),
        ...(store
          ? [
              `${context.strong('store')}   ${storeWords(store)}, backups ${bytesWords(store.backupBytes)}${store.archiveBytes ? `, archive ${bytesWords(store.archiveBytes)}` : ''}`,
            ]
          : []),
        ...notices.map(({ title }) => `notice: ${cleanLine(title)}`),
      ];
      return lines.join('\n');
    },
  );
  return answer.status.kind === 'blocked' ? ExitCode.Refused : ExitCode.Ok;
}

function statusWords(status: StatusAnswer['status']): string {
  const { hasRun = true, reason = '' } = status.tmuxLoss ?? {};
  const lost = status.isTmuxLost ? `, tmux ${hasRun ? 'has stopped' : 'cannot be started'}: ${cleanLine(reason)}` : '';
  const readOnly = status.isReadOnly ? ', read-only' : '';
  if (status.kind === 'ready') return `ready${lost}${readOnly}`;
  return status.detail ? `${status.kind}: ${status.detail}` : status.kind;
}

function countsOf(agents: readonly AgentRow[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { total: agents.length };
  for (const { lifecycle } of agents) counts[lifecycle] = (counts[lifecycle] ?? 0) + 1;
  return counts;
}

function agentsSentence(agents: readonly AgentRow[]): string {
  const counts = new Map<string, number>();
  for (const agent of agents) counts.set(stateOf(agent), (counts.get(stateOf(agent)) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${count} ${state}`);
  return agents.length === 0 ? 'none' : `${agents.length}: ${parts.join(', ')}`;
}

/** As its row in the window says it. */
function stateOf(state: StateCodes): string {
  return cleanLine(stateWords(state), 30);
}

/** With the term of the field where it is another word: `working (busy)`. */
function termed(state: StateCodes): string {
  return withTerm(stateWords(state), state);
}

function ageOf({ sinceMs }: AgentRow): string {
  return formatAge(Date.now() - sinceMs);
}

function requestOf({ request }: AgentRow): string {
  return request ? `: ${cleanLine(requestLine(request))}` : '';
}

export async function list(context: VerbContext): Promise<ExitCode> {
  const agents = await context.agents();
  context.answer({ agents }, () => {
    if (agents.length === 0) return 'no agents; `orc start TYPE` starts one';
    const rows = agents.map((agent) => [
      cleanLine(agent.name, 80), cleanLine(agent.id), cleanLine(agent.typeId), stateOf(agent), ageOf(agent),
      agent.request ? cleanLine(requestLine(agent.request)) : agent.needsYou ? cleanLine(agent.trouble ?? 'needs you') : cleanLine(deliveryWords(agent.lastReceipt?.state ?? '')),
    ]); // prettier-ignore
    return formatTable(['NAME', 'ID', 'TYPE', 'STATE', 'SINCE', 'NOTE'], rows, context.terminal.columns, LIST_FIT);
  });
  return ExitCode.Ok;
}

export async function types(context: VerbContext): Promise<ExitCode> {
  const all = (await context.call('agent.types', {})) as readonly { id: string; label: string; availability: string }[]; // the engine's own
  context.answer({ types: all }, () =>
    formatTable(
      ['TYPE', 'AVAILABLE', 'NAME'],
      all.map(({ id, label, availability }) => [cleanLine(id), cleanLine(availability), cleanLine(label)]),
      context.terminal.columns,
    ),
  );
  return ExitCode.Ok;
}

export async function why(context: VerbContext): Promise<ExitCode> {
  const agent = await context.agent(context.operand(0));
  const told = (await context.call('agent.explain', { agentId: agent.id })) as Explanation; // the engine's own
  context.answer({ agent, explanation: told }, () => {
    const signals = told.signals.map((signal) => [
      cleanLine(signal.weight), cleanLine(signal.source), cleanLine(termed({ lifecycle: 'running', activity: signal.activity })),
      formatAge(Date.now() - signal.observedAtMs), cleanLine(signal.detail),
    ]); // prettier-ignore
    const { request } = agent;
    return [
      `${context.strong(cleanLine(agent.name))}  ${cleanLine(termed(told), 60)} since ${formatAge(Date.now() - told.sinceMs)}`,
      cleanLine(told.conclusion),
      ...(signals.length > 0
        ? [formatTable(['WEIGHT', 'SOURCE', 'SAYS', 'AGO', 'WHAT'], signals, context.terminal.columns)]
        : []),
      ...told.degraded.map((each) => `degraded: ${cleanLine(each)}`),
      ...(request
        ? [
            `asks (request ${cleanLine(request.id)}): ${cleanLine(request.title)}`,
            cleanBlock(request.detail),
            answerLine(request, context.handle(agent)),
          ]
        : []),
    ].join('\n');
  });
  return ExitCode.Ok;
}

/** How this very request is answered. */
function answerLine(request: AgentRequest, handle: string): string {
  const isOpen = isAllowable(request);
  const verbs = [...(isOpen ? ['approve'] : []), ...(request.canDeny === false ? [] : ['deny'])];
  const commands = verbs.map((verb) => `\`orc ${verb} ${handle} --request ${shellWord(cleanLine(request.id))}\``);
  if (!isOpen) commands.push(`in its terminal, \`orc attach ${handle}\``);
  return `answer: ${commands.join(' or ')}`;
}

export async function screen(context: VerbContext): Promise<ExitCode> {
  const { id } = await context.agent(context.operand(0));
  const { text } = (await context.call('agent.screen', { agentId: id })) as { readonly text: string }; // the engine's own
  context.answer({ agentId: id, text }, () =>
    cleanBlock(text)
      .replace(/^\s*\n/, '')
      .trimEnd(),
  );
  return ExitCode.Ok;
}

export async function doctor(context: VerbContext): Promise<ExitCode> {
  const [typeId] = context.line.operands;
  const report = typeId === undefined ? undefined : ((await context.call('doctor.run', { typeId })) as DoctorAnswer); // the engine's own
  const checks = report?.checks ?? ((await context.call('engine.diagnose', {})) as readonly Check[]); // the engine's own
  context.answer(report ?? { checks }, () => {
    const head = report ? [`${cleanLine(report.typeId)}: ${versionWords(report)}`] : [];
    return [...head, ...checks.map(checkLine)].join('\n');
  });
  return checks.some(({ level }) => level === 'error') ? ExitCode.Failure : ExitCode.Ok;
}

/** `2.1.197 (known: 2.1.196, 2.1.197)`; of a type that says of no version what it does: that. */
function versionWords({ programVersion, knownVersions }: DoctorAnswer): string {
  const known = knownVersions.map((each) => cleanLine(each)).join(', ');
  if (known !== '') return `${cleanLine(programVersion ?? 'version unknown')} (known: ${known})`;
  const unchecked = 'no version is checked for this type';
  return programVersion === undefined ? unchecked : `${cleanLine(programVersion)} (${unchecked})`;
}

function checkLine({ label, level, detail, advice }: Check): string {
  const mark = { ok: 'ok     ', info: 'info   ', warning: 'WARNING', error: 'ERROR  ' }[level] ?? cleanLine(level);
  return `${mark} ${cleanLine(label)}: ${cleanLine(detail, 1000)}${advice ? `\n        ${cleanLine(advice, 1000)}` : ''}`;
}

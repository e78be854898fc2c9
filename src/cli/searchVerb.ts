import { positive, textOf } from './commandLine';
import type { VerbContext } from './context';
import { ExitCode, usageError } from './exitCodes';
import { cleanLine, formatTable } from './terminalText';

/** What `data.search` answers. */
interface SearchAnswer {
  readonly isComplete: boolean;
  readonly found: readonly {
    readonly kind: string;
    readonly agentId?: string;
    readonly about: string;
    readonly atMs: number;
    readonly snippet: { readonly text: string };
  }[];
}

/** `orc data search WORDS…` */
export async function search(context: VerbContext): Promise<ExitCode> {
  const query = context.line.operands.slice(1).join(' ');
  if (query.trim() === '')
    throw usageError(
      'search takes the WORDS to look for',
      `All of them must be there. A phrase: '"a phrase"'. A beginning: 'begin*', three letters or more.`,
    );
  const limit = Math.ceil(positive('limit', textOf(context.line, 'limit') ?? '50', 200));
  const answer = (await context.call('data.search', { query, limit })) as SearchAnswer; // the engine's own
  context.answer(answer, () => {
    const rows = answer.found.map(({ kind, agentId, about, atMs, snippet }) => [
      ...[new Date(atMs).toISOString().slice(0, 16).replace('T', ' '), cleanLine(kind), cleanLine(agentId ?? '')],
      ...[cleanLine(about, 40), cleanLine(snippet.text, 200)],
    ]);
    const head = ['UTC', 'WHAT', 'AGENT', 'ABOUT', 'TEXT'];
    const fit = { kept: [4], droppable: [3, 1] };
    const lines = [rows.length > 0 ? formatTable(head, rows, context.terminal.columns, fit) : 'nothing was found'];
    if (!answer.isComplete) lines.push('Older records are still being made ready for searching; some may be missing.');
    return lines.join('\n');
  });
  return answer.found.length > 0 ? ExitCode.Ok : ExitCode.NotFound;
}

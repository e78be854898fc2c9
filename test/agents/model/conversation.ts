import { field, list, resultText, text, textParts } from './json';
import { readScript } from './script';

/** What a request says, whichever protocol it came in. */
export interface Conversation {
  /** Every text that was sent in the user's name, byte for byte: the person's and what the program adds of its own. */
  readonly userTexts: readonly string[];
  /** The person's last message. */
  readonly message: string;
  /** Tool calls that were answered since that message. */
  readonly step: number;
  readonly lastTool?: string;
  readonly lastResult?: string;
  /** Names of the declared tools; empty for side requests such as "a title for this conversation". */
  readonly tools: readonly string[];
  readonly isStreaming: boolean;
  /** JSON schema that the answer has to follow. */
  readonly schema?: unknown;
}

type Step =
  | { readonly kind: 'said'; readonly texts: readonly string[] }
  | { readonly kind: 'called'; readonly tool: string }
  | { readonly kind: 'result'; readonly result: string };

/** Texts in the user's name that the programs write themselves. */
const ADDED =
  /^\s*(<(environment_context|user_instructions|permissions instructions|session_context|INSTRUCTIONS|skills_instructions|recommended_plugins|turn_aborted|user_shell_command)>|# AGENTS\.md|This is the Gemini CLI\.)/;
const REMINDER = /^\s*<system-reminder>[\s\S]*<\/system-reminder>\s*$/;
/** Claude Code puts a prompt that was typed during a turn into that turn, in these words. */
const STEERED = /^The user sent a new message while you were working:\n([\s\S]*?)\n\nIMPORTANT:/;

export function readAnthropic(body: unknown): Conversation {
  const steps = list(field(body, 'messages')).flatMap((message): readonly Step[] => {
    const content = field(message, 'content');
    if (field(message, 'role') === 'assistant') return callsOf(list(content), 'tool_use');
    if (field(message, 'role') === 'system')
      return textParts(content).flatMap((words) => {
        const typed = STEERED.exec(words)?.[1];
        return typed === undefined ? [] : [{ kind: 'said', texts: [typed] } as const];
      });
    const results = list(content)
      .filter((part) => field(part, 'type') === 'tool_result')
      .map((part) => ({ kind: 'result', result: resultText(field(part, 'content')) }) as const);
    return [...results, { kind: 'said', texts: textParts(content) }];
  });
  const format = field(body, 'output_config', 'format') ?? field(body, 'output_format');
  const tools = list(field(body, 'tools')).map((tool) => text(field(tool, 'name')));
  return sumUp(steps, tools, field(body, 'stream') === true, field(format, 'schema'));
}

export function readResponses(body: unknown): Conversation {
  const input = field(body, 'input');
  const items = typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : list(input);
  const steps = items.flatMap((item): readonly Step[] => {
    const type = text(field(item, 'type')) || 'message';
    if (type === 'message' && field(item, 'role') === 'user')
      return [{ kind: 'said', texts: textParts(field(item, 'content')) }];
    if (type.endsWith('_call')) return [{ kind: 'called', tool: text(field(item, 'name')) || type }];
    if (type.endsWith('_call_output')) return [{ kind: 'result', result: resultText(field(item, 'output')) }];
    return [];
  });
  const tools = list(field(body, 'tools')).flatMap((tool) => {
    const name = text(field(tool, 'name')) || text(field(tool, 'type'));
    if (field(tool, 'type') !== 'namespace') return [name];
    return list(field(tool, 'tools')).map((inner) => `${name}::${text(field(inner, 'name'))}`);
  });
  const format = field(body, 'text', 'format');
  const schema = field(format, 'type') === 'json_schema' ? field(format, 'schema') : undefined;
  return sumUp(steps, tools, field(body, 'stream') !== false, schema);
}

export function readChat(body: unknown): Conversation {
  const steps = list(field(body, 'messages')).flatMap((message): readonly Step[] => {
    const content = field(message, 'content');
    switch (field(message, 'role')) {
      case 'user':
        return [{ kind: 'said', texts: textParts(content) }];
      case 'tool':
        return [{ kind: 'result', result: resultText(content) }];
      default:
        return list(field(message, 'tool_calls')).map((call) => ({
          kind: 'called',
          tool: text(field(call, 'function', 'name')),
        }));
    }
  });
  const tools = list(field(body, 'tools')).map((tool) => text(field(tool, 'function', 'name')));
  const schema = field(body, 'response_format', 'json_schema', 'schema');
  return sumUp(steps, tools, field(body, 'stream') === true, schema);
}

export function readGemini(body: unknown, isStreaming: boolean): Conversation {
  const steps = list(field(body, 'contents')).flatMap((content): readonly Step[] => {
    const parts = list(field(content, 'parts'));
    if (field(content, 'role') === 'model')
      return parts.flatMap((part) => {
        const tool = field(part, 'functionCall', 'name');
        return typeof tool === 'string' ? [{ kind: 'called', tool } as const] : [];
      });
    const results = parts
      .filter((part) => field(part, 'functionResponse') !== undefined)
      .map((part) => ({ kind: 'result', result: resultText(field(part, 'functionResponse', 'response')) }) as const);
    return [...results, { kind: 'said', texts: textParts(parts) }];
  });
  const tools = list(field(body, 'tools')).flatMap((tool) =>
    list(field(tool, 'functionDeclarations')).map((declared) => text(field(declared, 'name'))),
  );
  const config = field(body, 'generationConfig');
  const wantsJson = field(config, 'responseMimeType') === 'application/json' ? { type: 'object' } : undefined;
  const schema = field(config, 'responseJsonSchema') ?? field(config, 'responseSchema') ?? wantsJson;
  return sumUp(steps, tools, isStreaming, schema);
}

function callsOf(parts: readonly unknown[], type: string): readonly Step[] {
  return parts
    .filter((part) => field(part, 'type') === type)
    .map((part) => ({ kind: 'called', tool: text(field(part, 'name')) }));
}

function sumUp(steps: readonly Step[], tools: readonly string[], isStreaming: boolean, schema: unknown): Conversation {
  const last = steps.findLastIndex((step) => step.kind === 'said' && personsText(step.texts) !== undefined);
  const said = steps[last];
  const after = steps.slice(last + 1);
  const called = after.filter((step) => step.kind === 'called');
  const result = after.findLast((step) => step.kind === 'result')?.result;
  const lastTool = called.at(-1)?.tool;
  return {
    userTexts: steps.flatMap((step) => (step.kind === 'said' ? step.texts : [])),
    message: (said?.kind === 'said' && personsText(said.texts)) || '',
    step: called.length,
    ...(lastTool !== undefined && { lastTool }),
    ...(result !== undefined && { lastResult: result }),
    tools: tools.filter((name) => name !== ''),
    isStreaming,
    ...(schema !== undefined && { schema }),
  };
}

/** The text among these that a person wrote: one with directives before one without. */
function personsText(texts: readonly string[]): string | undefined {
  const own = texts.filter((words) => words.trim() !== '' && !ADDED.test(words));
  return (
    own.findLast((words) => readScript(words).length > 0) ?? own.findLast((words) => !REMINDER.test(words)) ?? undefined
  );
}

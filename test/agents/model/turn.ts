import { createHash } from 'node:crypto';
import type { Conversation } from './conversation';
import { field, list, text } from './json';
import { type Directive, isCall, readScript } from './script';
import { type ToolCall, toolCall } from './toolCall';

export interface Tokens {
  readonly input: number;
  readonly output: number;
}

/** What the model does with one request. */
export type Turn =
  | { readonly kind: 'error'; readonly status: number; readonly message?: string }
  | { readonly kind: 'limit' }
  | {
      readonly kind: 'answer';
      readonly speech: readonly Directive[];
      readonly call?: ToolCall;
      readonly tokens?: Tokens;
    };

/** Plans turns; remembers how often a message has failed already (`[[error: 529 x2]]`). */
export class TurnPlanner {
  readonly #failures = new Map<string, number>();

  plan(conversation: Conversation): Turn {
    if (conversation.schema !== undefined) return say(JSON.stringify(example(conversation.schema)));
    if (conversation.tools.length === 0) return say('A title'); // a side request of the program
    const script = remaining(readScript(conversation.message), conversation);
    const speech: Directive[] = [];
    let tokens: Tokens | undefined;
    for (const [index, directive] of script.entries()) {
      if (directive.name === 'limit') return { kind: 'limit' };
      if (directive.name === 'tokens') {
        tokens = readTokens(directive.argument);
      } else if (directive.name === 'error') {
        const error = this.#error(directive, `${conversation.message}\n${conversation.step}\n${index}`);
        if (error) return error;
      } else if (isCall(directive)) {
        const call = toolCall(directive, conversation.tools);
        if (call) return answer(speech, tokens, call);
        speech.push({ name: 'reply', argument: `no tool for ${directive.name} ${directive.argument}` });
      } else {
        speech.push(directive);
      }
    }
    return answer(speech.length > 0 ? speech : [{ name: 'reply', argument: unscripted(conversation) }], tokens);
  }

  #error(directive: Directive, key: string): Turn | undefined {
    const [, status, times, message] = /^(\d{3})(?:\s+x(\d+))?(?:\s+(.+))?$/s.exec(directive.argument) ?? [];
    const failed = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failed);
    if (times !== undefined && failed > Number(times)) return undefined;
    return { kind: 'error', status: Number(status ?? 500), ...(message !== undefined && { message }) };
  }
}

function answer(speech: readonly Directive[], tokens: Tokens | undefined, call?: ToolCall): Turn {
  return { kind: 'answer', speech, ...(call && { call }), ...(tokens && { tokens }) };
}

function say(argument: string): Turn {
  return { kind: 'answer', speech: [{ name: 'reply', argument }] };
}

/** The directives after the last call that was answered; what the program has no tool for was no call. */
function remaining(script: readonly Directive[], { step, tools }: Conversation): readonly Directive[] {
  const calls = script.flatMap((directive, index) => (toolCall(directive, tools) ? [index] : []));
  return step === 0 ? script : script.slice((calls[step - 1] ?? script.length) + 1);
}

function readTokens(argument: string): Tokens {
  const [input, output] = argument.split(/\s+/).map(Number);
  return { input: input ?? 1, output: output ?? 1 };
}

function unscripted(conversation: Conversation): string {
  if (conversation.step > 0)
    return `Done: ${conversation.lastTool ?? ''} said ${(conversation.lastResult ?? '').slice(0, 300)}`;
  const digest = createHash('sha256').update(conversation.message).digest('hex').slice(0, 8);
  return `Received ${Buffer.byteLength(conversation.message)} bytes ${digest}`;
}

/** A smallest value that a JSON schema allows, as far as the programs need it. */
function example(schema: unknown): unknown {
  const choices = list(field(schema, 'enum'));
  if (choices.length > 0) return choices.includes('user') ? 'user' : choices[0];
  const declared = field(schema, 'type');
  const type = text(Array.isArray(declared) ? declared[0] : declared).toLowerCase();
  const properties = field(schema, 'properties');
  if (typeof properties === 'object' && properties !== null)
    return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, example(inner)]));
  switch (type) {
    case 'object':
      return {};
    case 'array':
      return [];
    case 'boolean':
      return false;
    case 'number':
    case 'integer':
      return field(schema, 'minimum') ?? 0;
    default:
      return 'scripted';
  }
}

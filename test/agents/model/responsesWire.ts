import { speak } from './speech';
import type { ToolCall } from './toolCall';
import {
  beginStream,
  type Exchange,
  HOUR_S,
  inAnHourS,
  randomId,
  type Refusal,
  retryHeaders,
  sendEvent,
  type Wire,
} from './wire';

/** OpenAI Responses, streaming only: https://platform.openai.com/docs/api-reference/responses-streaming */
export const responsesWire: Wire = {
  answer: (exchange) => new ResponseStream(exchange).run(),
  error: (status, message) => openAiError(status, message),
  usageLimit: () => ({
    status: 429,
    body: {
      error: {
        type: 'usage_limit_reached',
        message: 'The usage limit has been reached',
        plan_type: 'plus',
        resets_at: inAnHourS(),
        resets_in_seconds: HOUR_S,
      },
    },
  }),
};

export function openAiError(status: number, message: string): Refusal {
  const code = { 401: 'invalid_api_key', 429: 'rate_limit_exceeded' }[status] ?? 'server_error';
  const type = { 401: 'invalid_request_error', 429: 'rate_limit_exceeded' }[status] ?? 'server_error';
  return { status, headers: retryHeaders(status), body: { error: { message, type, code, param: null } } };
}

interface OpenItem {
  readonly kind: 'text' | 'thought';
  readonly id: string;
  text: string;
}

class ResponseStream {
  readonly #id = randomId('resp_');
  readonly #output: unknown[] = [];
  #sequence = 0;
  #item: OpenItem | undefined;

  constructor(private readonly exchange: Exchange) {}

  async run(): Promise<void> {
    const { response, signal, speech, call } = this.exchange;
    beginStream(response);
    this.#send('response.created', { response: this.#response('in_progress') });
    for await (const piece of speak(speech, signal)) {
      if (piece.kind === 'drop') return void response.destroy();
      if (this.#item?.kind !== piece.kind) this.#open(piece.kind);
      this.#say(piece.text);
    }
    if (signal.aborted) return;
    this.#close();
    if (call) this.#whole(callItem(call));
    this.#send('response.completed', { response: this.#response('completed') });
    response.end();
  }

  #send(type: string, fields: object): void {
    sendEvent(this.exchange.response, { type, sequence_number: this.#sequence++, ...fields }, type);
  }

  #response(status: 'in_progress' | 'completed'): unknown {
    const { input, output } = this.exchange.tokens;
    const usage = {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + output,
    };
    return {
      id: this.#id,
      object: 'response',
      created_at: Math.floor(Date.now() / 1000),
      status,
      model: this.exchange.model,
      output: this.#output,
      usage: status === 'completed' ? usage : null,
    };
  }

  #open(kind: OpenItem['kind']): void {
    this.#close();
    const id = randomId(kind === 'thought' ? 'rs_' : 'msg_');
    this.#item = { kind, id, text: '' };
    const at = { item_id: id, output_index: this.#output.length };
    const item =
      kind === 'thought'
        ? { type: 'reasoning', id, summary: [] }
        : { type: 'message', id, role: 'assistant', status: 'in_progress', content: [] };
    this.#send('response.output_item.added', { output_index: at.output_index, item });
    if (kind === 'thought') {
      const part = { type: 'summary_text', text: '' };
      this.#send('response.reasoning_summary_part.added', { ...at, summary_index: 0, part });
    } else {
      const part = { type: 'output_text', text: '', annotations: [] };
      this.#send('response.content_part.added', { ...at, content_index: 0, part });
    }
  }

  #say(delta: string): void {
    const item = this.#item;
    if (!item) return;
    item.text += delta;
    const at = { item_id: item.id, output_index: this.#output.length, delta };
    if (item.kind === 'thought') this.#send('response.reasoning_summary_text.delta', { ...at, summary_index: 0 });
    else this.#send('response.output_text.delta', { ...at, content_index: 0 });
  }

  #close(): void {
    const item = this.#item;
    if (!item) return;
    this.#item = undefined;
    const { id, text } = item;
    const done =
      item.kind === 'thought'
        ? { type: 'reasoning', id, summary: [{ type: 'summary_text', text }], content: null, encrypted_content: null }
        : {
            type: 'message',
            id,
            role: 'assistant',
            status: 'completed',
            content: [{ type: 'output_text', text, annotations: [] }],
          };
    if (item.kind === 'text') {
      const at = { item_id: id, output_index: this.#output.length, content_index: 0 };
      this.#send('response.output_text.done', { ...at, text });
    }
    this.#finish(done);
  }

  #whole(item: unknown): void {
    this.#send('response.output_item.added', { output_index: this.#output.length, item });
    this.#finish(item);
  }

  #finish(item: unknown): void {
    this.#send('response.output_item.done', { output_index: this.#output.length, item });
    this.#output.push(item);
  }
}

function callItem({ name, input }: ToolCall): unknown {
  const [namespace, inner] = name.includes('::') ? name.split('::') : [undefined, name];
  const common = { call_id: randomId('call_'), name: inner, status: 'completed' };
  if (typeof input === 'string') return { type: 'custom_tool_call', id: randomId('ctc_'), ...common, input };
  return {
    type: 'function_call',
    id: randomId('fc_'),
    ...common,
    ...(namespace !== undefined && { namespace }),
    arguments: JSON.stringify(input),
  };
}

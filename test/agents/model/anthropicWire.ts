import { speak, wholeSpeech } from './speech';
import {
  beginStream,
  type Exchange,
  HOUR_S,
  inAnHourS,
  randomId,
  type Refusal,
  retryHeaders,
  sendEvent,
  sendJson,
  type Wire,
} from './wire';

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** Anthropic Messages, https://docs.anthropic.com/en/api/messages-streaming */
export const anthropicWire: Wire = {
  answer: (exchange) => (exchange.isStreaming ? stream(exchange) : whole(exchange)),

  error: (status, message) => ({
    status,
    headers: retryHeaders(status),
    body: { type: 'error', error: { type: ERROR_TYPES[status] ?? 'api_error', message }, request_id: randomId('req_') },
  }),

  usageLimit(): Refusal {
    const reset = String(inAnHourS());
    return {
      status: 429,
      headers: {
        'anthropic-ratelimit-unified-status': 'rejected',
        'anthropic-ratelimit-unified-reset': reset,
        'anthropic-ratelimit-unified-representative-claim': 'five_hour',
        'anthropic-ratelimit-unified-5h-status': 'rejected',
        'anthropic-ratelimit-unified-5h-reset': reset,
        'retry-after': String(HOUR_S),
        'x-should-retry': 'false',
      },
      body: { type: 'error', error: { type: 'rate_limit_error', message: 'The usage limit of this plan is reached.' } },
    };
  },
};

function envelope({ model, tokens }: Exchange, outputTokens: number): Record<string, unknown> {
  const usage = { input_tokens: tokens.input, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  return {
    id: randomId('msg_'),
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usage, output_tokens: outputTokens },
  };
}

async function whole(exchange: Exchange): Promise<void> {
  const { call } = exchange;
  const words = await wholeSpeech(exchange.speech, exchange.signal);
  const content = [
    ...(words === '' ? [] : [{ type: 'text', text: words }]),
    ...(call ? [{ type: 'tool_use', id: randomId('toolu_'), name: call.name, input: call.input }] : []),
  ];
  const body = { ...envelope(exchange, exchange.tokens.output), content, stop_reason: call ? 'tool_use' : 'end_turn' };
  sendJson(exchange.response, { status: 200, body });
}

async function stream(exchange: Exchange): Promise<void> {
  const { response, call, tokens } = exchange;
  const send = (type: string, fields: object = {}): void => sendEvent(response, { type, ...fields }, type);
  beginStream(response);
  send('message_start', { message: envelope(exchange, 1) });
  let index = -1;
  let open: 'text' | 'thought' | undefined;
  const close = (): void => {
    if (open === undefined) return;
    if (open === 'thought')
      send('content_block_delta', { index, delta: { type: 'signature_delta', signature: 'c2lnbmVk' } });
    send('content_block_stop', { index });
    open = undefined;
  };
  for await (const piece of speak(exchange.speech, exchange.signal)) {
    if (piece.kind === 'drop') return void response.destroy();
    if (open !== piece.kind) {
      close();
      open = piece.kind;
      const block = open === 'thought' ? { type: 'thinking', thinking: '', signature: '' } : { type: 'text', text: '' };
      send('content_block_start', { index: ++index, content_block: block });
    }
    const delta =
      open === 'thought' ? { type: 'thinking_delta', thinking: piece.text } : { type: 'text_delta', text: piece.text };
    send('content_block_delta', { index, delta });
  }
  if (exchange.signal.aborted) return;
  close();
  if (call) {
    const block = { type: 'tool_use', id: randomId('toolu_'), name: call.name, input: {} };
    send('content_block_start', { index: ++index, content_block: block });
    send('content_block_delta', {
      index,
      delta: { type: 'input_json_delta', partial_json: JSON.stringify(call.input) },
    });
    send('content_block_stop', { index });
  }
  const usage = { input_tokens: tokens.input, output_tokens: tokens.output };
  send('message_delta', { delta: { stop_reason: call ? 'tool_use' : 'end_turn', stop_sequence: null }, usage });
  send('message_stop');
  response.end();
}

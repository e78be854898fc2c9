import { openAiError } from './responsesWire';
import { speak, wholeSpeech } from './speech';
import { beginStream, type Exchange, randomId, sendEvent, sendJson, type Wire } from './wire';

/** OpenAI Chat Completions: https://platform.openai.com/docs/api-reference/chat-streaming */
export const chatWire: Wire = {
  answer: (exchange) => (exchange.isStreaming ? stream(exchange) : whole(exchange)),
  error: (status, message) => openAiError(status, message),
  usageLimit: () => ({
    status: 429,
    body: {
      error: {
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        code: 'insufficient_quota',
        param: null,
      },
    },
  }),
};

function callOf({ call }: Exchange): unknown {
  return (
    call && {
      id: randomId('call_'),
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.input) },
    }
  );
}

function usageOf({ tokens: { input, output } }: Exchange): unknown {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

async function whole(exchange: Exchange): Promise<void> {
  const words = await wholeSpeech(exchange.speech, exchange.signal);
  const call = callOf(exchange);
  const message = { role: 'assistant', content: words === '' ? null : words, ...(call ? { tool_calls: [call] } : {}) };
  const body = {
    id: randomId('chatcmpl-'),
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: exchange.model,
    choices: [{ index: 0, message, finish_reason: call ? 'tool_calls' : 'stop' }],
    usage: usageOf(exchange),
  };
  sendJson(exchange.response, { status: 200, body });
}

async function stream(exchange: Exchange): Promise<void> {
  const { response, signal } = exchange;
  const common = {
    id: randomId('chatcmpl-'),
    object: 'chat.completion.chunk',
    created: Math.floor(Date.now() / 1000),
    model: exchange.model,
  };
  const send = (delta: object, finish: string | null = null): void =>
    sendEvent(response, { ...common, choices: [{ index: 0, delta, finish_reason: finish }] });
  beginStream(response);
  send({ role: 'assistant', content: '' });
  for await (const piece of speak(exchange.speech, signal)) {
    if (piece.kind === 'drop') return void response.destroy();
    send(piece.kind === 'thought' ? { reasoning_content: piece.text } : { content: piece.text });
  }
  if (signal.aborted) return;
  const call = callOf(exchange);
  if (call) send({ tool_calls: [{ index: 0, ...call }] });
  send({}, call ? 'tool_calls' : 'stop');
  sendEvent(response, { ...common, choices: [], usage: usageOf(exchange) });
  response.end('data: [DONE]\n\n');
}

import { speak, wholeSpeech } from './speech';
import { beginStream, type Exchange, randomId, retryHeaders, sendEvent, sendJson, type Wire } from './wire';

const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

/** Gemini generateContent: https://ai.google.dev/api/generate-content */
export const geminiWire: Wire = {
  answer: (exchange) => (exchange.isStreaming ? stream(exchange) : whole(exchange)),

  error: (status, message) => ({
    status,
    headers: retryHeaders(status),
    body: { error: { code: status, message, status: STATUS_NAMES[status] ?? 'INTERNAL' } },
  }),

  usageLimit: () => {
    const violation = {
      quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
      quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier',
    };
    const details = [{ '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [violation] }];
    const message = 'You have exhausted your daily quota on this model.';
    return { status: 429, body: { error: { code: 429, message, status: 'RESOURCE_EXHAUSTED', details } } };
  },
};

function chunkMaker({ tokens, model }: Exchange): (parts: readonly unknown[], isLast: boolean) => unknown {
  const responseId = randomId('r');
  const usageMetadata = {
    promptTokenCount: tokens.input,
    candidatesTokenCount: tokens.output,
    totalTokenCount: tokens.input + tokens.output,
  };
  return (parts, isLast) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(isLast && { finishReason: 'STOP' }) }],
    usageMetadata,
    modelVersion: model,
    responseId,
  });
}

function callParts({ call }: Exchange): readonly unknown[] {
  return call ? [{ functionCall: { id: randomId('fc_'), name: call.name, args: call.input } }] : [];
}

async function whole(exchange: Exchange): Promise<void> {
  const words = await wholeSpeech(exchange.speech, exchange.signal);
  const parts = [...(words === '' ? [] : [{ text: words }]), ...callParts(exchange)];
  sendJson(exchange.response, { status: 200, body: chunkMaker(exchange)(parts, true) });
}

async function stream(exchange: Exchange): Promise<void> {
  const { response, signal } = exchange;
  const chunk = chunkMaker(exchange);
  beginStream(response);
  for await (const piece of speak(exchange.speech, signal)) {
    if (piece.kind === 'drop') return void response.destroy();
    const part = piece.kind === 'thought' ? { text: piece.text, thought: true } : { text: piece.text };
    sendEvent(response, chunk([part], false));
  }
  if (signal.aborted) return;
  const calls = callParts(exchange);
  sendEvent(response, chunk(calls.length > 0 ? calls : [{ text: '' }], true));
  response.end();
}

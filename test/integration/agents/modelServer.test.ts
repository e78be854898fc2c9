import { strict as assert } from 'node:assert';
import { ModelServer } from '../../agents/modelServer';

type Protocol = 'anthropic' | 'responses' | 'chat' | 'gemini';
const tool = { name: 'Bash', input_schema: {} };

const REQUESTS: Readonly<Record<Protocol, (message: string) => readonly [path: string, body: unknown]>> = {
  anthropic: (content) => [
    '/v1/messages',
    { model: 'm', stream: true, tools: [tool], messages: [{ role: 'user', content }] },
  ],
  responses: (content) => ['/v1/responses', { model: 'm', tools: [tool], input: [{ role: 'user', content }] }],
  chat: (content) => [
    '/v1/chat/completions',
    { model: 'm', stream: true, tools: [{ function: tool }], messages: [{ role: 'user', content }] },
  ],
  gemini: (text) => [
    '/v1beta/models/m:streamGenerateContent?alt=sse',
    { tools: [{ functionDeclarations: [tool] }], contents: [{ role: 'user', parts: [{ text }] }] },
  ],
};

describe('The scripted model server', () => {
  let server: ModelServer;
  beforeEach(async () => (server = await ModelServer.start()));
  afterEach(() => server.stop());

  const post = (protocol: Protocol, message: string, signal?: AbortSignal): Promise<Response> => {
    const [path, body] = REQUESTS[protocol](message);
    return fetch(server.url + path, { method: 'POST', body: JSON.stringify(body), ...(signal && { signal }) });
  };

  for (const protocol of ['anthropic', 'responses', 'chat', 'gemini'] as const) {
    it(`${protocol}: streams the reply and keeps the message byte for byte`, async () => {
      const message = ' \tÄ "quoted"\n\\ [[reply: Hello]][[bash: ls]] 🚀 ';
      const text = await (await post(protocol, message)).text();
      const events = text.match(/^data: .*$/gm) ?? [];
      for (const event of events.filter((line) => line !== 'data: [DONE]')) JSON.parse(event.slice(6));
      assert.match(text, /Hello/);
      assert.match(text, /ls/);
      assert.equal(server.turnsWith(message).length, 1);
      await server.request('the end of it', ({ end }) => end?.how === 'answered');
    });

    it(`${protocol}: refuses with the status that was asked for, twice, then answers`, async () => {
      const statuses: number[] = [];
      for (let round = 0; round < 3; round++) statuses.push((await post(protocol, 'x [[error: 429 x2]]')).status);
      assert.deepEqual(statuses, [429, 429, 200]);
      assert.equal((await post(protocol, '[[limit]]')).status, 429);
    });

    it(`${protocol}: cuts the connection in the middle of an answer`, async () => {
      const response = await post(protocol, '[[drop]]');
      await assert.rejects(response.text());
      await server.request('the end of it', ({ end }) => end?.how === 'cut');
    });
  }

  it('sees that the program has gone', async () => {
    const gone = new AbortController();
    const response = await post('anthropic', '[[hang]]', gone.signal);
    assert.equal(response.status, 200);
    assert.equal(server.requests[0]?.end, undefined);
    gone.abort();
    await server.request('the end of it', ({ end }) => end?.how === 'cut');
  });

  it('refuses every turn during an outage', async () => {
    server.failWith(503);
    assert.equal((await post('chat', 'x')).status, 503);
    server.failWith(undefined);
    assert.equal((await post('chat', 'x')).status, 200);
  });

  it('listens on the loopback address only', () => assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/));
});

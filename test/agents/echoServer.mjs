// An MCP server on standard input and output with one tool, `echo`, which says back what it was given.
import { createInterface } from 'node:readline';

const ECHO = {
  name: 'echo',
  description: 'Says back what it is given',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
};
const METHODS = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'echo', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [ECHO] }),
  'tools/call': (params) => ({ content: [{ type: 'text', text: `echoed: ${params.arguments.text}` }] }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue; // nothing to answer
  const run = METHODS[method];
  const outcome = run ? { result: run(params ?? {}) } : { error: { code: -32601, message: `no method ${method}` } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...outcome })}\n`);
}

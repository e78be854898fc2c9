import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../../src/core/base/log';
import type { HookReport } from '../../../src/core/agents/signals/hookReport';
import type { AgentId } from '../../../src/core/agents/agent';
import { signedBy } from '../../support/spoolTokens';
import { drainHookSpool } from '../../../src/core/node/hookSpool';
import { CoreOrchestrator } from '../../../src/plugins/opencode';
import { GATEWAY_LIMITS } from '../../../src/shared/gatewayProtocol';
import { SPOOL_LIMITS } from '../../../src/shared/hookSpool';
import { eventually } from '../../support/eventually';
import { type Frame, HELLO, ScriptedGateway } from '../../support/scriptedGateway';

type Hooks = Readonly<Record<string, (...args: readonly unknown[]) => Promise<void>>>;

describe('the plugin of opencode', function () {
  this.timeout(20_000);
  let gateway: ScriptedGateway;
  let hooks: Hooks;
  let posted: readonly { readonly url: string; readonly body: unknown }[];
  let before: NodeJS.ProcessEnv;

  beforeEach(() => {
    gateway = new ScriptedGateway();
    before = process.env;
    process.env = { ...before, ...gateway.agentEnv };
    posted = [];
  });
  afterEach(async () => {
    await event('session.idle', { sessionID: 's' }); // what a test left open
    process.env = before;
    await gateway.end();
  });

  const load = async (): Promise<void> => {
    const post = (request: (typeof posted)[number]): Promise<void> =>
      Promise.resolve(void (posted = [...posted, request]));
    hooks = (await CoreOrchestrator({ client: { _client: { post } } })) as Hooks; // what opencode calls
  };
  const event = (type: string, properties: unknown): Promise<void> | undefined =>
    hooks['event']?.({ event: { type, properties } });
  const ask = (id: string, command = 'ls'): Promise<void> | undefined =>
    event('permission.asked', { id, sessionID: 's', permission: 'bash', patterns: [command], metadata: { command } });
  const reports = (name?: string): readonly Frame['params'][] =>
    gateway.frames
      .filter(({ method, params }) => method === 'hook.report' && (name === undefined || params['event'] === name))
      .map(({ params }) => params);
  const told = (name: string, count = 1): Promise<unknown> =>
    eventually(`${name} was told ${count} times`, () => reports(name).length >= count, { timeoutMs: 8_000 });
  const spooled = (): readonly string[] => (fs.existsSync(gateway.spool) ? fs.readdirSync(gateway.spool) : []);
  const drained = async (token = 'the-token'): Promise<readonly HookReport[]> => {
    const found: HookReport[] = [];
    const verify = signedBy(token, 'reviewer' as AgentId, 3);
    await drainHookSpool(gateway.spool, verify, (report) => Promise.resolve(found.push(report)), silentLogger);
    return found;
  };
  /** Another engine begins: it replaces the pointer. */
  const anotherOwner = async (): Promise<void> => {
    await gateway.close();
    fs.rmSync(gateway.pointerFile);
    gateway.writePointer({ ownerPid: 4712 });
    await gateway.listen();
  };
  const holdsQuestions = ({ params }: Frame) =>
    params['event'] === 'permission.asked' ? ('hold' as const) : { result: {} };

  it('tells what happens, in its order, with the token', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': { result: {} } };
    await load();
    await hooks['chat.message']?.({ sessionID: 's' }, { parts: [{ type: 'text', text: 'hello' }] });
    await event('session.idle', { sessionID: 's' });
    await told('session.idle');
    assert.deepEqual(
      reports().map(({ event: name, payload }) => [name, payload]),
      [
        ['plugin.load', {}],
        ['chat.message', { sessionID: 's', prompt: 'hello' }],
        ['session.idle', { sessionID: 's' }],
      ],
    );
    assert.equal(gateway.frames[0]?.params['token'], 'the-token');
    assert.deepEqual(spooled(), []);
  });

  it('says of a retry whether it waits because of a limit or an overload', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': { result: {} } };
    await load();
    const statuses = [
      { type: 'busy' },
      { type: 'retry', attempt: 1, message: 'Provider is overloaded', next: 2 },
      { type: 'retry', attempt: 2, message: 'Rate Limited', next: 2 },
      { type: 'retry', attempt: 3, message: 'the connection was reset', next: 2 },
    ];
    for (const status of statuses) await event('session.status', { sessionID: 's', status });
    await told('session.status', statuses.length);
    const limits = [{}, { isLimit: true }, { isLimit: true }, {}];
    assert.deepEqual(
      reports('session.status').map(({ payload }) => payload),
      statuses.map((status, index) => ({ sessionID: 's', status, ...limits[index] })),
    );
  });

  it('spools while no engine runs, in the order and with the bounds of orc hook', async () => {
    await load();
    await hooks['chat.message']?.({ sessionID: 's' }, { parts: [{ type: 'text', text: 'x'.repeat(99_000) }] });
    await event('session.idle', { sessionID: 's' });
    await eventually('three reports', () => spooled().length === 3);
    assert.equal(fs.statSync(gateway.spool).mode & 0o777, 0o700);
    for (const name of spooled()) {
      const { mode, size } = fs.statSync(path.join(gateway.spool, name));
      assert.deepEqual([mode & 0o777, size <= SPOOL_LIMITS.fileBytes], [0o600, true]);
    }
    const found = await drained();
    assert.deepEqual(
      found.map(({ agentId, generation, event: name, isLate }) => [agentId, generation, name, isLate]),
      ['plugin.load', 'chat.message', 'session.idle'].map((name) => ['reviewer', 3, name, true]),
    );
    for (let index = 0; index < SPOOL_LIMITS.files + 30; index++) await event('session.idle', { sessionID: 's' });
    await eventually('the bound', () => spooled().length >= 150);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(spooled().length <= SPOOL_LIMITS.files);
  });

  it('spools what the engine refuses for now, and reads its token again once', async () => {
    await gateway.listen();
    const token = path.join(gateway.dataFolder, 'tokens', 'reviewer.3.jwt');
    gateway.answers = {
      hello: ({ params }) => {
        if (params['token'] === 'the-token') fs.writeFileSync(token, 'the-next-token', { mode: 0o600 });
        return params['token'] === 'the-token' ? { status: 'UNAUTHENTICATED', message: 'no' } : HELLO;
      },
      'hook.report': { result: {} },
    };
    await load();
    await told('plugin.load', 2); // the refused one, too: before the second nothing may be refused again
    assert.deepEqual(spooled(), []);
    gateway.answers = { hello: { status: 'UNAUTHENTICATED', message: 'no' } };
    await event('session.idle', { sessionID: 's' });
    await eventually('one report', () => spooled().length === 1);
    gateway.answers = { 'hook.report': { status: 'UNAVAILABLE', message: 'ending' } };
    await event('session.idle', { sessionID: 's' });
    await eventually('two reports', () => spooled().length === 2, { timeoutMs: 8_000 });
    assert.deepEqual(
      (await drained('the-next-token')).map(({ event: name }) => name),
      ['session.idle', 'session.idle'],
    );
  });

  it('hands the answer of a person to opencode', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': { result: { output: '{"reply":"reject","message":"no"}' } } };
    await load();
    await ask('p1', 'touch a');
    await eventually('the answer', () => posted.length === 1);
    assert.deepEqual(posted, [{ url: '/permission/p1/reply', body: { reply: 'reject', message: 'no' } }]);
  });

  it('tells an open question to the engine that takes over, whether the one before ended at once or politely', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': holdsQuestions };
    await load();
    await ask('p1', 'touch a');
    await told('permission.asked');
    await anotherOwner(); // its connection breaks
    await told('permission.asked', 2);
    gateway.answers = { 'hook.report': { result: {} } };
    await anotherOwner();
    await told('permission.asked', 3); // this one is let go without an answer
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(reports('permission.asked').length, 3, 'the same engine is not told again');
    gateway.answers = { 'hook.report': { result: { output: '{"reply":"once"}' } } };
    await anotherOwner();
    await eventually('the answer', () => posted.length === 1, { timeoutMs: 8_000 });
    assert.deepEqual(posted, [{ url: '/permission/p1/reply', body: { reply: 'once' } }]);
    const [first, last] = [reports('permission.asked')[0], reports('permission.asked').at(-1)];
    assert.deepEqual(last?.['payload'], first?.['payload']);
    assert.ok(Number(last?.['sentAtMs']) > Number(first?.['sentAtMs']));
  });

  it('tells no engine of a question that is over: answered in the terminal, or its turn ended', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': holdsQuestions };
    await load();
    await ask('p1');
    await told('permission.asked');
    await gateway.close();
    await event('permission.replied', { sessionID: 's', requestID: 'p1', reply: 'once' });
    await ask('p2');
    await event('session.idle', { sessionID: 's' });
    await eventually('both are spooled', () => spooled().length >= 2, { timeoutMs: 8_000 });
    await anotherOwner();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(reports('permission.asked').length, 1);
    assert.deepEqual(
      (await drained()).map(({ event: name }) => name),
      ['permission.replied', 'session.idle'],
    );
  });

  it('tells a question again that another one had covered, once that is answered', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': ({ params }) => (isFor(params, 'p2') ? 'hold' : { result: {} }) };
    await load();
    await ask('p1');
    await told('permission.asked');
    await ask('p2');
    await told('permission.asked', 2);
    await event('permission.replied', { sessionID: 's', requestID: 'p2', reply: 'once' });
    await told('permission.asked', 3);
    assert.ok(isFor(reports('permission.asked').at(-1) ?? {}, 'p1'));
  });

  it('cuts what is larger than a frame', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': holdsQuestions };
    await load();
    await ask('p1', 'x'.repeat(3_000_000));
    await told('permission.asked');
    assert.ok(Math.max(...gateway.chunks) <= GATEWAY_LIMITS.frameBytes);
    assert.ok(isFor(reports('permission.asked')[0] ?? {}, 'p1'));
  });

  describe('shows a request with the input of the call that it comes from', () => {
    const MCP = { permission: 'lab_echo', patterns: ['*'], metadata: {} };
    const UNTOLD = { 'not-told': 'the input of the tool; look into its terminal' };

    const begin = (tool: string, args: unknown, callID = 'c1'): Promise<void> | undefined =>
      hooks['tool.execute.before']?.({ sessionID: 's', callID, tool }, { args });
    let asked = 0;
    /** What the engine is told of a request. */
    const detailOf = async (request: object, callID: string | undefined = 'c1'): Promise<unknown> => {
      const tool = callID && { tool: { messageID: 'm', callID } };
      await event('permission.asked', { id: `p${(asked += 1)}`, sessionID: 's', ...request, ...tool });
      await eventually('it was told', () => isFor(reports('permission.asked').at(-1) ?? {}, `p${asked}`));
      return (reports('permission.asked').at(-1)?.['payload'] as { readonly detail: unknown }).detail;
    };

    beforeEach(async () => {
      await gateway.listen();
      gateway.answers = { 'hook.report': holdsQuestions };
      await load();
    });

    it('of an MCP tool, which says nothing itself, as it is when it asks', async () => {
      const input = { text: 'via allow', options: { count: 2 } };
      await begin('lab_echo', input);
      await begin('lab_echo', { text: 'another call' }, 'c2');
      input.text = 'changed by another plugin';
      assert.deepEqual(await detailOf(MCP), { text: 'changed by another plugin', options: { count: 2 } });
      await begin('lab_none', {}, 'c3');
      assert.deepEqual(await detailOf({ ...MCP, permission: 'lab_none' }, 'c3'), { input: {} });
      await begin('lab_list', ['a'], 'c4');
      assert.deepEqual(await detailOf({ ...MCP, permission: 'lab_list' }, 'c4'), { input: ['a'] });
    });

    const command = 'touch a';
    const opencode: readonly (readonly [tool: string, input: object, request: object, detail: object])[] = [
      ['bash', { command, workdir: '/tmp' }, { permission: 'bash', patterns: [command], metadata: { command } }, { command, workdir: '/tmp' }],
      ['webfetch', { url: 'http://a', timeout: 3 }, { permission: 'webfetch', patterns: ['http://a'], metadata: { url: 'http://a' } }, { url: 'http://a', timeout: 3 }],
      ['task', { prompt: 'remove it', subagent_type: 'general' }, { permission: 'task', patterns: ['general'], metadata: { subagent_type: 'general' } }, { command: 'general', prompt: 'remove it', subagent_type: 'general' }],
      ['todowrite', { todos: [{ content: 'x' }] }, { permission: 'todowrite', patterns: ['*'], metadata: {} }, { todos: [{ content: 'x' }] }],
      ['write', { filePath: '/b', content: 'all' }, { permission: 'external_directory', patterns: ['/*'], metadata: { filepath: '/b', parentDir: '/' } }, { filePath: '/b', content: 'all', filepath: '/b', parentDir: '/' }],
      ['edit', { filePath: '/b', oldString: 'x', newString: 'y' }, { permission: 'edit', patterns: ['b'], metadata: { filepath: '/b', diff: '-x +y' } }, { filepath: '/b', diff: '-x +y' }],
      ['lsp', { operation: 'hover', filePath: 'b' }, { permission: 'lsp', patterns: ['*'], metadata: { operation: 'hover', filePath: '/b' } }, { metadata: { operation: 'hover', filePath: '/b' }, input: { operation: 'hover', filePath: 'b' } }],
      ['own', { command: 'x' }, { permission: 'own', patterns: ['y'], metadata: {} }, { patterns: 'y', command: 'x' }],
    ]; // prettier-ignore
    for (const [tool, input, request, detail] of opencode) {
      it(`of its own tools: ${tool}`, async () => {
        await begin(tool, input);
        assert.deepEqual(await detailOf(request), detail);
      });
    }

    it('and says that it is not complete when the input is not known, or is that of another tool', async () => {
      assert.deepEqual(await detailOf(MCP), UNTOLD);
      assert.deepEqual(await detailOf(MCP, ''), UNTOLD);
      await begin('execute', { code: 'lab.echo({})' });
      assert.deepEqual(await detailOf(MCP), UNTOLD);
      const metadata = { command };
      assert.deepEqual(await detailOf({ permission: 'bash', patterns: [command], metadata }, 'c9'), {
        command,
        ...UNTOLD,
      });
    });

    it('and tells an input never in part: what is too large or too deep, or of two calls of one name, is not known', async () => {
      await begin('lab_echo', { text: 'x'.repeat(100_000) });
      assert.deepEqual(await detailOf(MCP), UNTOLD);
      await begin('lab_echo', JSON.parse(`${'['.repeat(40)}1${']'.repeat(40)}`), 'c2');
      assert.deepEqual(await detailOf(MCP, 'c2'), UNTOLD);
      await begin('lab_echo', { text: 'one' }, 'c3');
      await begin('lab_echo', { text: 'other' }, 'c3');
      assert.deepEqual(await detailOf(MCP, 'c3'), UNTOLD);
    });

    it('and forgets it when the call or its turn has ended, and the oldest of too many', async () => {
      const ended = (status: string, callID: string): Promise<void> | undefined =>
        event('message.part.updated', { part: { type: 'tool', sessionID: 's', callID, state: { status } } });
      const input = { text: 'x' };
      for (const callID of ['c1', 'c2', 'c3']) await begin('lab_echo', input, callID);
      await ended('running', 'c1');
      await ended('completed', 'c2');
      await ended('error', 'c3');
      assert.deepEqual(await detailOf(MCP), input);
      assert.deepEqual(await detailOf(MCP, 'c2'), UNTOLD);
      assert.deepEqual(await detailOf(MCP, 'c3'), UNTOLD);
      await event('session.idle', { sessionID: 's' });
      assert.deepEqual(await detailOf(MCP), UNTOLD);
      for (let index = 0; index <= 200; index++) await begin('lab_echo', input, `n${index}`);
      assert.deepEqual(await detailOf(MCP, 'n0'), UNTOLD);
      assert.deepEqual(await detailOf(MCP, 'n1'), input);
    });
  });
});

function isFor({ payload }: Readonly<Record<string, unknown>>, id: string): boolean {
  return (payload as { readonly id?: unknown } | undefined)?.id === id;
}

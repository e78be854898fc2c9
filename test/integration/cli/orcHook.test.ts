import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { GATEWAY_LIMITS } from '../../../src/shared/gatewayProtocol';
import { SPOOL_LIMITS } from '../../../src/shared/hookSpool';
import type { AgentId } from '../../../src/core/agents/agent';
import { drainHookSpool } from '../../../src/core/node/hookSpool';
import { signedBy } from '../../support/spoolTokens';
import { silentLogger } from '../../../src/core/base/log';
import { buildOrc } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { type ProgramEnd, type ProgramInput, runProgram } from '../../support/runProgram';
import { HELLO, ScriptedGateway } from '../../support/scriptedGateway';

describe('orc hook', () => {
  let gateway: ScriptedGateway;
  let program: string;
  let emptyMs: number;

  before(async function () {
    this.timeout(30_000);
    program = path.join(await buildOrc(), 'orc.js');
    emptyMs = (await runProgram(process.execPath, ['-e', '0'])).ms;
  });
  beforeEach(() => (gateway = new ScriptedGateway()));
  afterEach(() => gateway.end());

  const hook = (args: readonly string[], options: ProgramInput = {}): Promise<ProgramEnd> =>
    runProgram(process.execPath, [program, 'hook', ...args], {
      ...options,
      env: { ...gateway.agentEnv, ...options.env },
    });
  const spooled = (): readonly string[] => (fs.existsSync(gateway.spool) ? fs.readdirSync(gateway.spool).sort() : []);

  it('says hello with the token and reports, in one write, and prints what the engine answers', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': { result: { output: '{"decision":"allow"}' } } };
    const { code, stdout, stderr } = await hook(['Stop'], { input: '{"session_id":"s-1"}' });
    assert.deepEqual([code, stdout, stderr], [0, '{"decision":"allow"}', '']);
    assert.deepEqual(gateway.methods(), ['hello', 'hook.report']);
    assert.equal(gateway.chunks.length, 1);
    assert.deepEqual(gateway.frames[0]?.params, { protocol: 1, client: 'orc hook', token: 'the-token' });
    const { sentAtMs, ...report } = gateway.frames[1]?.params ?? {};
    assert.deepEqual(report, { event: 'Stop', payload: { session_id: 's-1' } });
    assert.ok(Math.abs(Number(sentAtMs) - Date.now()) < 10_000);
  });

  it('prints nothing when the engine has nothing to say, and leaves nothing behind', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': { result: {} } };
    const { code, stdout } = await hook(['Stop'], { input: '{}' });
    assert.deepEqual([code, stdout, spooled()], [0, '', []]);
  });

  it('takes the payload as an argument, from a file, from an empty input and as plain text', async () => {
    await gateway.listen();
    await hook(['notify', '{"type":"agent-turn-complete"}'], { input: 'not read' });
    await hook(['Stop']);
    await hook(['Stop'], { input: 'no json' });
    const payloads = gateway.frames
      .filter(({ method }) => method === 'hook.report')
      .map(({ params }) => params['payload']);
    assert.deepEqual(payloads, [{ type: 'agent-turn-complete' }, {}, 'no json']);
  });

  it('does not wait for a program that leaves its input open', async () => {
    await gateway.listen();
    const { code, ms } = await hook(['Stop'], { input: '{"a":1}', isInputLeftOpen: true });
    assert.equal(code, 0);
    assert.ok(ms < 4_000, `${ms} ms`);
    assert.deepEqual(gateway.frames[1]?.params['payload'], { a: 1 });
  });

  it('cuts texts of a payload that is larger than a frame, and keeps its structure', async () => {
    await gateway.listen();
    const payload = {
      prompt: 'p'.repeat(20_000),
      tool: { output: 'x'.repeat(1_500_000), list: [1, 2, 3] },
      session_id: 's-1',
    };
    const { code } = await hook(['PostToolUse'], { input: JSON.stringify(payload) });
    assert.equal(code, 0);
    assert.ok(Math.max(...gateway.chunks) <= GATEWAY_LIMITS.frameBytes);
    const sent = gateway.frames[1]?.params['payload'] as typeof payload;
    assert.equal(sent.prompt, payload.prompt);
    assert.deepEqual([sent.session_id, sent.tool.list], ['s-1', [1, 2, 3]]);
    assert.match(sent.tool.output, /^x+… \[\d+ characters cut\]$/);
  });

  it('takes 1 MB of multi-byte text and a payload of any depth', async () => {
    await gateway.listen();
    assert.equal((await hook(['A'], { input: JSON.stringify({ text: '漢'.repeat(350_000) }) })).code, 0);
    assert.equal((await hook(['B'], { input: '['.repeat(5_000) + ']'.repeat(5_000) })).code, 0);
    assert.deepEqual(gateway.methods(), ['hello', 'hook.report', 'hello', 'hook.report']);
  });

  it('ends within 100 ms of its start when the engine accepts but never answers, and leaves the report in the socket only', async () => {
    await gateway.listen();
    gateway.answers = { hello: 'hold', 'hook.report': 'hold' };
    const { code, ms } = await hook(['Stop'], { input: '{}' });
    assert.equal(code, 0);
    assert.ok(ms - emptyMs < 1_000, `${ms - emptyMs} ms above an empty start`); // 100 ms of waiting; the rest is a loaded machine
    assert.deepEqual([gateway.methods(), spooled()], [['hello', 'hook.report'], []]);
  });

  it('waits for a held permission request as long as the engine holds it', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': 'hold' };
    const running = hook(['PermissionRequest'], { input: '{}', timeoutMs: 2_500 });
    await eventually('reported', () => gateway.frames.length === 2);
    const { code, ms } = await running;
    assert.equal(code, 128); // the test ended it: it was still waiting
    assert.ok(ms >= 2_400);
  });

  it('lets any other hook go when the engine holds its answer', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': 'hold' };
    const { code, ms } = await hook(['Stop'], { input: '{}' });
    assert.equal(code, 0);
    assert.ok(ms < 4_000, `${ms} ms`);
  });

  it('holds with --hold, whatever the event is called', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': 'hold' };
    assert.equal((await hook(['--hold', 'BeforeTool'], { input: '{}', timeoutMs: 2_500 })).code, 128);
  });

  it('goes away when the engine closes a held request', async () => {
    await gateway.listen();
    gateway.answers = { 'hook.report': 'close' };
    const { code, stdout } = await hook(['PermissionRequest'], { input: '{}' });
    assert.deepEqual([code, stdout], [0, '']);
  });

  it('reads its token again, once, when it was replaced meanwhile; with no other it spools', async () => {
    await gateway.listen();
    const token = path.join(gateway.dataFolder, 'tokens', 'reviewer.3.jwt');
    gateway.answers = {
      hello: ({ params }) => {
        if (params['token'] === 'the-token') fs.writeFileSync(token, 'the-next-token', { mode: 0o600 });
        return params['token'] === 'the-token' ? { status: 'UNAUTHENTICATED', message: 'no' } : HELLO;
      },
      'hook.report': { result: { output: 'taken' } },
    };
    const { code, stdout } = await hook(['Stop'], { input: '{"a":1}' });
    assert.deepEqual([code, stdout, spooled()], [0, 'taken', []]);
    const hellos = (): readonly unknown[] =>
      gateway.frames.filter(({ method }) => method === 'hello').map(({ params }) => params['token']);
    assert.deepEqual(hellos(), ['the-token', 'the-next-token']);
    assert.deepEqual(gateway.frames.at(-1)?.params['payload'], { a: 1 });

    let count = 0;
    gateway.answers = {
      hello: () => {
        fs.writeFileSync(token, `another-${(count += 1)}`, { mode: 0o600 });
        return { status: 'UNAUTHENTICATED', message: 'no' };
      },
    };
    assert.equal((await hook(['Stop'], { input: '{}' })).code, 0);
    assert.deepEqual([count, spooled().length], [2, 1], 'no more than twice');
  });

  describe('with no engine', () => {
    it('spools, in a folder and files that are the user’s alone', async () => {
      const { code, stdout, stderr } = await hook(['Stop'], { input: '{"session_id":"s-1"}' });
      assert.deepEqual([code, stdout, stderr], [0, '', '']);
      const [name = ''] = spooled();
      assert.equal(fs.statSync(gateway.spool).mode & 0o777, 0o700);
      assert.equal(fs.statSync(path.join(gateway.spool, name)).mode & 0o777, 0o600);
      const reports: unknown[] = [];
      await drainHookSpool(
        gateway.spool,
        signedBy('the-token', 'reviewer' as AgentId, 3),
        (report) => Promise.resolve(reports.push({ ...report, sentAtMs: 0 })),
        silentLogger,
      );
      const expected = {
        agentId: 'reviewer',
        generation: 3,
        event: 'Stop',
        payload: { session_id: 's-1' },
        sentAtMs: 0,
        isLate: true,
      };
      assert.deepEqual([reports, spooled()], [[expected], []]);
    });

    it('spools beside the place of the pointer when there is none', async () => {
      fs.rmSync(gateway.pointerFile);
      assert.equal((await hook(['Stop'], { input: '{}' })).code, 0);
      assert.equal(spooled().length, 1);
    });

    it('spools what the engine cannot take now; without a token nothing, for nobody could tell who reports', async () => {
      await gateway.listen();
      assert.equal((await hook(['A'], { input: '{}', env: { CORE_ORCHESTRATOR_GENERATION: '4' } })).code, 0);
      gateway.answers = { 'hook.report': { status: 'UNAVAILABLE', message: 'ending' } };
      assert.equal((await hook(['B'], { input: '{}' })).code, 0);
      gateway.answers = { hello: { status: 'UNAUTHENTICATED', message: 'no' } };
      assert.equal((await hook(['C'], { input: '{}' })).code, 0);
      assert.equal(spooled().length, 2);
      gateway.answers = { 'hook.report': { status: 'INVALID_ARGUMENT', message: 'no' } };
      assert.equal((await hook(['D'], { input: '{}' })).code, 0);
      assert.equal(spooled().length, 2);
    });

    it('stays within the bounds of the spool: the newest reports stay', async () => {
      fs.mkdirSync(gateway.spool, { mode: 0o700 });
      for (let index = 0; index < SPOOL_LIMITS.files + 20; index++)
        fs.writeFileSync(path.join(gateway.spool, `${String(index).padStart(15, '0')}-a-b.10.json`), '0123456789', {
          mode: 0o600,
        });
      await Promise.all(['A', 'B', 'C', 'D'].map((event) => hook([event], { input: '{}' })));
      const names = spooled();
      assert.equal(names.length, SPOOL_LIMITS.files);
      assert.ok(names.slice(0, -4).every((name) => name.endsWith('-a-b.10.json')));
      assert.ok(names.slice(-4).every((name) => !name.endsWith('-a-b.10.json')));
    });

    it('bounds each report and their bytes', async () => {
      await Promise.all(
        Array.from({ length: 3 }, (_, index) =>
          hook([`E${index}`], { input: JSON.stringify({ text: 'x'.repeat(1_000_000), id: index }) }),
        ),
      );
      for (const name of spooled())
        assert.ok(fs.statSync(path.join(gateway.spool, name)).size <= SPOOL_LIMITS.fileBytes);
      assert.equal(spooled().length, 3);
    });

    it('writes nothing through a symbolic link, nor into a folder that others may read', async () => {
      const elsewhere = path.join(gateway.root, 'elsewhere');
      fs.mkdirSync(elsewhere, { mode: 0o700 });
      fs.symlinkSync(elsewhere, gateway.spool);
      assert.equal((await hook(['Stop'], { input: '{}' })).code, 0);
      fs.unlinkSync(gateway.spool);
      fs.mkdirSync(gateway.spool);
      fs.chmodSync(gateway.spool, 0o755);
      assert.equal((await hook(['Stop'], { input: '{}' })).code, 0);
      assert.deepEqual([fs.readdirSync(elsewhere), spooled()], [[], []]);
    });
  });

  it('ends with 0 whatever is broken', async () => {
    const broken = [
      ['', 'no JSON', '[]', '{"socket":"relative"}', JSON.stringify({ protocol: 1, socket: '/' + 'x'.repeat(200) })],
    ].flat();
    for (const text of broken) {
      fs.writeFileSync(gateway.pointerFile, text);
      assert.deepEqual([text, (await hook(['Stop'], { input: '{}' })).code], [text, 0]);
    }
    for (const args of [[], [''], ['no such event!'], ['--hold'], ['Stop', 'x', 'y']])
      assert.equal((await hook(args, { input: '{}' })).code, 0);
    assert.equal((await hook(['Stop'], { env: { CORE_ORCHESTRATOR_GATEWAY: '/dev/zero' } })).code, 0);
    assert.equal((await hook(['Stop'], { env: { CORE_ORCHESTRATOR_AGENT: '../../x' } })).code, 0);
    assert.equal((await hook(['Stop'], { env: { CORE_ORCHESTRATOR_GATEWAY: undefined } })).code, 0);
  });

  it('ends with 0 when the engine answers nonsense', async () => {
    await gateway.listen();
    for (const raw of [
      'nonsense\n',
      '[]\n',
      'null\n',
      '{"id":2,"result":7}\n{"id":1}\n',
      '\u0000\n',
      `${'x'.repeat(2_000_000)}`,
    ]) {
      gateway.answers = { hello: { raw }, 'hook.report': { raw } };
      const { code, stdout } = await hook(['Stop'], { input: '{}' });
      assert.deepEqual([code, stdout], [0, '']);
    }
  });
});

import assert from 'node:assert/strict';
import path from 'node:path';
import { buildOrc } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { type ProgramEnd, type ProgramInput, runProgram } from '../../support/runProgram';
import { type Answer, type Frame, ScriptedGateway } from '../../support/scriptedGateway';

const reviewer = {
  id: 'reviewer',
  name: 'Reviewer',
  typeId: 'demo',
  lifecycle: 'running',
  activity: 'idle',
  sinceMs: 1,
  reason: '',
};
const receipt = {
  id: 'P1', agentId: 'reviewer', generation: 3, state: 'queued', excerpt: 'hello', changes: [], submitCount: 0,
  createdAtMs: 1_000, stateAtMs: 1_000, steps: { queued: 1_000 }, actor: 'person',
}; // prettier-ignore

const notice = (params: object): string => `${JSON.stringify({ jsonrpc: '2.0', method: 'changed', params })}\n`;

describe('orc prompt', () => {
  let gateway: ScriptedGateway;
  let program: string;

  before(async function () {
    this.timeout(30_000);
    program = path.join(await buildOrc(), 'orc.js');
  });
  beforeEach(async () => {
    gateway = new ScriptedGateway();
    gateway.answers = {
      'agent.list': { result: [reviewer] },
    };
    await gateway.listen();
  });
  afterEach(() => gateway.end());

  const orc = (args: readonly string[], options: ProgramInput = {}): Promise<ProgramEnd> =>
    runProgram(process.execPath, [program, ...args], {
      cwd: gateway.workspace,
      ...options,
      env: { CORE_ORCHESTRATOR_STORAGE: gateway.storage, ...options.env },
    });
  const answering = (answers: Readonly<Record<string, Answer | ((frame: Frame) => Answer)>>): void =>
    void (gateway.answers = { ...gateway.answers, ...answers });
  const paramsOf = (method: string): unknown => gateway.frames.find((frame) => frame.method === method)?.params;

  it('sends words or standard input, and tells the receipt', async () => {
    answering({ 'agent.prompt': { result: { ...receipt, state: 'typing' } } });
    const { code, stdout } = await orc(['prompt', 'reviewer', 'do', 'it']);
    assert.deepEqual([code, stdout], [0, 'typing (receipt P1)\n']);
    assert.deepEqual(paramsOf('agent.prompt'), {
      agentId: 'reviewer',
      text: 'do it',
      whenBlocked: 'refuse',
      wait: false,
    });
    gateway.frames.length = 0;
    await orc(['prompt', 'reviewer', '--queue'], { input: 'line 1\nline 2 漢\n' });
    assert.deepEqual(paramsOf('agent.prompt'), {
      agentId: 'reviewer',
      text: 'line 1\nline 2 漢\n',
      whenBlocked: 'queue',
      wait: false,
    });
  });

  it('with --wait prints every step once, to the end', async () => {
    const steps = [
      { ...receipt, state: 'typed', stateAtMs: 1_300, steps: { queued: 1_000, typing: 1_100, typed: 1_300 } },
      {
        ...receipt,
        state: 'acknowledged',
        evidence: 'hook',
        stateAtMs: 1_500,
        changes: [{ kind: 'tabs', detail: 'tabs became blanks' }],
        steps: { queued: 1_000, typing: 1_100, typed: 1_300, submitted: 1_400, acknowledged: 1_500 },
      },
    ];
    // What happens before the answer to the prompt is told before it, too.
    const told = steps.map((receipt, at) => notice({ seq: at + 1, kind: 'receipt', receipt })).join('');
    const answer = (frame: Frame): string => `${JSON.stringify({ jsonrpc: '2.0', id: frame.id, result: receipt })}\n`;
    const [early, late] = [(frame: Frame) => told + answer(frame), (frame: Frame) => answer(frame) + told];
    answering({ watch: { result: {} }, 'agent.prompt': (frame) => ({ raw: late(frame) }) });
    const { code, stdout } = await orc(['prompt', 'reviewer', '--wait', 'x']);
    assert.equal(code, 0);
    assert.equal(
      stdout,
      [
        '     0 ms  queued',
        '   100 ms  typing',
        '   300 ms  typed',
        '   400 ms  submitted',
        '   500 ms  acknowledged (by hook); changed: tabs became blanks',
        '',
      ].join('\n'),
    );
    answering({ watch: { result: {} }, 'agent.prompt': (frame) => ({ raw: early(frame) }) });
    const json = (await orc(['prompt', 'reviewer', '--wait', '--json', 'x'])).stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { state: string }).state);
    assert.deepEqual(json, ['queued', 'typing', 'typed', 'submitted', 'acknowledged']);
  });

  it('ends with 7 when it may have arrived, 1 when it did not, 8 when the wait is over', async () => {
    for (const [state, expected] of [
      ['delivery_unknown', 7],
      ['failed', 1],
      ['canceled', 5],
    ] as const) {
      answering({ 'agent.prompt': { result: { ...receipt, state, reason: 'no_draft', steps: { [state]: 1_000 } } } });
      const { code, stdout } = await orc(['prompt', 'reviewer', '--wait', 'x']);
      assert.equal(code, expected);
      assert.match(stdout, / \(the text never appeared in its input box\)\n$/);
    }
    answering({ 'agent.prompt': { result: receipt } });
    assert.equal((await orc(['prompt', 'reviewer', '--wait', '--timeout', '0.5', 'x'])).code, 8);
    assert.ok(!gateway.methods().includes('agent.receipts'), 'it is told, and does not ask again and again');
  });

  it('ends with 7 when the agent is removed meanwhile, 3 when the engine ends', async () => {
    const sent = (frame: Frame): string => `${JSON.stringify({ jsonrpc: '2.0', id: frame.id, result: receipt })}\n`;
    const removed = notice({ seq: 1, kind: 'agent', agentId: receipt.agentId, view: null });
    answering({ 'agent.prompt': (frame) => ({ raw: sent(frame) + removed }) });
    const gone = await orc(['prompt', 'reviewer', '--wait', 'x']);
    assert.equal(gone.code, 7);
    assert.match(gone.stderr, /the agent was removed/);
    answering({ 'agent.prompt': (frame) => ({ raw: sent(frame) }) });
    gateway.frames.length = 0;
    const waiting = orc(['prompt', 'reviewer', '--wait', 'x']);
    await eventually('the prompt is sent', () => gateway.methods().includes('agent.prompt'));
    await gateway.end();
    const { code, stderr } = await waiting;
    assert.equal(code, 3);
    assert.match(stderr, /closed the connection/);
  });

  it('tells why it was refused, and what to do', async () => {
    answering({
      'agent.prompt': {
        status: 'FAILED_PRECONDITION',
        message: 'agent.dialogOpen: it shows a dialog',
        code: 'agent.dialogOpen',
      },
    });
    const { code, stderr } = await orc(['prompt', 'reviewer', 'x']);
    assert.equal(code, 5);
    assert.match(
      stderr,
      /^orc: it shows a dialog\n {5}Answer it in its terminal: `orc attach Reviewer`; with --queue /,
    );
    const json = JSON.parse((await orc(['prompt', 'reviewer', 'x', '--json'])).stdout) as {
      error: Record<string, unknown>;
    };
    assert.deepEqual(
      [json.error['code'], json.error['status'], json.error['exitCode']],
      ['agent.dialogOpen', 'FAILED_PRECONDITION', 5],
    );
    const paused = { status: 'FAILED_PRECONDITION', code: 'agent.paused', agentId: 'reviewer' } as const;
    answering({ 'agent.prompt': { ...paused, message: 'agent.paused: reviewer is paused' } });
    assert.match((await orc(['prompt', 'reviewer', 'x'])).stderr, /^orc: Reviewer is paused\n/);
    answering({ 'agent.prompt': { ...paused, message: 'agent.paused: reviewers wait' } });
    assert.match((await orc(['prompt', 'reviewer', 'x'])).stderr, /^orc: reviewers wait\n/);
  });

  it('says in the table of receipts which was sent again', async () => {
    const lost = { ...receipt, state: 'delivery_unknown', reason: 'ended', evidence: undefined, resentAs: 'P2' };
    answering({ 'agent.receipts': { result: [lost] } });
    const { stdout } = await orc(['receipts', 'reviewer']);
    assert.match(stdout, /P1 .* delivery unknown, sent again \(the agent ended\) /);
  });

  it('refuses an empty text and one that is too long', async () => {
    assert.equal((await orc(['prompt', 'reviewer'], { input: ' \n' })).code, 2);
    const { code, stderr } = await orc(['prompt', 'reviewer', '-'], { input: 'x'.repeat(1_000_000) });
    assert.equal(code, 2);
    assert.match(stderr, /more than 65536/);
    assert.deepEqual(gateway.methods(), []);
  });
});

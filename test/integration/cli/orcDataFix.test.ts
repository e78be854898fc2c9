import assert from 'node:assert/strict';
import path from 'node:path';
import { spawn } from 'node-pty';
import { buildOrc } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { type ProgramEnd, runProgram } from '../../support/runProgram';
import { type Answer, type Frame, ScriptedGateway } from '../../support/scriptedGateway';

const remove = (id: string) => ({ kind: 'deleteRecord', label: 'Remove it', recordKind: 'line', id, version: 2 });
const odd = (id: string) => ({ code: 'record.invalid', severity: 'error', kind: 'line', id, message: 'it is odd', fix: remove(id) }); // prettier-ignore
const compare = { kind: 'reconcile', label: 'Compare again' };
const gone = (id: string) => ({ code: 'terminal.gone', severity: 'error', kind: 'agent', id, message: 'no session', fix: compare }); // prettier-ignore
const advised = { code: 'record.duplicate', severity: 'warning', kind: 'agent', id: 'a', message: 'same name', fix: { kind: 'advice', text: 'Rename one.' } }; // prettier-ignore
const report = (...findings: readonly object[]) => ({
  ...{ isWhole: findings.length === 0, findings, isCut: false, records: 9, changes: 12, sessions: 1, settled: 0 },
});

describe('orc data, what it does about findings and how far it is', () => {
  let gateway: ScriptedGateway;
  let program: string;

  before(async function () {
    this.timeout(30_000);
    program = path.join(await buildOrc(), 'orc.js');
  });
  beforeEach(async () => {
    gateway = new ScriptedGateway();
    await gateway.listen();
  });
  afterEach(() => gateway.end());

  const orc = (...args: string[]): Promise<ProgramEnd> =>
    runProgram(process.execPath, [program, 'data', ...args], {
      cwd: gateway.workspace,
      env: { CORE_ORCHESTRATOR_STORAGE: gateway.storage },
    });
  const inTerminal = (...args: string[]) => {
    const state: { output: string; code: number | undefined } = { output: '', code: undefined };
    const terminal = spawn(process.execPath, [program, 'data', ...args], {
      ...{ cols: 100, rows: 30, cwd: gateway.workspace },
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', CORE_ORCHESTRATOR_STORAGE: gateway.storage },
    });
    terminal.onData((data) => (state.output += data));
    terminal.onExit(({ exitCode }) => (state.code = exitCode));
    const until = (text: string) => eventually(text, () => state.output.includes(text), { timeoutMs: 10_000 });
    const end = () => eventually('it ended', () => state.code !== undefined, { timeoutMs: 10_000 });
    return { terminal, state, until, end };
  };
  const fixes = (): readonly unknown[] =>
    gateway.frames.filter(({ method }) => method === 'data.fix').map(({ params }) => params);
  const { label: _label, ...removal } = remove('x');

  it('does each fix once, tells what was done, and is content when nothing is left', async () => {
    gateway.answers = {
      'data.integrity': { result: report(odd('x'), odd('x'), gone('a'), gone('b')) },
      'data.fix': ({ params }) => ({
        result: params['kind'] === 'reconcile' ? 'They were compared.' : 'It was removed.',
      }),
    };
    const { code, stdout } = await orc('check', '--fix', '--yes');
    assert.match(stdout, /^NOT WHOLE, 4 found/);
    assert.ok(stdout.endsWith('\nRemove it (line x): It was removed.\nCompare again: They were compared.\n'), stdout);
    assert.deepEqual([code, fixes()], [0, [removal, { kind: 'reconcile' }]]);
    const { stdout: json } = await orc('check', '--fix', '--yes', '--json');
    const { fixed } = JSON.parse(json) as { readonly fixed: readonly unknown[] };
    assert.deepEqual(fixed, [{ fix: remove('x'), done: 'It was removed.' }, { fix: compare, done: 'They were compared.' }]); // prettier-ignore
  });

  it('goes on after one that is refused, and fails when something is left', async () => {
    const refused: Answer = {
      status: 'FAILED_PRECONDITION',
      message: 'data.conflict: it was changed',
      code: 'data.conflict',
    };
    const fix = ({ params }: Frame): Answer => (params['id'] === 'x' ? refused : { result: 'It was removed.' });
    gateway.answers = { 'data.integrity': { result: report(odd('x'), odd('y')) }, 'data.fix': fix };
    const { code, stdout } = await orc('check', '--fix', '--yes');
    assert.ok(stdout.endsWith('\nRemove it (line x): NOT DONE, it was changed\nRemove it (line y): It was removed.\n'), stdout); // prettier-ignore
    assert.equal(code, 1);
    gateway.answers = { ...gateway.answers, 'data.integrity': { result: report(odd('y'), advised) } };
    assert.equal((await orc('check', '--fix', '--yes')).code, 1, 'what only a person can do is left');
    gateway.answers = { 'data.integrity': { result: report() } };
    assert.deepEqual([(await orc('check', '--fix', '--yes')).code, fixes().length], [0, 3]);
  });

  it('changes nothing that nobody has agreed to', async () => {
    gateway.answers = { 'data.integrity': { result: report(odd('x')) } };
    for (const args of [
      ['check', '--fix'],
      ['check', '--fix', '--json'],
    ]) {
      const { code, stderr } = await orc(...args);
      assert.equal(code, 2);
      assert.match(stderr, /orc data check --fix --yes/);
    }
    assert.deepEqual(fixes(), []);
    gateway.answers = { 'data.integrity': { result: report(advised) } };
    for (const yes of [[], ['--yes']]) {
      const { code, stdout } = await orc('check', '--fix', ...yes);
      assert.equal(code, 1);
      assert.match(stdout, /Rename one\.\nNothing was changed: nothing here can be done by itself\.\n$/);
    }
    gateway.answers = { 'data.integrity': { result: report(odd('x')) } };
    for (const [answer, count] of [
      ['n', 0],
      ['y', 1],
    ] as const) {
      // prettier-ignore
      const { terminal, until, end, state } = inTerminal('check', '--fix');
      await until('Apply all fixes? [y/N]');
      assert.match(state.output, /it is odd\. Fix: Remove it\./);
      terminal.write(`${answer}\r`);
      await end();
      assert.deepEqual([state.code, fixes().length], [count === 0 ? 1 : 0, count]);
    }
  });

  it('says in a terminal how far it is, in one line that is gone when it is done', async () => {
    const compacted = { jsonrpc: '2.0', result: { beforeBytes: 2_000_000, afterBytes: 8_192 } };
    const told = (id: number | undefined, step: object) =>
      `${JSON.stringify({ jsonrpc: '2.0', method: 'progress', params: { id, step } })}\n`;
    const compacting = ({ id }: Frame): Answer => ({
      raw:
        told(id, { name: 'compacting', done: 1, total: 4 }) +
        told(id, { name: 'evil\u001b[31m', done: 7, total: 0 }) +
        `${JSON.stringify({ ...compacted, id })}\n`,
    });
    gateway.answers = { 'data.compact': compacting };
    const { state, end } = inTerminal('compact');
    await end();
    assert.equal(state.code, 0);
    const line = '\r\u001b[K';
    assert.equal(state.output, `${line}compacting, 25 %${line}evil, 7${line}2.0 MB before, 9 KB now\r\n`);
    const plain = await orc('compact');
    assert.deepEqual([plain.stdout, plain.stderr], ['2.0 MB before, 9 KB now\n', '']);
  });
});

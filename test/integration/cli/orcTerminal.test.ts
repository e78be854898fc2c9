import assert from 'node:assert/strict';
import path from 'node:path';
import { spawn } from 'node-pty';
import { buildOrc } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { ScriptedGateway } from '../../support/scriptedGateway';

const request = { id: 'R1', kind: 'permission', title: 'Bash: rm', detail: 'rm -rf \u001b[31mx', canAllow: true };
const agents = [
  {
    id: 'builder',
    name: 'Builder',
    typeId: 'codex',
    lifecycle: 'running',
    activity: 'awaiting_approval',
    sinceMs: 1,
    reason: '',
    request,
  },
];

describe('orc in a terminal', () => {
  let gateway: ScriptedGateway;
  let program: string;

  before(async function () {
    this.timeout(30_000);
    program = path.join(await buildOrc(), 'orc.js');
  });
  beforeEach(async () => {
    gateway = new ScriptedGateway();
    await gateway.listen();
    gateway.answers = { 'agent.list': { result: agents } };
  });
  afterEach(() => gateway.end());

  /** The program in a terminal of its own: what it has printed, and its exit code once it has ended. */
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const state: { output: string; code: number | undefined } = { output: '', code: undefined };
    const terminal = spawn(process.execPath, [program, ...args], {
      cols: 100,
      rows: 30,
      cwd: gateway.workspace,
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', CORE_ORCHESTRATOR_STORAGE: gateway.storage, ...env },
    });
    terminal.onData((data) => (state.output += data));
    terminal.onExit(({ exitCode }) => (state.code = exitCode));
    const until = (text: string) => eventually(text, () => state.output.includes(text), { timeoutMs: 10_000 });
    const end = () => eventually('it ended', () => state.code !== undefined, { timeoutMs: 10_000 });
    return { terminal, state, until, end };
  };

  for (const [answer, code, method] of [
    ['y', 0, ['agent.approve']],
    ['n', 5, []],
    ['', 5, []],
  ] as const) {
    it(`shows a request and asks before it approves: "${answer}"`, async () => {
      const { terminal, state, until, end } = run(['approve', 'Builder']);
      await until('Allow this? [y/N]');
      assert.match(state.output, /asks: Bash: rm\r\nrm -rf x\r\n/);
      terminal.write(`${answer}\r`);
      await end();
      assert.equal(state.code, code);
      assert.deepEqual(
        gateway.methods().filter((each) => each === 'agent.approve'),
        method,
      );
    });
  }

  for (const [answer, code, count] of [
    ['y', 0, 1],
    ['', 5, 0],
  ] as const) {
    it(`says what a removal deletes and asks before it removes: "${answer}"`, async () => {
      const { terminal, state, until, end } = run(['remove', 'builder']);
      await until('deletes the prompts: remove Builder? [y/N]');
      terminal.write(`${answer}\r`);
      await end();
      assert.equal(state.code, code);
      assert.equal(gateway.methods().filter((each) => each === 'agent.remove').length, count);
    });
  }

  it('lists within the width of the terminal, and cuts no name', async () => {
    const name = 'A builder with a rather long name';
    const note = { ...request, title: `Bash: ${'x'.repeat(200)}` };
    gateway.answers = { 'agent.list': { result: [{ ...agents[0], name, request: note }] } };
    const { state, end } = run(['list']);
    await end();
    const lines = state.output.split('\r\n');
    assert.ok(lines.every((line) => line.length <= 100), state.output); // prettier-ignore
    assert.match(lines[1] ?? '', new RegExp(`^${name} +builder .*Bash: x+…$`));
  });

  it('has colours only without NO_COLOR', async () => {
    const plain = run(['why', 'Builder'], { NO_COLOR: '1' });
    gateway.answers = {
      ...gateway.answers,
      'agent.explain': {
        result: { lifecycle: 'running', activity: 'idle', sinceMs: 1, conclusion: 'so', signals: [], degraded: [] },
      },
    };
    await plain.end();
    assert.ok(!plain.state.output.includes('\u001b['));
    const coloured = run(['why', 'Builder']);
    await coloured.end();
    assert.ok(coloured.state.output.includes('\u001b[1mBuilder\u001b[0m'));
  });

  it('gives its terminal to the attached program, without what is meant for orc, and ends with its code', async () => {
    const script =
      'printf "[%s|%s]" "${ELECTRON_RUN_AS_NODE-none}" "${TMUX-none}"; stty -a | head -1; read line; echo "got $line"; exit 7';
    gateway.answers = {
      ...gateway.answers,
      'agent.attachCommand': { result: { program: '/bin/sh', args: ['-c', script] } },
    };
    const { terminal, state, until, end } = run(['attach', 'Builder'], { ELECTRON_RUN_AS_NODE: '1', TMUX: '/x,1,0' });
    await until('[none|none]');
    await until('columns 100');
    terminal.write('typed\r');
    await until('got typed');
    await end();
    assert.equal(state.code, 7);
  });
});

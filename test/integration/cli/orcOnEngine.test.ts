import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import demo from '../../../src/core/agents/types/demo.json';
import { buildBundles } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { runProgram } from '../../support/runProgram';
import { EngineMachine } from '../../support/runningEngine';
import { requireTmux } from '../../support/tmuxServer';

interface Row {
  readonly lifecycle: string;
  readonly activity: string;
  readonly generation: number;
  readonly pid?: number;
  readonly request?: { readonly id: string; readonly canAllow: boolean };
}

/** A demo agent with conversations, of which it makes nothing: it is started with their id. */
const TALKER = {
  ...demo,
  id: 'talker',
  session: { id: 'ours', newArgs: ['--session', '{sessionId}'], needsTurn: false, losses: [] },
  resume: ['--resume', '{sessionId}'],
};

describe('orc and an engine that runs', function () {
  this.timeout(120_000);
  let machine: EngineMachine;
  before(function () {
    requireTmux(this);
  });
  beforeEach(() => {
    machine = new EngineMachine(TALKER);
  });
  afterEach(() => machine.end());

  const orc = async (...args: string[]): Promise<{ readonly code: number | null; readonly said: string }> => {
    const program = join(await buildBundles(), 'orc.js');
    const all = [program, ...args, '--storage', join(machine.root, 'storage')];
    const { code, stdout, stderr } = await runProgram(process.execPath, all, { cwd: machine.workspace });
    return { code, said: stdout + stderr };
  };
  const succeeds = async (...args: string[]): Promise<string> => {
    const { code, said } = await orc(...args);
    assert.equal(code, 0, `orc ${args.join(' ')}: ${said}`);
    return said;
  };
  const row = async (): Promise<Row> => {
    const { agents } = JSON.parse(await succeeds('list', '--json')) as { readonly agents: readonly [Row] }; // orc's own
    return agents[0];
  };
  const asks = (): Promise<unknown> =>
    eventually('it asks', async () => (await row()).request?.canAllow === true, { timeoutMs: 20_000 });

  it('approve and deny answer the dialog, and the next prompt is taken at once; restart begins anew, resume goes on', async () => {
    await (await machine.engine()).becomes('ready');
    await succeeds('start', 'talker', '--name', 'Asker', '--prompt', 'approve');
    await asks();
    const { request, pid } = await row();
    assert.equal((await orc('approve', 'Asker', '--request', 'another')).code, 5, 'only what was seen');
    await succeeds('approve', 'Asker', '--request', request?.id ?? '');
    await succeeds('prompt', 'Asker', 'after it was allowed');
    await succeeds('prompt', 'Asker', 'approve');
    await asks();
    assert.notEqual((await row()).request?.id, request?.id);
    await succeeds('deny', 'Asker');
    await succeeds('prompt', 'Asker', 'after it was denied');
    const screen = await succeeds('screen', 'Asker');
    for (const shown of ['after it was allowed', 'after it was denied']) assert.ok(screen.includes(shown), screen);
    assert.equal((await orc('deny', 'Asker')).code, 5, 'it asks nothing');

    await succeeds('restart', 'Asker');
    const restarted = await row();
    assert.deepEqual([restarted.lifecycle, restarted.generation], ['running', 2]);
    assert.notEqual(restarted.pid, pid);
    assert.equal((await orc('resume', 'Asker')).code, 5, 'it runs');
    await succeeds('stop', 'Asker');
    await succeeds('resume', 'Asker');
    const resumed = await row();
    assert.deepEqual([resumed.lifecycle, resumed.generation], ['running', 3]);
    const processes = execFileSync('ps', ['-A', '-o', 'ppid=,args='], { encoding: 'utf8' }).split('\n');
    const started = processes.find((line) => line.trim().startsWith(`${resumed.pid} `));
    assert.match(started ?? '', / --resume [0-9a-f-]{36}/);
  });
});

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildOrc } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { notRun } from '../../support/notRun';
import { type ProgramEnd, type ProgramInput, runProgram } from '../../support/runProgram';
import { type Answer, type Frame, ScriptedGateway } from '../../support/scriptedGateway';

const RED = '\u001b[31m';
const request = {
  id: 'R1',
  kind: 'permission',
  title: 'Bash: rm',
  detail: `rm -rf ${RED}x`,
  door: 'hook',
  canAllow: true,
  canDeny: true,
};
const agents = [
  {
    id: 'reviewer',
    name: `Reviewer${RED}`,
    typeId: 'demo',
    lifecycle: 'running',
    activity: 'idle',
    sinceMs: 1,
    reason: '',
  },
  {
    id: 'builder',
    name: 'Builder',
    typeId: 'codex',
    lifecycle: 'running',
    activity: 'awaiting_approval',
    needsYou: 'approval',
    sinceMs: 1,
    reason: '',
    request,
  },
  { id: 'twin-1', name: 'Twin', typeId: 'demo', lifecycle: 'stopped', activity: 'unknown', sinceMs: 1, reason: '' },
  { id: 'twin-2', name: 'Twin', typeId: 'demo', lifecycle: 'stopped', activity: 'unknown', sinceMs: 1, reason: '' },
];
const receipt = {
  id: 'P1', agentId: 'reviewer', generation: 3, state: 'queued', excerpt: 'hello', changes: [], submitCount: 0,
  createdAtMs: 1_000, stateAtMs: 1_000, steps: { queued: 1_000 }, actor: 'person',
}; // prettier-ignore

describe('orc for people', () => {
  let gateway: ScriptedGateway;
  let program: string;

  before(async function () {
    this.timeout(30_000);
    program = path.join(await buildOrc(), 'orc.js');
  });
  beforeEach(async () => {
    gateway = new ScriptedGateway();
    gateway.answers = {
      'agent.list': { result: agents },
      'agent.types': { result: [{ id: 'demo', label: 'Demo', availability: 'installed' }] },
      'engine.status': {
        result: {
          status: { kind: 'ready', epoch: 2, tmuxVersion: '3.3a' },
          version: '1.2.3',
          workspace: gateway.workspace,
        },
      },
      'engine.notices': { result: [] },
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

  it('shows the engine, and who needs you', async () => {
    const { code, stdout } = await orc(['status']);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /engine {2}ready, version 1\.2\.3\nfolder {2}\/.*\nagents {2}4: 1 idle, 1 needs approval, 2 stopped\n/,
    );
    assert.match(stdout, /needs you: Builder, needs approval since \d+ d: Bash: rm\n$/);
    assert.deepEqual(gateway.frames[0]?.params, { protocol: 1, client: 'orc 0.0.0-test', personKey: 'a'.repeat(64) });
    const json = JSON.parse((await orc(['status', '--json'])).stdout) as Record<string, unknown>;
    assert.deepEqual(json['needsYou'], ['builder']);
    assert.deepEqual(json['agents'], { total: 4, running: 2, stopped: 2 });
  });

  it('S6 says in the list why an agent failed', async () => {
    const failed = { ...agents[1], request: undefined, lifecycle: 'failed', needsYou: 'failed' };
    answering({ 'agent.list': { result: [{ ...failed, trouble: `Error: ${RED}no such module` }] } });
    assert.match((await orc(['list'])).stdout, / Error: no such module\n$/);
    answering({ 'agent.list': { result: [failed] } });
    assert.match((await orc(['list'])).stdout, / needs you\n$/);
  });

  it('tells a tmux that never ran from one that stopped', async () => {
    const engine = async (tmuxLoss?: object): Promise<string> => {
      const status = { kind: 'ready', epoch: 2, tmuxVersion: '', isTmuxLost: true, tmuxLoss };
      answering({ 'engine.status': { result: { status, version: '1', workspace: gateway.workspace } } });
      return (await orc(['status'])).stdout.split('\n')[0] ?? '';
    };
    const never = { reason: `cannot make its ${RED}socket`, hasRun: false };
    assert.equal(await engine(never), 'engine  ready, tmux cannot be started: cannot make its socket, version 1');
    const stopped = { reason: 'server exited', hasRun: true };
    assert.equal(await engine(stopped), 'engine  ready, tmux has stopped: server exited, version 1');
  });

  it('S6 shows of a dialog that only asks whether what it asks about, on one line', async () => {
    const detail = `Allow this command?\n\nrm -r ${RED}build\n1. Yes\n2. No`;
    const asked = { ...request, source: 'screen', title: 'Allow this command?', detail, door: 'keys' };
    answering({ 'agent.list': { result: [{ ...agents[1], request: asked }] } });
    assert.match((await orc(['list'])).stdout, / Allow this command\? rm -r build\n$/);
    const { stdout } = await orc(['status']);
    assert.match(stdout, /\nneeds you: Builder, needs approval since \d+ d: Allow this command\? rm -r build\n/);
    assert.ok(!stdout.includes('\u001b'));
  });

  it('waits a moment for an engine that begins anew in its process', async () => {
    await gateway.close();
    gateway.writePointer({ ownerPid: process.pid });
    const listing = orc(['list']);
    await new Promise((done) => setTimeout(done, 600)); // as long as a restore takes
    await gateway.listen();
    assert.equal((await listing).code, 0);
  });

  it('S6 lists agents without control characters, in full where no terminal is, and as JSON', async () => {
    const { stdout } = await orc(['agent', 'list']);
    assert.match(stdout, /^NAME +ID +TYPE +STATE +SINCE +NOTE\nReviewer +reviewer +demo +idle/);
    assert.ok(!stdout.includes('\u001b'));
    const detail = 'x'.repeat(300);
    answering({ 'agent.list': { result: [{ ...agents[1], request: { ...request, title: detail } }] } });
    assert.ok((await orc(['list'])).stdout.includes(detail));
    answering({ 'agent.list': { result: agents } });
    assert.deepEqual(JSON.parse((await orc(['agent', 'list', '--json'])).stdout), { agents });
  });

  it('starts an agent of a type, in this folder, with arguments', async () => {
    answering({ 'agent.start': { result: { agentId: 'demo' } } });
    const { code, stdout } = await orc(
      ['start', 'demo', '--role', 'tester', '--prompt', '-x', '--', '--flag', 'a b'].map((arg) =>
        arg === '-x' ? 'go' : arg,
      ),
    );
    assert.deepEqual([code, stdout], [0, 'started demo (demo)\n']);
    assert.deepEqual(paramsOf('agent.start'), {
      spec: {
        name: 'demo',
        typeId: 'demo',
        folder: gateway.workspace,
        role: 'tester',
        firstPrompt: 'go',
        args: ['--flag', 'a b'],
      },
    });
  });

  it('starts an agent that ended, and knows no others', async () => {
    assert.equal(
      (await orc(['start', 'reviewer'])).stdout,
      'Reviewer runs already; `orc restart reviewer` begins anew\n',
    );
    assert.equal(paramsOf('agent.startExisting'), undefined);
    assert.equal((await orc(['start', 'twin-1'])).code, 0);
    assert.deepEqual(paramsOf('agent.startExisting'), { agentId: 'twin-1' });
    const { code, stderr } = await orc(['start', 'nobody']);
    assert.equal(code, 4);
    assert.match(stderr, /neither an agent type nor an agent\n {5}Types: demo\./);
  });

  it('does each one-agent verb by id or name', async () => {
    const verbs = {
      stop: 'agent.stop',
      restart: 'agent.restart',
      pause: 'agent.pause',
      unpause: 'agent.unpause',
      remove: 'agent.remove',
    };
    for (const [verb, method] of Object.entries(verbs)) {
      assert.equal((await orc([verb, 'builder', ...(verb === 'remove' ? ['--yes'] : [])])).code, 0);
      assert.deepEqual(paramsOf(method), { agentId: 'builder' });
    }
    assert.equal((await orc(['rename', 'Builder', 'New name'])).code, 0);
    assert.deepEqual(paramsOf('agent.rename'), { agentId: 'builder', name: 'New name' });
  });

  it('removes nobody without a terminal and without --yes', async () => {
    const { code, stderr } = await orc(['remove', 'builder', 'twin-1']);
    assert.equal(code, 2);
    assert.match(stderr, /deletes the prompts\n {5}If you mean it: orc remove Builder twin-1 --yes\n$/);
    assert.equal((await orc(['remove', 'builder', '--json'])).code, 2);
    assert.equal((await orc(['remove', 'nobody'])).code, 4);
    assert.equal(paramsOf('agent.remove'), undefined);
  });

  it('says that a restart sends the first prompt again', async () => {
    answering({ 'agent.list': { result: [{ ...agents[1], hasFirstPrompt: true }] } });
    const { stdout } = await orc(['restart', 'builder']);
    assert.equal(stdout, 'restarted Builder in a new conversation; its first prompt is sent again\n');
    assert.equal((await orc(['pause', 'builder'])).stdout, 'paused Builder\n');
  });

  it('goes on after a failure with several agents, and ends with it', async () => {
    gateway.answers = {
      ...gateway.answers,
      'agent.stop': ({ params }) =>
        params['agentId'] === 'reviewer'
          ? { status: 'FAILED_PRECONDITION', message: 'agent.notRunning: it is not running', code: 'agent.notRunning' }
          : { result: null },
    };
    const { code, stdout, stderr } = await orc(['stop', 'reviewer', 'builder']);
    assert.deepEqual([code, stdout, stderr], [5, 'stopped Builder\n', 'orc: Reviewer: it is not running\n']);
  });

  it('does not say that it stopped what had ended already', async () => {
    answering({ 'agent.stop': { result: null } });
    assert.equal((await orc(['stop', 'twin-1'])).stdout, 'Twin had ended already\n');
  });

  it('refuses a name that several agents have, and names them', async () => {
    const { code, stderr } = await orc(['stop', 'Twin']);
    assert.equal(code, 2);
    assert.match(stderr, /2 agents are called "Twin"\n {5}Name one by its id: twin-1, twin-2\./);
    assert.equal((await orc(['screen', 'nobody'])).code, 4);
  });

  it('resumes with what was lost, one or all', async () => {
    answering({
      'agent.resume': {
        result: {
          sessionId: 's-1',
          losses: ['the interrupted answer'],
          lostPrompts: [receipt],
          interruptedPrompt: { ...receipt, id: 'P2', excerpt: `work${RED}` },
        },
      },
      'fleet.resume': {
        result: {
          succeeded: ['A', 'C'],
          skipped: [],
          failed: [{ name: 'B', error: { message: 'gone' } }],
          returned: [
            {
              agentId: 'a',
              name: `A${RED}`,
              report: { sessionId: 's-2', losses: [`an answer${RED}`], lostPrompts: [receipt] },
            },
            { agentId: 'c', name: 'C' },
          ],
        },
      },
    });
    assert.match(
      (await orc(['resume', 'reviewer'])).stdout,
      /conversation s-1\nlost: the interrupted answer\nturn interrupted: "work"; send it again: orc resend P2\nnot delivered: "hello"; send it again: orc resend P1\n$/,
    );
    const all = await orc(['resume', '--all']);
    assert.equal(all.code, 1);
    assert.deepEqual(all.stdout.split('\n'), [
      'resumed A, C',
      'A: in its conversation s-2',
      '  lost: an answer',
      '  not delivered: "hello"; send it again: orc resend P1',
      'C: started anew',
      'failed: B: gone',
      '',
    ]);
  });

  it('starts nothing in a folder that is not there, and names what a wrong receipt is not', async () => {
    const { code, stderr } = await orc(['start', 'demo', '--folder', '/no/such']);
    assert.equal(code, 2);
    assert.match(stderr, /there is no folder \/no\/such/);
    assert.ok(!gateway.methods().includes('agent.start'));
    answering({ 'agent.cancelPrompt': { status: 'NOT_FOUND', message: 'no prompt "x"', code: 'agent.notFound' } });
    const wrong = await orc(['cancel', 'x']);
    assert.equal(wrong.code, 4);
    assert.match(wrong.stderr, /`orc list` names the agents/);
  });

  it('prints a screen without its control characters', async () => {
    answering({ 'agent.screen': { result: { text: `\n  \n${RED}  one\u001b[2J\ntwo\n\n\n` } } });
    assert.equal((await orc(['screen', 'reviewer'])).stdout, '  one\ntwo\n');
  });

  describe('approve and deny', () => {
    it('name the request that was seen, or say --yes', async () => {
      assert.equal((await orc(['approve', 'builder'])).code, 2); // no terminal to show it on
      assert.equal((await orc(['approve', 'builder', '--yes'])).code, 0);
      assert.deepEqual(paramsOf('agent.approve'), { agentId: 'builder', requestId: 'R1' });
      answering({
        'agent.approve': {
          status: 'FAILED_PRECONDITION',
          message: 'agent.requestGone: another question is open now',
          code: 'agent.requestGone',
        },
      });
      assert.equal((await orc(['approve', 'builder', '--request', 'R0'])).code, 5);
    });

    it('deny tells the reason', async () => {
      assert.equal((await orc(['deny', 'builder', '--reason', 'not here'])).code, 0);
      assert.deepEqual(paramsOf('agent.deny'), { agentId: 'builder', requestId: 'R1', reason: 'not here' });
    });

    it('lead a question that only the terminal answers to the terminal, never back to prompt', async () => {
      const asking = {
        ...agents[1], id: 'asker', name: "Jo's agent", activity: 'awaiting_input', needsYou: 'input',
        request: { ...request, kind: 'question', door: 'none', canAllow: false, canDeny: false },
      }; // prettier-ignore
      const status = 'FAILED_PRECONDITION';
      const message = 'agent.dialogOpen: asker waits for an answer to a dialog';
      answering({
        'agent.list': { result: [...agents, asking] },
        'agent.prompt': { status, message, code: 'agent.dialogOpen' },
      });
      const attach = "`orc attach 'Jo'\\''s agent'`";
      for (const args of [
        ['prompt', "Jo's agent", 'x'],
        ['approve', 'asker'],
        ['approve', 'asker', '--yes'],
        ['deny', 'asker'],
      ]) {
        const { code, stderr } = await orc(args);
        assert.equal(code, 5);
        assert.equal(stderr.match(/`[^`]*`/g)?.join(' '), attach, stderr);
      }
      assert.ok(!gateway.methods().includes('agent.approve') && !gateway.methods().includes('agent.deny'));
      answering({ 'agent.prompt': { status, message: 'agent.dialogOpen: builder waits', code: 'agent.dialogOpen' } });
      assert.match(
        (await orc(['prompt', 'Builder', 'x'])).stderr,
        /`orc why Builder` shows what it asks and how to answer/,
      );
    });

    it('S24 approve nothing that was cut, also with --yes, and lead to the terminal; deny works', async () => {
      const cut = { ...agents[1], request: { ...request, isCut: true } };
      answering({ 'agent.list': { result: [agents[0], cut] } });
      for (const args of [
        ['approve', 'builder'],
        ['approve', 'builder', '--yes'],
      ]) {
        const { code, stderr } = await orc(args);
        assert.deepEqual([code, stderr.match(/`[^`]*`/g)], [5, ['`orc attach Builder`']], stderr);
      }
      assert.ok(!gateway.methods().includes('agent.approve'));
      assert.equal((await orc(['deny', 'builder'])).code, 0);
    });

    it('do nothing when nothing is asked', async () => {
      for (const verb of ['approve', 'deny'])
        assert.equal((await orc([verb, 'reviewer', ...(verb === 'approve' ? ['--yes'] : [])])).code, 5);
      assert.ok(!gateway.methods().includes('agent.approve') && !gateway.methods().includes('agent.deny'));
    });
  });

  it('shows the evidence for a state', async () => {
    const signals = [
      {
        source: 'hook',
        activity: 'awaiting_approval',
        detail: 'PermissionRequest',
        observedAtMs: 1,
        weight: 'decides',
      },
    ];
    answering({
      'agent.explain': {
        result: {
          lifecycle: 'running',
          activity: 'awaiting_approval',
          sinceMs: 1,
          conclusion: 'a hook says so',
          signals,
          degraded: ['no title'],
        },
      },
    });
    const { stdout } = await orc(['why', 'builder']);
    assert.match(stdout, /^Builder {2}needs approval \(awaiting_approval\) since .*\na hook says so\nWEIGHT/);
    assert.match(
      stdout,
      /decides +hook +needs approval \(awaiting_approval\) .*PermissionRequest\ndegraded: no title\nasks \(request R1\): Bash: rm\nrm -rf x\nanswer: `orc approve Builder --request R1` or `orc deny Builder --request R1`\n$/,
    );
  });

  it('checks the set-up, or a type, and ends with 1 when something is wrong', async () => {
    answering({
      'engine.diagnose': { result: [{ id: 'tmux', label: 'tmux', level: 'ok', detail: '3.3a' }] },
      'doctor.run': {
        result: {
          typeId: 'demo',
          knownVersions: ['1'],
          checks: [{ id: 'a', label: 'Prompt', level: 'error', detail: 'not seen', advice: 'Update it.' }],
        },
      },
    });
    assert.deepEqual((await orc(['doctor'])).stdout, 'ok      tmux: 3.3a\n');
    const { code, stdout } = await orc(['doctor', 'demo']);
    assert.deepEqual(
      [code, stdout],
      [1, 'demo: version unknown (known: 1)\nERROR   Prompt: not seen\n        Update it.\n'],
    );
    for (const [programVersion, said] of [
      [undefined, 'no version is checked for this type'],
      ['5.2', '5.2 (no version is checked for this type)'],
    ]) {
      answering({ 'doctor.run': { result: { typeId: 'shell', programVersion, knownVersions: [], checks: [] } } });
      assert.equal((await orc(['doctor', 'shell'])).stdout, `shell: ${said}\n`);
    }
  });

  it('attaches in a terminal only; prints the command as JSON', async () => {
    answering({ 'agent.attachCommand': { result: { program: 'tmux', args: ['-L', 'x', 'attach'] } } });
    assert.equal((await orc(['attach', 'reviewer'])).code, 2);
    assert.deepEqual(JSON.parse((await orc(['attach', 'reviewer', '--json'])).stdout), {
      program: 'tmux',
      args: ['-L', 'x', 'attach'],
    });
  });

  describe('an agent’s program', () => {
    it('S11 is refused what is a person’s, with its token only', async () => {
      answering({ 'agent.list': { status: 'PERMISSION_DENIED', message: 'agent.list is for people' } });
      const { code, stderr } = await orc(['list'], { env: gateway.agentEnv });
      assert.equal(code, 6);
      assert.match(stderr, /terminal of agent reviewer/);
      assert.deepEqual(Object.keys(gateway.frames[0]?.params ?? {}).sort(), ['client', 'protocol', 'token']);
    });

    it('S11 never gets the person’s key when its own token is gone', async () => {
      const env = { ...gateway.agentEnv, CORE_ORCHESTRATOR_GENERATION: '9' };
      const { code, stderr } = await orc(['list'], { env });
      assert.equal(code, 6);
      assert.match(stderr, /its token cannot be read/);
      for (const generation of ['', '../3', undefined])
        assert.equal((await orc(['list'], { env: { ...env, CORE_ORCHESTRATOR_GENERATION: generation } })).code, 6);
      assert.deepEqual(gateway.frames, []);
    });
  });

  describe('without an engine that answers', () => {
    it('finds none: says where it looked, and ends with 3', async () => {
      const cwd = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'orc-none-')));
      try {
        const { code, stderr } = await orc(['status'], { cwd });
        assert.equal(code, 3);
        assert.match(stderr, new RegExp(`no engine was started for ${cwd}, /`));
        assert.match(stderr, /Open the folder in VS Code/);
        assert.match(stderr, /Engines were started for: .*ws-/);
      } finally {
        fs.rmdirSync(cwd);
      }
    });

    it('finds the nearest one upwards, and that of --workspace', async () => {
      const inside = path.join(gateway.workspace, 'a', 'b');
      fs.mkdirSync(inside, { recursive: true });
      assert.equal((await orc(['status'], { cwd: inside })).code, 0);
      assert.equal((await orc(['status', '--workspace', inside], { cwd: '/' })).code, 0);
      assert.equal((await orc(['status', '--workspace', '/no/such/folder'])).code, 2);
    });

    it('says that the engine is gone when its socket is', async () => {
      gateway.writePointer({ socket: path.join(gateway.root, 'gone') });
      const { code, stderr } = await orc(['status']);
      assert.equal(code, 3);
      assert.match(stderr, /no engine is running for .* \(the last one was process 4711\)/);
    });

    it('says what is wrong with a broken pointer', async () => {
      fs.writeFileSync(gateway.pointerFile, '{"protocol":1');
      const { code, stderr } = await orc(['status']);
      assert.equal(code, 3);
      assert.match(stderr, /gateway\.json cannot be used/);
    });

    it('says so when the engine is of another protocol, closes, or answers nonsense', async () => {
      answering({ hello: { status: 'FAILED_PRECONDITION', message: 'this engine speaks protocol 2, not 1' } });
      const other = await orc(['status']);
      assert.equal(other.code, 3);
      assert.match(other.stderr, /speaks protocol 2/);
      answering({ hello: 'close' });
      assert.equal((await orc(['status'])).code, 3);
      answering({ hello: { raw: 'nonsense\n' } });
      assert.equal((await orc(['status'])).code, 3);
    });

    it('S11 says so when the key is refused', async () => {
      answering({ hello: { status: 'UNAUTHENTICATED', message: 'not known' } });
      assert.equal((await orc(['status'])).code, 6);
    });

    it('ends with 8 when not even the greeting is answered within --timeout', async () => {
      answering({ hello: 'hold' });
      const { code, stderr } = await orc(['list', '--timeout', '0.5']);
      assert.equal(code, 8);
      assert.match(stderr, /the engine does not answer \(waited 0\.5 s\)/);
    });

    it('ends with 8 when an answer takes longer than --timeout', async () => {
      answering({ 'agent.list': 'hold' });
      const { code, stderr } = await orc(['list', '--timeout', '0.3']);
      assert.equal(code, 8);
      assert.match(stderr, /no answer to agent\.list within 0\.3 s/);
    });
  });

  it('tells its version and its help, and what is no verb', async () => {
    assert.equal((await orc(['--version'])).stdout, 'orc 0.0.0-test\n');
    const { code, stdout } = await orc(['--help']);
    assert.equal(code, 0);
    assert.deepEqual(stdout.split('\n').filter((line) => line.length > 100), []); // prettier-ignore
    assert.match(stdout, /^ {2}orc data ACTION … {2,}look after/m);
    const data = (await orc(['data', '--help'])).stdout.split('\n');
    assert.deepEqual(data.filter((line) => line.length > 100), []); // prettier-ignore
    assert.match((await orc(['prompt', '--help'])).stdout, /^orc prompt AGENT \[TEXT…\]/);
    assert.deepEqual([(await orc([])).code, (await orc(['nothing'])).code], [2, 2]);
  });

  it('leaves no connection open', async () => {
    await orc(['status']);
    await eventually('closed', () => gateway.connectionCount === 0);
  });

  describe('completions', () => {
    const bash = async (line: string): Promise<readonly string[]> => {
      const bin = path.join(gateway.root, 'bin');
      fs.mkdirSync(bin, { recursive: true });
      fs.writeFileSync(path.join(bin, 'orc'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, {
        mode: 0o755,
      });
      const script = `eval "$(orc completion bash)"; COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _orc; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, CORE_ORCHESTRATOR_STORAGE: gateway.storage };
      const { stdout, stderr } = await runProgram('bash', ['--norc', '-c', script], { cwd: gateway.workspace, env });
      assert.equal(stderr, '');
      return stdout.split('\n').filter(Boolean);
    };

    it('of bash load, and complete verbs, options, agents and types', async () => {
      assert.deepEqual(await bash("orc 're'"), ['restart', 'resume', 'remove', 'rename', 'receipts', 'resend']);
      assert.deepEqual(await bash("orc agent 'pro'"), ['prompt']);
      assert.deepEqual(await bash("orc prompt '--w'"), ['--wait', '--workspace']);
      assert.deepEqual(await bash("orc prompt 'tw'"), ['twin-1', 'twin-2']);
      assert.deepEqual(await bash("orc start ''"), ['demo']);
      assert.deepEqual(await bash("orc completion 'z'"), ['zsh']);
    });

    it('are quiet when no engine runs', async () => {
      gateway.writePointer({ socket: path.join(gateway.root, 'gone') });
      assert.deepEqual(await bash("orc prompt ''"), []);
    });

    it('of fish complete the same behind `orc agent`, with summaries as they are', async function () {
      const file = path.join(gateway.root, 'orc.fish');
      fs.writeFileSync(file, (await orc(['completion', 'fish'])).stdout);
      const env = { PATH: process.env['PATH'] ?? '', HOME: gateway.root };
      const fish = (line: string) =>
        runProgram('fish', ['--no-config', '-c', `source '${file}'; complete -C '${line}'`], { cwd: gateway.root, env }).catch(() => notRun(this, 'fish is not installed')); // prettier-ignore
      const words = async (line: string): Promise<readonly string[]> =>
        (await fish(line)).stdout.split('\n').map((each) => each.split('\t')[0] ?? '').filter(Boolean).sort(); // prettier-ignore
      const verbs = ['receipts', 'remove', 'rename', 'resend', 'restart', 'resume'];
      assert.deepEqual(await words('orc re'), verbs);
      assert.deepEqual(await words('orc agent re'), verbs);
      assert.deepEqual(await words('orc --json agent re'), verbs);
      assert.deepEqual(await words('orc ag'), ['agent']);
      assert.deepEqual(await words('orc list re'), []);
      assert.deepEqual(await words('orc agent agent re'), []);
      assert.deepEqual(await words('orc agent prompt --wa'), ['--wait']);
      assert.ok(!(await fish('orc ')).stdout.includes('\\:'), 'no escapes of another shell');
      assert.ok((await fish('orc --')).stdout.includes('(default: the nearest one'));
    });

    for (const shell of ['zsh', 'fish']) {
      it(`of ${shell} are a script that it can read`, async function () {
        const { code, stdout } = await orc(['completion', shell]);
        assert.equal(code, 0);
        assert.match(stdout, /receipts/);
        const file = path.join(gateway.root, `orc.${shell}`);
        fs.writeFileSync(file, stdout);
        const check = await runProgram(shell, ['-n', file]).catch(() => notRun(this, `${shell} is not installed`));
        assert.equal(check.code, 0);
      });
    }
  });
});

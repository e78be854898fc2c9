// Once for each: claude, codex, gemini, opencode
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../src/core/agents/agent';
import { AgentError } from '../../src/core/agents/agentErrors';
import type { PermissionRequest } from '../../src/core/agents/permissionRequest';
import { eventually } from '../support/eventually';
import { notRun } from '../support/notRun';
import { requireTmux } from '../support/tmuxServer';
import { trials, trialSize } from '../support/trials';
import { AgentWorld } from './agentWorld';
import { type Cli, CLIS, installedVersion, requireCli } from './cliSetup';

/** Where the programs keep what the person has set. */
const CONFIGURATION = [
  '.claude/settings.json', '.codex/config.toml', '.codex/hooks.json', '.gemini/settings.json', '.config/opencode/opencode.json',
] as const; // prettier-ignore

/** The way an answer takes, and whether a reason goes along with a refusal: keys carry none. */
const DOORS: Readonly<Record<Cli, { readonly door: PermissionRequest['door']; readonly takesReason: boolean }>> = {
  claude: { door: 'hook', takesReason: true },
  codex: { door: 'keys', takesReason: false },
  gemini: { door: 'keys', takesReason: false },
  opencode: { door: 'hook', takesReason: true },
};
/** From the moment at which the engine knows of a request to its dialog in the terminal, where the person can answer as well. */
const DRAWN_MS = 3_000;
const REASON = 'not in this test';

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

for (const cli of CLIS) {
  describe(`The hooks and the permission requests of ${cli} ${installedVersion(cli) ?? ''}`, function () {
    this.timeout(300_000);
    let world: AgentWorld;
    let id: AgentId;
    let configuredBefore: readonly string[];
    const configured = (): readonly string[] => CONFIGURATION.map((name) => textOf(join(world.home.folder, name)));

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
      id = await world.start();
      configuredBefore = configured();
    });
    after(() => world?.dispose());

    const hasFile = (name: string): boolean => world.folders().includes(name);

    /** Makes it ask for a command, and waits until the request can be answered: in the terminal, which no hook blocks, and from here. */
    async function asked(command: string): Promise<PermissionRequest> {
      await world.ask(id, `${command} [[sudo: ${command}]] [[reply: done]]`); // each begins differently: the draft is looked for on the screen
      await eventually('the engine knows the request', () => world.view(id).request, { timeoutMs: 20_000 });
      await eventually('the question is drawn', async () => QUESTION.test(await world.screen(id)), {
        timeoutMs: DRAWN_MS,
      });
      assert.ok(world.view(id).request, 'nobody has answered');
      await world.shows(id, 'awaiting_approval', 20_000);
      let request: PermissionRequest | undefined;
      // On a busy machine its dialog may be seen before its hook has come: for that moment keys are the way.
      const isHere = (): boolean => request?.canAllow === true && request.door === DOORS[cli].door;
      await eventually('the request can be answered', () => ((request = world.view(id).request), isHere()), {
        timeoutMs: 10_000,
      }).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${JSON.stringify(request)}\n${await world.screen(id)}`);
      });
      if (!request) throw new Error('there is no request');
      assert.ok(request.detail.includes(command), request.detail);
      assertDoor(request);
      return request;
    }

    function assertDoor({ door, canAllow, canDeny, canGiveReason }: PermissionRequest): void {
      const { door: expected, takesReason } = DOORS[cli];
      assert.deepEqual([door, canAllow, canDeny, canGiveReason], [expected, true, true, takesReason]);
    }

    it('hooks tell of a prompt and of its end, of the tokens, and of the conversation', async () => {
      assert.deepEqual(world.view(id).degraded, []);
      await world.ask(id, 'Take your time. [[slow: 3]]');
      const hookOf = async () => (await world.engine.explain(id)).signals.find(({ source }) => source === 'hook');
      await eventually('a hook tells of the prompt', async () => (await hookOf())?.activity === 'busy', {
        timeoutMs: 5_000,
      });
      await world.shows(id, 'busy');
      await eventually('a hook tells of the end', async () => (await hookOf())?.activity === 'idle', {
        timeoutMs: 20_000,
      });
      await world.shows(id, 'idle', 20_000);
      await eventually('tokens are known', () => (world.view(id).usage?.inputTokens ?? 0) > 0, { timeoutMs: 10_000 });
    });

    it('requests are allowed from here, and the command runs', async () => {
      const { id: requestId } = await asked('touch allowed-file');
      await world.engine.answerRequest(id, requestId, { kind: 'allow' });
      await eventually('the command ran', () => hasFile('allowed-file'), { timeoutMs: 15_000 });
      await world.shows(id, 'idle', 30_000);
      assert.equal(world.view(id).request, undefined);
    });

    it('requests are denied from here, with the reason where a hook carries it, and the command does not run', async () => {
      const { id: requestId } = await asked('touch denied-file');
      await world.engine.answerRequest(id, requestId, { kind: 'deny', reason: REASON });
      await eventually('it does not wait any more', () => world.view(id).activity !== 'awaiting_approval', {
        timeoutMs: 15_000,
      });
      await world.shows(id, 'idle', 30_000);
      assert.equal(hasFile('denied-file'), false);
      const told = (): boolean => world.model.requests.some((request) => JSON.stringify(request).includes(REASON));
      if (DOORS[cli].takesReason) await eventually('the model knows the reason', told, { timeoutMs: 10_000 });
      else assert.equal(told(), false, 'a reason is never typed');
    });

    if (cli === 'claude') {
      it('S24 a request that was seen before its hook came is allowed as it was seen, by the dialog, and runs once', async function () {
        if (trialSize === 'smoke') notRun(this, 'hooks are held back for seconds: npm run verify -- S24');
        world.holdHooks('PermissionRequest', 2);
        for (let trial = trials(1, 3, 20); trial > 0; trial--) {
          const command = `mkdir seen-${trial}`; // a second time it would fail
          await world.ask(id, `Now ${trial}. [[sudo: ${command}]] [[reply: done]]`);
          const open = (): PermissionRequest | undefined => world.view(id).request;
          await eventually('the request is seen', () => open()?.canAllow, { timeoutMs: 20_000 });
          const seen = open();
          assert.deepEqual([seen?.source, seen?.door], ['screen', 'keys']);
          await eventually('its hook tells of it', () => open()?.source === 'hook', { timeoutMs: 10_000 });
          assert.notEqual(open()?.id, seen?.id);
          await world.engine.answerRequest(id, seen?.id ?? '', { kind: 'allow' });
          await eventually('the command ran', () => hasFile(`seen-${trial}`), { timeoutMs: 15_000 });
          await world.shows(id, 'idle', 30_000);
          assert.equal(open(), undefined);
        }
        world.holdHooks('PermissionRequest', 0);
      });

      it('S24 requests stay open when the hook of their own tool call comes after them, also under a dialog that is taller than the terminal', async () => {
        world.holdHooks('PreToolUse', 0.1);
        for (let trial = trials(1, 3, 20); trial > 0; trial--) {
          const name = `tall-${trial}`;
          const file_path = join(world.home.workspace, name);
          const input = { file_path, content: Array.from({ length: 60 }, (_, line) => line).join('\n') };
          await world.ask(id, `Write ${trial}. [[tool: Write ${JSON.stringify(input)}]] [[reply: done]]`);
          await world.shows(id, 'awaiting_approval', 20_000);
          await eventually('it asks', async () => /Do you want to create/.test(await world.screen(id)));
          await new Promise((resolve) => setTimeout(resolve, 1_000)); // every hook has come
          const { request, activity } = world.view(id);
          assert.deepEqual(
            [activity, request?.source, request?.door, request?.canAllow],
            ['awaiting_approval', 'hook', 'hook', true],
          );
          await world.engine.answerRequest(id, request?.id ?? '', { kind: 'allow' });
          await eventually('the file is written', () => hasFile(name), { timeoutMs: 15_000 });
          await world.shows(id, 'idle', 30_000);
        }
        world.holdHooks('PreToolUse', 0);
      });
    }

    it('requests are asked of the engine that takes over while they are open, and are answered from there', async () => {
      const { id: before } = await asked('touch handed-over-file');
      await world.endEngine();
      await world.beginEngine();
      await world.shows(id, 'awaiting_approval', 20_000);
      const request = await eventually(
        'the request can be answered from here again',
        () => [world.view(id).request].find((one) => one?.canAllow),
        { timeoutMs: 15_000 },
      ).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${JSON.stringify(world.view(id).request)}\n${await world.screen(id)}`);
      });
      assert.notEqual(request.id, before);
      assert.ok(request.detail.includes('touch handed-over-file'), request.detail);
      assert.equal(hasFile('handed-over-file'), false);
      await assert.rejects(world.engine.answerRequest(id, before, { kind: 'allow' }), (error) =>
        AgentError.is(error, 'agent.requestGone'),
      );
      await world.engine.answerRequest(id, request.id, { kind: 'allow' });
      await eventually('the command ran', () => hasFile('handed-over-file'), { timeoutMs: 15_000 });
      await world.shows(id, 'idle', 30_000);
      assert.equal(world.view(id).request, undefined);
    });

    it('requests are gone when the person answers in the terminal first, and are not answered again', async () => {
      const { id: requestId } = await asked('touch terminal-file');
      await world.keys(id, 'Enter');
      await eventually('the command ran', () => hasFile('terminal-file'), { timeoutMs: 15_000 });
      await eventually('the request is gone', () => world.view(id).request === undefined, { timeoutMs: 10_000 });
      await assert.rejects(world.engine.answerRequest(id, requestId, { kind: 'allow' }), (error) =>
        AgentError.is(error, 'agent.requestGone'),
      );
      await world.shows(id, 'idle', 30_000);
    });

    it('leave what the person has set as it was, and a conversation that can be gone on with', async () => {
      await world.engine.stopAgent(id);
      assert.equal(world.view(id).isResumable, true);
      const hasOurs = (text: string): boolean =>
        /CORE_ORCHESTRATOR|opencodePlugin|hook Stop|hook AfterAgent/u.test(text);
      assert.ok(!configured().some(hasOurs));
      assert.deepEqual(configured(), configuredBefore);
    });
  });
}

const QUESTION = /Do you want to proceed|Would you like to run|Allow execution|Permission required/;

if (CLIS.includes('opencode')) {
  describe(`The requests of opencode ${installedVersion('opencode') ?? ''} for tools that say nothing of their input themselves`, function () {
    this.timeout(300_000);
    let world: AgentWorld;
    let id: AgentId;

    before(async function () {
      requireTmux(this);
      requireCli(this, 'opencode');
      world = await AgentWorld.open('opencode');
      const settings = {
        mcp: { lab: { type: 'local', command: [process.execPath, join(__dirname, 'echoServer.mjs')] } },
        permission: { bash: 'ask', webfetch: 'ask', task: 'ask', todowrite: 'ask', 'lab_*': 'ask' },
      };
      id = await world.start('worker', { settings });
    });
    after(() => world?.dispose());

    async function asked(tool: string, input: object): Promise<PermissionRequest> {
      await world.ask(id, `Use ${tool}. [[tool: ${tool} ${JSON.stringify(input)}]] [[reply: done]]`);
      return eventually('the request can be answered', () => [world.view(id).request].find((one) => one?.canDeny), {
        timeoutMs: 20_000,
      });
    }

    it('S24 show the input of an MCP tool, which runs with it once it is allowed', async () => {
      const { id: requestId, ...request } = await asked('lab_echo', { text: 'via allow', more: { count: 2 } });
      const { tool, detail, isCut } = request;
      assert.deepEqual(
        { tool, detail, isCut },
        { tool: 'lab_echo', detail: 'text: via allow\nmore:\n  count: 2', isCut: false },
      );
      await world.engine.answerRequest(id, requestId, { kind: 'allow' });
      const ran = (): boolean => world.model.requests.some((one) => JSON.stringify(one).includes('echoed: via allow'));
      await eventually('the model has its answer', ran, { timeoutMs: 15_000 });
      await world.shows(id, 'idle', 30_000);
    });

    for (const [tool, input, shown] of [
      ['bash', { command: 'touch a', description: 'makes a', workdir: '.' }, ['touch a', 'workdir: .']],
      ['webfetch', { url: 'http://127.0.0.1:9/a', format: 'text' }, ['http://127.0.0.1:9/a', 'format: text']],
      ['task', { description: 'clean', prompt: 'remove b', subagent_type: 'general' }, ['general', 'prompt: remove b']],
      [
        'todowrite',
        { todos: [{ content: 'to do', status: 'pending', priority: 'low' }] },
        ['+ to do', 'priority: low'],
      ],
    ] as const) {
      it(`S24 show the input of ${tool}`, async () => {
        const request = await asked(tool, input);
        assert.deepEqual([request.tool, request.isCut], [tool, false]);
        for (const words of shown) assert.ok(request.detail.includes(words), request.detail);
        await world.engine.answerRequest(id, request.id, { kind: 'deny' });
        await world.shows(id, 'idle', 30_000);
      });
    }
  });
}

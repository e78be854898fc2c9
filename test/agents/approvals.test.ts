// Once for each: claude, codex, gemini, opencode
import { strict as assert } from 'node:assert';
import type { AgentId } from '../../src/core/agents/agent';
import { AgentError } from '../../src/core/agents/agentErrors';
import type { PermissionRequest } from '../../src/core/agents/permissionRequest';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { AgentWorld } from './agentWorld';
import { CLIS, requireCli } from './cliSetup';

for (const cli of CLIS) {
  describe(`Permission requests of ${cli}`, function () {
    this.timeout(300_000);
    let world: AgentWorld;
    let id: AgentId;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
      id = await world.start();
    });
    after(() => world?.dispose());

    const hasFile = (name: string): boolean => world.folders().includes(name);

    /** Makes it ask for a command and waits until the request can be answered from here. */
    async function asked(command: string): Promise<PermissionRequest> {
      await world.ask(id, `${command} [[sudo: ${command}]] [[reply: done]]`); // each begins differently: the draft is looked for on the screen
      await world.shows(id, 'awaiting_approval', 20_000);
      let request: PermissionRequest | undefined;
      await eventually('the request can be answered', () => (request = world.view(id).request)?.canAllow === true, {
        timeoutMs: 10_000,
      }).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${JSON.stringify(request)}\n${await world.screen(id)}`);
      });
      if (!request) throw new Error('there is no request');
      assert.ok(request.detail.includes(command), request.detail);
      return request;
    }

    it('are allowed from here, and the command runs', async () => {
      const { id: requestId } = await asked('touch allowed-file');
      await world.engine.answerRequest(id, requestId, { kind: 'allow' });
      await eventually('the command ran', () => hasFile('allowed-file'), { timeoutMs: 15_000 });
      await world.shows(id, 'idle', 30_000);
      assert.equal(world.view(id).request, undefined);
    });

    it('are denied from here, and the command does not run', async () => {
      const { id: requestId } = await asked('touch denied-file');
      await world.engine.answerRequest(id, requestId, { kind: 'deny', reason: 'not in this test' });
      await eventually('it does not wait any more', () => world.view(id).activity !== 'awaiting_approval', {
        timeoutMs: 15_000,
      });
      await world.shows(id, 'idle', 30_000);
      assert.equal(hasFile('denied-file'), false);
    });

    it('are asked of the engine that takes over while they are open, and are answered from there', async () => {
      const { id: before } = await asked('touch handed-over-file');
      await world.endEngine();
      await world.beginEngine();
      await world.shows(id, 'awaiting_approval', 20_000);
      const request = await eventually(
        'the request can be answered from here again',
        () => (world.view(id).request?.canAllow ? world.view(id).request : undefined),
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

    it('are gone when the person answers in the terminal first, and are not answered again', async () => {
      const { id: requestId } = await asked('touch terminal-file');
      // A hook tells of the question before it is drawn; a key that comes between is lost.
      await eventually('the question is drawn', async () => QUESTION.test(await world.screen(id)), {
        timeoutMs: 10_000,
      });
      await world.keys(id, 'Enter');
      await eventually('the command ran', () => hasFile('terminal-file'), { timeoutMs: 15_000 });
      await eventually('the request is gone', () => world.view(id).request === undefined, { timeoutMs: 10_000 });
      await assert.rejects(world.engine.answerRequest(id, requestId, { kind: 'allow' }), (error) =>
        AgentError.is(error, 'agent.requestGone'),
      );
      await world.shows(id, 'idle', 30_000);
    });
  });
}

const QUESTION = /Do you want to proceed|Would you like to run|Allow execution|Permission required/;

// Once for each: gemini
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../src/core/agents/agent';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { AgentWorld, READY_MS } from './agentWorld';
import { CLIS, requireCli } from './cliSetup';

for (const cli of CLIS.filter((each) => each === 'gemini')) {
  describe(`The home of a run of ${cli}`, function () {
    this.timeout(180_000);
    let world: AgentWorld;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
    });
    after(() => world?.dispose());

    const theirs = (name: string): string => join(world.home.folder, '.gemini', name);
    const json = (name: string): Record<string, unknown> =>
      JSON.parse(readFileSync(theirs(name), 'utf8')) as Record<string, unknown>; // written by the program or the test

    async function turn(id: AgentId, prompt: string): Promise<void> {
      await world.ask(id, prompt);
      await world.shows(id, 'idle', 30_000);
    }

    it('keeps the conversation when the runtime folder goes under it', async () => {
      const id = await world.start('survivor');
      await turn(id, 'Remember the word heliotrope. [[reply: noted]]');
      world.removeRuntimeFolder();
      await turn(id, 'Remember the word vermilion, too. [[reply: noted, too]]');
      await world.killAll(id);
      await world.engine.resumeSession(id);
      await world.shows(id, 'idle', READY_MS);
      const question = 'Which words were they? [[reply: those]]';
      // A loaded machine may let it draw its box before it reads: that the text never came is told, and a person sends it again.
      await eventually(
        'it has arrived',
        async () => (await world.engine.sendPrompt(id, question)).state === 'acknowledged',
        {
          timeoutMs: 60_000,
        },
      );
      const { conversation } = await world.model.request('the next turn', (request) => request.conversation.message.trim() === question); // prettier-ignore
      assert.match(conversation.userTexts.join('\n'), /heliotrope[^]*vermilion/);
      await world.shows(id, 'idle', 30_000);
      await world.engine.removeAgent(id);
    });

    it('gives back what the program made and what was set in it, and nothing of ours', async () => {
      assert.ok(existsSync(theirs('projects.json')), 'the runs before have given it back');
      const id = await world.start('setter');
      const before = json('settings.json');
      await world.type(id, '/vim');
      await eventually('the command is drawn', async () => (await world.screen(id)).includes('/vim'));
      await new Promise((resolve) => setTimeout(resolve, 1_000)); // its list of commands takes an Enter that comes sooner
      await world.keys(id, 'Enter');
      await eventually('it is in that mode', async () => /\[(INSERT|NORMAL)\]/.test(await world.screen(id)), {
        timeoutMs: 10_000,
      });
      await world.engine.stopAgent(id);
      await eventually('the settings are given back', () => JSON.stringify(json('settings.json')).includes('vimMode'), {
        timeoutMs: 10_000,
      });
      assert.deepEqual(json('settings.json'), {
        ...before,
        general: { ...(before['general'] as object), vimMode: true },
      });
      const { projects } = json('projects.json');
      assert.ok(Object.hasOwn(projects as object, world.home.workspace), JSON.stringify(projects));
      await world.engine.removeAgent(id);
    });

    it('has no hooks where the person switched them off: nothing is switched on, and that is said', async () => {
      const ran = join(world.home.folder, 'ran');
      const hooks = { SessionStart: [{ matcher: '*', hooks: [{ type: 'command', command: `touch '${ran}'` }] }] };
      const id = await world.start('silent', { settings: { hooksConfig: { enabled: false }, hooks } });
      assert.match(world.view(id).degraded.join(), /^no hooks: your Gemini settings switch them off/);
      const receipt = await world.engine.sendPrompt(id, 'Say hello. [[reply: hello]]');
      assert.deepEqual([receipt.state, receipt.evidence], ['acknowledged', 'screen']);
      await world.shows(id, 'idle', 30_000);
      await world.endEngine();
      await world.beginEngine();
      await world.shows(id, 'idle', 20_000);
      assert.match((await world.engine.explain(id)).degraded.join(), /switch them off/);
      assert.equal(existsSync(ran), false, 'a hook of the person ran');
      await world.engine.removeAgent(id);
    });
  });
}

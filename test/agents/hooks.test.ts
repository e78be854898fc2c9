// Once for each: claude, codex, gemini, opencode
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { AgentWorld } from './agentWorld';
import { CLIS, installedVersion, requireCli } from './cliSetup';

/** Where the programs keep what the person has set. */
const CONFIGURATION = [
  '.claude/settings.json', '.codex/config.toml', '.codex/hooks.json', '.gemini/settings.json', '.config/opencode/opencode.json',
] as const; // prettier-ignore

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

for (const cli of CLIS) {
  describe(`The hooks of ${cli} ${installedVersion(cli) ?? ''}`, function () {
    this.timeout(240_000);
    let world: AgentWorld;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
    });
    after(() => world?.dispose());

    it('tell of a prompt and of its end, of the tokens, and of the conversation, and leave what the person has set as it was', async () => {
      const id = await world.start();
      const texts = (): readonly string[] => CONFIGURATION.map((name) => textOf(join(world.home.folder, name)));
      const before = texts();
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
      await world.engine.stopAgent(id);
      assert.equal(world.view(id).isResumable, true);
      assert.ok(texts().every((text) => !/CORE_ORCHESTRATOR|opencodePlugin|hook Stop|hook AfterAgent/u.test(text)));
      assert.deepEqual(texts(), before);
      await world.engine.removeAgent(id);
    });
  });
}

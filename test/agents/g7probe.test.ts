import { AgentWorld } from './agentWorld';
import type { Cli } from './cliSetup';
import { eventually } from '../support/eventually';
const QUESTION = /Do you want to proceed|Would you like to run|Allow execution|Permission required/;
for (const cli of (process.env.G7 ?? 'claude').split(',') as Cli[])
it(`probe ${cli}`, async function () {
  this.timeout(120_000);
  const world = await AgentWorld.open(cli);
  try {
    const id = await world.start('worker', { retries: 4 });
    await world.ask(id, 'Say hello. [[reply: Hello]]');
    await world.shows(id, 'idle', 60_000);
    const marks: string[] = [];
    const mark = (what: string) => marks.push(`${Date.now() % 1000000} ${what}`);
    const seen = new Set<string>();
    const poll = setInterval(() => { void world.engine.explain(id).then((e) => { for (const s of e.signals) { const k = `${s.observedAtMs % 1000000} ${s.source} ${s.activity} ${s.detail}`; if (!seen.has(k)) { seen.add(k); marks.push(k); } } }); }, 15);
    world.engine.onDidChangeAgent(({ view }) => mark(`=> ${view?.activity} ${view?.reason}`));
    await world.ask(id, 'Build it. [[sudo: mkdir -p made && sleep 30]]');
    await eventually('the question is drawn', async () => QUESTION.test(await world.screen(id)), { timeoutMs: 10_000 });
    mark('QUESTION');
    await world.shows(id, 'awaiting_approval', 5000);
    await world.keys(id, 'Enter');
    mark('ENTER');
    await world.shows(id, 'busy', 5000).catch((e) => mark(String(e)));
    await new Promise((r) => setTimeout(r, 2500));
    await world.keys(id, 'Escape'); mark('ESC');
    await world.shows(id, 'idle', 10000).catch((e) => mark(String(e)));
    await new Promise((r) => setTimeout(r, 500));
    clearInterval(poll);
    console.log(marks.join('\n'));
  } finally { await world.dispose(); }
});

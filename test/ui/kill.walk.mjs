// kill -9 of the extension host while ten agents work: no agent notices, none is started twice, the view is right again.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Agents, fleetFile, inWalkFolder, processCensus, runningAgents } from './agents.mjs';
import { eventually, walk } from './walk.mjs';

const COUNT = 10;
/** VS Code gives up at the third crash of one server within five minutes. */
const KILLS_PER_SERVER = 2;

await walk('R14 the extension host is killed', async (it) => {
  const names = Array.from({ length: COUNT }, (_, index) => `Agent ${String.fromCharCode(65 + index)}`);
  const fleet = Object.fromEntries(names.map((name) => [name, 'loop']));
  fleet[names[0]] = 'ask';
  const workspace = it.folder({ 'README.md': '# Shop\n', '.vscode/agents.json': fleetFile(fleet) });
  const dataDir = join(it.tmp, 'data');
  let server;
  let window;
  let agents;

  async function openVscode() {
    if (window) await window.close();
    if (server) await server.stop();
    const isInstalled = server !== undefined;
    server = await it.server({
      dataDir,
      env: inWalkFolder(it),
      ...(isInstalled ? { vsix: undefined, driver: false } : {}),
    });
    window = await it.open(server, { folder: workspace });
    agents = await new Agents(window).open();
  }

  /** Every row is there and says what its agent does; the badge and the status item too. */
  async function rowsAreRight() {
    await eventually('the rows are right', async () => {
      const labels = (await agents.labels()).filter((label) => label.startsWith('Agent '));
      assert.equal(labels.length, COUNT);
      for (const name of names.slice(1)) {
        assert.ok(
          labels.some((label) => label.startsWith(`Agent ${name}, `) && /, (working|idle)/.test(label)),
          name,
        );
      }
      assert.ok(labels.some((label) => label.startsWith(`Agent ${names[0]}, needs input`)));
      assert.equal(await agents.badge(), '1');
      assert.match(await agents.statusText(), /1 needs you$/);
      return true;
    });
  }

  const processes = () =>
    processCensus().filter(({ command }) => command.includes(dataDir) && /demoAgent\.js/.test(command));
  const identities = () =>
    Object.fromEntries(
      Object.entries(runningAgents(it)).map(([id, one]) => [id, [one.pid, one.startedAt, one.generation]]),
    );

  await openVscode();
  await agents.startFleet();
  await agents.is(names[0], 'needs input');
  await rowsAreRight();
  const before = identities();
  const pids = processes().map(({ pid }) => pid);
  await agents.closeToasts();

  await it.step('R14 after each kill the same processes run, once each, and the view is right', async () => {
    const rounds = it.trials(4, 20, 50);
    const backMs = [];
    assert.equal(pids.length, COUNT);
    for (let round = 1; round <= rounds; round += 1) {
      if (round > 1 && round % KILLS_PER_SERVER === 1) await openVscode();
      const hosts = server.launchedHosts();
      const ready = readyCount(agents);
      const killedAt = performance.now();
      process.kill(hosts.at(-1), 'SIGKILL');
      await window.nextHost(hosts.length);
      await eventually('the engine is back', () => readyCount(agents) > ready, { everyMs: 10 });
      backMs.push(Math.round(performance.now() - killedAt));
      await rowsAreRight();
      assert.deepEqual(identities(), before, `round ${round}`);
      assert.deepEqual(
        processes().map(({ pid }) => pid),
        pids,
        `round ${round}`,
      );
      if (round === 1) {
        await window.notification('10 agents kept running while VS Code was away: 1 waits for you.').waitFor();
        assert.equal((await agents.toasts()).length, 1);
        await it.shot(window, 'after');
      }
    }
    backMs.sort((a, b) => a - b);
    console.log(
      `    ${rounds} kills; back after ${backMs[0]} to ${backMs.at(-1)} ms (median ${backMs[backMs.length >> 1]} ms)`,
    );
  });

  await it.step('every agent still takes orders', async () => {
    await agents.sendPrompt(names[1], '/exit');
    await agents.is(names[1], 'exited');
    await agents.run('Stop All Agents', 'stopAll');
    await window.dialog().getByRole('button', { name: 'Stop All' }).click();
    await eventually('no process is left', () => processes().length === 0, { timeoutMs: 30_000 });
    await eventually('all rows say so', async () => Object.keys(await agents.groups()).join() === 'Ended');
    await agents.assertClean();
  });
});

function readyCount(agents) {
  return (agents.log().match(/engine kind=ready/g) ?? []).length;
}

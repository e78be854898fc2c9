// kill -9 of the extension host while ten agents work without a rest and one asks something: no agent notices, each one's
// work goes on second by second, none is started twice, the view is right again. Then the last window closes.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agents, fleetFile, inWalkFolder, processCensus, runningAgents } from './agents.mjs';
import { eventually, walk } from './walk.mjs';
import { superviseWithoutWindow } from './withoutWindow.mjs';

const WORKERS = Array.from({ length: 10 }, (_, index) => `Worker ${String.fromCharCode(65 + index)}`);
const ASKER = 'Asker';
const COUNT = WORKERS.length + 1;
/** Seconds of work that each agent is given: more than the longest run of this walk takes. */
const WORK_SECONDS = 30_000;
/** VS Code gives up at the third crash of one server within five minutes. */
const KILLS_PER_SERVER = 2;

await walk('R14 the extension host is killed, the last window closes', async (it) => {
  const fleet = { ...Object.fromEntries(WORKERS.map((name) => [name, `work ${WORK_SECONDS}`])), [ASKER]: 'ask' };
  const workspace = it.folder({ 'README.md': '# Shop\n', '.vscode/agents.json': fleetFile(fleet) });
  const dataDir = join(it.tmp, 'data');
  let server;
  let window;
  let agents;

  async function closeVscode() {
    await window.close();
    await server.stop();
  }

  async function openVscode() {
    const isInstalled = server !== undefined;
    server = await it.server({
      dataDir,
      env: inWalkFolder(it),
      ...(isInstalled ? { vsix: undefined, driver: false } : {}),
    });
    window = await it.open(server, { folder: workspace });
    agents = await new Agents(window).open();
    return { server, window, agents };
  }

  /** Every row is there and says what its agent does, that is: it works; the badge and the status item too. */
  async function rowsAreRight() {
    await eventually('the rows are right', async () => {
      const labels = (await agents.labels()).filter((label) => label.startsWith('Agent '));
      assert.equal(labels.length, COUNT);
      for (const name of WORKERS)
        assert.ok(
          labels.some((label) => label.startsWith(`Agent ${name}, working`)),
          `${name}: ${labels.join(' | ')}`,
        );
      assert.ok(labels.some((label) => label.startsWith(`Agent ${ASKER}, needs input`)));
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
  await agents.is(ASKER, 'needs input', 60_000);
  for (const name of WORKERS) await agents.is(name, 'working', 60_000);
  await rowsAreRight();
  const before = identities();
  const pids = processes().map(({ pid }) => pid);
  await agents.closeToasts();

  await it.step('R14 after each kill ten agents work on undisturbed, each once, and the view is right', async () => {
    const rounds = it.trials(2, 20, 50);
    const backMs = [];
    /** For each kill: how many seconds the agent that was slowest has worked on by the time that its row was right again. */
    const workedOn = [];
    assert.equal(pids.length, COUNT);
    for (let round = 1; round <= rounds; round += 1) {
      if (round > 1 && round % KILLS_PER_SERVER === 1) {
        await closeVscode();
        await openVscode();
      }
      await rowsAreRight(); // all ten work at the moment of the kill
      const worked = workedSeconds(it);
      assert.equal(Object.keys(worked).length, WORKERS.length, `round ${round}: ${JSON.stringify(worked)}`);
      const hosts = server.launchedHosts();
      const ready = readyCount(agents);
      const killedAt = performance.now();
      process.kill(hosts.at(-1), 'SIGKILL');
      await window.nextHost(hosts.length);
      await eventually('the engine is back', () => readyCount(agents) > ready, { everyMs: 10 });
      backMs.push(Math.round(performance.now() - killedAt));
      await rowsAreRight();
      const shownMs = performance.now() - killedAt;
      const since = workedSeconds(it);
      for (const [id, seconds] of Object.entries(worked)) {
        // One line a second: it neither began anew (then it would count from 0) nor stood still (with room for a busy machine).
        assert.ok(
          since[id] >= seconds + Math.floor(shownMs / 2_000),
          `round ${round}: ${id} ${seconds} → ${since[id]} s`,
        );
      }
      const [least = 0] = Object.keys(worked).map((id) => since[id] - worked[id]).sort((a, b) => a - b); // prettier-ignore
      workedOn.push(least);
      assert.deepEqual(identities(), before, `round ${round}`);
      assert.deepEqual(
        processes().map(({ pid }) => pid),
        pids,
        `round ${round}`,
      );
      if (round === 1) {
        await window.notification(`${COUNT} agents kept running while VS Code was away: 1 waits for you.`).waitFor();
        assert.equal((await agents.toasts()).length, 1);
        await it.shot(window, 'after');
      }
    }
    backMs.sort((a, b) => a - b);
    console.log(
      `    ${rounds} kills; back after ${backMs[0]} to ${backMs.at(-1)} ms (median ${backMs[backMs.length >> 1]} ms); ` +
        `each of ${WORKERS.length} agents had worked on for at least ${Math.min(...workedOn)} s`,
    );
  });

  await it.step('every agent still takes orders', async () => {
    await agents.sendPrompt(WORKERS[0], '/exit'); // text, no command
    const screenOf = (id) => it.tmux('capture-pane', '-p', '-t', `=${id}:`);
    const taker = await eventually('it is in its queue', () =>
      Object.keys(runningAgents(it)).find((id) => /^ {2}1 queued · /m.test(screenOf(id))),
    );
    it.tmux('send-keys', '-t', `=${taker}:`, '-l', '/exit'); // typed by a person
    it.tmux('send-keys', '-t', `=${taker}:`, 'Enter');
    await agents.is(WORKERS[0], 'exited');
    await agents.is(WORKERS[0], 'exited');
    await agents.run('Stop All Agents', 'stopAll');
    await window.dialog().getByRole('button', { name: 'Stop All' }).click();
    await eventually('no process is left', () => processes().length === 0, { timeoutMs: 30_000 });
    await eventually('all rows say so', async () => Object.keys(await agents.groups()).join() === 'Ended');
    await agents.assertClean();
  });

  writeFileSync(join(workspace, '.vscode/agents.json'), fleetFile({ Planner: {}, Reviewer: {} }));
  await agents.startFleet();
  await agents.is('Planner', 'idle');
  await agents.is('Reviewer', 'idle');
  const current = () => ({ server, window, agents });
  await superviseWithoutWindow(it, { dataDir, current, close: closeVscode, open: openVscode });
});

function readyCount(agents) {
  return (agents.log().match(/engine kind=ready/g) ?? []).length;
}

/** How many seconds each agent that works has worked, by its own count on its screen: `• Working (12s · esc to interrupt)`. */
function workedSeconds(it) {
  const counts = {};
  for (const id of Object.keys(runningAgents(it))) {
    const [, seconds] = /Working \((\d+)s · /.exec(it.tmux('capture-pane', '-p', '-t', `=${id}:`)) ?? [];
    if (seconds !== undefined) counts[id] = +seconds;
  }
  return counts;
}

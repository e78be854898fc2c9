// With keepSupervising a program without a window goes on when the last window closes, and makes way for the next one.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Agents, fleetFile, inWalkFolder, isAlive, runningAgents, setOnMachine } from './agents.mjs';
import { eventually, walk } from './walk.mjs';

await walk('R14 supervision without a window', async (it) => {
  const workspace = it.folder({ '.vscode/agents.json': fleetFile({ Planner: {}, Reviewer: {} }) });
  const dataDir = join(it.tmp, 'data');
  let server = await it.server({ dataDir, env: inWalkFolder(it) });
  setOnMachine(server, {
    'coreOrchestrator.keepSupervising': true,
    'coreOrchestrator.restart.firstDelaySeconds': 0.5,
  });
  let window = await it.open(server, { folder: workspace });
  let agents = await new Agents(window).open();
  await agents.startFleet();
  await agents.is('Planner', 'idle');
  await agents.is('Reviewer', 'idle');
  const before = runningAgents(it);

  /** Files of the data folder, by their name. */
  const file = (name) => {
    const storage = join(dataDir, 'data/User/globalStorage');
    const found = readdirSync(storage, { recursive: true }).map(String).find((path) => path.endsWith(`/${name}`)); // prettier-ignore
    return found === undefined ? undefined : join(storage, found);
  };
  const hostLog = () => (file('host.log') ? readFileSync(file('host.log'), 'utf8') : '');
  const hostPid = () => {
    const lock = file('host.lock');
    return lock !== undefined && existsSync(lock) ? JSON.parse(readFileSync(lock, 'utf8')).pid : undefined;
  };

  const host = await it.step('a program without a window waits beside the window', async () => {
    await eventually('it follows', () => /kind=following/.test(hostLog()));
    it.defer(() => isAlive(host) && process.kill(host));
    return hostPid();
  });

  await it.step('the last window closes: it takes over, and what fails is restarted', async () => {
    await window.close();
    await server.stop();
    assert.ok(isAlive(host), 'it outlives VS Code');
    await eventually('it manages the agents', () => /kind=ready epoch=2/.test(hostLog()));
    process.kill(before.planner.pid, 'SIGKILL');
    const after = await eventually('a new run', () => {
      const { planner } = runningAgents(it);
      return planner?.generation === before.planner.generation + 1 && planner;
    });
    assert.ok(isAlive(after.pid));
    assert.deepEqual(runningAgents(it).reviewer.pid, before.reviewer.pid, 'the other one goes on');
  });

  await it.step('a window opens: it manages the agents again, and tells what happened meanwhile', async () => {
    server = await it.server({ dataDir, vsix: undefined, driver: false, env: inWalkFolder(it) });
    window = await it.open(server, { folder: workspace });
    agents = await new Agents(window).open();
    await agents.is('Planner', 'idle');
    await eventually('this window manages', () => /kind=ready epoch=3/.test(agents.log()));
    assert.match(hostLog(), /makes way for a window/);
    assert.doesNotMatch(await agents.container.innerText(), /Managed by/);
    // All rows are drawn anew when the window begins to manage: by then they have been.
    await eventually('the program waits again', () => hostLog().lastIndexOf('kind=following') > hostLog().lastIndexOf('makes way')); // prettier-ignore
    await agents.menu('Planner', 'Show Agent History');
    await window.tab(/History of/).waitFor();
    const text = async () => (await window.page.locator('.editor-instance .view-lines').innerText()).replace(/\u00a0/g, ' '); // prettier-ignore
    await eventually('the history', async () => /by policy: restarted/.test(await text()));
    await it.shot(window, 'back');
    assert.equal(hostPid(), host);
    const { planner, reviewer } = runningAgents(it);
    assert.deepEqual([planner.generation, reviewer.generation], [before.planner.generation + 1, before.reviewer.generation]); // prettier-ignore
  });

  await it.step('switched off, the program ends; the agents go on', async () => {
    setOnMachine(server, { 'coreOrchestrator.keepSupervising': false });
    await eventually('it has ended', () => !isAlive(host));
    assert.equal(Object.keys(runningAgents(it)).length, 2);
    await agents.assertClean();
  });
});

// With keepSupervising a program without a window goes on when the last window closes, and makes way for the next one. Steps
// for a walk with the running agents Planner and Reviewer.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, runningAgents, setOnMachine } from './agents.mjs';
import { eventually } from './walk.mjs';

/**
 * `vscode`: what is open, its data folder, and ways to close and to open it: `{dataDir, close(), open()}`; `open` and `current` answer
 * `{server, window, agents}`.
 */
export async function superviseWithoutWindow(it, { dataDir, current, close, open }) {
  let { server, window, agents } = current();
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
  const epoch = Math.max(...[...agents.log().matchAll(/kind=ready epoch=(\d+)/g)].map(([, number]) => +number));
  const isReady = (log, number) => new RegExp(`kind=ready epoch=${number}\\b`).test(log);

  const host = await it.step('R14 switched on, a program without a window waits beside the window', async () => {
    setOnMachine(server, {
      'coreOrchestrator.keepSupervising': true,
      'coreOrchestrator.restart.firstDelaySeconds': 0.5,
    });
    await eventually('it follows', () => /kind=following/.test(hostLog()));
    it.defer(() => isAlive(host) && process.kill(host));
    return hostPid();
  });

  await it.step('R14 the last window closes: it takes over, and what fails is restarted', async () => {
    await close();
    assert.ok(isAlive(host), 'it outlives VS Code');
    await eventually('it manages the agents', () => isReady(hostLog(), epoch + 1));
    process.kill(before.planner.pid, 'SIGKILL');
    const after = await eventually('a new run', () => {
      const { planner } = runningAgents(it);
      return planner?.generation === before.planner.generation + 1 && planner;
    });
    assert.ok(isAlive(after.pid));
    assert.deepEqual(runningAgents(it).reviewer.pid, before.reviewer.pid, 'the other one goes on');
  });

  await it.step('R14 a window opens: it manages the agents again, and tells what happened meanwhile', async () => {
    ({ server, window, agents } = await open());
    await agents.is('Planner', 'idle');
    await eventually('this window manages', () => isReady(agents.log(), epoch + 2));
    assert.match(hostLog(), /makes way for a window/);
    const kept = () => agents.log().match(/supervision goes on without a window/g)?.length;
    await eventually('the setting is heeded when it changes and when a window opens', () => kept() === 2);
    assert.doesNotMatch(await agents.container.innerText(), /Managed by/);
    // All rows are drawn anew when the window begins to manage: by then they have been.
    await eventually('the program waits again', () => hostLog().lastIndexOf('kind=following') > hostLog().lastIndexOf('makes way')); // prettier-ignore
    await agents.menu('Planner', 'Show Agent History');
    await window.tab(/History of/).waitFor();
    const text = async () => (await window.page.locator('.editor-instance .view-lines').innerText()).replace(/\u00a0/g, ' '); // prettier-ignore
    await eventually('the history', async () => /by policy: restarted/.test(await text()));
    await it.shot(window, 'back-in-window');
    assert.equal(hostPid(), host);
    const { planner, reviewer } = runningAgents(it);
    assert.deepEqual([planner.generation, reviewer.generation], [before.planner.generation + 1, before.reviewer.generation]); // prettier-ignore
  });

  await it.step('R14 switched off, the program ends; the agents go on', async () => {
    setOnMachine(server, { 'coreOrchestrator.keepSupervising': false });
    await eventually('it has ended', () => !isAlive(host));
    assert.equal(Object.keys(runningAgents(it)).length, 2);
    await agents.assertClean();
  });
}

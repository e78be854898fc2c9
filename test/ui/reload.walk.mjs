// Developer: Reload Window with attached terminals, then VS Code ended politely, then killed: everything is found again, nothing is doubled.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { Agents, fleetFile, inWalkFolder, isAlive, processTree, runningAgents, startTicks } from './agents.mjs';
import { eventually, walk } from './walk.mjs';

/** From the start of the engine to all agents known, on a calm machine; a busy one gets as many times more as processes wait for each processor. */
const READY_MS = 2_000;
/** The same from the first moment of the new extension host to the rows that a person sees. Most of it is VS Code's own start, before the engine begins. */
const SHOWN_MS = 6_000;

await walk('R14 the window is reloaded', async (it) => {
  const fleet = { Planner: 'work 3000', Builder: 'loop', Reviewer: 'approve', Tester: {} };
  const workspace = it.folder({ 'README.md': '# Shop\n', '.vscode/agents.json': fleetFile(fleet) });
  const dataDir = join(it.tmp, 'data');
  // In the editor area: what VS Code restores of the panel depends on when it last kept its list.
  const settings = { 'coreOrchestrator.terminal.location': 'editor' };
  let server = await it.server({ dataDir, settings, env: inWalkFolder(it) });
  let window = await it.open(server, { folder: workspace });
  let agents = await new Agents(window).open();
  await agents.startFleet();
  await agents.is('Planner', 'working');
  await agents.is('Reviewer', 'needs approval');
  await agents.is('Tester', 'idle');
  await agents.closeToasts();
  await agents.attach('Planner');
  await agents.attach('Reviewer');
  await agents.menu('Builder', 'Open Agent to the Side');
  await window.tab(/Builder/).waitFor();
  await agents.menu('Tester', 'Open Read-Only Mirror');
  await window.tab(/Tester \(mirror\)/).waitFor();
  await eventually('three terminals', () => attachedClients(it).length === 3);
  const before = { agents: identities(it), clients: attachedClients(it) };
  await it.shot(window, 'before');

  await it.step(
    'R14 every agent is found again, undisturbed, within two seconds of the engine (more on a busy machine), and its row is shown',
    async () => {
      const hosts = server.launchedHosts().length;
      const lines = readyLines(agents).length;
      const reloading = window.reload();
      await window.nextHost(hosts);
      const hostAt = performance.now();
      await eventually('the engine is ready', () => readyLines(agents).length > lines, { everyMs: 10 });
      const readyMs = Math.round(performance.now() - hostAt);
      await reloading;
      await agents.is('Planner', 'working');
      await agents.is('Reviewer', 'needs approval');
      await agents.is('Tester', 'idle');
      const shownMs = Math.round(performance.now() - hostAt);
      const engineMs = engineStartMs(agents);
      const [load] = loadavg();
      const limit = (ms) => Math.round(ms * Math.max(1, load / availableParallelism()));
      console.log(
        `    the engine took ${engineMs} ms (limit ${limit(READY_MS)} ms); from the new extension host's first moment, VS Code's own start included: ` +
          `agents known after ${readyMs} ms, rows shown after ${shownMs} ms (limit ${limit(SHOWN_MS)} ms, load ${load})`,
      );
      assert.ok(engineMs < limit(READY_MS), `the engine took ${engineMs} ms`);
      assert.ok(shownMs < limit(SHOWN_MS), `a person saw the rows after ${shownMs} ms`);
      assert.deepEqual(identities(it), before.agents);
      await eventually('badge', async () => (await agents.badge()) === '1');
      await it.shot(window, 'after');
    },
  );

  await it.step('terminals are adopted: attaching again opens no second one', async () => {
    await window.tab(/Builder/).waitFor();
    await eventually('the same clients', () => attachedClients(it).join() === before.clients.join());
    for (const name of ['Planner', 'Reviewer', 'Builder']) {
      await agents.menu(name, 'Attach to Agent');
      await window.page.locator(`.tab.active[aria-label^="${name}"]`).waitFor();
    }
    assert.deepEqual(attachedClients(it), before.clients);
    for (const name of ['Planner', 'Reviewer', 'Builder'])
      assert.equal((await window.tabs()).filter((tab) => tab.startsWith(name)).length, 1, name);
    await agents.menu('Builder', 'Open Agent to the Side'); // it stands there already
    await window.page.locator('.tab.active[aria-label^="Builder"]').waitFor();
    assert.deepEqual(attachedClients(it), before.clients, 'the terminal in the editor area was shown, none was made');
    await it.shot(window, 'adopted');
  });

  await it.step('a read-only mirror is there again, where it stood', async () => {
    await window.tab(/Tester \(mirror\)/).waitFor();
    const selector = '.editor-group-container:has(.tab[aria-label^="Tester (mirror)"])';
    assert.equal(await window.page.locator(selector).count(), 1);
    await window.page.locator('.tab[aria-label^="Tester (mirror)"]').click();
    await eventually('it shows the screen', async () =>
      /demo agent/.test(await window.terminalText(`${selector} .terminal-wrapper`)),
    );
    assert.equal(await window.page.locator('.editor-group-container.empty').count(), 0, 'an empty place is left');
    await it.shot(window, 'mirror');
  });

  await it.step('a reload is not an absence: nothing pops up', async () => {
    assert.deepEqual(await agents.toasts(), []);
    await agents.assertClean();
  });

  await it.step('the terminal profile "Agent (tmux)" attaches to the agent that is picked', async () => {
    // VS Code 1.139 may list its profiles before it knows extensions; it lists them again when the default profile is set.
    await window.run('Terminal: Select Default Profile', { id: 'workbench.action.terminal.selectDefaultShell' });
    await window.pick(/bash/);
    await eventually('the profile', async () => {
      const id = 'workbench.action.terminal.newWithProfile';
      await window.run('Terminal: Create New Terminal (With Profile)', { id });
      await window.quick.locator('.quick-input-box input').fill('agent');
      const profile = window.quick.getByRole('option', { name: /Agent \(tmux\)/ });
      const isListed = await profile.waitFor({ timeout: 1_000 }).then(() => true, () => false); // prettier-ignore
      await (isListed ? profile.click() : window.page.keyboard.press('Escape'));
      return isListed;
    });
    await window.pick(/Tester/);
    await window.waitTerminal(/demo agent/);
    await eventually('a fourth client', () => attachedClients(it).length === 4);
    await it.shot(window, 'profile');
    await agents.menu('Tester', 'Attach to Agent');
    assert.equal(attachedClients(it).length, 4, 'it is recognised: attaching again opens no second one');
    assert.deepEqual(identities(it), before.agents);
  });

  await it.step('after VS Code was away, one message says that agents kept running', async () => {
    await window.close();
    await server.stop();
    assert.deepEqual(identities(it), before.agents, 'agents live without VS Code');
    makeOlder(join(dataDir, 'data/User/globalStorage'), 600_000); // instead of waiting ten minutes
    server = await it.server({ dataDir, vsix: undefined, driver: false, env: inWalkFolder(it) });
    window = await it.open(server, { folder: workspace });
    agents = await new Agents(window).open();
    await window.notification('4 agents kept running while VS Code was away: 1 waits for you.').waitFor();
    assert.equal((await agents.toasts()).length, 1);
    assert.deepEqual(identities(it), before.agents);
    await it.shot(window, 'was-away');
  });

  await it.step('R14 VS Code is killed with all its processes: agents run on and are found again', async () => {
    await agents.attach('Planner');
    await eventually('a terminal is attached', () => attachedClients(it).length > 0);
    await agents.is('Planner', 'working');
    const worked = workedSeconds(it, 'planner');
    const killed = killTree(server);
    await eventually('the whole tree is gone', () => killed.every(({ pid, ticks }) => !isSame(pid, ticks)));
    assert.ok(killed.some(({ command }) => command.includes('--type=extensionHost')), 'the extension host was among them'); // prettier-ignore
    await eventually('its terminals are gone', () => attachedClients(it).length === 0);
    assert.deepEqual(identities(it), before.agents, 'agents live on');
    for (const { pid } of Object.values(before.agents)) assert.ok(isAlive(pid), `${pid} was killed`);
    await eventually('the one that worked works on', () => workedSeconds(it, 'planner') >= worked + 2);
    await window.close();
    server = await it.server({ dataDir, vsix: undefined, driver: false, env: inWalkFolder(it) });
    window = await it.open(server, { folder: workspace });
    agents = await new Agents(window).open();
    await agents.is('Planner', 'working');
    await agents.is('Reviewer', 'needs approval');
    await agents.is('Tester', 'idle');
    assert.equal((await agents.labels()).filter((label) => label.startsWith('Agent ')).length, 4);
    assert.deepEqual(identities(it), before.agents);
    console.log(
      `    ${killed.length} processes of VS Code killed; ${Object.keys(before.agents).length} agents undisturbed`,
    );
    await eventually('badge', async () => (await agents.badge()) === '1');
    await it.shot(window, 'after-kill');
    await agents.sendPrompt('Tester', 'work 2');
    await agents.is('Tester', 'working');
  });
});

/** Ends a server and every process below it at once, without a chance to say goodbye. Returns what was ended. */
function killTree(server) {
  const tree = processTree(server.pid).map((pid) => ({
    pid,
    ticks: startTicks(pid),
    command: existsSync(`/proc/${pid}/cmdline`)
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      : '',
  }));
  for (const { pid, ticks } of tree) if (isSame(pid, ticks)) process.kill(pid, 'SIGKILL');
  return tree;
}

/** Whether the process with this pid is still the one that began then, and runs. */
function isSame(pid, ticks) {
  return ticks !== undefined && startTicks(pid) === ticks && isAlive(pid);
}

/** How long an agent that works has worked, by its own count on its screen: `• Working (12s · esc to interrupt)`. */
function workedSeconds(it, id) {
  const [, seconds] = /Working \((\d+)s · /.exec(it.tmux('capture-pane', '-p', '-t', `=${id}:`)) ?? [];
  assert.ok(seconds !== undefined, `${id} does not work`);
  return +seconds;
}

/** Sets back the marks that windows leave when they end. */
function makeOlder(folder, byMs) {
  for (const file of readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('last-seen')))
    writeFileSync(join(folder, file), String(Date.now() - byMs));
}

/** What must stay the same about each agent. */
function identities(it) {
  return Object.fromEntries(
    Object.entries(runningAgents(it)).map(([id, { pid, startedAt, generation }]) => [
      id,
      { pid, startedAt, generation },
    ]),
  );
}

/** Pids and agents of the tmux clients that are terminals, in order; mirrors left out. */
function attachedClients(it) {
  return it
    .tmux('list-clients', '-F', '#{client_control_mode} #{client_readonly} #{session_name} #{client_pid}')
    .split('\n')
    .filter((line) => line.startsWith('0 0 '))
    .sort();
}

/** How long the engine took last time, by its log: from its start to all agents known. */
function engineStartMs(agents) {
  const at = (kind) =>
    Date.parse(
      agents
        .log()
        .match(new RegExp(`^(\\S+ \\S+) \\[info\\] engine kind=${kind}`, 'gm'))
        .at(-1)
        .slice(0, 23),
    );
  return at('ready') - at('starting');
}

function readyLines(agents) {
  return agents.log().match(/engine kind=ready/g) ?? [];
}

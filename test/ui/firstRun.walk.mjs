// A person's first hour: the empty view, the first agent, a fleet, terminals, prompts, failures, and everything stopped.
// CORE_DOCS_IMAGES=1 writes the pictures of the README (docs/images) on the way.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agents, fleetFile, inWalkFolder, isAlive, runningAgents, setOnMachine } from './agents.mjs';
import { eventually, root, walk } from './walk.mjs';

const fleet = {
  Planner: { role: 'planner', team: 'app' },
  Builder: { role: 'builder', team: 'app', firstPrompt: 'loop' },
  Reviewer: { role: 'reviewer', team: 'quality', firstPrompt: 'approve' },
};

const themes = {
  'hc-dark': { label: 'Dark High Contrast', type: 'hc-black' },
  'hc-light': { label: 'Light High Contrast', type: 'hc-light' },
  light: { label: 'Light Modern', type: 'vs' },
  dark: { label: 'Dark Modern', type: 'vs-dark' },
};
const viewport = { width: 1280, height: 800 };
const small = { width: 1120, height: 680 };

/** Pictures of the README; written only when asked for, because each run's pixels differ a little. */
const docsImages = new Set(['agents-dark.png', 'agents-light.png', 'terminal.png', 'needs-you.png']);
function keep(picture, name) {
  if (!process.env.CORE_DOCS_IMAGES || !docsImages.has(name)) return;
  const folder = join(root, 'docs', 'images');
  mkdirSync(folder, { recursive: true });
  copyFileSync(picture, join(folder, name));
}

const sources = {
  'shop/README.md': '# Shop\n',
  'shop/src/app.ts': `import { createServer } from 'node:http';
import { openStore } from './store';

const store = openStore('shop.db');

/** Answers with the price of one article, in cents. */
const server = createServer((request, response) => {
  const id = new URL(request.url ?? '/', 'http://localhost').searchParams.get('id');
  const article = store.find(id);
  response.statusCode = article ? 200 : 404;
  response.end(JSON.stringify(article ?? { error: 'no such article' }));
});

server.listen(8080);
`,
};

/** More than are started beside each other. */
const MANY = 16;

/** Rests the mouse where nothing has a tip, and waits until none is shown. */
async function restMouse(page) {
  await page.mouse.move(200, 560); // the empty part of the side bar
  await eventually('no tip is shown', async () => (await page.locator('.monaco-hover:visible').count()) === 0);
}

const sizeOverlay = (page) => page.locator('.terminal-resize-overlay.visible');

await walk('First hour', async (it) => {
  const folder = it.folder(sources);
  const workspace = join(folder, 'shop');
  const server = await it.server({ env: inWalkFolder(it) });
  setOnMachine(server, { 'coreOrchestrator.restart.firstDelaySeconds': 3, 'coreOrchestrator.restart.limit': 1 });
  const window = await it.open(server, { folder: workspace, viewport });
  const { page } = window;
  const agents = new Agents(window);
  const tmux = (...args) => it.tmux(...args);

  await it.step('the empty view says what to do', async () => {
    await agents.open();
    await agents.button('Start Agent…').waitFor();
    await agents.button('Create Fleet File').waitFor();
    await page.mouse.move(640, 600);
    assert.equal(await agents.statusItem.count(), 0, 'nothing to say: no status item');
    await it.shot(window, 'empty');
  });

  await it.step('Start Agent asks for type, name, folder and first prompt, checks them and goes back', async () => {
    await agents.button('Start Agent…').click();
    const types = await window.quickRows();
    assert.ok(types.some((type) => /^Claude Code/.test(type)) && types.some((type) => /^Demo agent/.test(type)));
    await it.shot(window, 'start-1-type');
    await window.pick(/^Demo agent/);
    await window.quick.getByText('(2/4)').waitFor();
    await window.input('', { enter: false });
    await eventually('the empty name is refused', async () => /Give a name/.test(await window.inputMessage()));
    await page.keyboard.press('Enter');
    assert.match(await window.inputMessage(), /Give a name/);
    await it.shot(window, 'start-2-name-refused');
    await window.input('Scout');
    await window.quick.getByText('(3/4)').waitFor();
    assert.match((await window.quickRows())[0], /^shop/);
    await it.shot(window, 'start-3-folder');
    await window.quick.getByRole('button', { name: 'Back' }).click();
    await window.quick.getByText('(2/4)').waitFor();
    assert.equal(await window.quick.locator('.quick-input-box input').inputValue(), 'Scout', 'the answer was kept');
    await page.keyboard.press('Enter');
    await window.pick(/^shop/);
    await window.quick.getByText('(4/4)').waitFor();
    await it.shot(window, 'start-4-prompt');
    await window.input('work 4');
  });

  await it.step('its row appears and follows its state', async () => {
    await agents.is('Scout', 'working');
    await eventually('the status item counts it', async () => (await agents.statusText()) === '1 working');
    await it.shot(window, 'first-agent-working');
    await agents.is('Scout', 'idle');
    await eventually('the status item', async () => (await agents.statusText()) === '1 idle');
  });

  await it.step('a fleet file that appears offers Start Fleet, and the exact commands are asked about', async () => {
    mkdirSync(join(workspace, '.vscode'));
    writeFileSync(join(workspace, '.vscode/agents.json'), fleetFile(fleet));
    await agents.title('Start Fleet');
    const approve = window.quick.getByRole('option', { name: /^Approve and Start/ });
    await approve.waitFor();
    const lines = page.locator('.editor-instance .view-lines');
    const box = await window.quick.boundingBox();
    const first = await lines.getByText('These commands come from').boundingBox();
    assert.ok(first.y >= box.y + box.height, 'the question is drawn over the first words of the document');
    await it.shot(window, 'fleet-approval');
    let text = '';
    await eventually('all of it can be read while the question is open', async () => {
      text += await lines.innerText();
      await lines.hover();
      await page.mouse.wheel(0, 200);
      return /first prompt: approve/.test(text.replace(/\u00a0/g, ' '));
    });
    for (const part of [/demoAgent\.js/, /Reviewer \(Demo agent\)/, /first prompt: loop/])
      assert.match(text.replace(/\u00a0/g, ' '), part);
    assert.equal(Object.keys(runningAgents(it)).length, 1, 'nothing was started before the answer');
    await approve.click();
  });

  await it.step('three agents in different states, a badge, the status item and one message', async () => {
    await agents.is('Planner', 'idle');
    await agents.is('Builder', 'working');
    await agents.is('Reviewer', 'needs approval');
    await eventually('grouped', async () => {
      const groups = await agents.groups();
      assert.deepEqual(groups, { 'Needs You': ['Reviewer'], Active: ['Scout', 'Planner', 'Builder'] });
      return true;
    });
    await eventually('badge', async () => (await agents.badge()) === '1');
    await eventually('status', async () => /1 needs you/.test(await agents.statusText()));
    await window.notification('Reviewer needs approval').waitFor();
    assert.equal((await agents.toasts()).length, 1);
    await it.shot(window, 'fleet');
    await page.setViewportSize(small);
    await restMouse(page);
    await window.notification('Reviewer needs approval').waitFor();
    keep(await it.shot(window, 'needs-you'), 'needs-you.png');
    await page.setViewportSize(viewport);
  });

  await it.step('the tooltip says why', async () => {
    await agents.row('Reviewer').hover();
    const tooltip = page.locator('.monaco-hover:visible').filter({ hasText: 'Why it says so' });
    await tooltip.waitFor();
    const text = (await tooltip.innerText()).replace(/\u00a0/g, ' ');
    for (const part of ['State: needs approval', 'Role: reviewer', `Folder: ${workspace}`, 'Restarts: after a failure'])
      assert.ok(text.includes(part), `${part} is missing in ${text}`);
    assert.match(text, /screen: .*Enter to confirm/);
    await it.shot(window, 'tooltip');
  });

  await it.step('the context menu offers what the agent can do', async () => {
    await agents.row('Reviewer').click({ button: 'right' });
    const items = page.locator('.monaco-menu').getByRole('menuitem');
    await items.first().waitFor();
    assert.deepEqual(await items.allInnerTexts(), [
      'Attach to Agent',
      'Open Agent to the Side',
      'Open Read-Only Mirror',
      'Show Agent History',
      'Explain Agent State',
      'Review Request…',
      'Approve Request…',
      'Deny Request',
      'Send Prompt…',
      'Queue Prompt…',
      'Write Prompt in Editor…',
      'Show Prompt Receipts…',
      'Resend Prompt…',
      'Pause Agent',
      'Restart Agent',
      'Rename Agent…',
      'Stop Agent',
      'Remove Agent',
    ]);
    await it.shot(window, 'context-menu');
    await page.keyboard.press('Escape');
  });

  await it.step('the message leads to the terminal, where the question is answered', async () => {
    await window.notificationAction('Reviewer needs approval', 'Review…');
    await window.dialog().getByRole('button', { name: 'Attach', exact: true }).click();
    await window.waitTerminal(/Allow this command\?/);
    await it.shot(window, 'attached');
    await window.typeTerminal('2');
    await window.waitTerminal(/Denied/);
    assert.match(tmux('capture-pane', '-p', '-t', '=reviewer:'), /Denied/, 'tmux saw it too');
    await agents.is('Reviewer', 'idle');
    await eventually('no badge', async () => (await agents.badge()) === '');
  });

  await it.step('an agent opens in the editor area', async () => {
    await agents.menu('Builder', 'Open Agent to the Side');
    await window.tab(/Builder/).waitFor();
    await window.waitTerminal(/demo agent/, { selector: '.editor-instance .terminal-wrapper' });
    await page.setViewportSize(small);
    await agents.is('Builder', 'working');
    await restMouse(page);
    await eventually('VS Code no longer shows the new size', async () => (await sizeOverlay(page).count()) === 0);
    keep(await it.shot(window, 'editor-terminal'), 'terminal.png');
    await page.setViewportSize(viewport);
  });

  await it.step('a read-only mirror shows the agent, never resizes it and takes no input', async () => {
    const before = runningAgents(it).planner;
    await agents.menu('Planner', 'Open Read-Only Mirror');
    await window.tab(/Planner \(mirror\)/).waitFor();
    const selector = '.editor-group-container:has(.tab[aria-label^="Planner (mirror)"]) .terminal-wrapper';
    await eventually('the mirror shows the screen', async () => {
      const text = await window.terminalText(selector);
      return /type help to see/.test(text);
    });
    await window.typeTerminal('this must not arrive\r', selector);
    await agents.sendPrompt('Planner', 'help');
    await eventually('the mirror is live', async () => /a permission/.test(await window.terminalText(selector)));
    assert.doesNotMatch(tmux('capture-pane', '-p', '-t', '=planner:'), /must not arrive/);
    const after = runningAgents(it).planner;
    assert.deepEqual([after.columns, after.rows], [before.columns, before.rows], 'the agent was resized');
    await it.shot(window, 'mirror');
    await window.run('View: Close All Editors', { id: 'workbench.action.closeAllEditors' });
    assert.ok(isAlive(after.pid), 'closing detaches');
  });

  await it.step('a prompt is sent; while the agent asks something its row offers to review that', async () => {
    await agents.sendPrompt('Scout', 'ask');
    await agents.is('Scout', 'needs input');
    await agents.closeToasts();
    await agents.row('Scout').hover();
    assert.equal(await agents.row('Scout').getByRole('button', { name: 'Send Prompt' }).count(), 0);
    await agents.row('Scout').getByRole('button', { name: 'Review Request' }).waitFor();
    await it.shot(window, 'asks');
  });

  await it.step('rename', async () => {
    await agents.menuThatAsks('Scout', 'Rename Agent');
    await window.quick.getByText('Rename Agent').first().waitFor();
    await window.input('Builder', { enter: false });
    await eventually('refused', async () => /Another agent has this name/.test(await window.inputMessage()));
    await it.shot(window, 'rename-refused');
    await window.input('Pathfinder');
    await agents.is('Pathfinder', 'needs input');
  });

  await it.step('a paused agent lives on but gets no prompts until it is resumed', async () => {
    const before = runningAgents(it).builder;
    await agents.menu('Builder', 'Pause Agent');
    await agents.is('Builder', 'paused');
    await agents.sendPrompt('Builder', 'not now');
    await eventually('it is said why not', async () => /Builder is paused\. Nothing was typed/.test(await window.inputMessage())); // prettier-ignore
    await it.shot(window, 'paused');
    assert.doesNotMatch(tmux('capture-pane', '-p', '-S', '-100', '-t', '=builder:'), /not now/);
    await agents.menu('Builder', 'Resume Agent');
    await eventually('resumed', async () => !(await agents.labels()).some((label) => /Builder, paused/.test(label)));
    await eventually('it is not said any more', async () => /typed into the agent/.test(await window.inputMessage()));
    assert.equal(
      await window.quick.locator('.quick-input-box input').inputValue(),
      'not now',
      'the text is still there',
    );
    await it.shot(window, 'paused-no-more');
    await page.keyboard.press('Escape');
    await window.quick.waitFor({ state: 'hidden' });
    assert.deepEqual(await agents.toasts(), []);
    assert.deepEqual(runningAgents(it).builder, before, 'the process was not disturbed');
  });

  await it.step(
    'a crash is noticed, restarted after a delay, and too many end in quarantine until release',
    async () => {
      const before = runningAgents(it).planner;
      await agents.sendPrompt('Planner', 'crash 3');
      await agents.is('Planner', 'waiting to restart');
      await it.shot(window, 'crashed');
      await eventually('a new process', () => runningAgents(it).planner?.generation === before.generation + 1);
      assert.equal(isAlive(before.pid), false);
      await agents.is('Planner', 'idle');
      await agents.sendPrompt('Planner', 'crash 3');
      await agents.is('Planner', 'quarantined');
      await page
        .locator('.notifications-toasts')
        .getByText(/quarantine/i)
        .first()
        .waitFor();
      await it.shot(window, 'quarantined');
      await agents.row('Planner').hover();
      await agents.row('Planner').getByRole('button', { name: 'Release' }).waitFor();
      await window.notificationAction('Planner is quarantined', 'Release');
      await eventually('released', async () => !(await agents.labels()).some((label) => /quarantined/.test(label)));
      await it.shot(window, 'released');
    },
  );

  await it.step('Go to Agent, history and the setup report', async () => {
    await eventually('the list of agents', async () => {
      await agents.run('Go to Agent', 'goToAgent'); // VS Code may give the focus back to the tree just then
      await window.quick.getByRole('option', { name: /Pathfinder/ }).waitFor({ timeout: 3_000 });
      return true;
    });
    await it.shot(window, 'go-to-agent');
    await window.pick(/Pathfinder/);
    await window.waitTerminal(/Which database should it use/);
    await agents.menu('Pathfinder', 'Show Agent History');
    await window.tab(/History of/).waitFor();
    await eventually('history', async () =>
      /running, needs input \(awaiting_input\)/.test(
        (await page.locator('.editor-instance .view-lines').innerText()).replace(/\u00a0/g, ' '),
      ),
    );
    await it.shot(window, 'history');
    assert.match(await agents.setupReport(), /Everything needed is there/);
    await it.shot(window, 'check-setup');
  });

  await it.step('the same scene in four colour themes', async () => {
    await window.run('View: Close All Editors', { id: 'workbench.action.closeAllEditors' });
    await window.openPalette('app.ts');
    await window.pick(/^app\.ts/);
    await window.tab(/app\.ts/).waitFor();
    await agents.sendPrompt('Planner', 'work 120');
    await agents.sendPrompt('Reviewer', 'approve');
    await agents.is('Planner', 'working');
    await agents.is('Reviewer', 'needs approval');
    await agents.menu('Reviewer', 'Attach to Agent');
    await window.waitTerminal(/Allow this command\?/);
    await agents.closeToasts();
    await page.setViewportSize(small);
    for (const [name, { label, type }] of Object.entries(themes)) {
      await window.run('Preferences: Color Theme', { id: 'workbench.action.selectTheme' });
      await window.quick.locator('.quick-input-box input').fill(label);
      await window.pick(label);
      await page.locator(`.monaco-workbench.${type}`).waitFor();
      await restMouse(page);
      keep(await it.shot(window, `theme-${name}`), `agents-${name}.png`);
    }
    await page.setViewportSize(viewport);
  });

  await it.step('several selected agents stop together, and their processes are gone', async () => {
    const before = runningAgents(it);
    await agents.row('Planner').click();
    await agents.row('Pathfinder').click({ modifiers: ['Control'] });
    await agents.menu('Planner', 'Stop Agent');
    await window.dialog().waitFor();
    await it.shot(window, 'stop-selected');
    await window.dialog().getByRole('button', { name: 'Stop Agents' }).click();
    await agents.is('Planner', 'stopped');
    await agents.is('Pathfinder', 'stopped');
    for (const pid of [before.planner.pid, before.scout.pid]) assert.equal(isAlive(pid), false, `${pid} lives`);
    assert.ok(isAlive(before.builder.pid), 'the others go on');
  });

  await it.step('remove asks first, says what is deleted, and takes the row away; who runs is ended', async () => {
    await agents.menu('Planner', 'Remove Agent');
    await window.dialog().getByText('Remove Planner?').waitFor();
    assert.match(await window.dialog().innerText(), /prompts are deleted[^]*Export Data or Back Up Store/);
    await it.shot(window, 'remove');
    await window.dialog().getByRole('button', { name: 'Cancel' }).click();
    await agents.is('Planner', 'stopped');
    await agents.remove('Planner');
    const { reviewer } = runningAgents(it);
    await agents.menu('Reviewer', 'Remove Agent');
    await window.dialog().getByText('End and remove Reviewer?').waitFor();
    await it.shot(window, 'remove-running');
    await window.dialog().getByRole('button', { name: 'End and Remove Agent' }).click();
    await agents.row('Reviewer').waitFor({ state: 'detached' });
    assert.equal(isAlive(reviewer.pid), false, 'it lives');
  });

  await it.step('Stop All asks, then everything is stopped', async () => {
    const before = runningAgents(it);
    await agents.run('Stop All Agents', 'stopAll');
    await window.dialog().waitFor();
    await it.shot(window, 'stop-all');
    await window.dialog().getByRole('button', { name: 'Stop All' }).click();
    await agents.is('Builder', 'stopped');
    await eventually('all ended', async () => Object.keys(await agents.groups()).join() === 'Ended');
    for (const { pid } of Object.values(before)) assert.equal(isAlive(pid), false, `${pid} lives`);
    await it.shot(window, 'all-stopped');
  });

  await it.step('Start Fleet shows how far it is; Cancel leaves what runs, starts no more, and says so', async () => {
    await agents.closeToasts();
    const members = Array.from({ length: MANY }, (_, index) => [
      `Member ${index + 1}`,
      { env: { DEMO_STARTUP_MS: '2000' } },
    ]);
    writeFileSync(join(workspace, '.vscode/agents.json'), fleetFile(Object.fromEntries(members)));
    await agents.startFleet();
    await window.notification(new RegExp(`\\d+ of ${MANY}`)).waitFor();
    await it.shot(window, 'fleet-progress');
    await window.notificationAction('Starting the fleet', 'Cancel');
    const said = window.notification(/Cancelled: \d+ agents? started before/);
    await said.waitFor();
    await it.shot(window, 'fleet-canceled');
    const [, count] = /Cancelled: (\d+) agent/.exec(await said.innerText()) ?? [];
    const left = Object.keys(runningAgents(it));
    assert.ok(+count > 0 && left.length >= +count && left.length < MANY, `${count} said, ${left.length} run`);
    await page.waitForTimeout(4_000); // twice as long as one start takes: nothing comes later
    assert.deepEqual(Object.keys(runningAgents(it)), left);
    await agents.assertClean();
  });
});

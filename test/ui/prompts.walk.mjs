// Prompts: sent, followed in the row, kept for a busy person's answer, written in an editor, taken back.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Agents, fleetFile, inWalkFolder } from './agents.mjs';
import { eventually, walk } from './walk.mjs';

await walk('Prompts', async (it) => {
  const workspace = it.folder({
    'README.md': '# Shop\n\nReview the basket, then the checkout.\n',
    '.vscode/agents.json': fleetFile({ Scout: {}, Reviewer: 'ask' }),
  });
  const server = await it.server({ dataDir: join(it.tmp, 'data'), env: inWalkFolder(it) });
  const window = await it.open(server, { folder: workspace });
  const { page } = window;
  const agents = await new Agents(window).open();
  await agents.startFleet();
  await agents.is('Scout', 'idle');
  await agents.is('Reviewer', 'needs input');
  await agents.closeToasts();
  const screen = (id) => it.tmux('capture-pane', '-p', '-S', '-200', '-t', `=${id}:`);

  await it.step('a prompt is sent, and the row says by what it is known to have arrived, for a while', async () => {
    await agents.sendPrompt('Scout', 'look at the basket');
    const said = await eventually('the receipt in the row', async () =>
      (await agents.labels()).find((label) => /Scout.*acknowledged by (hook|screen)/.test(label)),
    );
    console.log(`    ${said}`);
    await it.shot(window, 'acknowledged');
    assert.match(screen('scout'), /look at the basket/);
    await eventually('it fades', async () => !(await agents.labels()).some((label) => /acknowledged/.test(label)), {
      timeoutMs: 30_000,
    });
    assert.deepEqual(await agents.toasts(), [], 'what the row says is not said again');
  });

  await it.step('the tooltip keeps the receipt and what is known of the agent', async () => {
    await page.mouse.move(700, 20);
    await agents.row('Scout').hover();
    const tooltip = page.locator('.monaco-hover:visible').filter({ hasText: 'Why it says so' });
    await tooltip.waitFor();
    const text = (await tooltip.innerText()).replace(/\u00a0/g, ' ');
    assert.match(text, /Last prompt: acknowledged by (hook|screen)/);
    await it.shot(window, 'tooltip');
    await page.mouse.move(700, 20);
  });

  await it.step('while it asks something nothing is typed: it says so and offers to wait', async () => {
    const before = screen('reviewer');
    await agents.menu('Reviewer', 'Send Prompt…');
    await window.quick.getByText(/Send Prompt to Reviewer/).waitFor();
    await it.shot(window, 'blocked-input');
    await window.input('say hello when you are done');
    await window.notification('The agent shows a question').waitFor();
    await it.shot(window, 'blocked');
    assert.equal(screen('reviewer'), before, 'something was typed');
    await window.notificationAction('The agent shows a question', 'Send When Free');
    await eventually('it is queued', async () =>
      (await agents.labels()).some((label) => /Reviewer.*1 prompt waits/.test(label)),
    );
    await it.shot(window, 'queued');
    assert.equal(screen('reviewer'), before, 'something was typed');
  });

  await it.step('a queued prompt is delivered once the question was answered', async () => {
    await agents.closeToasts();
    await agents.menu('Reviewer', 'Attach to Agent');
    await window.waitTerminal(/Which database should it use/);
    await window.typeTerminal('1');
    await window.waitTerminal(/You chose: SQLite/);
    await window.waitTerminal(/You said: say hello when you are done/);
    assert.equal(screen('reviewer').match(/You said: say hello/g).length, 1, 'exactly once');
    await it.shot(window, 'delivered');
  });

  await it.step('one that waits can be taken back', async () => {
    await agents.sendPrompt('Reviewer', 'ask');
    await agents.is('Reviewer', 'needs input');
    await agents.menu('Reviewer', 'Queue Prompt…');
    await window.quick.getByText(/Send Prompt to Reviewer/).waitFor();
    await window.input('never mind');
    await eventually('queued', async () => (await agents.labels()).some((label) => /1 prompt waits/.test(label)));
    await agents.menu('Reviewer', 'Cancel Queued Prompt…');
    await eventually('taken back', async () => !(await agents.labels()).some((label) => /prompt waits/.test(label)));
    assert.doesNotMatch(screen('reviewer'), /never mind/);
    await agents.closeToasts();
  });

  await it.step('several lines are written in an editor and sent as one prompt', async () => {
    await agents.menu('Scout', 'Write Prompt in Editor…');
    await window.tab(/Prompt for Scout/).waitFor();
    await page.keyboard.type('first line\nsecond line');
    await it.shot(window, 'editor');
    await page
      .locator('.editor-group-container .editor-actions')
      .getByRole('button', { name: /Send Written Prompt/ })
      .click();
    await window.tab(/Prompt for Scout/).waitFor({ state: 'detached' });
    await eventually('it arrived as one', () => /first line\s+second line/.test(screen('scout')));
  });

  await it.step('the receipts are listed, and shown as a document', async () => {
    await agents.menu('Scout', 'Show Prompt Receipts…');
    await window.quick.getByRole('option', { name: /Show All as a Document/ }).waitFor();
    await it.shot(window, 'receipts');
    await window.pick(/Show All as a Document/);
    await window.tab(/Prompts of scout/).waitFor();
    const text = async () => (await page.locator('.editor-instance .view-lines').innerText()).replace(/\u00a0/g, ' ');
    await eventually('the document', async () => /look at the basket/.test(await text()));
    await it.shot(window, 'receipts-document');
  });

  await it.step('the state is explained with its evidence', async () => {
    await agents.menu('Scout', 'Explain Agent State');
    await window.tab(/State of scout/).waitFor();
    const text = async () => (await page.locator('.editor-instance .view-lines').innerText()).replace(/\u00a0/g, ' ');
    await eventually('the explanation', async () => /decides: /.test(await text()));
    await it.shot(window, 'explained');
    await agents.assertClean();
  });
});

// Prompts and approvals, in one window: prompts are sent, followed in the row, kept for a busy person's answer, written in an editor, taken
// back; what an agent asks is shown completely before it is answered, and only that is answered.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Agents, fleetFile, inWalkFolder } from './agents.mjs';
import { eventually, walk } from './walk.mjs';

await walk('Prompts and approvals', async (it) => {
  const workspace = it.folder({
    'README.md': '# Shop\n\nReview the basket, then the checkout.\n',
    '.vscode/agents.json': fleetFile({ Scout: {}, Analyst: 'ask', Builder: {}, Reviewer: {}, Tester: {} }),
  });
  const server = await it.server({ dataDir: join(it.tmp, 'data'), env: inWalkFolder(it) });
  const window = await it.open(server, { folder: workspace });
  const { page } = window;
  const agents = await new Agents(window).open();
  await agents.startFleet();
  for (const name of ['Scout', 'Builder', 'Reviewer', 'Tester']) await agents.is(name, 'idle');
  await agents.is('Analyst', 'needs input');
  await agents.closeToasts();
  const screen = (id) => it.tmux('capture-pane', '-p', '-S', '-200', '-t', `=${id}:`);
  const asking = (name) =>
    eventually(`${name} asks`, async () =>
      (await agents.labels()).some(
        (label) => label.startsWith(`Agent ${name}, needs approval`) && /asks: /.test(label),
      ),
    );

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

  await it.step(
    'while it asks something nothing is typed: the box says so, keeps the text, and Enter queues it',
    async () => {
      const before = screen('analyst');
      await agents.menuThatAsks('Analyst', 'Send Prompt…');
      await window.quick.getByText(/Send Prompt to Analyst/).waitFor();
      await it.shot(window, 'blocked-input');
      await window.input('say hello when you are done');
      await eventually('the reason', async () => /Analyst shows a question, .* Press Enter to queue it/.test(await window.inputMessage())); // prettier-ignore
      await it.shot(window, 'blocked');
      assert.equal(screen('analyst'), before, 'something was typed');
      assert.equal(await window.quick.locator('.quick-input-box input').inputValue(), 'say hello when you are done');
      await page.keyboard.press('Enter');
      await eventually('it is queued', async () =>
        (await agents.labels()).some((label) => /Analyst.*1 prompt waits/.test(label)),
      );
      await it.shot(window, 'queued');
      assert.equal(screen('analyst'), before, 'something was typed');
    },
  );

  await it.step('a queued prompt is delivered once the question was answered', async () => {
    await agents.closeToasts();
    await agents.menu('Analyst', 'Attach to Agent');
    await window.waitTerminal(/Which database should it use/);
    await window.typeTerminal('1');
    await window.waitTerminal(/You chose: SQLite/);
    await window.waitTerminal(/You said: say hello when you are done/);
    assert.equal(screen('analyst').match(/You said: say hello/g).length, 1, 'exactly once');
    await it.shot(window, 'delivered');
  });

  await it.step('one that waits can be taken back', async () => {
    await agents.sendPrompt('Analyst', 'ask');
    await agents.is('Analyst', 'needs input');
    await agents.menuThatAsks('Analyst', 'Queue Prompt…');
    await window.quick.getByText(/Queue Prompt for Analyst/).waitFor();
    await window.input('never mind');
    await eventually('queued', async () => (await agents.labels()).some((label) => /1 prompt waits/.test(label)));
    await agents.menu('Analyst', 'Cancel Queued Prompt…');
    await eventually('taken back', async () => !(await agents.labels()).some((label) => /prompt waits/.test(label)));
    assert.doesNotMatch(screen('analyst'), /never mind/);
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
    await agents.menuThatAsks('Scout', 'Show Prompt Receipts…');
    await window.quick.getByRole('option', { name: /Show All as a Document/ }).waitFor();
    await it.shot(window, 'receipts');
    await window.pick(/Show All as a Document/);
    await window.tab(/Prompts of Scout/).waitFor();
    const text = async () => (await page.locator('.editor-instance .view-lines').innerText()).replace(/\u00a0/g, ' ');
    await eventually('the document', async () => /look at the basket/.test(await text()));
    await it.shot(window, 'receipts-document');
  });

  await it.step('the state is explained with its evidence', async () => {
    await agents.menu('Scout', 'Explain Agent State');
    await window.tab(/State of Scout/).waitFor();
    const text = async () => (await page.locator('.editor-instance .view-lines').innerText()).replace(/\u00a0/g, ' ');
    await eventually('the explanation', async () => /decides: /.test(await text()));
    await it.shot(window, 'explained');
    await agents.menuThatAsks('Scout', 'Rename Agent');
    await window.quick.getByText('Rename Agent').first().waitFor();
    await window.input('Ranger');
    await agents.menu('Ranger', 'Explain Agent State');
    await window.tab(/State of Ranger/).waitFor();
    await window.tab(/State of Scout/).waitFor({ state: 'detached' });
    await agents.assertClean();
    it.tmux('send-keys', '-t', '=analyst:', '1');
    await agents.is('Analyst', 'idle');
  });

  await it.step('the row says what is asked; the message shows it whole and leads to the dialog', async () => {
    await agents.sendPrompt('Builder', 'approve');
    await asking('Builder');
    await window.notification('Builder needs approval').waitFor();
    await it.shot(window, 'asks');
    await window.notificationAction('Builder needs approval', 'Review…');
    await window.dialog().waitFor();
    await it.shot(window, 'review');
  });

  await it.step('S24 the dialog shows the whole request and every answer that can be given', async () => {
    const text = (await window.dialog().innerText()).replace(/\u00a0/g, ' ');
    assert.match(text, /Builder wants to do this:/);
    assert.match(text, /rm -r build/);
    for (const name of ['Approve', 'Deny', 'Attach', 'Cancel'])
      await window.dialog().getByRole('button', { name, exact: true }).waitFor();
    assert.match(screen('builder'), /Allow this command\?/, 'nothing was answered yet');
  });

  await it.step('approved: the very dialog is answered', async () => {
    await window.dialog().getByRole('button', { name: 'Approve', exact: true }).click();
    await eventually('it went on', () => /Allowed\. \(Nothing was run/.test(screen('builder')));
    await agents.is('Builder', 'idle');
    await agents.closeToasts();
  });

  await it.step('S24 answered in the message that shows the whole request', async () => {
    for (const [button, result] of [
      ['Approve', /Allowed\./],
      ['Deny', /Denied\./],
    ]) {
      const count = () => screen('tester').split(result).length;
      const before = count();
      await agents.sendPrompt('Tester', 'approve');
      await asking('Tester');
      const message = window.notification('Tester needs approval');
      await message.waitFor();
      assert.match((await message.innerText()).replace(/\s+/g, ' '), /Allow this command\? ⏎ rm -r build/);
      await it.shot(window, `message-${button}`);
      await page.waitForTimeout(1_000); // as long as a person reads: an earlier click is taken for a mistake
      await window.notificationAction('Tester needs approval', button);
      await eventually(button, () => count() > before);
      await agents.is('Tester', 'idle');
    }
    await agents.closeToasts();
  });

  await it.step('denied from the context menu', async () => {
    await agents.sendPrompt('Reviewer', 'approve');
    await asking('Reviewer');
    await agents.closeToasts();
    await agents.row('Reviewer').click({ button: 'right' });
    const items = page.locator('.monaco-menu').getByRole('menuitem');
    await items.first().waitFor();
    const names = await items.allInnerTexts();
    for (const name of ['Review Request…', 'Approve Request…', 'Deny Request']) assert.ok(names.includes(name), name);
    assert.equal(names.includes('Deny Request With Reason…'), false, 'keys carry no reason');
    await it.shot(window, 'menu');
    await window.menu('Deny Request');
    await eventually('denied', () => /Denied\./.test(screen('reviewer')));
    await agents.is('Reviewer', 'idle');
  });

  await it.step('S24 what was answered meanwhile is not answered again, and that is said', async () => {
    await agents.sendPrompt('Reviewer', 'approve');
    await asking('Reviewer');
    await agents.closeToasts();
    await agents.menu('Reviewer', 'Review Request…');
    await window.dialog().waitFor();
    it.tmux('send-keys', '-t', '=reviewer:', '2'); // somebody at the terminal was quicker
    await eventually('denied there', () => /Denied\./.test(screen('reviewer')));
    await window.dialog().getByRole('button', { name: 'Approve', exact: true }).click();
    await window.notification('Nothing was answered').waitFor();
    await it.shot(window, 'gone');
    assert.doesNotMatch(screen('reviewer').split('Denied.').at(-1), /Allowed/);
    await agents.closeToasts();
  });

  await it.step('several that wait are one message, and Go to Next goes round', async () => {
    for (const [id, text] of [['builder', 'approve'], ['tester', 'ask'], ['reviewer', 'approve']])
      it.tmux('send-keys', '-t', `=${id}:`, text, 'Enter'); // prettier-ignore
    await asking('Builder');
    await asking('Reviewer');
    await agents.is('Tester', 'needs input');
    await eventually('badge', async () => (await agents.badge()) === '3');
    await eventually('said at most in two messages', async () => {
      const toasts = await agents.toasts();
      return toasts.length > 0 && toasts.length <= 2 && /agents wait for you/.test(toasts.join());
    });
    await it.shot(window, 'three-wait');
    const seen = new Set();
    for (let turn = 0; turn < 3; turn++) {
      await page.keyboard.press('Alt+q'); // from the second time on with the focus in an agent's terminal
      const id = await eventually('the terminal of another agent', async () => {
        const [name] = /(builder|reviewer|tester)\s*$/.exec(await window.terminalText()) ?? [];
        return name && !seen.has(name.trim()) && name.trim();
      });
      seen.add(id);
    }
    await it.shot(window, 'next');
    await agents.assertClean();
  });
});

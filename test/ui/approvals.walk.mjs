// Approvals: what an agent asks is shown completely before it is answered, and only that is answered.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Agents, fleetFile, inWalkFolder } from './agents.mjs';
import { eventually, walk } from './walk.mjs';

await walk('Approvals', async (it) => {
  const workspace = it.folder({
    'README.md': '# Shop\n',
    '.vscode/agents.json': fleetFile({ Builder: {}, Reviewer: {}, Tester: {} }),
  });
  const server = await it.server({ dataDir: join(it.tmp, 'data'), env: inWalkFolder(it) });
  const window = await it.open(server, { folder: workspace });
  const { page } = window;
  const agents = await new Agents(window).open();
  await agents.startFleet();
  for (const name of ['Builder', 'Reviewer', 'Tester']) await agents.is(name, 'idle');
  const screen = (id) => it.tmux('capture-pane', '-p', '-t', `=${id}:`);
  const asking = (name) =>
    eventually(`${name} asks`, async () =>
      (await agents.labels()).some(
        (label) => label.startsWith(`Agent ${name}, needs approval`) && /asks: /.test(label),
      ),
    );

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

// What a person sees when something is in the way, and that it works after it was mended.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agents, inWalkFolder, setOnMachine } from './agents.mjs';
import { eventually, walk } from './walk.mjs';

/** Programs without tmux, in a folder of their own: what a machine has before tmux is installed. */
function binFolder(it) {
  const bin = join(it.tmp, 'bin');
  mkdirSync(bin);
  for (const name of ['sh', 'bash', 'env', 'cat', 'ps', 'uname']) symlinkSync(join('/bin', name), join(bin, name));
  return bin;
}

async function assertCalm(agents) {
  assert.deepEqual(await agents.toasts(), [], 'what blocks is said in the view, not by pop-ups');
  await agents.assertClean({ log: false });
}

await walk('Something is in the way', async (it) => {
  const bin = binFolder(it);
  const oldTmux = join(it.tmp, 'old-tmux');
  writeFileSync(oldTmux, '#!/bin/sh\necho "tmux 3.0a"\n');
  chmodSync(oldTmux, 0o755);
  const dataDir = join(it.tmp, 'data');
  const workspace = it.folder({ 'README.md': '# Shop\n' });
  const env = inWalkFolder(it);
  const server = await it.server({ dataDir, env: { ...env, PATH: bin }, args: ['--force-disable-user-env'] });
  let window = await it.open(server, { folder: workspace });
  let agents = new Agents(window);

  await it.step('without tmux the view says how to install it', async () => {
    await agents.open();
    await agents.container.getByText('tmux was not found').waitFor();
    await eventually('status item', async () => (await agents.statusText()) === 'Agents: set-up needed');
    await assertCalm(agents);
    await it.shot(window, 'no-tmux');
    const report = await agents.setupReport();
    assert.match(report, /PROBLEM: tmux/);
    assert.match(report, /Install tmux: apt install tmux/);
    await it.shot(window, 'no-tmux-report');
  });

  await it.step('nothing that cannot work is offered, and what helps is', async () => {
    assert.equal(await window.paletteHas('Start Agent', 'coreOrchestrator.startAgent'), false);
    assert.equal(await window.paletteHas('Try Again', 'coreOrchestrator.tryAgain'), true);
    assert.equal(await window.paletteHas('Check Setup', 'coreOrchestrator.checkSetup'), true);
    assert.deepEqual(await agents.toasts(), []);
  });

  /** VS Code reads a changed setting some time later. */
  const tryAgainUntil = (what, isThere) =>
    eventually(what, async () => {
      const again = agents.button('Try Again');
      if (await again.isVisible()) await again.click({ timeout: 2_000 });
      await isThere();
      return true;
    });

  await it.step('a tmux that is too old, to which the setting points, is named', async () => {
    setOnMachine(server, { 'coreOrchestrator.tmuxPath': oldTmux });
    await tryAgainUntil('it is too old', () =>
      agents.container.getByText('This tmux is too old').waitFor({ timeout: 2_000 }),
    );
    await assertCalm(agents);
    await it.shot(window, 'old-tmux');
    const isNamed = async () => /3\.0a[^]*Install tmux 3\.3 or newer/.test(await agents.setupReport()); // not yet what the document showed before
    await eventually('the report names it', isNamed);
  });

  const sockets = join(it.tmp, `tmux-${process.getuid()}`);
  await it.step('a folder of tmux sockets that others may enter is named, with what repairs it', async () => {
    mkdirSync(sockets);
    chmodSync(sockets, 0o755);
    symlinkSync('/usr/bin/tmux', join(bin, 'tmux'));
    setOnMachine(server, {});
    await tryAgainUntil('it is not safe', () =>
      agents.container.getByText('A folder that must be private').waitFor({ timeout: 2_000 }),
    );
    await assertCalm(agents);
    await it.shot(window, 'unsafe-folder');
    const isNamed = async () => (await agents.setupReport()).includes(`to repair it run: chmod 700 ${sockets}`);
    await eventually('the report names it', isNamed);
    await it.shot(window, 'unsafe-folder-report');
    assert.deepEqual(it.tmuxSockets(), [], 'nothing was started');
  });

  await it.step('after that folder was repaired Try Again works', async () => {
    chmodSync(sockets, 0o700);
    await agents.button('Try Again').click();
    await agents.button('Start Agent…').waitFor();
    await eventually('nothing to say', async () => (await agents.statusItem.count()) === 0);
    await agents.start('Scout');
    await agents.is('Scout', 'idle');
    await it.shot(window, 'tmux-installed');
    await agents.menu('Scout', 'Stop Agent');
    await agents.is('Scout', 'stopped');
  });

  await it.step('an agent that ends at once is told once: how, its last line, and the ways on', async () => {
    await agents.run('Start Agent', 'startAgent');
    await window.pick(/^Command/);
    for (const [step, text] of ['sh -c "echo no such model; exit 3"', 'Broken', undefined, ''].entries()) {
      await window.quick.getByText(`(${step + 2}/5)`).waitFor();
      await (text === undefined ? window.pick(/./) : window.input(text));
    }
    await window.notification('Broken ended with exit code 3 before it was ready: no such model').waitFor();
    await it.shot(window, 'ended-early');
    const told = await agents.toasts();
    assert.equal(told.length, 1, told.join('; '));
    await window.notificationAction('Broken ended with exit code 3', 'Show Last Screen');
    await window.waitTerminal(/no such model/);
    await agents.closeToasts();
    await agents.remove('Broken');
  });

  await it.step(
    'a tmux that stops and does not come back is told, above the rows and without them, until it does',
    async () => {
      rmSync(join(bin, 'tmux'));
      writeFileSync(join(bin, 'tmux'), '#!/bin/sh\n[ "$1" = -V ] && exec /usr/bin/tmux -V\necho "server exited unexpectedly" >&2\nexit 1\n'); // prettier-ignore
      chmodSync(join(bin, 'tmux'), 0o755);
      it.tmux('kill-server');
      await agents.container.getByText('tmux stopped. Reconnecting').waitFor();
      await eventually('the row is removed', async () => {
        // A row that is drawn anew while its menu is up loses the click.
        await agents.remove('Scout', 4_000);
        return true;
      });
      await agents.container.getByText('tmux has stopped').waitFor();
      await it.shot(window, 'tmux-lost');
      rmSync(join(bin, 'tmux'));
      symlinkSync('/usr/bin/tmux', join(bin, 'tmux'));
      await agents.button('Start Agent…').waitFor();
      await window.close();
    },
  );

  await it.step('no folder is open', async () => {
    window = await it.open(server);
    agents = await new Agents(window).open();
    await agents.container.getByText('No folder is open').waitFor();
    await agents.button('Open Folder…').waitFor();
    await assertCalm(agents);
    await it.shot(window, 'no-folder');
    await window.close();
    await server.stop();
  });
});

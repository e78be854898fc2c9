// What a person sees when something is in the way, and that it works after it was mended.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
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
  let server = await it.server({ dataDir, env: { ...env, PATH: bin }, args: ['--force-disable-user-env'] });
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

  await it.step('after tmux was installed, Try Again works', async () => {
    symlinkSync('/usr/bin/tmux', join(bin, 'tmux'));
    await agents.button('Try Again').click();
    await agents.button('Start Agent…').waitFor();
    await eventually('nothing to say', async () => (await agents.statusItem.count()) === 0);
    await agents.start('Scout');
    await agents.is('Scout', 'idle');
    await it.shot(window, 'tmux-installed');
    await agents.menu('Scout', 'Stop Agent');
    await agents.is('Scout', 'stopped');
    await window.close();
    await server.stop();
  });

  await it.step('a tmux that is too old is named, and the setting that points elsewhere helps', async () => {
    setOnMachine({ dataDir }, { 'coreOrchestrator.tmuxPath': oldTmux });
    const folder = it.folder();
    server = await it.server({ dataDir, vsix: undefined, driver: false, env });
    window = await it.open(server, { folder });
    agents = await new Agents(window).open();
    await agents.container.getByText('This tmux is too old').waitFor();
    await assertCalm(agents);
    await it.shot(window, 'old-tmux');
    const report = await agents.setupReport();
    assert.match(report, /3\.0a/);
    assert.match(report, /Install tmux 3\.2 or newer/);
    setOnMachine({ dataDir }, {});
    await eventually('Try Again works, once VS Code has read the setting', async () => {
      const again = agents.button('Try Again');
      if (await again.isVisible()) await again.click({ timeout: 2_000 });
      await agents.button('Start Agent…').waitFor({ timeout: 2_000 });
      return true;
    });
    await window.close();
  });

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

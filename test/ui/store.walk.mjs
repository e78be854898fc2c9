// The store of a workspace is damaged, or written by a newer version: what a person sees, and that agents go on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Agents, inWalkFolder, runningAgents } from './agents.mjs';
import { eventually, walk } from './walk.mjs';

await walk('The store is damaged or newer', async (it) => {
  const dataDir = join(it.tmp, 'data');
  const workspace = it.folder({ 'README.md': '# Shop\n' });
  const env = inWalkFolder(it);
  let server = await it.server({ dataDir, env });
  let window = await it.open(server, { folder: workspace });
  let agents = await new Agents(window).open();
  await agents.start('Scout');
  await agents.is('Scout', 'idle');
  const { scout } = runningAgents(it);

  /** Ends VS Code, does something to the files, and opens it again. */
  async function meanwhile(change) {
    await window.close();
    await server.stop();
    change(storeFile(dataDir));
    server = await it.server({ dataDir, vsix: undefined, driver: false, env });
    window = await it.open(server, { folder: workspace });
    agents = await new Agents(window).open();
  }

  await it.step('the store is backed up by a command', async () => {
    await agents.run('Back Up Store…', 'backup');
    await window.pick('With the Workspace’s Data');
    await window.notification(/Backed up \d+ records .* checked/).waitFor();
    await agents.closeToasts();
  });

  const versionOf = (file) => execFileSync('sqlite3', [file, 'PRAGMA user_version'], { encoding: 'utf8' }).trim();
  let version;

  await it.step('a store of a newer version is left alone', async () => {
    await meanwhile((file) => {
      version = versionOf(file);
      execFileSync('sqlite3', [file, 'PRAGMA user_version=99']);
    });
    await agents.container.getByText('written by a newer version').waitFor();
    await agents.button('Update Extension').waitFor();
    await window.notification('cannot open its store').waitFor();
    assert.equal((await agents.toasts()).length, 1, 'one message, whose view says what to do');
    await it.shot(window, 'newer');
    await agents.closeToasts();
    assert.match(await agents.setupReport(), /schema 99/);
    await agents.assertClean({ log: false });
    assert.deepEqual(runningAgents(it).scout, scout, 'the agent was not disturbed');
  });

  await it.step('once it is right again, Try Again finds everything', async () => {
    execFileSync('sqlite3', [storeFile(dataDir), `PRAGMA user_version=${version}`]);
    await agents.run('Try Again', 'tryAgain');
    await agents.is('Scout', 'idle');
    await it.shot(window, 'mended');
  });

  await it.step('one damaged record is said and left out, and its agent goes on without it', async () => {
    await agents.start('Writer');
    await agents.is('Writer', 'idle');
    const flip = `UPDATE records SET value = replace(value, '"name":"Scout"', '"name":"Rcout"') WHERE kind = 'agent' AND id = 'scout'`;
    await meanwhile((file) => execFileSync('sqlite3', [file, flip]));
    await window.notification('Some records in the store are damaged').waitFor();
    await agents.is('Writer', 'idle');
    await agents.row('scout').waitFor(); // without its record it is shown under its id
    assert.deepEqual(runningAgents(it).scout, scout, 'the agent was not disturbed, and not started twice');
    await it.shot(window, 'damagedRecord');
    await agents.closeToasts();
    await agents.assertClean({ log: false });
  });

  await it.step('a damaged store is put aside and said, and the agents that run are shown again', async () => {
    let file = '';
    await meanwhile((found) => {
      file = found;
      rmSync(`${file}-wal`, { force: true });
      writeFileSync(file, 'this is not a store\n'.repeat(500));
    });
    await window.notification('The store was damaged').waitFor();
    await agents.row('scout').waitFor();
    assert.deepEqual(runningAgents(it).scout, scout, 'the agent was not disturbed');
    const aside = readdirSync(dirname(file)).filter((name) => name.startsWith(`${basename(file)}.corrupt-`));
    assert.equal(aside.length, 1, 'nothing is thrown away');
    await it.shot(window, 'damaged');
    await agents.is('scout', 'unknown'); // its type was kept in the damaged store
  });

  writeFileSync(join(dataDir, 'not-a-backup.db'), 'a text\n'.repeat(100));
  await it.step(
    'the notice leads to the backup, which is restored and told; the agents run on, with their names',
    async () => {
      await window.notificationAction('The store was damaged', 'Restore from Backup…');
      await window.pick('Choose a File…');
      await agents.file(join(dataDir, 'not-a-backup.db'));
      await window.notification('is not a backup of Core Orchestrator').waitFor();
      assert.equal(await window.dialog().count(), 0, 'nothing is asked about a file that cannot be restored');
      await it.shot(window, 'not-a-backup');
      await window.notificationAction('is not a backup of Core Orchestrator', 'Choose Another…');
      await window.pick('made by you');
      await window
        .dialog()
        .getByText(/1 agent \(Scout\)/)
        .waitFor();
      await it.shot(window, 'restore');
      await window.dialog().getByRole('button', { name: 'Restore' }).click();
      await window.notification('A backup was restored').waitFor({ timeout: 30_000 });
      await agents.is('Scout', 'idle');
      assert.deepEqual(runningAgents(it).scout, scout, 'the agent was not disturbed');
      await it.shot(window, 'restored');
      await agents.closeToasts();
      await agents.assertClean({ log: false });
    },
  );

  await it.step(
    'a search finds a prompt while it is typed, stays when the focus goes elsewhere, and opens it',
    async () => {
      await agents.sendPrompt('Scout', 'look at the basket');
      await agents.says('Scout', /acknowledged/);
      await agents.is('Scout', 'idle');
      await agents.run('Search Records', 'searchRecords');
      await window.input('bask', { enter: false });
      const found = window.quick.getByRole('option', { name: /Scout\b.* · prompt of .*look at the basket/ });
      await found.waitFor();
      await window.page.locator('.part.editor').click();
      await it.shot(window, 'search');
      assert.equal(await window.quick.locator('.quick-input-box input').inputValue(), 'bask', 'it is still there');
      await found.click();
      await window.tab(/Prompt to Scout/).waitFor();
      await eventually('the prompt', async () => /look at the basket/.test(await editorText(window)));
      await it.shot(window, 'search-opened');
    },
  );

  await it.step('a check that takes long is cancelled, and says what holds', async () => {
    const tmuxServer = Number(it.tmux('display-message', '-p', '#{pid}'));
    process.kill(tmuxServer, 'SIGSTOP'); // what tmux has is part of the check, and does not come
    try {
      await agents.run('Check Store', 'checkIntegrity');
      await window.notificationAction('Checking the store', 'Cancel');
      await window.notification('Checking the store was cancelled. Nothing was changed.').waitFor();
      await it.shot(window, 'cancelled');
    } finally {
      process.kill(tmuxServer, 'SIGCONT');
    }
    await agents.closeToasts();
    await agents.is('Scout', 'idle');
  });

  await it.step(
    'what was exported is brought back: looked at, reported, and written when it was agreed to',
    async () => {
      const file = join(workspace, 'exports', 'agents.ndjson');
      await agents.menu('Scout', 'Stop Agent');
      await agents.is('Scout', 'stopped');
      await agents.run('Export Data…', 'exportData');
      await window.pick(/^NDJSON/);
      await window.pick(/^With Secrets/);
      await agents.file(file, { inNewFolder: true });
      await window.notification(/Exported \d+ records/).waitFor();
      await agents.menuThatAsks('Scout', 'Rename Agent');
      await window.quick.getByText('Rename Agent').first().waitFor();
      await window.input('Ranger');
      await agents.is('Ranger', 'stopped');
      await agents.closeToasts();
      await agents.run('Import Data…', 'importData');
      await agents.file(file);
      await window.pick(/^Replace Those Here/);
      await window
        .dialog()
        .getByText(/Import \d+ records?\?/)
        .waitFor();
      await it.shot(window, 'import');
      await window.dialog().getByRole('button', { name: 'Show Report' }).click();
      await agents.rendered(/What would be imported from[^]*replaced/);
      await it.shot(window, 'import-report');
      await window.notificationAction('as the report tells?', /^Import/);
      await window.notification(/Imported \d+ records?/).waitFor();
      await agents.is('Scout', 'stopped');
      await it.shot(window, 'imported');
      await agents.assertClean({ log: false });
    },
  );
});

async function editorText(window) {
  return (await window.page.locator('.editor-instance .view-lines').innerText()).replace(/\u00a0/g, ' ');
}

/** The store in force of the only workspace. */
function storeFile(dataDir) {
  const folder = join(dataDir, 'data/User/globalStorage/core-orchestrator.core-orchestrator/workspaces');
  const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  const stores = files.filter((name) => /store-\d+\.db$/.test(name));
  assert.equal(stores.length, 1, stores.join());
  return stores[0];
}

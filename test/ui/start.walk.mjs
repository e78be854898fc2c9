// `npm start` without a desktop VS Code: what a person gets, up to the fleet of the sample at work, that nobody else gets it, and that nothing is left afterwards.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser, Workbench } from '../vscode-web/workbench.mjs';
import { Agents, isAlive } from './agents.mjs';
import { eventually, root, shotsFolder, walk } from './walk.mjs';

const processesOf = (folder) =>
  execFileSync('ps', ['-e', '-o', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(folder));

/** The first processes of every terminal of the tmux servers whose sockets are in this folder; not those of the hidden hub. */
function agentProcesses(folder) {
  const sockets = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => /^tmux-\d+\/[^/]+$/.test(path));
  return sockets.flatMap((socket) =>
    execFileSync('tmux', ['-S', join(folder, socket), 'list-panes', '-a', '-F', '#{session_name} #{pane_pid}'], {
      encoding: 'utf8',
      timeout: 10_000,
    })
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('_hub '))
      .map((line) => Number(line.split(' ')[1])),
  );
}

/** Errors in the extension's own log. */
function errorLines(folder) {
  const logs = readdirSync(folder, { recursive: true }).filter((path) =>
    String(path).endsWith('Core Orchestrator.log'),
  );
  assert.equal(logs.length, 1);
  return readFileSync(join(folder, String(logs[0])), 'utf8').match(/^.*\[error\].*$/gm) ?? [];
}

/** Starts it with a temp folder of its own, and waits for the address that it prints. */
async function start(it, name) {
  const temp = join(it.tmp, name);
  mkdirSync(temp);
  const child = spawn(process.execPath, ['scripts/start.mjs', '--web'], {
    cwd: root,
    env: { ...process.env, TMPDIR: temp },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  it.defer(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  const url = await eventually('the address', () => /http:\/\/127\.0\.0\.1:\d+\/\?tkn=\w+/.exec(output)?.[0], {
    timeoutMs: 120_000,
    everyMs: 200,
  });
  return {
    child,
    exited,
    url: new URL(url),
    temp,
    folder: join(
      temp,
      readdirSync(temp).find((entry) => entry.startsWith('core-start-')),
    ),
  };
}

/** A server of the workspace's agents, with one that ignores HUP and TERM. */
function startTmux(folder) {
  const env = { ...process.env, TMUX_TMPDIR: folder };
  execFileSync(
    'tmux',
    ['-L', 'core-walk', '-f', '/dev/null', 'new-session', '-d', `trap '' HUP TERM; sleep 7654; : ${folder}`],
    { env },
  );
}

await walk('npm start in a browser', async (it) => {
  const first = await start(it, 'a');

  await it.step('the address opens only with its token, which only its owner can read', async () => {
    for (const token of ['', '?tkn=wrong']) assert.equal((await fetch(`${first.url.origin}/${token}`)).status, 403);
    assert.equal(statSync(join(first.folder, 'token')).mode & 0o777, 0o600);
    assert.equal(statSync(first.folder).mode & 0o777, 0o700);
  });

  const browser = await launchBrowser();
  it.defer(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1300, height: 850 } });
  const window = new Workbench(page, { driver: false }, [], page.context());
  await it.step('VS Code opens on the sample workspace with the extension in it', async () => {
    await page.goto(first.url.href);
    await window.ready();
    await window.openViewContainer('Core Orchestrator');
    mkdirSync(shotsFolder, { recursive: true });
    await window.screenshot(join(shotsFolder, 'start-web.png'));
    assert.match(await page.title(), /sample/);
  });

  await it.step('its fleet starts: four demo agents, each in its state, in a tmux server of this folder', async () => {
    const agents = await new Agents(window).open();
    await agents.startFleet();
    // `loop` works and rests in turns.
    await agents.is('Planner', 'idle', 60_000);
    await agents.is('Builder', 'working');
    await agents.is('Reviewer', 'needs approval');
    await agents.says('Tester', /needs|question|asks/);
    assert.deepEqual(errorLines(first.folder), []);
    await window.screenshot(join(shotsFolder, 'start-web-fleet.png'));
    assert.equal(agentProcesses(first.folder).length, 4);
    await browser.close();
  });

  await it.step('Ctrl-C ends it with everything that was started, the agents too', async () => {
    startTmux(first.folder);
    const pids = agentProcesses(first.folder);
    assert.equal(pids.length, 5);
    assert.notDeepEqual(processesOf(first.temp), []);
    first.child.kill('SIGINT');
    assert.equal(await first.exited, 0);
    assert.deepEqual(processesOf(first.temp), []);
    assert.deepEqual(pids.filter(isAlive), []);
    assert.equal(existsSync(first.folder), false);
  });

  const second = await start(it, 'b');
  await it.step('kill -9 of it leaves nothing either', async () => {
    startTmux(second.folder);
    second.child.kill('SIGKILL');
    await eventually('nothing is left', () => processesOf(second.temp).length === 0 && !existsSync(second.folder));
  });
});

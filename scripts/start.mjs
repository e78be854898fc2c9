// npm start [-- --web]: installs what is missing, builds, and opens VS Code with the extension on a copy of sample/. The
// desktop VS Code when `code` is on the PATH, with a profile of its own; else (Linux x64) a web VS Code on 127.0.0.1.
import './lib/nodeVersion.mjs';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { browserNote, installPackages, installPrograms, installWebVscode, webVscodeNeeds } from './lib/install.mjs';
import { fail, isWebVscodeHost, manifest, root, run, runNode, vsixPath, which } from './lib/project.mjs';

/** Calm: no welcome pages, no chat beside what is to be seen. */
const settings = {
  'workbench.startupEditor': 'readme',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'remote.autoForwardPorts': false,
};

/** There is a screen to open a window on. */
const hasDisplay = process.platform !== 'linux' || Boolean(process.env.DISPLAY) || Boolean(process.env.WAYLAND_DISPLAY);

/** The desktop VS Code's command: not the one that VS Code puts into its own remote terminals, not Windows' one inside WSL. */
function desktopCode() {
  if (process.argv.includes('--web')) return undefined;
  return hasDisplay ? installedCode() : undefined;
}

function installedCode() {
  const code = which('code');
  return code && !/remote-cli|^\/mnt\//.test(code) ? code : undefined;
}

/** A private folder with a fresh copy of the sample workspace, and the settings where this VS Code looks for them. */
function prepareFolder(userFolder) {
  const folder = mkdtempSync(join(tmpdir(), 'core-start-'));
  cpSync(join(root, 'sample'), join(folder, 'sample'), { recursive: true });
  const file = join(folder, userFolder, 'settings.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(settings, null, 2));
  return folder;
}

/** What a person can do whose desktop VS Code does not do it. */
function otherwise() {
  const web = isWebVscodeHost ? ', or run it in a browser: npm start -- --web' : '';
  return `Run "code --version": the extension needs VS Code ${manifest.engines.vscode.replace('^', '')} or newer; update it from https://code.visualstudio.com${web}.`;
}

/** They are where the desktop keeps such things, not below the folder of this start: its engines have noted where. */
function removeRuntimeFolders(storage) {
  const workspaces = join(storage, 'workspaces');
  for (const id of existsSync(workspaces) ? readdirSync(workspaces) : []) {
    const pointer = join(workspaces, id, 'gateway.json');
    if (!existsSync(pointer)) continue;
    const made = dirname(JSON.parse(readFileSync(pointer, 'utf8')).socket);
    if (basename(made).startsWith('core-orchestrator-')) rmSync(made, { recursive: true, force: true });
  }
}

async function startDesktop(code) {
  const folder = prepareFolder('data/User');
  const profile = [
    '--user-data-dir',
    join(folder, 'data'),
    '--extensions-dir',
    join(folder, 'extensions'),
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ];
  if ((await run(code, [...profile, '--install-extension', vsixPath, '--force'], { isQuiet: true })) !== 0) {
    rmSync(folder, { recursive: true, force: true });
    fail(`npm start: ${code} did not install the extension (see above). ${otherwise()}`);
  }
  process.stdout.write('VS Code opens on the sample workspace. Close its window to end.\n');
  const args = [
    ...profile,
    '--new-window',
    '--wait',
    '--disable-workspace-trust',
    '--skip-welcome',
    join(folder, 'sample'),
  ];
  const status = await run(code, args, { env: { TMUX_TMPDIR: folder } });
  if (status >= 128) {
    process.stdout.write(`The window stays open, and its agents run on. What it uses is in ${folder}.\n`);
    process.exit(0);
  }
  const { endTmuxServers } = await import('./lib/tmuxServers.mjs');
  endTmuxServers(folder);
  removeRuntimeFolders(join(folder, 'data', 'User', 'globalStorage', 'core-orchestrator.core-orchestrator'));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  if (status !== 0) fail(`npm start: ${code} ended with exit code ${status} (see above). ${otherwise()}`, status);
  process.exit(0);
}

async function startWeb() {
  const problem = await installWebVscode();
  if (problem) fail(`npm start: ${problem}`);
  const { installVsix } = await import('../test/vscode-web/server.mjs');
  const folder = prepareFolder('data/data/User');
  const token = randomBytes(24).toString('hex');
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
  installVsix(join(folder, 'data'), vsixPath);
  // It ends everything when this end of the pipe closes, in whatever way this process ends.
  const keeper = spawn(process.execPath, [join(root, 'scripts', 'lib', 'webVscode.mjs'), folder], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const read = (data) => {
    output = (output + data).slice(-20_000);
    const port = /Extension host agent listening on (\d+)/.exec(output)?.[1];
    if (!port || read.isDone) return;
    read.isDone = true;
    process.stdout.write(
      `\nVS Code with Core Orchestrator runs here, for you alone:\n\n  http://127.0.0.1:${port}/?tkn=${token}\n\nCtrl-C ends it, with the agents of the sample workspace.\n`,
    );
  };
  keeper.stdout.on('data', read);
  keeper.stderr.on('data', read);
  let isEnding = false;
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    process.stdout.write('\nEnding…\n');
    keeper.stdin.end();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
  keeper.on('exit', (code) => {
    if (!isEnding) process.stderr.write(output);
    process.exit(isEnding ? 0 : (code ?? 1));
  });
}

/** Why no VS Code can be opened here. */
function noVscodeSentence() {
  const web = `the web VS Code, which needs none, runs on Linux x64 only (this is ${process.platform} ${process.arch})`;
  if (process.argv.includes('--web')) return `${web}. Run it without --web.`;
  if (!hasDisplay && installedCode())
    return `the desktop VS Code is installed, but there is no display to open its window on (DISPLAY and WAYLAND_DISPLAY are empty), and ${web}. Run it in a graphical session.`;
  return 'there is no desktop VS Code on the PATH. Install it from https://code.visualstudio.com, and in it run "Shell Command: Install \'code\' command in PATH".';
}

async function main() {
  const code = desktopCode();
  if (!code && !isWebVscodeHost) fail(`npm start: ${noVscodeSentence()}`);
  const missing = [await installPrograms(['tmux']), code ? undefined : await webVscodeNeeds()].filter(Boolean);
  if (missing.length > 0) fail(`npm start: ${missing.join('\n')}`);
  const note = code ? undefined : browserNote();
  if (note) process.stdout.write(`npm start: ${note}\n`);
  await installPackages();
  process.stdout.write('Building…\n');
  if ((await runNode('scripts/package.mjs', ['--no-check'], { isQuiet: true })) !== 0)
    fail('npm start: the build failed (see above)');
  await (code ? startDesktop(code) : startWeb());
}

await main();

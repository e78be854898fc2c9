// Installs what is missing: npm packages here, the agents' programs, the web VS Code, and programs of the machine (as root on
// Debian or Ubuntu; else their install line is told).
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { headersProblem } from './headers.mjs';
import { installLine, inWords, isTmuxNewEnough, olderTmuxNote, packagesOf } from './programs.mjs';
import { fail, isWebVscodeHost, outputOf, root, run, which } from './project.mjs';

/** Installs the packages of package-lock.json when they are missing or older than it. No install script is run but esbuild's. */
export async function installPackages() {
  const stamp = join(root, 'node_modules', '.core-installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stdout.write('Installing packages…\n');
  const npm = which('npm') ?? fail('npm is missing: install Node with npm from https://nodejs.org');
  if ((await run(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])) !== 0)
    fail('npm ci failed (see above)');
  if ((await run(npm, ['rebuild', 'esbuild', '--loglevel=error'], { isQuiet: true })) !== 0)
    fail('npm rebuild esbuild failed (see above)');
  writeFileSync(stamp, wanted);
}

const has = (program) => which(program) !== undefined;
const tmuxVersion = () => outputOf('tmux', ['-V']);
/** Name → is it here? Their words and packages: programs.mjs. */
const isThere = {
  tmux: () => isTmuxNewEnough(tmuxVersion() ?? ''),
  chromium: () => chromiumPath() !== undefined,
  'g++': () => has('g++') && has('make'),
  python3: () => has('python3'),
  sqlite3: () => has('sqlite3'),
  zsh: () => has('zsh'),
  fish: () => has('fish'),
};

export function chromiumPath() {
  return process.env.CHROMIUM ?? which('chromium') ?? which('chromium-browser') ?? which('google-chrome');
}

let isAptUpdated = false;

/**
 * Sees to it that these programs are there; installs them as root on Debian or Ubuntu, saying so, and nowhere else. Returns
 * the sentence about what is still missing, with the line that installs it, or undefined.
 */
export async function installPrograms(names) {
  const missing = () => names.filter((name) => !isThere[name]());
  if (missing().length === 0) return undefined;
  if (process.getuid?.() === 0 && which('apt-get')) {
    const packages = packagesOf(missing(), 'apt-get');
    process.stdout.write(`Installing ${packages.join(', ')}…\n`);
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    if (!isAptUpdated) await run('apt-get', ['update', '-qq'], { env, isQuiet: true });
    isAptUpdated = true;
    await run('apt-get', ['install', '-y', '-qq', ...packages], { env, isQuiet: true });
    if (missing().length === 0) return undefined;
  }
  const found = missing().includes('tmux') ? tmuxVersion() : undefined;
  const note = found === undefined ? '' : `. ${olderTmuxNote(found)}`;
  return `missing: ${inWords(missing())}. ${installLine(missing(), { which })}${note}`;
}

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'firefox', 'xdg-open'];

/** What to say where no browser is known: any browser shows the web VS Code, on another machine through a tunnel, too. */
export function browserNote(find = which) {
  if (BROWSERS.some((name) => find(name))) return undefined;
  return `no browser was found here. ${installLine(['chromium'], { which: find })}; or open the address from another machine through a tunnel (ssh -L).`;
}

const webVscodeFolder = join(root, 'test', 'vscode-web');

/** Sees to what the web VS Code is compiled with, where it is not there yet. Returns what is missing, with what to do, or undefined. */
export async function webVscodeNeeds() {
  if (existsSync(join(webVscodeFolder, 'node_modules', '.vscode-web-ready'))) return undefined;
  const problems = [await installPrograms(['g++', 'python3']), await headersProblem()].filter(Boolean);
  return problems.length > 0 ? problems.join('. ') : undefined;
}

/**
 * Installs the web VS Code (test/vscode-web), after the programs that are used with it and those that it is compiled with.
 * Returns why it is not there, everything that is missing at once, or undefined.
 */
export async function installWebVscode(programs = []) {
  if (!isWebVscodeHost) return 'the web VS Code runs on Linux x64 only';
  const problems = [await installPrograms(programs), await webVscodeNeeds()].filter(Boolean);
  if (problems.length > 0) return problems.join('. ');
  const code = await run('bash', [join(webVscodeFolder, 'setup.sh')]);
  return code === 0 ? undefined : 'test/vscode-web/setup.sh failed (see above)';
}

const agentsFolder = join(root, 'test', 'agents');
/** Whose install scripts put their program in place; no other script is run. */
const AGENTS_WITH_SCRIPT = ['@anthropic-ai/claude-code', 'opencode-ai'];
const AGENTS_LIMIT_MS = 10 * 60_000;
let agentsProblem;

/** Name → pinned version of the agents' programs that are not installed in it. */
function missingAgents() {
  const { dependencies } = JSON.parse(readFileSync(join(agentsFolder, 'package.json'), 'utf8'));
  return Object.entries(dependencies).filter(([name, version]) => {
    const file = join(agentsFolder, 'node_modules', name, 'package.json');
    return !existsSync(file) || JSON.parse(readFileSync(file, 'utf8')).version !== version;
  });
}

/**
 * Installs the real agents' programs of test/agents (1.1 GB) when some are missing, once per run. Returns why none is there, or
 * undefined; of one that is missing among others, its own tests say so.
 */
export async function installAgents() {
  const wanted = missingAgents();
  if (wanted.length === 0) return undefined;
  agentsProblem ??= await tryToInstallAgents(wanted);
  const { dependencies } = JSON.parse(readFileSync(join(agentsFolder, 'package.json'), 'utf8'));
  return missingAgents().length < Object.keys(dependencies).length
    ? undefined
    : `skipped: not installed (${agentsProblem})`;
}

async function tryToInstallAgents([[name, version]]) {
  const npm = which('npm');
  if (!npm) return 'npm is missing';
  if (outputOf(npm, ['view', `${name}@${version}`, 'version']) !== version)
    return 'the package registry does not answer';
  process.stdout.write('Installing the agents of the tests (1.1 GB)…\n');
  const limits = { cwd: agentsFolder, isQuiet: true, timeoutMs: AGENTS_LIMIT_MS };
  // Not `npm ci`: it refuses where a registry lacks the programs for another platform. The lock file is obeyed and left alone.
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  if ((await run(npm, args, limits)) !== 0) return 'npm install in test/agents failed (see above)';
  const there = AGENTS_WITH_SCRIPT.filter((each) => existsSync(join(agentsFolder, 'node_modules', each)));
  if ((await run(npm, ['rebuild', ...there, '--loglevel=error'], limits)) !== 0)
    return 'npm rebuild in test/agents failed (see above)';
  return 'installed';
}

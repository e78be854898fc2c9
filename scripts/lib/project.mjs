// The project's folder, and how scripts start programs. Node only, no packages: this runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const vsixPath = join(root, 'dist', `${manifest.name}-${manifest.version}.vsix`);
export const isWebVscodeHost = process.platform === 'linux' && process.arch === 'x64';

/** A program of node_modules/.bin, to be run by this Node. */
export const tool = {
  eslint: 'node_modules/eslint/bin/eslint.js',
  mocha: 'node_modules/mocha/lib/cli/cli.js', // bin/mocha.js starts it in one more process, for the options of Node
  oxfmt: 'node_modules/oxfmt/bin/oxfmt',
  oxlint: 'node_modules/oxlint/bin/oxlint',
  tsc: 'node_modules/typescript-native/bin/tsc',
  vsce: 'node_modules/@vscode/vsce/vsce',
};

/** Absolute path of a program on the PATH, or undefined. */
export function which(program) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/** What a program prints, or undefined when it cannot be run or fails. */
export function outputOf(program, args) {
  const { status, stdout } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 15_000,
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** How much of a program's output is kept when it is held back, and how long it is waited for when the program has ended. */
const KEPT_BYTES = 200_000;
const LAST_OUTPUT_MS = 2_000;

/** The programs that run, and the signal by which somebody ended this script. */
let running = 0;
let endedBy;
/** Exit codes as shells give them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 };

/**
 * Runs a program in the project's folder with our output; resolves with its exit code (128 + n for a signal, 124 when it
 * was ended for taking longer than `timeoutMs`); when this script is told to end it ends after them. With `isQuiet` the output is shown only when it fails; with a `heading` (may be
 * empty) it is held back, for what runs beside others, and shown at the end as a whole below these words.
 */
export function run(program, args, { env = {}, cwd = root, timeoutMs, isQuiet = false, heading } = {}) {
  const isHeldBack = isQuiet || heading !== undefined;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', isHeldBack ? 'pipe' : 'inherit', isHeldBack ? 'pipe' : 'inherit'],
      detached: true,
    });
    let kept = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => (kept = (kept + text).slice(-KEPT_BYTES)));
    const end = (signal) => endGroup(child.pid, signal);
    const passOn = { exit: () => end('SIGKILL') };
    for (const signal of Object.keys(SIGNALS)) passOn[signal] = () => ((endedBy = signal), end(signal));
    running += 1;
    for (const [event, listener] of Object.entries(passOn)) process.on(event, listener);
    let isDone = false;
    let isLate = false;
    const timer = timeoutMs && setTimeout(() => ((isLate = true), end('SIGKILL')), timeoutMs);
    const done = (code) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      for (const [event, listener] of Object.entries(passOn)) process.off(event, listener);
      if (heading !== undefined) process.stdout.write(heading + kept);
      else if (isQuiet && code !== 0) process.stdout.write(kept);
      if (isLate) process.stdout.write(`${program} ${args.join(' ')}: ended after ${Math.round(timeoutMs / 1000)} s\n`);
      running -= 1;
      if (!endedBy) resolve(isLate ? 124 : code);
      else if (running === 0) process.exit(SIGNALS[endedBy]); // nothing that comes next is begun
    };
    child.on('error', (error) => {
      process.stdout.write(`${program}: ${error.message}\n`);
      done(127);
    });
    const ended = (code, signal) => done(signal ? 128 : (code ?? 1));
    child.on('close', ended);
    // What it has left running may hold its output open for ever.
    child.on('exit', (code, signal) => setTimeout(ended, LAST_OUTPUT_MS, code, signal).unref());
  });
}

export const runNode = (file, args = [], options = {}) => run(process.execPath, [file, ...args], options);

/** Ends a process group that was started here; it may be gone already. */
export function endGroup(pid, signal) {
  if (!pid) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Ends the script with a sentence. */
export function fail(sentence, code = 1) {
  process.stderr.write(sentence + '\n');
  process.exit(code);
}

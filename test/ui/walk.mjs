// The frame of a UI walk: drives the packaged .vsix in a real VS Code, step by step, with pictures. See README.md here.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endTmuxServers } from '../../scripts/lib/tmuxServers.mjs';
import { startServer } from '../vscode-web/server.mjs';
import { launchBrowser, openWindow } from '../vscode-web/workbench.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const shotsFolder = join(root, 'out', 'shots');

/** The packaged extension: VSIX, or what `npm run package` made. */
export function vsixFile() {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const file = process.env.VSIX ?? join(root, 'dist', `${name}-${version}.vsix`);
  if (!existsSync(file)) throw new Error(`${file} does not exist: npm run package`);
  return file;
}

/** Waits until `probe` answers something truthy, and returns it. */
export async function eventually(what, probe, { timeoutMs = 15_000, everyMs = 50 } = {}) {
  const deadline = performance.now() + timeoutMs;
  for (let last; ;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what} (last: ${String(last)})`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/**
 * Runs one walk. `body` gets a Walk; a failed step ends it (what follows would only be an echo), photographs every window,
 * and everything that was started is ended in any case. The process exits 1 when a step failed.
 */
export async function walk(title, body) {
  const it = new Walk(title);
  let isFailed = false;
  try {
    await body(it);
  } catch (error) {
    isFailed = true;
    await it.noteFailure(error);
  } finally {
    await it.end();
  }
  if (!isFailed && it.count.passed + it.count.skipped === 0) {
    isFailed = true;
    await it.noteFailure(new Error('the walk has no step'));
  }
  console.log(`${it.count.passed} passed, ${it.count.failed} failed, ${it.count.skipped} skipped`);
  process.exit(isFailed ? 1 : 0);
}

class Walk {
  count = { passed: 0, failed: 0, skipped: 0 };
  #title;
  #name = basename(process.argv[1], '.walk.mjs');
  #cleanups = [];
  #windows = [];
  #browser;
  #current;
  #trials = 0;
  /** Private folder of this walk (0700, short: sockets live below it), removed at the end. */
  tmp = mkdtempSync(join(tmpdir(), 'walk-'));

  constructor(title) {
    this.#title = title;
    console.log(title);
  }

  /** One thing that must be so. A title that begins with a promise's id (`R14 …`) makes it part of that promise's proof. */
  async step(title, check) {
    const startedMs = performance.now();
    this.#current = { title, startedMs };
    this.#trials = 0;
    const value = await check();
    this.#current = undefined;
    this.#record(title, 'passed', performance.now() - startedMs);
    return value;
  }

  /** The count for the present size (CORE_TRIALS), recorded with the step that asks; as in test/support/trials.ts. */
  trials(smoke, ci, nightly) {
    const size = process.env.CORE_TRIALS || 'smoke';
    this.#trials = { smoke, ci, nightly }[size];
    return this.#trials;
  }

  /** What cannot be shown on this machine, said aloud. */
  notRun(title, reason) {
    this.#record(title, 'skipped', 0, reason);
    const list = process.env.CORE_NOT_RUN;
    if (list) appendFileSync(list, `${this.#title} ${title}: ${reason}\n`);
  }

  /** A picture of a window: out/shots/<walk>-<name>.png. */
  async shot(window, name) {
    mkdirSync(shotsFolder, { recursive: true });
    return window.screenshot(join(shotsFolder, `${this.#name}-${name}.png`));
  }

  /** A fresh folder to open; `files` maps relative paths to text. */
  folder(files = {}) {
    const folder = mkdtempSync(join(this.tmp, 'ws-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  }

  /**
   * A server with the .vsix installed (see startServer for the options), its tmux sockets inside `tmp`. Not for extensions
   * under development: a person does not have those.
   */
  async server(options = {}) {
    const server = await startServer({
      vsix: vsixFile(),
      ...options,
      env: { TMUX_TMPDIR: this.tmp, XDG_RUNTIME_DIR: this.tmp, ...options.env },
    });
    this.defer(() => server.stop());
    return server;
  }

  /** A window (see openWindow for the options). */
  async open(server, options = {}) {
    if (!this.#browser) {
      this.#browser = await launchBrowser();
      this.defer(() => this.#browser.close());
    }
    const window = await openWindow(this.#browser, server, options);
    this.#windows.push(window);
    return window;
  }

  /** Runs at the end, newest first, also after a failure. */
  defer(cleanup) {
    this.#cleanups.push(cleanup);
  }

  /** Sockets of the tmux servers that were started under this walk. */
  tmuxSockets() {
    return readdirSync(this.tmp, { recursive: true })
      .map(String)
      .filter((path) => /^tmux-\d+[/\\][^/\\]+$/.test(path))
      .map((path) => join(this.tmp, path));
  }

  /** Runs a tmux command on the only server of this walk. */
  tmux(...args) {
    const sockets = this.tmuxSockets();
    if (sockets.length !== 1) throw new Error(`expected one tmux server, found ${sockets.length}`);
    return execFileSync('tmux', ['-S', sockets[0], ...args], { encoding: 'utf8', timeout: 10_000 }).trimEnd();
  }

  async noteFailure(error) {
    const { title = 'the walk', startedMs = performance.now() } = this.#current ?? {};
    this.#record(title, 'failed', performance.now() - startedMs, error);
    for (const [index, window] of this.#windows.entries()) {
      if (window.page.isClosed()) continue;
      await this.shot(window, `failed-${index + 1}`).catch((problem) =>
        console.log(`    no picture: ${problem.message}`),
      );
      const last = window.server.output().split('\n').slice(-8).join('\n    ');
      console.log(`    last lines of the server:\n    ${last}`);
    }
  }

  async end() {
    for (const cleanup of this.#cleanups.reverse()) {
      await Promise.resolve()
        .then(cleanup)
        .catch((error) => console.log(`    cleaning up: ${error.message}`));
    }
    endTmuxServers(this.tmp);
    rmSync(this.tmp, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  #record(title, state, ms, reason) {
    this.count[state] += 1;
    const mark = { passed: '✔', failed: '✘', skipped: '-' }[state];
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : reason;
    console.log(
      `  ${mark} ${title}${state === 'passed' ? ` (${Math.round(ms)} ms)` : ''}${text ? `\n    ${text.replaceAll('\n', '\n    ')}` : ''}`,
    );
    const file = process.env.CORE_RESULTS;
    if (!file) return;
    const record = {
      file: `test/ui/${basename(process.argv[1])}`,
      titles: [this.#title, title],
      state,
      ms: Math.round(ms),
      ...(this.#trials > 0 ? { trials: this.#trials } : {}),
      ...(text ? { reason: text } : {}),
    };
    appendFileSync(file, JSON.stringify(record) + '\n');
  }
}

#!/usr/bin/env node
// Runs a mocha suite inside the real extension host of the web VS Code; the exit code is the suite's.
//   node run-tests.mjs --extension DIR --tests FILE [--extension MORE]… [--folder DIR] [--grep RE] [--timeout S] [--vsix FILE] [--env K=V] [--verbose]
// FILE exports run(). What the suite prints reaches this terminal through CORE_TEST_REPORT, a file that the suite appends
// to: console.log in the extension host arrives late, out of order and mixed with VS Code's own lines.
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { endTmuxServers } from '../../scripts/lib/tmuxServers.mjs';
import { startServer } from './server.mjs';
import { launchBrowser, openWindow } from './workbench.mjs';

const { values: options } = parseArgs({
  options: {
    extension: { type: 'string', multiple: true, default: [] },
    tests: { type: 'string' },
    folder: { type: 'string' },
    vsix: { type: 'string' },
    grep: { type: 'string' },
    timeout: { type: 'string', default: '180' },
    env: { type: 'string', multiple: true, default: [] },
    verbose: { type: 'boolean' },
    shot: { type: 'string' },
  },
});

// A web window takes one extension from its folder: the first. Further ones are installed into the server.
const [developed, installed] = [options.extension.slice(0, 1), options.extension.slice(1)];

const tmp = mkdtempSync(join(tmpdir(), 'core-host-'));
const report = join(tmp, 'report.txt');
writeFileSync(report, '');
const reportFd = openSync(report, 'r');
let readBytes = 0;
const drain = () => {
  const length = fstatSync(reportFd).size - readBytes;
  if (length <= 0) return;
  const bytes = Buffer.alloc(length);
  readSync(reportFd, bytes, 0, length, readBytes);
  readBytes += length;
  process.stdout.write(bytes);
};
const tail = setInterval(drain, 100);

const env = { CORE_TEST_REPORT: report };
if (options.grep) env.CORE_TEST_GREP = options.grep;
for (const pair of options.env) env[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1);

const resultOf = (server, browser) =>
  new Promise((ok, no) => {
    const timer = setTimeout(
      () => no(new Error(`the suite gave no result within ${options.timeout} s`)),
      +options.timeout * 1000,
    );
    openWindow(browser, server, {
      folder: resolve(options.folder ?? tmp),
      extension: developed.map((folder) => resolve(folder)),
      tests: resolve(options.tests),
      env,
      wait: false,
      onConsole: (message) => options.verbose && console.error('  console:', message.text().slice(0, 400)),
      onLog: (type, args) => options.verbose && console.error('  log:', type, String(args).slice(0, 400)),
      onExit: (code) => {
        clearTimeout(timer);
        ok(code);
      },
    }).catch(no);
  });

let server, browser;
let code = 1;
try {
  server = await startServer({
    install: installed.map((folder) => resolve(folder)),
    vsix: options.vsix && resolve(options.vsix),
    driver: true,
    // Whatever the engine leaves in its runtime folder goes with ours.
    env: { TMUX_TMPDIR: tmp, XDG_RUNTIME_DIR: tmp },
    log: options.verbose ? 'inherit' : '',
  });
  browser = await launchBrowser();
  code = await resultOf(server, browser);
} catch (error) {
  console.error(String(error));
  const page = browser?.contexts()[0]?.pages()[0];
  if (options.shot && page)
    await page.screenshot({ path: options.shot }).catch((e) => console.error(`no screenshot: ${e.message}`));
  console.error(server?.output().split('\n').slice(-20).join('\n'));
} finally {
  clearInterval(tail);
  drain();
  closeSync(reportFd);
  await browser?.close();
  await server?.stop();
  endTmuxServers(tmp);
  rmSync(tmp, { recursive: true, force: true });
}
process.exit(code);

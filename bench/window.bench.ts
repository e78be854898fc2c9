/**
 * The extension in a real VS Code: what activation costs, how soon 50 agents are there again after a reload, and how many rows
 * are drawn when one agent changes. Needs Linux x64 with Chromium, as the walks do (test/vscode-web).
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '../test/support/eventually';
import { bench, figure, median, NotRunHere } from './figure';

const AGENTS = 50;
const root = path.resolve(__dirname, '..');

interface Server {
  readonly dataDir: string;
  stop(): Promise<void>;
}
interface Window {
  readonly hostPid: number;
  activationMs(name: string | RegExp): Promise<number>;
  reload(): Promise<void>;
  nextHost(before: number): Promise<number>;
}
interface WebVscode {
  startServer(
    options: object,
  ): Promise<Server & { launchedHosts(): readonly number[]; logs(match: RegExp): Readonly<Record<string, string>> }>;
  launchBrowser(): Promise<{ close(): Promise<void> }>;
  openWindow(browser: object, server: object, options: object): Promise<Window>;
  inHost<T>(
    folder: string,
    pid: number,
    work: ((vscode: never, argument: never) => unknown) | { toString(): string },
    argument?: unknown,
  ): Promise<T>;
  readonly evalExtension: string;
  endTmuxServers(folder: string): void;
}

/** The harness is plain JavaScript. */
async function harness(): Promise<WebVscode> {
  const load = (file: string): Promise<object> =>
    import(path.join(root, 'test', 'vscode-web', file)) as Promise<object>;
  return Object.assign(
    {},
    await load('server.mjs'),
    await load('workbench.mjs'),
    await load('exthost.mjs'),
    await import('../scripts/lib/tmuxServers.mjs' as string),
  ) as WebVscode; // their exports, as declared above
}

function vsixFile(): string {
  const { name, version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Record<string, string>;
  return path.join(root, 'dist', `${name}-${version}.vsix`);
}

/** A machine folder of its own: data, sockets, workspace; everything below it is removed at the end. */
async function withServer<T>(
  web: WebVscode,
  work: (world: {
    server: Awaited<ReturnType<WebVscode['startServer']>>;
    browser: object;
    folder: string;
    evalDir: string;
  }) => Promise<T>,
): Promise<T> {
  const tmp = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const [folder, evalDir, dataDir] = ['ws', 'eval', 'data'].map((name) => path.join(tmp, name)) as [
    string,
    string,
    string,
  ];
  for (const made of [folder, evalDir, path.join(dataDir, 'data', 'Machine')])
    mkdirSync(made, { recursive: true, mode: 0o700 });
  writeFileSync(
    path.join(dataDir, 'data', 'Machine', 'settings.json'),
    JSON.stringify({ 'coreOrchestrator.api.allowWrite': true }),
  );
  const env = { TMUX_TMPDIR: tmp, XDG_RUNTIME_DIR: tmp, CORE_EVAL_DIR: evalDir };
  const server = await web.startServer({ dataDir, vsix: vsixFile(), install: [web.evalExtension], driver: false, env });
  const browser = await web.launchBrowser();
  try {
    return await work({ server, browser, folder, evalDir });
  } finally {
    await browser.close();
    await server.stop();
    web.endTmuxServers(tmp);
    rmSync(tmp, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** The functions below are sent as source; the loader of this file marks names in it with a helper that the host does not have. */
const defineNameHelper = { toString: () => '() => { globalThis.__name = (value) => value; }' };

/** Runs inside the extension host: sent as source, so it may use nothing from outside. */
async function startAgents(vscode: never, count: never): Promise<void> {
  const { extensions, workspace } = vscode as unknown as {
    extensions: { getExtension(id: string): { activate(): Promise<{ getAPI(version: 1): Api }> } };
    workspace: { workspaceFolders: { uri: { fsPath: string } }[] };
  };
  const { agents } = (await extensions.getExtension('core-orchestrator.core-orchestrator').activate()).getAPI(1);
  const folder = workspace.workspaceFolders[0]?.uri.fsPath ?? '/';
  const start = async (index: number): Promise<void> => {
    for (let tries = 0; ; tries++) {
      try {
        await agents.start({ name: `Agent ${index}`, typeId: 'shell', folder });
        return;
      } catch (error) {
        const isStarting = (error as { code?: string }).code?.startsWith('engine.') === true;
        if (!isStarting || tries > 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100)); // the engine is still starting
      }
    }
  };
  await start(0);
  for (let index = 1; index < (count as number); index += 5)
    await Promise.all(
      [0, 1, 2, 3, 4].filter((more) => index + more < (count as number)).map((more) => start(index + more)),
    );
}

interface Api {
  readonly agents: { start(spec: object): Promise<unknown>; list(): readonly { readonly lifecycle: string }[] };
}

/** Inside the new extension host: how many agents it shows as running, once those that were asked for are or 30 s have passed; and when that came (epoch), 0 when it was so already. */
async function runningAgents(
  vscode: never,
  count: never,
): Promise<{ readonly running: number; readonly atMs: number }> {
  const { extensions } = vscode as unknown as {
    extensions: { getExtension(id: string): { exports: { getAPI(version: 1): Api } } | undefined };
  };
  const running = (): number =>
    extensions
      .getExtension('core-orchestrator.core-orchestrator')
      ?.exports.getAPI(1)
      .agents.list()
      .filter(({ lifecycle }) => lifecycle === 'running').length ?? 0;
  let atMs = 0;
  for (const endMs = performance.now() + 30_000; running() !== (count as number) && performance.now() < endMs;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    atMs = Date.now();
  }
  return { running: running(), atMs };
}

/** When (epoch) our activation began and when the engine was ready, in the extension host that was started after `sinceMs` (epoch), by its own log. */
async function adoption(
  logs: () => Readonly<Record<string, string>>,
  sinceMs: number,
): Promise<{ readonly beganMs: number; readonly readyMs: number }> {
  const at = (message: string): readonly number[] =>
    Object.values(logs())
      .flatMap((log) => [...log.matchAll(new RegExp(`^(\\S+ \\S+) \\[info\\] ${message}`, 'gm'))])
      .map(([, time = '']) => Date.parse(time.slice(0, 23)))
      .filter((ms) => ms >= sinceMs);
  await eventually('the engine is ready', () => at('engine kind=ready').length > 0, { timeoutMs: 60_000 });
  return { beganMs: Math.min(...at('activating')), readyMs: Math.min(...at('engine kind=ready')) };
}

/** The counts of rows drawn by a change of one agent and by drawing all anew, as the suite in the extension host measures them. */
async function drawnRows(): Promise<readonly [one: number, all: number]> {
  const tmp = mkdtempSync(path.join(tmpdir(), 'bench-rows-'));
  const out = path.join(tmp, 'rows.txt');
  try {
    for (const args of [[], ['--tests']]) await run('esbuild.js', args);
    await run('test/vscode-web/run-tests.mjs', [
      '--extension',
      '.',
      '--tests',
      'out/test/extension/index.js',
      '--timeout',
      '120',
      '--env',
      'CORE_TEST_GREP=draws one row',
      '--env',
      `CORE_DRAWN_ROWS=${out}`,
    ]);
    const [one = NaN, all = NaN] = readFileSync(out, 'utf8').split(' ').map(Number);
    return [one, all];
  } finally {
    rmSync(tmp, { recursive: true, force: true });
  }
}

function run(script: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${script} ended with ${String(code)}`))));
  });
}

void bench(async (report) => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new NotRunHere('VS Code and Chromium are Linux x64');
  const web = await harness();
  const activations: { readonly git: number; readonly ours: number }[] = [];
  for (let round = 0; round < 3; round++) {
    activations.push(
      await withServer(web, async ({ server, browser, folder }) => {
        const window = await web.openWindow(browser, server, { folder });
        // As for a person who opens a folder: by itself, after the start of VS Code.
        await eventually(
          'activated',
          () =>
            Object.values(server.logs(/Core Orchestrator\.log$/))
              .join()
              .includes('kind=ready'),
          { timeoutMs: 60_000 },
        );
        return { git: await window.activationMs(/^Git\W*\d/), ours: await window.activationMs('Core Orchestrator') };
      }),
    );
  }
  // The baseline is the built-in Git extension in the same starts, which also opens a folder's view and looks at the disk.
  // Its ratio is shown and not judged: what a person waits is milliseconds, and Git's own vary with the git program and the repository that it finds.
  const [git, ours] = (['git', 'ours'] as const).map((whose) => median(activations.map((each) => each[whose])));
  report(figure('activation.ms', ours ?? NaN, 'ms', { atMost: 100 }, git));

  const readopt = await withServer(web, async ({ server, browser, folder, evalDir }) => {
    const window = await web.openWindow(browser, server, { folder });
    await web.inHost(evalDir, window.hostPid, defineNameHelper);
    await web.inHost(evalDir, window.hostPid, startAgents, AGENTS);
    const rounds: number[] = [];
    const hosts: number[] = [];
    for (let round = 0; round < 3; round++) {
      const before = server.launchedHosts().length;
      const reloadedMs = Date.now();
      await window.reload();
      const host = await window.nextHost(before);
      const { beganMs, readyMs } = await adoption(() => server.logs(/Core Orchestrator\.log$/), reloadedMs);
      await web.inHost(evalDir, host, defineNameHelper);
      const { running, atMs } = await web.inHost<Awaited<ReturnType<typeof runningAgents>>>(
        evalDir,
        host,
        runningAgents,
        AGENTS,
      );
      if (running !== AGENTS) throw new Error(`${running} of ${AGENTS} agents after the reload`);
      rounds.push(Math.max(readyMs, atMs) - beganMs);
      hosts.push(beganMs - reloadedMs);
    }
    return { ours: median(rounds), host: median(hosts) };
  });
  // From the first line of our code in the new host, for what VS Code itself takes to start it is not ours, until all agents are shown as running.
  // The baseline is what VS Code took in the same reloads, from the command until that line.
  report(figure('readopt.50', readopt.ours, 'ms', { atMost: 2_000 }, readopt.host));
  const [one, all] = await drawnRows();
  report(figure('tree.refresh.rows', one, '1', { atMost: 1, atLeast: 1 }, all));
});

// The tiers of tests, each with what it needs and how it is run. `npm test` runs them all, `npm run verify` those that
// hold a promise's tests.
import { copyFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { checkPackage } from './packaging.mjs';
import { installAgents, installPrograms, installWebVscode } from './install.mjs';
import { sideBySide } from './lanes.mjs';
import { root, run, runNode, tool, vsixPath } from './project.mjs';
import { judged, noteTime, readResults, runFolder, single } from './results.mjs';
import { byAloneness, filesOf, mochaTier, testEnv } from './suites.mjs';

const MINUTE_MS = 60_000;

const command =
  (title, script, args = []) =>
  async ({ heading } = {}) => [single(title, (await runNode(script, args, { heading })) === 0)];

/** The extensions of the suite: ours, and what else it needs: folders with a package.json in test/extension/fixtures/. */
export function suiteExtensions() {
  return ['.', ...filesOf('test/extension/fixtures', 'package.json').map((file) => join(file, '..'))];
}

/** The suite in the extension host: of the web VS Code, or of the desktop one that CORE_ORCHESTRATOR_VSCODE names. */
async function extensionTier({ only, trials } = {}) {
  if (only && only.files.length === 0) return [];
  for (const args of [[], ['--tests']]) {
    const code = await runNode('esbuild.js', args, { isQuiet: true });
    if (code !== 0) return [single('build for the extension host', false, `esbuild.js ${args.join(' ')} failed`)];
  }
  const env = testEnv({ ...(trials ? { CORE_TRIALS: trials } : {}), ...(only ? { CORE_TEST_GREP: only.grep } : {}) });
  const suite = join('out', 'test', 'extension', 'index.js');
  const limit = { timeoutMs: (trials ? 60 : 8) * MINUTE_MS };
  const code = process.env.CORE_ORCHESTRATOR_VSCODE
    ? await runNode('scripts/lib/desktopSuite.mjs', [suite, ...suiteExtensions()], { ...limit, env })
    : await runNode(
        'test/vscode-web/run-tests.mjs',
        [
          ...suiteExtensions().flatMap((folder) => ['--extension', folder]),
          '--tests',
          suite,
          '--timeout',
          String(limit.timeoutMs / 1000 - 30),
          ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
        ],
        limit,
      );
  return judged('test/extension', readResults(env.CORE_RESULTS), code, { mayBeEmpty: only !== undefined });
}

let isPackaged = false;
async function packaged() {
  isPackaged ||= (await runNode('scripts/package.mjs', ['--no-check'], { isQuiet: true })) === 0;
  return isPackaged;
}

/** How long a walk may take. */
const WALK_MS = 5 * MINUTE_MS;

const sizeOf = (file) => statSync(join(root, file)).size;

/** Every walk on the packaged .vsix, each with a VS Code and a browser of its own (`part`, `slots`: as in mochaTier). With counts to record (verify) one after the other. */
async function uiTier({ only, trials, part, slots = (job) => job() } = {}) {
  const files = only?.files ?? filesOf('test/ui', '.walk.mjs');
  if (files.length === 0) return [];
  if (!(await packaged())) return [single('npm run package', false, 'see above')];
  // A copy: the walk about `npm start` packages anew.
  const vsix = join(runFolder, basename(vsixPath));
  copyFileSync(vsixPath, vsix);
  const one = (file, heading) => async () => {
    const env = testEnv({
      VSIX: vsix,
      CORE_INSTALLED: join(runFolder, 'installed'),
      ...(trials ? { CORE_TRIALS: trials } : {}),
    });
    const limit = { timeoutMs: trials ? 60 * MINUTE_MS : WALK_MS, heading };
    const startedMs = Date.now();
    const code = await run(process.execPath, [file], { ...limit, env });
    noteTime(file, Date.now() - startedMs);
    return judged(file, readResults(env.CORE_RESULTS), code);
  };
  const inTurn = async (some, heading) =>
    (
      await sideBySide(
        1,
        some.map((file) => one(file, heading)),
      )
    ).flat();
  if (trials) return inTurn(files);
  const { beside, alone } = byAloneness(files);
  // What takes long is not begun last, when nothing is left to run beside it; the length of a walk's file tells roughly how long it takes.
  beside.sort((a, b) => sizeOf(b) - sizeOf(a));
  const records =
    part === 'alone' ? [] : (await Promise.all(beside.map((file) => slots(() => one(file, '')())))).flat();
  return part === 'beside' ? records : [...records, ...(await inTurn(alone))];
}

async function packageTier() {
  if (!(await packaged())) return [single('npm run package', false, 'see above')];
  return (await checkPackage(vsixPath)).map(({ title, problem }) => {
    process.stdout.write(`  ${problem ? '✘' : '✔'} ${title}${problem ? `: ${problem}` : ''}\n`);
    return single(title, problem === undefined, problem);
  });
}

async function firstProblem(...checks) {
  for (const check of checks) {
    const problem = await check();
    if (problem) return problem;
  }
  return undefined;
}
const tmux = () => installPrograms(['tmux', 'sqlite3']);
/** Other shells of a person: a test that runs one says so when it is not there, and the others run. */
const tmuxAndShells = async () => {
  await installPrograms(['tmux', 'sqlite3', 'zsh', 'fish']);
  return tmux();
};
const webVscode = () => installWebVscode(['tmux', 'chromium']);

/**
 * In order of running. Those with `isCheck` need nothing and run side by side, before the others. What `isEarly` needs nothing
 * either: its files run while the others' needs are installed, those that run alone afterwards. The tiers of one `group` run
 * beside each other, but for their files that run alone. One with `during` runs while the lone files of that tier do, which
 * wait more than they work; one with `ahead` begins after those, one file at a time. `needs` installs what is missing and answers
 * why the tier cannot run, or undefined. `folder` and `ending` say where its tests are.
 */
export const tiers = [
  {
    name: 'lint',
    isCheck: true,
    run: async (options) => [
      ...(await command('lint (npm run lint)', tool.oxlint, ['--type-aware'])(options)),
      ...(await command('lint, what src keeps away from (npm run lint)', tool.eslint, ['src'])(options)),
    ],
  },
  {
    name: 'format',
    isCheck: true,
    run: command('formatting (npm run format:check)', tool.oxfmt, ['--check']),
  },
  { name: 'types', isCheck: true, run: command('types (npm run typecheck)', 'scripts/typecheck.mjs') },
  {
    name: 'unit',
    folder: 'test/unit',
    ending: '.test.ts',
    isEarly: true,
    run: mochaTier('unit', 3 * MINUTE_MS, { atATime: 2, groups: 4 }),
  },
  {
    name: 'contract',
    folder: 'test/contract',
    ending: '.test.ts',
    group: 'terminals',
    needs: tmux,
    run: mochaTier('contract', 8 * MINUTE_MS, { atATime: 2, groups: 2 }),
  },
  {
    name: 'integration',
    folder: 'test/integration',
    ending: '.test.ts',
    group: 'terminals',
    needs: tmuxAndShells,
    run: mochaTier('integration', 10 * MINUTE_MS, { atATime: 4, groups: 12, aloneAtATime: 2 }),
  },
  {
    name: 'agents',
    folder: 'test/agents',
    ending: '.test.ts',
    group: 'terminals',
    needs: () => firstProblem(tmux, installAgents),
    run: mochaTier('agents', 16 * MINUTE_MS, { atATime: 4, aloneAtATime: 3 }),
  },
  { name: 'package', during: 'agents', run: packageTier },
  {
    name: 'extension',
    folder: 'test/extension',
    ending: '.test.ts',
    during: 'agents',
    needs: () => (process.env.CORE_ORCHESTRATOR_VSCODE ? tmux() : webVscode()),
    run: extensionTier,
  },
  {
    name: 'ui',
    folder: 'test/ui',
    ending: '.walk.mjs',
    group: 'windows',
    ahead: 'agents',
    needs: webVscode,
    run: uiTier,
  },
];

// The tiers of tests, each with what it needs and how it is run. `npm test` runs them all, `npm run verify` those that
// hold a promise's tests.
import { readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkPackage } from './packaging.mjs';
import { installAgents, installPrograms, installWebVscode } from './install.mjs';
import { root, run, runNode, tool, vsixPath } from './project.mjs';
import { judged, notRunFile, readResults, runFolder, single } from './results.mjs';

const MINUTE_MS = 60_000;
let runCount = 0;

/** Environment for one run of tests, with a results file of its own. */
function testEnv(more = {}) {
  const results = join(runFolder, `results-${(runCount += 1)}.jsonl`);
  return { CORE_ROOT: root, CORE_RESULTS: results, CORE_NOT_RUN: notRunFile, ...more };
}

export function filesOf(folder, ending) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => {
      const file = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesOf(file, ending);
      return file.endsWith(ending) ? [file] : [];
    })
    .sort();
}

const command =
  (title, script, args = []) =>
  async () => [single(title, (await runNode(script, args)) === 0)];

/** A mocha tier over test/<name>; `only` narrows it to some files and titles, `args` are mocha's. */
function mochaTier(name, timeoutMs, more = []) {
  return async ({ only, trials } = {}) => {
    const files = only?.files ?? filesOf(join('test', name), '.test.ts');
    if (files.length === 0) return [];
    const env = testEnv(trials ? { CORE_TRIALS: trials } : {});
    const grep = only ? ['--grep', only.grep] : [];
    const args = ['--reporter', 'test/support/resultsReporter.cjs', ...more, ...grep, ...files];
    const code = await runNode(tool.mocha, args, { env, timeoutMs: trials ? undefined : timeoutMs });
    return judged(`test/${name}`, readResults(env.CORE_RESULTS), code, { mayBeEmpty: only !== undefined });
  };
}

/**
 * The real agent programs. They mostly wait for each other, so two files run at a time; what measures how soon a state is known
 * comes afterwards, alone. With counts to record (verify) everything runs one by one.
 */
async function agentsTier({ only, trials } = {}) {
  if (only || trials) return mochaTier('agents')({ only, trials });
  const files = filesOf('test/agents', '.test.ts');
  const isTimed = (file) => /state\.test\.ts$/.test(file);
  const all = { grep: '.' };
  const beside = mochaTier('agents', 10 * MINUTE_MS, ['--parallel', '--jobs', '2']);
  return [
    ...(await beside({ only: { ...all, files: files.filter((file) => !isTimed(file)) } })),
    ...(await mochaTier('agents', 6 * MINUTE_MS)({ only: { ...all, files: files.filter(isTimed) } })),
  ];
}

/** Further extensions that the suite needs: folders with a package.json in test/extension/fixtures/. */
function fixtureExtensions() {
  return filesOf('test/extension/fixtures', 'package.json').map((file) => join(file, '..'));
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
    ? await runNode('scripts/lib/desktopSuite.mjs', [suite], { ...limit, env })
    : await runNode(
        'test/vscode-web/run-tests.mjs',
        [
          '--extension',
          '.',
          ...fixtureExtensions().flatMap((folder) => ['--extension', folder]),
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

/** Every walk on the packaged .vsix. */
async function uiTier({ only, trials } = {}) {
  const files = only?.files ?? filesOf('test/ui', '.walk.mjs');
  if (files.length === 0) return [];
  if (!(await packaged())) return [single('npm run package', false, 'see above')];
  const records = [];
  for (const file of files) {
    const env = testEnv(trials ? { CORE_TRIALS: trials } : {});
    const code = await run(process.execPath, [file], { env, timeoutMs: (trials ? 60 : 5) * MINUTE_MS });
    records.push(...judged(file, readResults(env.CORE_RESULTS), code));
  }
  return records;
}

async function packageTier() {
  if ((await runNode('scripts/package.mjs', ['--no-check'])) !== 0)
    return [single('npm run package', false, 'see above')];
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
const webVscode = () => firstProblem(() => installPrograms(['tmux', 'chromium']), installWebVscode);

/**
 * In order of running. `needs` installs what is missing and answers why the tier cannot run, or undefined. `folder` and
 * `ending` say where its tests are.
 */
export const tiers = [
  {
    name: 'format',
    run: command('formatting (npm run format:check)', tool.prettier, ['--check', '--log-level', 'warn', '.']),
  },
  { name: 'lint', run: command('lint (npm run lint)', tool.eslint, ['.']) },
  { name: 'types', run: command('types (npm run typecheck)', 'scripts/typecheck.mjs') },
  { name: 'unit', folder: 'test/unit', ending: '.test.ts', run: mochaTier('unit', 3 * MINUTE_MS) },
  {
    name: 'contract',
    folder: 'test/contract',
    ending: '.test.ts',
    needs: tmux,
    run: mochaTier('contract', 4 * MINUTE_MS),
  },
  {
    name: 'integration',
    folder: 'test/integration',
    ending: '.test.ts',
    needs: tmux,
    run: mochaTier('integration', 8 * MINUTE_MS),
  },
  {
    name: 'agents',
    folder: 'test/agents',
    ending: '.test.ts',
    needs: () => firstProblem(tmux, installAgents),
    run: agentsTier,
  },
  { name: 'package', run: packageTier },
  {
    name: 'extension',
    folder: 'test/extension',
    ending: '.test.ts',
    needs: () => (process.env.CORE_ORCHESTRATOR_VSCODE ? tmux() : webVscode()),
    run: extensionTier,
  },
  { name: 'ui', folder: 'test/ui', ending: '.walk.mjs', needs: webVscode, run: uiTier },
];

// npm test [-- TIER…]: installs what is missing, runs every tier (or those named), and ends with the line
// `N passed, N failed, N skipped`. What cannot run on this machine is listed as not run, and never counted as passed.
import './lib/nodeVersion.mjs';
import { installPackages } from './lib/install.mjs';
import { fail } from './lib/project.mjs';
import { sideBySide } from './lib/lanes.mjs';
import { count, notRunLines } from './lib/results.mjs';

/** Of those tiers that keep a processor busy and wait for nothing. */
const TIERS_AT_A_TIME = 2;

const beganMs = Date.now();
const named = process.argv.slice(2);
await installPackages();
const { tiers } = await import('./lib/tiers.mjs');
const unknown = named.filter((name) => !tiers.some((tier) => tier.name === name));
if (unknown.length > 0)
  fail(`no tier is called ${unknown.join(', ')}; there are: ${tiers.map((tier) => tier.name).join(', ')}`);

const rows = [];
const notRun = [];
const failures = [];

/** What each tier needs, one after the other: installers do not run beside each other. Tier → why it cannot run, or undefined. */
async function install(some) {
  const problems = new Map();
  for (const tier of some) problems.set(tier, await tier.needs?.());
  return problems;
}

async function runTier(tier, problem, heading) {
  if (problem) {
    notRun.push(`tier ${tier.name}: ${problem}`);
    rows.push({ tier: tier.name, seconds: 0, passed: 0, failed: 0, skipped: 1 });
    return;
  }
  const startedMs = Date.now();
  const records = await tier.run({ heading });
  for (const { state, titles, reason } of records)
    if (state === 'failed')
      failures.push(`${tier.name}: ${titles.join(' › ')}${reason ? `\n    ${reason.split('\n')[0]}` : ''}`);
  rows.push({ tier: tier.name, seconds: (Date.now() - startedMs) / 1000, ...count(records) });
}

const chosen = tiers.filter(({ name }) => named.length === 0 || named.includes(name));
const beside = chosen.filter((tier) => tier.isBeside);
const oneByOne = chosen.filter((tier) => !tier.isBeside);
// The processors check what is static while the network brings what the others need.
const [problems] = await Promise.all([
  install(oneByOne),
  sideBySide(
    TIERS_AT_A_TIME,
    beside.map((tier) => () => runTier(tier, undefined, `\n== ${tier.name}\n`)),
  ),
]);
for (const tier of oneByOne) {
  process.stdout.write(`\n== ${tier.name}\n`);
  await runTier(tier, problems.get(tier));
}
if (!process.env.CORE_ORCHESTRATOR_VSCODE)
  notRun.push('desktop VS Code: CORE_ORCHESTRATOR_VSCODE=desktop npm test -- extension');
notRun.push(process.platform === 'darwin' ? 'Linux: this is macOS' : 'macOS: this is not one');
notRun.push(...notRunLines());

process.stdout.write('\n');
for (const { tier, seconds, passed, failed, skipped } of rows) {
  process.stdout.write(
    `${tier.padEnd(12)} ${`${passed} passed`.padStart(12)} ${`${failed} failed`.padStart(10)} ${`${skipped} skipped`.padStart(11)} ${`${seconds.toFixed(1)} s`.padStart(9)}\n`,
  );
}
process.stdout.write(`\nnot run:\n${notRun.map((line) => `  ${line}\n`).join('')}`);
if (failures.length > 0) process.stdout.write(`\nfailed:\n${failures.map((line) => `  ${line}\n`).join('')}`);
const total = (state) => rows.reduce((sum, row) => sum + row[state], 0);
const seconds = Math.round((Date.now() - beganMs) / 1000);
process.stdout.write(`\n${Math.floor(seconds / 60)} min ${seconds % 60} s`);
process.stdout.write(`\n${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped\n`);
process.exit(total('failed') === 0 ? 0 : 1);

// npm test [-- TIER…]: installs what is missing, runs every tier (or those named), and ends with the line
// `N passed, N failed, N skipped`. What cannot run on this machine is listed as not run, and never counted as passed.
import { tellCounts } from './lib/lastLine.mjs';
import './lib/nodeVersion.mjs';
import { installPackages } from './lib/install.mjs';
import { fail } from './lib/project.mjs';
import { sharedSlots, sideBySide } from './lib/lanes.mjs';
import { count, notRunLines, slowestLines } from './lib/results.mjs';

/** They keep a processor busy and wait for nothing. */
const CHECKS_AT_A_TIME = 2;
/** Files of the tiers of a group, which mostly wait: programs in terminals, and VS Code with a browser. */
const FILES_AT_A_TIME = { terminals: 4, windows: 3 };
/** How many files are named at the end with their times. */
const SLOWEST = 12;

const beganMs = Date.now();
const named = process.argv.slice(2);
await installPackages();
const { tiers } = await import('./lib/tiers.mjs');
const unknown = named.filter((name) => !tiers.some((tier) => tier.name === name));
if (unknown.length > 0)
  fail(`no tier is called ${unknown.join(', ')}; there are: ${tiers.map((tier) => tier.name).join(', ')}`);

const notRun = [];
/** Tier → its records and the seconds it took. */
const results = new Map();

/** What each tier needs, one after the other: installers do not run beside each other. Tier → why it cannot run, or undefined. */
async function install(some) {
  const problems = new Map();
  for (const tier of some) problems.set(tier, await tier.needs?.());
  return problems;
}

/** Runs a tier, or a part of it. */
async function runTier(tier, options) {
  const startedMs = Date.now();
  const records = await tier.run(options);
  const { records: earlier, seconds } = results.get(tier) ?? { records: [], seconds: 0 };
  results.set(tier, { records: [...earlier, ...records], seconds: seconds + (Date.now() - startedMs) / 1000 });
}

const chosen = tiers.filter(({ name }) => named.length === 0 || named.includes(name));
const checks = chosen.filter((tier) => tier.isCheck);
const suites = chosen.filter((tier) => !tier.isCheck);
// The processors check what is static, and run what needs nothing, while the network brings what the others need.
const early = suites.filter((tier) => tier.isEarly);
const [problems] = await Promise.all([
  install(suites),
  sideBySide(CHECKS_AT_A_TIME, [
    ...checks.map((tier) => () => runTier(tier, { heading: `\n== ${tier.name}\n` })),
    ...early.map((tier) => () => runTier(tier, { part: 'beside' })),
  ]),
]);
const isAble = (tier) => !problems.get(tier);
/** Those that run while the lone files of this tier do. */
const companions = (tier) => suites.filter(({ during }) => during === tier.name).filter(isAble);
/** Tiers of which nothing is left to run. */
const done = new Set();
async function inTurn(some) {
  for (const tier of some) {
    await runTier(tier);
    done.add(tier);
  }
}
/** Group → its tiers, as far as they run beside each other, with their slots. */
const begun = new Map();
/** Begins a group, or goes on with it if it has begun with fewer slots. */
function begin(group, tiersOfIt, count) {
  const earlier = begun.get(group);
  if (earlier) {
    earlier.slots.open(count - earlier.count);
    return earlier.running;
  }
  const slots = sharedSlots(count);
  const running = Promise.all(tiersOfIt.map((each) => runTier(each, { part: 'beside', slots })));
  begun.set(group, { slots, count, running });
  return running;
}
const inGroup = (group) => suites.filter((each) => each.group === group && isAble(each));
/** Runs the lone files of a tier, beside its companions; after those, one file at a time, what comes next begins. */
async function runAlone(tier) {
  const next = suites.filter(({ ahead }) => ahead === tier.name).filter(isAble);
  const meanwhile = inTurn(companions(tier)).then(() => {
    for (const { group } of next) void begin(group, inGroup(group), 1);
  });
  await Promise.all([runTier(tier, { part: 'alone' }), meanwhile]);
  done.add(tier);
}
for (const tier of suites.filter((each) => !isAble(each))) notRun.push(`tier ${tier.name}: ${problems.get(tier)}`);
for (const tier of suites.filter(isAble)) {
  if (done.has(tier)) continue;
  const together = tier.group ? inGroup(tier.group) : [tier];
  process.stdout.write(`\n== ${together.map(({ name }) => name).join(', ')}\n`);
  if (!tier.group) await runTier(tier, tier.isEarly ? { part: 'alone' } : undefined);
  else {
    await begin(tier.group, together, FILES_AT_A_TIME[tier.group]);
    for (const each of together) await runAlone(each);
  }
}
const rows = chosen.map((tier) => {
  const { records, seconds } = results.get(tier) ?? { records: [{ state: 'skipped' }], seconds: 0 };
  return { tier: tier.name, seconds, records, ...count(records) };
});
const failures = rows.flatMap(({ tier, records }) =>
  records
    .filter(({ state }) => state === 'failed')
    .map(({ titles, reason }) => `${tier}: ${titles.join(' › ')}${reason ? `\n    ${reason.split('\n')[0]}` : ''}`),
);
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
process.stdout.write(
  `\nslowest:\n${slowestLines(SLOWEST)
    .map((line) => `  ${line}\n`)
    .join('')}`,
);
process.stdout.write(`\nnot run:\n${notRun.map((line) => `  ${line}\n`).join('')}`);
if (failures.length > 0) process.stdout.write(`\nfailed:\n${failures.map((line) => `  ${line}\n`).join('')}`);
const total = (state) => rows.reduce((sum, row) => sum + row[state], 0);
const tookSeconds = Math.round((Date.now() - beganMs) / 1000);
process.stdout.write(`\n${Math.floor(tookSeconds / 60)} min ${tookSeconds % 60} s`);
process.stdout.write('\n');
tellCounts({ passed: total('passed'), failed: total('failed'), skipped: total('skipped') });
process.exit(total('failed') === 0 ? 0 : 1);

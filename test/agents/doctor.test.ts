// Once for each: claude, codex, gemini, opencode
import { strict as assert } from 'node:assert';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { DoctorReport } from '../../src/core/engine';
import { installedTmux, requireTmux } from '../support/tmuxServer';
import { AgentWorld } from './agentWorld';
import { type Cli, CLI_FOLDER, CLIS, installedVersion, requireCli, TYPE_IDS } from './cliSetup';

const UNKNOWN_VERSION = '99.1.2';
/** These report their start by a hook; codex reports nothing before its first prompt. */
const FIRST_HOOKS: Readonly<Partial<Record<Cli, RegExp>>> = {
  claude: /SessionStart/,
  gemini: /SessionStart/,
  opencode: /plugin\.load/,
};

async function examine(world: AgentWorld): Promise<DoctorReport> {
  const report = await world.engine.doctor(TYPE_IDS[world.cli], new AbortController().signal);
  assert.deepEqual(world.engine.agents, [], 'the agent of the check is gone');
  assert.deepEqual(world.processes(), [], 'its processes are gone');
  assert.deepEqual(world.model.requests.filter(({ kind }) => kind === 'turn'), [], 'nothing was said'); // prettier-ignore
  return report;
}

const found = (report: DoctorReport) => Object.fromEntries(report.checks.map(({ id, level }) => [id, level]));
const detailOf = (report: DoctorReport, id: string): string => report.checks.find((one) => one.id === id)?.detail ?? '';
const asText = (report: DoctorReport): string => JSON.stringify(report, undefined, 2);

describe('The doctor', function () {
  this.timeout(120_000);
  let world: AgentWorld | undefined;
  /** Hooks are waited for 20 s: meanwhile the others are examined. */
  let withoutHooks: { readonly world: AgentWorld; readonly report: Promise<DoctorReport> } | undefined;

  before(async () => {
    if (!CLIS.includes('claude') || !installedTmux() || !installedVersion('claude')) return; // the tests say so
    const other = await AgentWorld.open('claude', { person: {} });
    withoutHooks = { world: other, report: examineWithoutHooks(other) };
    withoutHooks.report.catch(() => undefined); // told by its test
  });
  after(() => withoutHooks?.world.dispose());
  afterEach(async () => {
    await world?.dispose();
    world = undefined;
  });

  for (const cli of CLIS)
    it(`finds ${cli} ${installedVersion(cli) ?? ''} as it was measured`, async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli, { person: {} });
      const report = await examine(world);
      const hooks = FIRST_HOOKS[cli];
      assert.deepEqual(
        found(report),
        { program: 'ok', version: 'ok', start: 'ok', hooks: hooks ? 'ok' : 'info', box: 'ok', stop: 'ok' },
        asText(report),
      );
      assert.equal(report.programVersion, installedVersion(cli));
      assert.equal(detailOf(report, 'version'), installedVersion(cli));
      assert.match(detailOf(report, 'hooks'), hooks ?? /reports nothing before its first prompt/);
    });

  if (CLIS.includes('claude')) {
    it('says of claude, in a folder that nobody has trusted, what was not checked, and that at once', async function () {
      requireTmux(this);
      requireCli(this, 'claude');
      world = await AgentWorld.open('claude', { person: { isTrusted: false } });
      const beganMs = performance.now();
      const report = await examine(world);
      assert.deepEqual(
        found(report),
        { program: 'ok', version: 'ok', start: 'ok', hooks: 'warning', box: 'warning', stop: 'ok' },
        asText(report),
      );
      for (const id of ['hooks', 'box'])
        assert.match(detailOf(report, id), /^not checked: in .*project it asks something first \(whether to trust/);
      const advice = report.checks.flatMap((check) => check.advice ?? []).join('\n');
      assert.match(advice, /^(Answer it once in a terminal in this folder, then run the doctor again\.\n?){2}$/);
      assert.ok(performance.now() - beganMs < 15_000, 'nothing is waited for that cannot come');
      assert.doesNotMatch(
        world.home.read('.claude.json'),
        /"hasTrustDialogAccepted": ?true/,
        'the person is not answered for',
      );
    });

    it('names a version that nobody tried, and hooks that do not tell, of claude', async function () {
      requireTmux(this);
      requireCli(this, 'claude');
      const report = await withoutHooks?.report;
      if (!report) throw new Error('it was started before');
      assert.deepEqual(
        found(report),
        { program: 'ok', version: 'info', start: 'ok', hooks: 'error', box: 'ok', stop: 'ok' },
        asText(report),
      );
      assert.equal(report.programVersion, UNKNOWN_VERSION);
      assert.match(detailOf(report, 'version'), new RegExp(`99\\.1\\.2; .* seen with ${installedVersion('claude')}`));
      assert.match(detailOf(report, 'hooks'), /did not report its start/);
    });
  }
});

/** Another version of claude in its place, whose person has switched hooks off. */
async function examineWithoutHooks(world: AgentWorld): Promise<DoctorReport> {
  const { home } = world;
  await world.endEngine();
  const script = ['#!/bin/sh', `[ "$1" = --version ] && exec echo "${UNKNOWN_VERSION} (Claude Code)"`, `exec "${join(CLI_FOLDER, 'claude')}" "$@"`, '']; // prettier-ignore
  home.write('bin/claude', script.join('\n'));
  chmodSync(join(home.folder, 'bin/claude'), 0o755);
  await world.beginEngine({ firstOnPath: join(home.folder, 'bin') });
  home.write('.claude/settings.json', JSON.stringify({ disableAllHooks: true }));
  return examine(world);
}

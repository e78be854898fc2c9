import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RpcStatus } from '../../../src/shared/gatewayProtocol';
import { buildOrc } from '../../support/bundles';
import { anImportReport } from '../../support/importReports';
import { type ProgramEnd, runProgram } from '../../support/runProgram';
import { ScriptedGateway } from '../../support/scriptedGateway';

const backups = [
  {
    ...{ file: '/data/backups/manual-20261120T080000Z-5.db', kind: 'manual', takenAtMs: Date.UTC(2026, 10, 20, 8) },
    ...{ sizeBytes: 1_240_960, seq: 5, schemaVersion: 2, sqliteVersion: '3.49.1', isChecked: true },
  },
];
const whole = { isWhole: true, isCut: false, findings: [], depth: 'full', records: 3, changes: 7, seq: 7 };
const status = {
  ...{ engine: 'sql.js 1.14.1 (file)', file: '/data/store-1.db', mainBytes: 40_960, walBytes: 4_096, asideBytes: 0 },
  ...{ backupBytes: 1_240_960, schemaVersion: 2, seq: 7, isReadOnly: false, backups },
  lastCheck: { atMs: Date.UTC(2026, 10, 22, 8), cause: 'schedule', report: whole },
};
const finding = { code: 'check.record', message: 'The record "x\u001b[31m" is damaged.', fix: 'restoreBackup' };
const damaged = { ...whole, isWhole: false, findings: [finding] };

describe('orc data', () => {
  let gateway: ScriptedGateway;
  let program: string;

  before(async function () {
    this.timeout(30_000);
    program = path.join(await buildOrc(), 'orc.js');
  });
  beforeEach(async () => {
    gateway = new ScriptedGateway();
    await gateway.listen();
  });
  afterEach(() => gateway.end());

  const orc = (...args: string[]): Promise<ProgramEnd> =>
    runProgram(process.execPath, [program, 'data', ...args], {
      cwd: gateway.workspace,
      env: { CORE_ORCHESTRATOR_STORAGE: gateway.storage, TZ: 'UTC' },
    });
  const paramsOf = (method: string): unknown => gateway.frames.find((frame) => frame.method === method)?.params;

  it('shows size, backups and the last check of the store, and fails when that has found damage', async () => {
    gateway.answers = { 'data.status': { result: status } };
    const shown = await orc('status');
    assert.match(shown.stdout, /^store {4}sql\.js 1\.14\.1 \(file\), 41 KB, log 5 KB\nfile {5}\/data\/store-1\.db\n/);
    assert.match(
      shown.stdout,
      /\nbackups {2}1, 1\.2 MB\nchecked {2}2026-11-22 08:00: whole, 3 records and 7 changes\n$/,
    );
    assert.equal(shown.code, 0);
    const archived = { ...status, archive: '/data/archive', archiveBytes: 3_100_000 };
    gateway.answers = { 'data.status': { result: archived } };
    assert.match((await orc('status')).stdout, /\narchive {2}3\.1 MB, \/data\/archive\n/);
    const listed = await orc('backups');
    assert.match(
      listed.stdout,
      /\n2026-11-20 08:00 +a person +1\.2 MB +5 +2, SQLite 3\.49\.1 +checked +\/data\/backups/,
    );
    gateway.answers = { 'data.status': { result: { ...status, lastCheck: { ...status.lastCheck, report: damaged } } } };
    assert.equal((await orc('status')).code, 1);
  });

  it('searches for all its words, and says that nothing was found, or that more may be', async () => {
    const found = {
      kind: 'prompt',
      id: '1',
      agentId: 'reviewer',
      about: 'acknowledged',
      atMs: Date.UTC(2026, 10, 22, 8),
    };
    const snippet = { text: 'the \u001b[31mneedle', marks: [[4, 10]] };
    gateway.answers = { 'data.search': { result: { found: [{ ...found, snippet }], isComplete: false } } };
    const shown = await orc('search', 'the', 'needle', '--limit', '5');
    assert.match(
      shown.stdout,
      /^UTC .*\n2026-11-22 08:00 +prompt +reviewer +acknowledged +the needle\nOlder records are/,
    );
    assert.deepEqual([shown.code, paramsOf('data.search')], [0, { query: 'the needle', limit: 5 }]);
    gateway.answers = { 'data.search': { result: { found: [], isComplete: true } } };
    const none = await orc('search', 'hay');
    assert.deepEqual([none.code, none.stdout], [4, 'nothing was found\n']);
    for (const args of [['search'], ['search', ' '], ['backup', 'a', 'b']]) assert.equal((await orc(...args)).code, 2);
  });

  it('backs up to a file, checks and compacts', async () => {
    const fix = { kind: 'deleteRecord', label: 'Remove it', recordKind: 'line', id: 'x' };
    const finding = { code: 'record.invalid', severity: 'error', kind: 'line', id: 'x', message: 'it is odd', fix };
    gateway.answers = {
      'data.backup': { result: { file: '/x/copy.db', sizeBytes: 40_960, seq: 7, records: 3 } },
      'data.integrity': { result: { ...damaged, findings: [finding], sessions: 2, settled: 0 } },
      'data.compact': { result: { beforeBytes: 2_000_000, afterBytes: 8_192 } },
    };
    assert.equal((await orc('backup', 'copy.db')).stdout, '3 records in /x/copy.db (41 KB), checked\n');
    assert.deepEqual(paramsOf('data.backup'), { file: path.join(gateway.workspace, 'copy.db') });
    writeFileSync(path.join(gateway.workspace, 'there.db'), '');
    const there = await orc('backup', 'there.db');
    assert.deepEqual([there.code, gateway.frames.filter(({ method }) => method === 'data.backup').length], [5, 1]);
    assert.match(there.stderr, /there\.db is there already\n {5}Choose another name, or replace it with --replace/);
    assert.equal((await orc('backup', 'there.db', '--replace')).code, 0);
    const checked = await orc('check');
    assert.equal(checked.code, 1);
    assert.match(checked.stdout, /^NOT WHOLE, 1 found in 3 records, 7 changes, 2 sessions\n- error: line x: it is odd\. Fix: Remove it\.\n`orc data check --fix` does them\.\n$/); // prettier-ignore
    assert.equal((await orc('compact')).stdout, '2.0 MB before, 9 KB now\n');
    gateway.answers = { 'data.compact': { result: { beforeBytes: 317_000, afterBytes: 317_000 } } };
    assert.equal((await orc('compact')).stdout, '317 KB: there was nothing to give back\n');
  });

  it('restores only with --yes, and is done when the engine runs on it', async () => {
    for (const name of ['copy.db', '.', '--yes copy.db'].map((words) => words.split(' '))) {
      const { code, stderr } = await orc('restore', ...name);
      assert.equal(code, 2);
      assert.match(stderr, /there is no file .*\n {5}`orc data backups` lists/);
    }
    writeFileSync(path.join(gateway.workspace, 'copy.db'), '');
    const refused = await orc('restore', 'copy.db');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /orc data restore copy\.db --yes/);
    assert.deepEqual(gateway.frames, []);
    let looks = 0;
    const noticeOf = (atMs: number) => ({ fingerprint: 'store.restored', title: '', atMs });
    gateway.answers = {
      'data.restore': {
        result: { file: '/x/copy.db', sizeBytes: 1, seq: 5, records: 2, presentBackup: '/data/before.db' },
      },
      'data.status': { result: { ...status, seq: 5 } },
      // That of an earlier restore is up until the engine begins anew.
      'engine.notices': () => ({ result: [noticeOf(++looks < 3 ? 5 : Date.now())] }),
    };
    const restored = await orc('restore', 'copy.db', '--yes');
    assert.equal(restored.stdout, 'restored: 2 records, up to change 5\nwhat was there before: /data/before.db\n');
    assert.deepEqual([restored.code, looks], [0, 3]);
    const unbacked = { file: '/x/copy.db', sizeBytes: 1, seq: 5, records: 2 };
    gateway.answers = { ...gateway.answers, 'data.restore': { result: unbacked } };
    assert.match((await orc('restore', 'copy.db', '--yes')).stdout, /\nno backup was made of what was there before: /);
    gateway.answers = { ...gateway.answers, 'engine.notices': { result: [] } };
    assert.equal((await orc('restore', 'copy.db', '--yes', '--timeout', '1')).code, 8);
  });

  it('tells what an import would do, and imports that with --yes only', async () => {
    const problem = { path: '/value/text', rule: 'type', code: 'type', message: 'must be a text\u001b[31m' };
    const bad = { record: 3, kind: 'note\n', id: 'n1', verdict: 'invalid', problems: [problem] } as const;
    const counts = { new: 1, identical: 0, conflicting: 0, replaced: 0, invalid: 1, skipped: 0 };
    const told = anImportReport({ counts, entries: [bad], records: 2, integrity: 'cut' });
    gateway.answers = { 'data.import': { result: told } };
    const shown = await orc('import', 'export.json');
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /^2 records in .*: 1 new, 1 invalid\n! The file was cut/);
    assert.match(shown.stdout, /agent scout \(Scout\) would run: command sh -c make, in \/project\n/);
    assert.match(shown.stdout, /record 3, note +n1: invalid: \/value\/text must be a text \(type\)\n/);
    assert.match(shown.stdout, /\nNothing was written\. With --yes --skip-invalid --accept-changed 1 record is imported\.\n$/); // prettier-ignore
    assert.deepEqual(paramsOf('data.import'), { file: path.join(gateway.workspace, 'export.json'), replace: false });
    for (const consent of [[], ['--accept-changed'], ['--skip-invalid']]) {
      const refused = await orc('import', 'export.json', '--yes', ...consent);
      assert.deepEqual([refused.code, refused.stdout], [5, '']);
      assert.match(refused.stderr, /nothing was imported/);
    }
    const approval = (record: number, title: string) =>
      ({
        ...{ record, kind: 'approval', id: 'a'.repeat(64), title },
        verdict: 'skipped',
        reason: 'trustDecision',
      }) as const;
    const approvals = Array.from({ length: 7 }, (_, index) =>
      approval(index, `make -j${index} \u001b[31m…, in /project`),
    );
    const result = anImportReport({ entries: [...approvals, bad], countsByReason: { trustDecision: 9 } });
    gateway.answers = { 'data.import': { result } };
    const { stdout } = await orc('import', 'export.json');
    assert.match(stdout, /\n {2}9 left out: an approval .*\n {4}make -j0 …, in \/project\n(.*\n){3} {4}make -j4 .*\n {4}and 4 more\n/); // prettier-ignore
    assert.doesNotMatch(stdout, /aaaa|-j5|\u001b/);
    assert.match(stdout, /record 3, note/);
    assert.ok(gateway.frames.every((frame) => !('apply' in ((frame.params ?? {}) as object)))); // what it asked so far
    gateway.answers = { 'data.import': { result: { ...told, isApplied: true } } };
    const done = await orc('import', 'export.json', '--yes', '--skip-invalid', '--accept-changed', '--replace');
    assert.match(done.stdout, /\n1 record is imported\. Nothing was started\.\n$/);
    assert.deepEqual(gateway.frames.filter(({ method }) => method === 'data.import').at(-1)?.params, {
      ...{ file: path.join(gateway.workspace, 'export.json'), replace: true },
      ...{ apply: told.fingerprint, skipInvalid: true, acceptChanged: true },
    });
  });

  it('says of a file that cannot be used which it is, why, and what to do', async () => {
    const fails = (code: string, message: string, status: RpcStatus = 'INVALID_ARGUMENT') => ({
      ...{ status, message: `${code}: ${message}`, code },
    });
    gateway.answers = {
      'data.import': fails('exchange.fileUnreadable', 'there is no file /x/a.json'),
      'data.export': fails('exchange.fileExists', '/x/b.json is there already', 'ALREADY_EXISTS'),
    };
    const read = await orc('import', 'a.json');
    assert.deepEqual([read.code, read.stderr], [2, 'orc: there is no file /x/a.json\n     Name a file that is there and that you may read.\n']); // prettier-ignore
    const written = await orc('export', 'b.json');
    assert.deepEqual([written.code, written.stderr], [5, 'orc: /x/b.json is there already\n     Choose another name, or replace it with --replace.\n']); // prettier-ignore
    gateway.answers = { 'data.import': fails('exchange.notAnExport', 'the file is no export') };
    assert.match((await orc('import', 'a.json')).stderr, /Name one that `orc data export` wrote/);
    gateway.answers = { 'data.backup': fails('data.fileUnusable', 'there is no folder /x') };
    const refused = await orc('backup', '/x/c.db');
    assert.deepEqual([refused.code, refused.stderr.split('\n')[0]], [2, 'orc: there is no folder /x']);
    const codes = [['data.io', 5], ['data.readOnly', 5], ['engine.starting', 3]] as const; // prettier-ignore
    for (const [code, exit] of codes) {
      gateway.answers = { 'data.backup': fails(code, 'not now', 'UNAVAILABLE') };
      assert.equal((await orc('backup', '/x/c.db')).code, exit, code);
    }
  });

  it('says that what differs stays as it is here, unless it is to be replaced', async () => {
    const counts = { new: 0, identical: 0, conflicting: 2, replaced: 0, invalid: 0, skipped: 0 };
    gateway.answers = { 'data.import': { result: anImportReport({ counts, records: 2 }) } };
    const { stdout } = await orc('import', 'export.json');
    assert.match(stdout, /\nThere is nothing to import\. What differs stays as it is here; see --replace\.\n$/);
  });

  it('runs pipelines, by name or from a file, and tells what was refused', async () => {
    const report = { name: 'teams', file: '/x/out.ndjson', in: 4, out: 2, rejected: 1 };
    const refused = { run: 'teams', step: 'coerce', code: 'coerce.notANumber', message: 'it is no number', excerpt: '{"team":"red"}' }; // prettier-ignore
    gateway.answers = {
      'data.pipeline': { result: report },
      'data.pipelines': { result: [{ name: 'teams', version: 1, steps: [{ use: 'filter' }, { use: 'csv' }] }] },
      'data.rejected': { result: [refused] },
    };
    const ran = await orc('run', 'teams', 'out.ndjson', '--replace');
    assert.deepEqual([ran.code, ran.stdout], [1, '4 records became 2 in /x/out.ndjson; 1 were refused: `orc data rejected teams`\n']); // prettier-ignore
    const file = path.join(gateway.workspace, 'out.ndjson');
    assert.deepEqual(paramsOf('data.pipeline'), { pipeline: 'teams', file, overwrite: true });
    gateway.frames.length = 0;
    writeFileSync(path.join(gateway.workspace, 'p.json'), JSON.stringify({ name: 'p', version: 1, steps: [] }));
    await orc('run', 'p.json', 'out.ndjson');
    assert.deepEqual(paramsOf('data.pipeline'), { pipeline: { name: 'p', version: 1, steps: [] }, file, overwrite: false }); // prettier-ignore
    assert.match((await orc('pipelines')).stdout, /\nteams +1 +filter \| csv/);
    assert.match(
      (await orc('rejected', 'teams')).stdout,
      /\nteams +coerce\.notANumber +it is no number +\{"team":"red"\}/,
    );
    assert.equal((await orc('run', 'gone.json', 'out')).code, 2);
    assert.deepEqual([(await orc('forget')).code, paramsOf('data.removePipeline')], [2, undefined]);
    assert.equal((await orc('forget', 'teams')).stdout, 'the pipeline teams is forgotten\n');
    assert.deepEqual(paramsOf('data.removePipeline'), { name: 'teams' });
  });

  it('says what it can do', async () => {
    const unknown = await orc('explode');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /It does: status, .*backups, backup, restore, check, compact, /);
    for (const action of ['export', 'import', 'restore']) assert.equal((await orc(action)).code, 2, action);
  });
});

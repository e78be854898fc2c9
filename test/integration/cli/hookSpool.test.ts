import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../src/core/base/log';
import type { HookReport } from '../../../src/core/agents/signals/hookReport';
import { drainHookSpool } from '../../../src/core/node/hookSpool';
import { HookSpoolReader } from '../../../src/core/node/hookSpoolReader';
import { SystemClock } from '../../../src/core/base/clock';
import { spoolHook } from '../../../src/cli/spoolHook';
import { eventually } from '../../support/eventually';
import { SPOOL_LIMITS, spoolFileName } from '../../../src/shared/hookSpool';

describe('the spool of hooks', () => {
  let folder: string;

  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const leave = (event: string, sentAtMs: number): void =>
    spoolHook(folder, { agentId: 'reviewer', generation: 3, event, payload: { event }, sentAtMs });
  const drain = async (deliver?: (report: HookReport) => Promise<unknown>): Promise<readonly HookReport[]> => {
    const reports: HookReport[] = [];
    await drainHookSpool(folder, deliver ?? ((report) => Promise.resolve(reports.push(report))), silentLogger);
    return reports;
  };

  it('is handed over in the order of time, as late reports, once', async () => {
    leave('C', 3_000);
    leave('A', 1_000);
    leave('B', 2_000);
    const reports = await drain();
    assert.deepEqual(
      reports.map(({ event, isLate }) => [event, isLate]),
      [
        ['A', true],
        ['B', true],
        ['C', true],
      ],
    );
    assert.deepEqual(await drain(), []);
  });

  it('keeps what was not taken', async () => {
    for (const [index, event] of ['A', 'B', 'C'].entries()) leave(event, index);
    const failing = (report: HookReport) =>
      report.event === 'B' ? Promise.reject(new Error('no')) : Promise.resolve();
    await assert.rejects(drain(failing), /no/);
    assert.deepEqual(
      (await drain()).map(({ event }) => event),
      ['B', 'C'],
    );
  });

  it('drops what is no report, and never follows a link', async () => {
    const secret = path.join(folder, 'secret.txt');
    fs.writeFileSync(
      secret,
      JSON.stringify({ format: 1, agentId: 'reviewer', generation: 3, event: 'A', payload: 1, sentAtMs: 1 }),
    );
    fs.symlinkSync(secret, path.join(folder, spoolFileName(1, 'link', 10)));
    fs.mkdirSync(path.join(folder, spoolFileName(2, 'dir', 10)));
    const wrong = [
      '',
      'null',
      '{}',
      '[]',
      '{"format":1,"agentId":"../x","generation":3,"event":"A","sentAtMs":1}',
      '{"format":1,"agentId":"a","generation":-1,"event":"A","sentAtMs":1}',
      '{"format":1,"agentId":"a","generation":1,"event":"A B","sentAtMs":1}',
      '{"format":2,"agentId":"a","generation":1,"event":"A","sentAtMs":1}',
    ];
    for (const [index, text] of wrong.entries())
      fs.writeFileSync(path.join(folder, spoolFileName(index, 'w', text.length)), text);
    fs.writeFileSync(path.join(folder, spoolFileName(50, 'big', 7)), `"${'x'.repeat(SPOOL_LIMITS.fileBytes)}"`);
    assert.deepEqual(await drain(), []);
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('leaves what is being written just now, and removes what was left unfinished', async () => {
    const [fresh, old] = ['.1.tmp', '.2.tmp'].map((name) => path.join(folder, name)) as [string, string];
    for (const file of [fresh, old]) fs.writeFileSync(file, '');
    fs.utimesSync(old, 1, 1);
    await drain();
    assert.deepEqual(fs.readdirSync(folder), ['.1.tmp']);
  });

  it('is not read when others could have written it, nor when there is none', async () => {
    leave('A', 1);
    fs.chmodSync(folder, 0o777);
    assert.deepEqual(await drain(), []);
    fs.rmSync(folder, { recursive: true });
    assert.deepEqual(await drain(), []);
  });

  it('S17 stays within its bounds while many hooks write at once and one folder is flooded', async () => {
    for (let index = 0; index < SPOOL_LIMITS.files * 2; index++) leave(`E${index}`, index);
    assert.equal(fs.readdirSync(folder).length, SPOOL_LIMITS.files);
    const text = 'x'.repeat(SPOOL_LIMITS.fileBytes);
    for (let index = 0; index < 100; index++)
      spoolHook(folder, { agentId: 'a', generation: 1, event: 'Big', payload: { text }, sentAtMs: 10_000 + index });
    const sizes = fs.readdirSync(folder).map((name) => fs.statSync(path.join(folder, name)).size);
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= SPOOL_LIMITS.bytes);
    assert.equal((await drain()).at(-1)?.sentAtMs, 10_099);
  });
});

describe('the reader of the spool', function () {
  this.timeout(20_000);
  let root: string;
  let folder: string;
  let reader: HookSpoolReader | undefined;
  let events: string[];
  const clock = new SystemClock();

  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'));
    folder = path.join(root, 'spool');
    events = [];
  });
  afterEach(() => {
    reader?.dispose();
    fs.rmSync(root, { recursive: true, force: true });
  });

  const leave = (event: string, sentAtMs = Date.now()): void =>
    spoolHook(folder, { agentId: 'reviewer', generation: 3, event, payload: {}, sentAtMs });
  const open = async (deliver?: (report: HookReport) => Promise<unknown>): Promise<void> => {
    const take = (report: HookReport): Promise<unknown> => Promise.resolve(events.push(report.event));
    reader = await HookSpoolReader.open({ folder, deliver: deliver ?? take, clock, log: silentLogger });
  };
  const told = (count: number): Promise<unknown> =>
    eventually(`${count} reports`, () => events.length >= count, { timeoutMs: 10_000 });

  it('hands over what is there at once, and what comes later as it comes, in its order', async () => {
    leave('B', 2_000);
    leave('A', 1_000);
    await open();
    assert.deepEqual(events, ['A', 'B']);
    for (const event of ['C', 'D', 'E']) leave(event);
    await told(5);
    leave('F');
    await told(6);
    assert.deepEqual(events, ['A', 'B', 'C', 'D', 'E', 'F']);
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('goes on when the folder was not there, and when it was removed and made again', async () => {
    await open();
    leave('A');
    await told(1);
    fs.rmSync(folder, { recursive: true });
    await eventually('the folder is there again', () => fs.existsSync(folder), { timeoutMs: 10_000 });
    leave('B');
    await told(2);
  });

  it('S17 reads no more often than every two seconds, whoever writes', async () => {
    const readAtMs: number[] = [];
    await open((report) => {
      readAtMs.push(performance.now());
      return Promise.resolve(events.push(report.event));
    });
    const ended = performance.now() + 5_000;
    while (performance.now() < ended) {
      leave('A');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const pauses = readAtMs.slice(1).map((atMs, index) => atMs - (readAtMs[index] ?? 0));
    const long = pauses.filter((pause) => pause > 1_500);
    assert.ok(long.length >= 1 && long.length <= 3, `pauses of ${long.map(Math.round).join(', ')} ms`);
  });

  it('reads nothing once it is disposed', async () => {
    await open();
    reader?.dispose();
    leave('A');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual([events, fs.readdirSync(folder).length], [[], 1]);
  });
});

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../src/core/base/log';
import type { AgentId } from '../../../src/core/agents/agent';
import type { HookReport } from '../../../src/core/agents/signals/hookReport';
import { drainHookSpool, type VerifyLeft } from '../../../src/core/node/hookSpool';
import { HookSpoolReader } from '../../../src/core/node/hookSpoolReader';
import { SystemClock } from '../../../src/core/base/clock';
import { spoolHook } from '../../../src/cli/spoolHook';
import { eventually } from '../../support/eventually';
import { signedBy, someTokens } from '../../support/spoolTokens';
import { SPOOL_HEAD, SPOOL_LIMITS, spoolFileName } from '../../../src/shared/hookSpool';

describe('the spool of hooks', () => {
  let folder: string;

  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const tokens = someTokens();
  const token = tokens.issue({ sub: 'reviewer', generation: 3 });
  const verify: VerifyLeft = (left) => tokens.verifyLeft(left);
  const leave = (event: string, sentAtMs: number): Promise<void> =>
    spoolHook(folder, token, { event, payload: { event }, sentAtMs });
  const drain = async (deliver?: (report: HookReport) => Promise<unknown>): Promise<readonly HookReport[]> => {
    const reports: HookReport[] = [];
    await drainHookSpool(folder, verify, deliver ?? ((report) => Promise.resolve(reports.push(report))), silentLogger);
    return reports;
  };

  it('is handed over in the order of time, as late reports, once', async () => {
    await leave('C', 3_000);
    await leave('A', 1_000);
    await leave('B', 2_000);
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
    for (const [index, event] of ['A', 'B', 'C'].entries()) await leave(event, index);
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
      '{"format":1,"agentId":"reviewer","generation":3,"event":"A","sentAtMs":1}',
      SPOOL_HEAD,
      `${SPOOL_HEAD}${'A'.repeat(43)}",`,
      `${SPOOL_HEAD}${'A'.repeat(43)}","claims":"{}","event":"A","sentAtMs":1}`,
      `${SPOOL_HEAD}${'A'.repeat(43)}","claims":"null","event":"A","sentAtMs":1}`,
      `${SPOOL_HEAD}${'A'.repeat(42)}","claims":1,"event":"A","sentAtMs":1}`,
    ];
    for (const [index, text] of wrong.entries())
      fs.writeFileSync(path.join(folder, spoolFileName(index, 'w', text.length)), text);
    fs.writeFileSync(path.join(folder, spoolFileName(50, 'big', 7)), `"${'x'.repeat(SPOOL_LIMITS.fileBytes)}"`);
    assert.deepEqual(await drain(), []);
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('S11 S12 takes a report as coming from the run whose token signed it, and no other', async () => {
    await leave('Mine', 1);
    const [name = ''] = fs.readdirSync(folder);
    const good = fs.readFileSync(path.join(folder, name), 'utf8');
    assert.ok(!good.includes(token.slice(token.lastIndexOf('.'))), 'the token cannot be made from what is left');
    const put = (sentAtMs: number, text: string): void =>
      fs.writeFileSync(path.join(folder, spoolFileName(sentAtMs, 'x', text.length)), text, { mode: 0o600 });
    const claimed = (sub: string, generation: number): string => {
      const other = good.replace('\\"sub\\":\\"reviewer\\"', `\\"sub\\":\\"${sub}\\"`);
      return other.replace('\\"generation\\":3', `\\"generation\\":${generation}`);
    };
    put(2, claimed('tester', 3)); // speaks as another agent
    put(3, claimed('reviewer', 4)); // as another run
    put(4, good.replaceAll('"Mine"', '"Other"')); // with another's proof
    put(5, good.replace(/"proof":"./, '"proof":"!'));
    await spoolHook(folder, `${token.slice(0, -4)}AAAA`, { event: 'Forged', payload: {}, sentAtMs: 6 });
    await spoolHook(folder, someTokens().issue({ sub: 'reviewer', generation: 3 }), { event: 'Foreign', payload: {}, sentAtMs: 7 }); // prettier-ignore
    await spoolHook(folder, tokens.issue({ sub: 'tester', generation: 1 }), { event: 'Theirs', payload: {}, sentAtMs: 8 }); // prettier-ignore
    assert.notEqual(claimed('tester', 4), good);
    const reports = await drain();
    assert.deepEqual(
      reports.map(({ agentId, generation, event }) => [agentId, generation, event]),
      [
        ['reviewer', 3, 'Mine'],
        ['tester', 1, 'Theirs'],
      ],
    );
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
    await leave('A', 1);
    fs.chmodSync(folder, 0o777);
    assert.deepEqual(await drain(), []);
    fs.rmSync(folder, { recursive: true });
    assert.deepEqual(await drain(), []);
  });

  it('S17 stays within its bounds while many hooks write at once and one folder is flooded', async () => {
    for (let index = 0; index < SPOOL_LIMITS.files * 2; index++) await leave(`E${index}`, index);
    assert.equal(fs.readdirSync(folder).length, SPOOL_LIMITS.files);
    const text = 'x'.repeat(SPOOL_LIMITS.fileBytes);
    for (let index = 0; index < 100; index++)
      await spoolHook(folder, token, { event: 'Big', payload: { text }, sentAtMs: 10_000 + index });
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

  const verify = signedBy('a token', 'reviewer' as AgentId, 3);
  const leave = (event: string, sentAtMs = Date.now()): Promise<void> =>
    spoolHook(folder, 'a token', { event, payload: {}, sentAtMs });
  const open = async (deliver?: (report: HookReport) => Promise<unknown>): Promise<void> => {
    const take = (report: HookReport): Promise<unknown> => Promise.resolve(events.push(report.event));
    reader = await HookSpoolReader.open({ folder, verify, deliver: deliver ?? take, clock, log: silentLogger });
  };
  const told = (count: number): Promise<unknown> =>
    eventually(`${count} reports`, () => events.length >= count, { timeoutMs: 10_000 });

  it('hands over what is there at once, and what comes later as it comes, in its order', async () => {
    await leave('B', 2_000);
    await leave('A', 1_000);
    await open();
    assert.deepEqual(events, ['A', 'B']);
    for (const event of ['C', 'D', 'E']) await leave(event);
    await told(5);
    await leave('F');
    await told(6);
    assert.deepEqual(events, ['A', 'B', 'C', 'D', 'E', 'F']);
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('goes on when the folder was not there, and when it was removed and made again', async () => {
    await open();
    await leave('A');
    await told(1);
    fs.rmSync(folder, { recursive: true });
    await eventually('the folder is there again', () => fs.existsSync(folder), { timeoutMs: 10_000 });
    await leave('B');
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
      await leave('A');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const pauses = readAtMs.slice(1).map((atMs, index) => atMs - (readAtMs[index] ?? 0));
    const long = pauses.filter((pause) => pause > 1_500);
    assert.ok(long.length >= 1 && long.length <= 3, `pauses of ${long.map(Math.round).join(', ')} ms`);
  });

  it('reads nothing once it is disposed', async () => {
    await open();
    reader?.dispose();
    await leave('A');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual([events, fs.readdirSync(folder).length], [[], 1]);
  });
});

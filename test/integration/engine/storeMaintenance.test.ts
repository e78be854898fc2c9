import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBundles } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { runProgram } from '../../support/runProgram';
import { EngineMachine, type RunningEngine } from '../../support/runningEngine';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly pid?: number;
}

describe('The store of an engine, from a shell', function () {
  this.timeout(120_000);
  let machine: EngineMachine;
  beforeEach(() => {
    machine = new EngineMachine();
  });
  afterEach(() => machine.end());

  const orc = async (...args: string[]): Promise<{ readonly code: number | null; readonly answer: never }> => {
    const storage = join(machine.root, 'storage');
    const program = join(await buildBundles(), 'orc.js');
    const all = [program, ...args, '--json', '--storage', storage];
    const { code, stdout } = await runProgram(process.execPath, all, { cwd: machine.workspace });
    return { code, answer: JSON.parse(stdout) as never }; // orc's own
  };
  const rows = async (): Promise<readonly Row[]> => {
    const { agents } = (await orc('list')).answer as { readonly agents: readonly Row[] };
    return agents.map(({ id, name, pid = 0 }) => ({ id, name, pid })).sort((a, b) => (a.id < b.id ? -1 : 1));
  };

  it('R17 R18 a restore starts nobody who was stopped or removed since, and ends nobody who was started since', async () => {
    const engine = await machine.engine();
    await engine.becomes('ready');
    const start = async (name: string): Promise<void> => {
      assert.equal((await orc('start', 'demo', '--name', name)).code, 0);
    };
    for (const name of ['Stopped', 'Removed', 'Started']) await start(name);
    assert.equal((await orc('stop', 'Started')).code, 0);
    const { file } = (await orc('data', 'backup')).answer as { readonly file: string };
    for (const verb of ['stop', 'remove'] as const) {
      const name = verb === 'stop' ? 'Stopped' : 'Removed';
      assert.equal((await orc('stop', name)).code, 0);
      if (verb === 'remove') assert.equal((await orc('remove', name, '--yes')).code, 0);
    }
    assert.equal((await orc('start', '--existing', 'Started')).code, 0);
    const standing = async () => {
      const { agents } = (await orc('list')).answer as { readonly agents?: readonly (Row & { lifecycle: string })[] };
      return Object.fromEntries((agents ?? []).map(({ name, lifecycle, pid }) => [name, [lifecycle, pid]]));
    };
    const [, pid] = (await standing())['Started'] ?? [];
    assert.ok(pid);
    assert.equal((await orc('data', 'restore', file, '--yes')).code, 0);
    await eventually('all are at rest', async () => (await standing())['Removed']?.[0] === 'stopped', { timeoutMs: 20_000 }); // prettier-ignore
    const after = await standing();
    assert.deepEqual([after['Stopped']?.[0], after['Started']], ['stopped', ['running', pid]]);
    assert.match(JSON.stringify((await orc('why', 'Removed')).answer), /stopped/);
    // The notice of the first restore is up: the second is not done before the engine has begun anew once more.
    assert.equal((await orc('data', 'restore', file, '--yes')).code, 0);
    assert.equal((await orc('list')).code, 0, 'the engine can be reached');
    assert.deepEqual((await standing())['Started'], ['running', pid]);
  });

  it('R14 R18 R19 who was started after the backup is carried over whole, and no generation is used again', async () => {
    const engine = await machine.engine();
    await engine.becomes('ready');
    type Standing = Row & { readonly lifecycle: string; readonly generation: number; readonly role?: string };
    const standing = async (name: string): Promise<Standing | undefined> =>
      ((await orc('list')).answer as { readonly agents: readonly Standing[] }).agents.find((one) => one.name === name);
    assert.equal((await orc('start', 'demo', '--name', 'Early')).code, 0);
    const { file } = (await orc('data', 'backup')).answer as { readonly file: string };
    assert.equal((await orc('stop', 'Early')).code, 0);
    assert.equal((await orc('start', '--existing', 'Early')).code, 0);
    assert.equal((await orc('start', 'demo', '--name', 'Late')).code, 0);
    await engine.call('start', { name: 'Shell', typeId: 'command', folder: machine.workspace, command: ['sleep', '600'], role: 'waits', restartPolicy: 'never' }); // prettier-ignore
    const before = await Promise.all(['Early', 'Late', 'Shell'].map(standing));
    assert.deepEqual(before.map((one) => [one?.lifecycle, one?.generation]), [['running', 2], ['running', 1], ['running', 1]]); // prettier-ignore
    assert.equal((await orc('data', 'restore', file, '--yes')).code, 0);
    await eventually('who lives is shown', async () => (await rows()).length === 3, { timeoutMs: 20_000 });
    const after = await Promise.all(['Early', 'Late', 'Shell'].map(standing));
    const told = (one: Standing | undefined) => [one?.id, one?.pid, one?.lifecycle, one?.generation, one?.role];
    assert.deepEqual(after.map(told), before.map(told), 'the same runs, with all that was known of them');
    type Found = { readonly found: readonly { readonly agentId?: string }[] };
    const history = async () => (await orc('data', 'search', '"carried over by the restore of"')).answer as Found;
    await eventually('their history tells it', async () => (await history()).found.length === 3);

    for (const name of ['Early', 'Late']) assert.equal((await orc('stop', name)).code, 0);
    assert.equal((await orc('data', 'restore', file, '--yes')).code, 0);
    await eventually('who is at rest and not in the backup is gone', async () => (await rows()).length === 2, { timeoutMs: 20_000 }); // prettier-ignore
    assert.equal((await standing('Early'))?.lifecycle, 'stopped');
    assert.equal((await orc('start', 'demo', '--name', 'Late')).code, 0);
    const late = await standing('Late');
    assert.ok(late && late.id !== before[1]?.id, 'an id is given out once');
    assert.equal((await orc('data', 'check')).code, 0);
    assert.equal((await orc('start', '--existing', 'Early')).code, 0);
    // The backup counts one run of it, and there were two.
    assert.deepEqual([(await standing('Early'))?.generation, (await standing('Shell'))?.pid], [3, before[2]?.pid]);
  });

  it('R7 a prompt that waited when the backup was made, and was typed since, is not typed again', async () => {
    const engine = await machine.engine();
    await engine.becomes('ready');
    type Receipt = { readonly id: string; readonly state: string; readonly detail?: string };
    const receipts = async (name: string) => {
      const { receipts: all } = (await orc('receipts', name)).answer as { readonly receipts: readonly Receipt[] };
      return all.map(({ state }) => state);
    };
    const names = ['Runs', 'Rests'];
    for (const name of names) {
      assert.equal((await orc('start', 'demo', '--name', name)).code, 0);
      assert.equal((await orc('stop', name)).code, 0);
      assert.equal((await orc('prompt', name, '--queue', 'say it once')).code, 0);
    }
    const { file } = (await orc('data', 'backup')).answer as { readonly file: string };
    for (const name of names) {
      assert.equal((await orc('start', '--existing', name)).code, 0);
      await eventually('it was typed', async () => (await receipts(name))[0] === 'acknowledged', { timeoutMs: 20_000 });
    }
    assert.equal((await orc('prompt', 'Runs', '--queue', 'said later')).code, 0);
    const isOver = async () => (await receipts('Runs')).join() === 'acknowledged,acknowledged';
    await eventually('another one was typed', isOver, { timeoutMs: 20_000 });
    assert.equal((await orc('stop', 'Rests')).code, 0);
    assert.equal((await orc('data', 'restore', file, '--yes')).code, 0);
    await eventually('it begins anew', async () => (await rows()).length === 2, { timeoutMs: 20_000 });
    assert.equal((await orc('start', '--existing', 'Rests')).code, 0);
    assert.deepEqual(await receipts('Rests'), ['acknowledged']);
    assert.deepEqual(await receipts('Runs'), ['acknowledged', 'acknowledged'], 'of who lives, also what the backup does not know'); // prettier-ignore
    const { answer } = await orc('screen', 'Rests');
    assert.doesNotMatch(JSON.stringify(answer), /say it once/);
    assert.equal((await orc('data', 'check')).code, 0);
  });

  it('S24 R12 what a person allowed is kept as it was shown, is exported, and comes back with an agent that was removed', async () => {
    const engine = await machine.engine();
    await engine.becomes('ready');
    assert.equal((await orc('start', 'demo', '--name', 'Asker', '--prompt', 'approve')).code, 0);
    type Asking = {
      readonly request?: { readonly title: string; readonly canAllow: boolean };
      readonly generation: number;
    };
    const asker = async (): Promise<Asking | undefined> =>
      ((await orc('list')).answer as { readonly agents: readonly Asking[] }).agents[0];
    await eventually('it asks', async () => (await asker())?.request?.canAllow === true, { timeoutMs: 20_000 });
    assert.equal((await orc('approve', 'Asker', '--yes')).code, 0);
    const found = async (): Promise<readonly { readonly about: string; readonly text: string }[]> =>
      ((await orc('data', 'search', 'build')).answer as { readonly found: readonly { about: string; text: string }[] })
        .found;
    const allowed = async () => (await found()).find(({ about }) => about === 'allowed by orc');
    await eventually('it is found', async () => (await allowed()) !== undefined);
    const answer = await allowed();
    assert.match(answer?.text ?? '', /^Allow this command\?\n.*rm -r build/);
    const [markdown, lines] = ['a.md', 'a.ndjson'].map((name) => join(machine.root, name));
    for (const file of [markdown, lines]) assert.equal((await orc('data', 'export', file ?? '')).code, 0);
    assert.match(
      readFileSync(markdown ?? '', 'utf8'),
      /- answer: allowed by orc, asked at [^\\]*Z\n- by: person\n\n```\nAllow this command\?\n/,
    );

    assert.equal((await orc('stop', 'Asker')).code, 0);
    assert.equal((await orc('remove', 'Asker', '--yes')).code, 0);
    const { counts } = (await orc('data', 'import', lines ?? '', '--yes')).answer as {
      readonly counts: Readonly<Record<string, number>>;
    };
    assert.ok((counts['new'] ?? 0) >= 1 && counts['conflicting'] === 0, JSON.stringify(counts));
    assert.equal((await orc('data', 'check')).code, 0);
    assert.equal((await orc('data', 'run', 'nosuch', 'out.ndjson')).code, 4);
    writeFileSync(join(machine.root, 'no.json'), '{"a": 1}');
    assert.equal((await orc('data', 'run', join(machine.root, 'no.json'), 'out.ndjson')).code, 2);
    assert.equal((await orc('start', '--existing', 'Asker')).code, 0);
    assert.equal((await asker())?.generation, 2);
  });

  it('R3 is told to be damaged at each start, also after a kill, until a person goes on without it', async () => {
    const start = async (): Promise<RunningEngine> => {
      const engine = await machine.engine();
      await engine.becomes('ready');
      return engine;
    };
    const end = async (engine: RunningEngine): Promise<void> => {
      await engine.call('end');
      await eventually('it has ended', () => engine.hasEnded);
    };
    const told = async (engine: RunningEngine): Promise<readonly (string | undefined)[]> =>
      (await engine.call('notices')).filter(({ fingerprint }) => fingerprint === 'store.corrupt').map(({ detail }) => detail); // prettier-ignore
    const first = await start();
    await first.call('start', { name: 'Scout', typeId: 'demo', folder: machine.workspace });
    await end(first);
    const storage = join(machine.root, 'storage');
    const main = readdirSync(storage, { recursive: true }).map(String).find((name) => /\/store-\d+\.db$/.test(name)); // prettier-ignore
    truncateSync(join(storage, main ?? ''), 5_000);
    const second = await start();
    const [detail, ...others] = await told(second);
    assert.match(detail ?? '', /put aside .*corrupt-.*Restore a backup.*Continue Without Missing Changes/);
    assert.deepEqual(others, []);
    second.kill('SIGKILL');
    await eventually('it has ended', () => second.hasEnded);
    const third = await start();
    assert.deepEqual(await told(third), [detail]);
    assert.equal((await rows()).length, 1, 'who runs is shown');
    await third.call('acceptStoreLoss');
    await eventually('it is told no more', async () => (await told(third)).length === 0);
    await third.becomes('ready');
    await end(third);
    assert.deepEqual(await told(await start()), []);
  });

  it('R5 is backed up and restored while agents run on; a damaged one comes back, too', async () => {
    const engine = await machine.engine();
    await engine.becomes('ready');
    await engine.call('start', { name: 'The Scout', typeId: 'demo', folder: machine.workspace });
    const { file } = (await orc('data', 'backup')).answer as { readonly file: string };
    await engine.call('start', { name: 'The Latecomer', typeId: 'demo', folder: machine.workspace });
    const before = await rows();
    assert.deepEqual([(await orc('data', 'restore', file)).code, await rows()], [2, before], 'not without --yes');
    assert.equal((await orc('data', 'restore', join(machine.workspace, 'none.db'), '--yes')).code !== 0, true);

    const restored = await orc('data', 'restore', file, '--yes');
    assert.equal(restored.code, 0, JSON.stringify(restored.answer));
    await eventually('both are shown', async () => (await rows()).length === 2, { timeoutMs: 20_000 });
    assert.deepEqual(await rows(), before, 'the same processes, with the name of who is not in the backup, too');
    const told = (await engine.call('notices')).find(({ fingerprint }) => fingerprint === 'store.restored');
    assert.match(
      told?.detail ?? '',
      /^It holds \d+ records\. Agents kept running; .* Restore from Backup undoes this\.$/,
    );
    const { presentBackup } = restored.answer as { readonly presentBackup: string };
    const { backups } = (await orc('data', 'backups')).answer as {
      readonly backups: readonly { readonly file: string }[];
    };
    assert.deepEqual(backups.map((backup) => backup.file), [presentBackup, file]); // prettier-ignore
    assert.equal((await orc('data', 'check')).code, 0);

    await engine.call('end');
    await eventually('it has ended', () => engine.hasEnded);
    const storage = join(machine.root, 'storage');
    const main = readdirSync(storage, { recursive: true }).map(String).find((name) => /\/store-\d+\.db$/.test(name)); // prettier-ignore
    truncateSync(join(storage, main ?? ''), 5_000);
    const next = await machine.engine();
    await next.becomes('ready');
    const corrupt = (await next.call('notices')).find(({ fingerprint }) => fingerprint === 'store.corrupt');
    assert.match(corrupt?.detail ?? '', /put aside as .*corrupt-.*Restore a backup/);
    assert.deepEqual((await rows()).map(({ pid }) => pid), before.map(({ pid }) => pid), 'they run on'); // prettier-ignore
    assert.equal((await orc('data', 'restore', presentBackup, '--yes')).code, 0);
    await eventually('the names are back', async () => (await rows())[0]?.name.startsWith('The '), {
      timeoutMs: 20_000,
    });
    assert.deepEqual(await rows(), before);
    assert.ok(
      (await next.call('notices')).every(({ fingerprint }) => fingerprint !== 'store.corrupt'),
      'it is mended',
    );
    const status = (await orc('data', 'status')).answer as { readonly asideBytes: number; readonly engine: string };
    assert.ok(status.asideBytes > 0 && status.engine.startsWith('sql.js'));
  });
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually';
import { EngineMachine } from '../../support/runningEngine';

/** Flips one bit in each copy of the agent's record in the closed store: its name is another one, its checksum is not. */
function damageAgent(storage: string, name: string): void {
  const files = readdirSync(storage, { recursive: true }).map((file) => join(storage, String(file)));
  const main = files.find((file) => /store-\d+\.db$/.test(file));
  assert.ok(main);
  const bytes = readFileSync(main);
  const text = `"name":"${name}"`;
  let count = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1), count++)
    bytes[at + 8] = (bytes[at + 8] ?? 0) ^ 1;
  assert.ok(count > 0, 'the record is in the file');
  writeFileSync(main, bytes);
}

describe('A store with a damaged record', function () {
  this.timeout(60_000);
  let machine: EngineMachine;
  beforeEach(() => {
    machine = new EngineMachine();
  });
  afterEach(() => machine.end());

  it('lets the engine work: the others are there, what runs is shown and not started twice, a person is told', async () => {
    const first = await machine.engine();
    await first.becomes('ready');
    for (const name of ['Scout', 'Writer', 'Sleeper'])
      await first.call('start', { name, typeId: 'demo', folder: machine.workspace });
    await first.call('stop', 'sleeper' as never);
    const before = await first.call('agents');
    await first.call('end');
    await eventually('it has ended', () => first.hasEnded);
    for (const name of ['Scout', 'Sleeper']) damageAgent(join(machine.root, 'storage'), name);

    for (let round = 1; round <= 2; round++) {
      const engine = await machine.engine();
      await engine.becomes('ready');
      const after = await engine.call('agents');
      const row = (id: string) => after.find((one) => one.id === id);
      assert.equal(row('writer')?.name, 'Writer');
      assert.deepEqual(
        after.map(({ id, pid, lifecycle }) => [id, pid, lifecycle]).sort(),
        before.filter(({ id }) => id !== 'sleeper').map(({ id, pid, lifecycle }) => [id, pid, lifecycle]).sort(),
      ); // prettier-ignore
      assert.deepEqual([row('scout')?.name, row('scout')?.typeId], ['scout', 'command']);
      const notices = (await engine.call('notices')).filter(
        ({ fingerprint }) => fingerprint === 'store.damagedRecords',
      );
      assert.match(notices[0]?.detail ?? '', /2 agents \(scout, sleeper\)/);
      await engine.call('end');
      await eventually('it has ended', () => engine.hasEnded);
    }

    const last = await machine.engine();
    await last.becomes('ready');
    await last.call('stop', 'scout' as never);
    const id = await last.call('start', { name: 'Sleeper', typeId: 'demo', folder: machine.workspace });
    assert.equal(id, 'sleeper-2', 'the id of one that cannot be read is not given away');
  });
});

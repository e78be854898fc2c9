import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { AgentRecord } from '../../../src/core/agents/agent';
import { isFinal, type PromptDelivery } from '../../../src/core/agents/delivery/promptDelivery';
import { SystemClock } from '../../../src/core/base/clock';
import { OrchestratorError } from '../../../src/core/base/errors';
import { silentLogger } from '../../../src/core/base/log';
import type { DataStore } from '../../../src/core/data/dataStore';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { ValidatedStore } from '../../../src/core/data/validation/validatedStore';
import { AGENT_CHANGES, AGENTS, APPROVALS } from '../../../src/core/dataAgentStore';
import { DELIVERIES } from '../../../src/core/dataDeliveryStore';
import { createKeptValidator } from '../../../src/core/keptRules';
import { createExporter, type OwnerExportPorts } from '../../../src/core/ownerExport';
import { createImporter, type OwnerImportPorts } from '../../../src/core/ownerImport';
import { PIPELINES } from '../../../src/core/data/processing/pipelineStore';
import type { ImportReport } from '../../../src/shared/importReport';
import { agentId, aRecord, aSpec, CountingIds, seededRandom } from '../../support/builders';
import { FaultyFileSystem } from '../../support/crashFs';
import { MemoryImportFile, sha256Digest } from '../../support/memoryImport';
import { mutated } from '../../support/mutatedBytes';
import { journalIsWhole, sqlite3Check } from '../../support/sqlite3';
import { temporaryFolder } from '../../support/storeWorker';
import { openInProcess } from '../../support/storeWorkerInProcess';
import { trials } from '../../support/trials';

const { signal } = new AbortController();
const hash = 'a'.repeat(64);
const lineId = '0'.repeat(26);

/** With everything that a run leaves, so that an import has something to take away. */
const running = aRecord({
  ...{
    id: agentId('scout'),
    desired: 'running',
    lifecycle: 'running',
    activity: 'busy',
    generation: 3,
    createdAtMs: 500,
  },
  spec: aSpec({ name: 'Scout', typeId: 'command', command: ['true'], env: { TOKEN: 'canary', MODE: 'x' } }),
  ...{ process: { pid: 7, startTime: '8' }, sessionId: 'session', restartsAtMs: [1], isFirstPromptDone: true },
});
const delivery: PromptDelivery = {
  ...{ id: 'd1', agentId: agentId('scout'), generation: 1, text: 'go', prepared: 'go', changes: [] },
  ...{
    state: 'typed',
    submitCount: 1,
    createdAtMs: 1_000,
    stateAtMs: 2_000,
    steps: { queued: 1_000 },
    actor: 'person',
  },
};

describe('imports of damaged files by the real importer', () => {
  const clock = new SystemClock();
  const breathe = (): Promise<void> => new Promise((done) => setImmediate(done));
  const validator = createKeptValidator(clock);
  const file = new MemoryImportFile();
  let bases: readonly Buffer[];
  before(async () => {
    bases = await Promise.all((['ndjson', 'json'] as const).map(exported));
    // Whole, each of them comes in: what is refused below is refused for its damage.
    for (const base of bases) {
      const store = await filled(new ValidatedStore(new MemoryDataStore({ clock }), validator), false);
      file.bytes = base;
      file.portion = 400;
      const run = importer(store);
      const told = await run({ file: '/x.json' }, () => undefined, signal);
      const { counts } = await run({ file: '/x.json', apply: told.fingerprint }, () => undefined, signal);
      assert.deepEqual([counts.new, counts.invalid, counts.skipped], [5, 0, 1]);
      await store.close();
    }
  });

  async function filled(store: DataStore, hasOwn: boolean): Promise<DataStore> {
    const mine: AgentRecord = { ...running, lifecycle: 'stopped', desired: 'stopped', activity: 'unknown' };
    const { process: _ended, ...stopped } = mine;
    if (hasOwn)
      await store.tx((tx) => tx.put(AGENTS, 'scout', { ...stopped, spec: { ...stopped.spec, args: ['mine'] } }));
    return store;
  }

  /** What a store with an agent that runs, its history, a prompt, a pipeline and an approval is exported as. */
  async function exported(format: 'ndjson' | 'json'): Promise<Buffer> {
    const store = new MemoryDataStore({ clock });
    await store.tx((tx) => {
      tx.put(AGENTS, 'scout', running);
      tx.put(AGENTS, 'gone', aRecord({ id: agentId('gone'), lifecycle: 'created', desired: 'stopped' }));
      tx.put(AGENT_CHANGES, lineId, {
        ...{
          id: lineId,
          agentId: agentId('scout'),
          generation: 3,
          atMs: 900,
          reason: 'ready',
          actor: 'engine',
          evidence: [],
        },
        from: { lifecycle: 'starting', activity: 'unknown' },
        to: { lifecycle: 'running', activity: 'idle' },
      });
      tx.put(DELIVERIES, 'd1', delivery);
      tx.put(PIPELINES, 'p1', { name: 'p1', version: 1, steps: [{ use: 'csv', with: { columns: ['id'] } }] });
      tx.put(APPROVALS, hash, {
        hash,
        shown: 'Scout\n  command: true\n  folder: /x',
        approvedAtMs: 1,
        actor: 'person',
      });
    });
    let text = '';
    const digest = (): string => {
      const sum = sha256Digest();
      sum.update(Buffer.from(text));
      return sum.hex();
    };
    const exportFiles = {
      create: async () => ({
        write: async (more: string) => void (text += more),
        digest,
        restart: async () => void (text = ''),
        finish: async () => text.length,
        abandon: async () => undefined,
      }),
      createDatabase: () => assert.fail('no database'),
    } as OwnerExportPorts['workspace']['exportFiles'];
    const run = createExporter({ store, workspace: { exportFiles, breathe }, clock, log: silentLogger });
    await run({ file: '/x', format, withSecrets: true }, () => undefined, signal);
    await store.close();
    return Buffer.from(text);
  }

  function importer(store: DataStore): ReturnType<typeof createImporter> {
    const supervisor = {
      registry: { isNameTaken: () => false, find: () => undefined },
      isAtRest: () => true,
      admit: (_admission: unknown, write: () => Promise<unknown>) => write(),
    } as unknown as OwnerImportPorts['supervisor']; // of which no agent lives
    const importFiles = { open: file.open, newDigest: sha256Digest };
    const workspace = { importFiles, breathe };
    return createImporter({ store, validator, supervisor, workspace, clock, ids: new CountingIds() });
  }

  /** Refused with a reason and nothing written, or taken in whole: and then nothing runs, waits or is approved. */
  async function assertImport(store: DataStore, round: number): Promise<'refused' | 'taken'> {
    const random = seededRandom(round);
    file.bytes = mutated(bases[round % bases.length] ?? Buffer.of(), random);
    file.portion = 1 + Math.floor(random() * 400);
    const before = store.health.seq;
    const pick = (share: number): boolean => random() < share;
    const request = { file: '/x.json', replace: pick(0.5), skipInvalid: pick(0.8), acceptChanged: pick(0.8) };
    const run = importer(store);
    let report: ImportReport | undefined;
    try {
      const told = await run(request, () => undefined, signal);
      assert.equal(store.health.seq, before, 'telling writes nothing');
      report = await run({ ...request, apply: told.fingerprint }, () => undefined, signal);
    } catch (error) {
      if (!(error instanceof OrchestratorError)) throw new Error(`round ${round}`, { cause: error });
      assert.equal(store.health.seq, before, `round ${round}: refused, and nothing was written`);
    }
    assert.equal(file.openCount, 0);
    if (!report) return 'refused';
    const { counts, records } = report;
    assert.ok(store.health.seq - before >= counts.new + counts.replaced, `round ${round}`);
    assert.equal(Object.values(counts).reduce((sum, each) => sum + each, 0), records, `round ${round}`); // prettier-ignore
    assert.equal((await store.find(APPROVALS)).length, 0, `round ${round}: no approval came in`);
    for (const { value } of await store.find(AGENTS)) {
      const { desired, lifecycle, process } = value;
      assert.deepEqual([desired, process], ['stopped', undefined], `round ${round}`);
      assert.ok(['created', 'stopped', 'retired'].includes(lifecycle), `round ${round}: ${lifecycle}`);
    }
    for (const { value } of await store.find(DELIVERIES)) assert.ok(isFinal(value.state), `round ${round}`);
    return report.counts.new + report.counts.replaced > 0 ? 'taken' : 'refused';
  }

  it('R5 S17 records of the real kinds are taken in whole and at rest, or not at all', async function () {
    const rounds = trials(50, 10_000, 30_000);
    this.timeout(60_000 + rounds * 100);
    const outcomes = { refused: 0, taken: 0 };
    for (let round = 0; round < rounds; round++) {
      const memory = new MemoryDataStore({ clock });
      outcomes[await assertImport(await filled(new ValidatedStore(memory, validator), round % 3 === 0), round)]++;
      await memory.close();
    }
    process.stdout.write(`      ${outcomes.taken} taken, ${outcomes.refused} not\n`);
    assert.ok(outcomes.taken > rounds / 20 && outcomes.refused > rounds / 20);
  });

  it('R5 S17 the same into a store on a file, which is whole afterwards', async function () {
    const rounds = trials(20, 1_000, 3_000);
    this.timeout(60_000 + rounds * 200);
    const { folder, remove } = temporaryFolder();
    const files = new FaultyFileSystem();
    files.waitsForDisk = false; // the power stays
    try {
      for (let round = 0; round < rounds; round++) {
        const at = path.join(folder, 'store');
        fs.rmSync(at, { recursive: true, force: true });
        fs.mkdirSync(at, { mode: 0o700 });
        const { store } = await openInProcess(at, files);
        await assertImport(await filled(new ValidatedStore(store, validator), round % 3 === 0), 1_000_000 + round);
        const { seq } = store.health;
        await store.close();
        const again = await openInProcess(at, files);
        assert.deepEqual([again.store.health.seq, again.report.missingChanges], [seq, undefined], `round ${round}`);
        await again.store.close();
        if (round % 20 === 0 && seq > 0) assert.equal(await sqlite3Check(at, journalIsWhole), 'ok\n1\n', `round ${round}`); // prettier-ignore
      }
    } finally {
      remove();
    }
  });
});

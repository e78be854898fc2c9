import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/core/base/log';
import { AGENTS } from '../../../src/core/dataAgentStore';
import { DataError } from '../../../src/core/data/dataErrors';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { ProcessingError } from '../../../src/core/data/processing/processingErrors';
import { TransformationRegistry } from '../../../src/core/data/processing/transformationRegistry';
import { createKeptValidator } from '../../../src/core/keptRules';
import { createPipelines } from '../../../src/core/ownerPipelines';
import { agentId, aRecord, aSpec, CountingIds } from '../../support/builders';
import { ManualClock } from '../../support/manualClock';
import { MemoryExportFiles } from '../../support/memoryExportFiles';

/** Cannot hold its file still, as a damaged one; read-only while `isFull`. */
class BrokenStore extends MemoryDataStore {
  isFull = false;

  override snapshot(): Promise<never> {
    return Promise.reject(new DataError('data.corrupt', 'the file is damaged'));
  }

  override tx<T>(...call: Parameters<MemoryDataStore['tx']>): Promise<T> {
    if (this.isFull) return Promise.reject(new DataError('data.readOnly', 'the disk is full'));
    return super.tx(...call) as Promise<T>; // as its callback returns
  }
}

const only = { use: 'filter', with: { where: { op: 'eq', path: 'kind', value: 'agent' } } };
const fields = { id: { path: 'id' }, team: { path: 'value.spec.team' } };
const numbers = {
  name: 'numbers',
  version: 1,
  steps: [only, { use: 'map', with: { fields } }, { use: 'coerce', with: { types: { team: 'number' } } }],
};

describe('pipelines where the file of the store cannot be held still', () => {
  const signal = new AbortController().signal;

  async function make(maxTeams: readonly string[]) {
    const clock = new ManualClock();
    const store = new BrokenStore({ clock });
    for (const [index, team] of maxTeams.entries())
      await store.tx((tx) => tx.put(AGENTS, `a${index}`, aRecord({ id: agentId(`a${index}`), spec: aSpec({ team }) })));
    const exportFiles = new MemoryExportFiles();
    const workspace = { exportFiles, breathe: async () => undefined };
    const registry = new TransformationRegistry();
    const ports = { store, registry, validator: createKeptValidator(clock), workspace, clock, ids: new CountingIds() };
    const pipelines = createPipelines({ ...ports, log: silentLogger });
    const run = (pipeline: unknown) =>
      pipelines.runPipeline({ pipeline, file: '/out', overwrite: true }, () => undefined, signal);
    return { store, pipelines, run, files: exportFiles.texts };
  }

  it('run also when they refuse records: what they write about it is not what they read', async () => {
    const { run, pipelines, files } = await make(['1', 'red']);
    const report = await run(numbers);
    assert.deepEqual([report.out, report.rejected], [1, 1]);
    assert.equal((await pipelines.rejected('numbers')).length, 1);
    await run('numbers');
    assert.equal((await pipelines.rejected('numbers')).length, 1, 'of the last run only');
    assert.equal(files.get('/out'), '{"id":"a0","team":1}\n');
  });

  it('run on a full disk when nothing is to be kept', async () => {
    const { run, store, files } = await make(['1', '2']);
    await run(numbers);
    store.isFull = true;
    const report = await run('numbers');
    assert.deepEqual([report.out, report.rejected], [2, 0]);
    assert.equal((files.get('/out') ?? '').split('\n').length, 3);
  });

  it('keep what the run before refused until a run has come to its end', async () => {
    const { run, store, pipelines } = await make(['red', '2']);
    await run(numbers);
    const before = await pipelines.rejected('numbers');
    store.isFull = true;
    await assert.rejects(run('numbers'), (error) => DataError.is(error, 'data.readOnly'));
    assert.deepEqual(await pipelines.rejected('numbers'), before);
  });

  it('keep what was refused before a run failed, so that it can be looked at', async () => {
    const { run, pipelines, files } = await make(['red', '1', '2']);
    const measures = { count: { op: 'count' } };
    const count = { use: 'aggregate', with: { window: { kind: 'all' }, by: ['id'], measures, maxOpenRows: 1 } };
    const failing = { ...numbers, steps: [...numbers.steps, count] };
    await assert.rejects(run(failing), (error) => ProcessingError.is(error, 'processing.boundExceeded'));
    assert.equal((await pipelines.rejected('numbers')).length, 1);
    assert.equal(files.size, 0);
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { AGENTS, APPROVALS } from '../../../src/core/dataAgentStore';
import { DELIVERIES } from '../../../src/core/dataDeliveryStore';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { ProcessingError } from '../../../src/core/data/processing/processingErrors';
import { TransformationRegistry } from '../../../src/core/data/processing/transformationRegistry';
import { ValidatedStore } from '../../../src/core/data/validation/validatedStore';
import { createKeptValidator } from '../../../src/core/keptRules';
import { FLEET_TYPES } from '../../../src/core/fleetTypes';
import { createPipelines } from '../../../src/core/ownerPipelines';
import { silentLogger } from '../../../src/core/base/log';
import { agentId, aRecord, aSpec, aType, CountingIds } from '../../support/builders';
import { ManualClock } from '../../support/manualClock';
import { MemoryExportFiles } from '../../support/memoryExportFiles';

const teams = {
  name: 'teams',
  version: 1,
  steps: [
    { use: 'filter', with: { where: { op: 'eq', path: 'kind', value: 'agent' } } },
    { use: 'map', with: { fields: { id: { path: 'id' }, key: { path: 'value.spec.env.KEY' }, team: { path: 'value.spec.team' } } } },
    { use: 'coerce', with: { types: { team: 'number' } } },
  ],
}; // prettier-ignore

describe('pipelines of an owner', () => {
  let files: MemoryExportFiles['texts'];
  let store: ValidatedStore;
  let registry: TransformationRegistry;
  const signal = new AbortController().signal;

  async function make() {
    const clock = new ManualClock();
    registry = new TransformationRegistry();
    const validator = createKeptValidator(clock);
    store = new ValidatedStore(new MemoryDataStore({ clock }), validator);
    for (const [id, team] of [['a', '1'], ['b', 'red'], ['c', '3']] as const) // prettier-ignore
      await store.tx((tx) => tx.put(AGENTS, id, aRecord({ id: agentId(id), spec: aSpec({ team, env: { KEY: 'hunter2' } }) }))); // prettier-ignore
    const exportFiles = new MemoryExportFiles();
    files = exportFiles.texts;
    const workspace = { exportFiles, breathe: async () => undefined };
    const ports = { store, registry, validator, workspace, clock, ids: new CountingIds(), log: silentLogger };
    createPipelines(ports).pipelines; // a session before this one: the steps are there already
    return createPipelines(ports);
  }

  it('are as the documentation shows one', async () => {
    const pipelines = await make();
    const docs = readFileSync('docs/orc.md', 'utf8');
    const example = JSON.parse(/```json\n(\{\n {2}"name": "prompts"[^]*?)\n```/.exec(docs)?.[1] ?? '') as typeof teams;
    const common = { agentId: agentId('a'), generation: 1, text: 't', prepared: 't', changes: [], steps: {}, submitCount: 1, createdAtMs: 1, stateAtMs: 2, actor: 'person' }; // prettier-ignore
    for (const [id, state] of [
      ['d1', 'acknowledged'],
      ['d2', 'acknowledged'],
      ['d3', 'failed'],
    ] as const)
      // prettier-ignore
      await store.tx((tx) => tx.put(DELIVERIES, id, { ...common, id, state }));
    await pipelines.runPipeline({ pipeline: example, file: '/out' }, () => undefined, signal);
    assert.match(
      files.get('/out') ?? '',
      /Agent.*State.*Prompts[^]*\| a +\| acknowledged +\| 2 +\|\n\| a +\| failed +\| 1 +\|/,
    );
  });

  it('run over what is kept, without secrets, and keep what was refused, of the last run only', async () => {
    const pipelines = await make();
    const told: number[] = [];
    const report = await pipelines.runPipeline(
      { pipeline: teams, file: '/out' },
      ({ done }) => told.push(done),
      signal,
    );
    assert.deepEqual([report.in, report.out, report.rejected, report.name], [3 + 1, 2, 1, 'teams']); // the pipeline is kept, too
    const lines = (files.get('/out') ?? '').trim().split('\n').map((line) => JSON.parse(line) as { key: string }); // prettier-ignore
    assert.deepEqual(lines.map(({ key: _key, ...rest }) => rest), [{ id: 'a', team: 1 }, { id: 'c', team: 3 }]); // prettier-ignore
    assert.equal(JSON.stringify([...files]).includes('hunter2'), false);
    assert.deepEqual((await pipelines.pipelines()).map(({ name }) => name), ['teams']); // prettier-ignore
    await pipelines.runPipeline({ pipeline: 'teams', file: '/again' }, () => undefined, signal);
    await assert.rejects(pipelines.rejected('nope'), { code: 'processing.unknownPipeline' });
    const rejected = await pipelines.rejected('teams');
    assert.deepEqual(rejected.map(({ run, step, stepIndex }) => [run, step, stepIndex]), [['teams', 'coerce', 2]]); // prettier-ignore
    assert.equal(JSON.stringify(rejected).includes('hunter2'), false);
    assert.equal((await pipelines.rejected()).length, 1);
    assert.ok(told.length > 0);
  });

  it('S18 are given no value of an environment variable of an approval or of a type', async () => {
    const pipelines = await make();
    const shown = 'One (Demo)\n  environment: DSN=hunter2\n  adds environment: MORE=hunter2';
    const hash = 'a'.repeat(64);
    await store.tx((tx) => tx.put(APPROVALS, hash, { hash, shown, approvedAtMs: 1, actor: 'person' }));
    await store.tx((tx) =>
      tx.put(FLEET_TYPES, 'theirs', aType({ id: 'theirs', inject: { env: { MORE: 'hunter2' } } })),
    );
    const only = (kind: string) => ({ use: 'filter', with: { where: { op: 'eq', path: 'kind', value: kind } } });
    const join = (table: string) => ({ use: 'join', with: { at: 'id', table, rightAt: 'id', as: 'same' } });
    for (const kind of ['approval', 'fleetType']) {
      const pipeline = { name: kind, version: 1, steps: [only(kind), join(kind)] };
      const { out } = await pipelines.runPipeline({ pipeline, file: `/${kind}` }, () => undefined, signal);
      assert.equal(out, 1);
    }
    assert.match(files.get('/approval') ?? '', /environment: DSN=.*"same":.*environment: DSN=/);
    assert.match(files.get('/fleetType') ?? '', /"inject":.*"same":.*"inject":/);
    assert.doesNotMatch(JSON.stringify([...files]), /hunter2/);
  });

  it('say what is wrong with them, and write nothing', async () => {
    const pipelines = await make();
    const isCode = (code: string) => (error: unknown) => error instanceof ProcessingError && error.code === code;
    const run = (pipeline: unknown) => pipelines.runPipeline({ pipeline, file: '/out' }, () => undefined, signal);
    await assert.rejects(run('teams'), isCode('processing.unknownPipeline'));
    await assert.rejects(run({ ...teams, steps: [{ use: 'nothing' }] }), isCode('processing.unknownStep'));
    await assert.rejects(pipelines.runPipeline({ pipeline: teams, file: '/out' }, () => undefined, AbortSignal.abort(new Error('enough'))), /enough/); // prettier-ignore
    assert.equal(files.size, 0);
  });

  it('join, enrich and validate with what is kept, without secrets', async () => {
    const pipelines = await make();
    const agents = { use: 'filter', with: { where: { op: 'eq', path: 'kind', value: 'agent' } } };
    const steps = [
      agents,
      { use: 'validate', with: { validator: 'agent' } },
      { use: 'enrich', with: { at: 'id', as: 'known', lookup: 'agent', missing: 'refuse' } },
      { use: 'join', with: { at: 'id', table: 'agent', rightAt: 'id', as: 'same' } },
      { use: 'map', with: { fields: { id: { path: 'id' }, known: { path: 'known.spec' }, same: { path: 'same.value.spec' } } } },
    ]; // prettier-ignore
    const report = await pipelines.runPipeline({ pipeline: { name: 'joined', version: 1, steps }, file: '/out' }, () => undefined, signal); // prettier-ignore
    assert.deepEqual([report.out, report.rejected], [3, 0]);
    const lines = (files.get('/out') ?? '').trim().split('\n').map((line) => JSON.parse(line) as { known: object; same: object }); // prettier-ignore
    for (const { known, same } of lines) assert.deepEqual(known, same);
    assert.equal(JSON.stringify([...files]).includes('hunter2'), false);
    await pipelines.runPipeline({ pipeline: 'joined', file: '/again' }, () => undefined, signal);
    assert.equal(files.get('/again'), files.get('/out'));
  });

  it('that name what is not there are refused and not kept', async () => {
    const pipelines = await make();
    for (const step of [
      { use: 'enrich', with: { at: 'id', as: 'known', lookup: 'nobody' } },
      { use: 'join', with: { at: 'id', table: 'nobody', rightAt: 'id', as: 'same' } },
      { use: 'validate', with: { validator: 'nobody' } },
    ]) {
      const pipeline = { name: 'broken', version: 1, steps: [step] };
      await assert.rejects(
        pipelines.runPipeline({ pipeline, file: '/out' }, () => undefined, signal),
        (error) => ProcessingError.is(error, 'processing.invalidPipeline'),
      );
    }
    assert.deepEqual(await pipelines.pipelines(), []);
    assert.equal(files.size, 0);
  });

  it('are forgotten by name, with what they refused; others stay', async () => {
    const pipelines = await make();
    const run = (pipeline: unknown, file: string) => pipelines.runPipeline({ pipeline, file }, () => undefined, signal);
    await run(teams, '/out');
    await run({ ...teams, name: 'others' }, '/others');
    await pipelines.removePipeline('teams');
    assert.deepEqual((await pipelines.pipelines()).map(({ name }) => name), ['others']); // prettier-ignore
    assert.deepEqual((await pipelines.rejected()).map(({ run: name }) => name), ['others']); // prettier-ignore
    assert.ok(files.has('/out'), 'what it wrote stays');
    await assert.rejects(pipelines.removePipeline('teams'), (error) =>
      ProcessingError.is(error, 'processing.unknownPipeline'),
    );
  });

  it('end in text by a step that writes it', async () => {
    const pipelines = await make();
    const table = { ...teams, name: 'table', steps: [...teams.steps.slice(0, 2), { use: 'csv', with: { columns: [{ at: 'id', header: 'Id' }] } }] }; // prettier-ignore
    await pipelines.runPipeline({ pipeline: table, file: '/out.csv' }, () => undefined, signal);
    assert.equal((files.get('/out.csv') ?? '').replaceAll('\r', ''), 'Id\na\nb\nc\n');
  });
});

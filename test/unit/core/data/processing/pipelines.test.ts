import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DataError } from '../../../../../src/core/data/dataErrors';
import { MemoryDataStore } from '../../../../../src/core/data/memoryDataStore';
import { registerBuiltInSteps } from '../../../../../src/core/data/processing/builtInSteps';
import { eachItem, type JsonObject } from '../../../../../src/core/data/processing/dataTransformation';
import { integer, optional } from '../../../../../src/core/data/processing/parameters';
import type { PipelineSpec } from '../../../../../src/core/data/processing/pipelineSpec';
import {
  listPipelines,
  loadPipeline,
  PIPELINES,
  removePipeline,
  savePipeline,
} from '../../../../../src/core/data/processing/pipelineStore';
import { ProcessingError } from '../../../../../src/core/data/processing/processingErrors';
import { TransformationRegistry } from '../../../../../src/core/data/processing/transformationRegistry';
import { ManualClock } from '../../../../support/manualClock';
import { collect, jsonRecord } from './support';

function aRegistry(): TransformationRegistry {
  const registry = new TransformationRegistry();
  registerBuiltInSteps(registry);
  return registry;
}

function aPipeline(steps: PipelineSpec['steps'], name = 'export'): PipelineSpec {
  return { name, version: 1, steps };
}

/** Every kind of step with all of its parameters. */
const everything: Readonly<Record<string, JsonObject>> = {
  map: { fields: { id: { path: 'id' }, n: { op: 'add', of: [{ path: 'n' }, { value: 1 }] } } },
  filter: {
    where: {
      op: 'and',
      of: [
        { op: 'exists', path: 'n' },
        { op: 'not', of: { op: 'in', path: 'n', values: [7] } },
      ],
    },
  },
  rename: { fields: { n: 'number' } },
  project: { paths: ['id', '/n'] },
  default: { values: { 'a.b': null }, alsoNull: true },
  coerce: { types: { n: 'text' } },
  normalise: { texts: ['id'], nfc: true, trim: false, times: ['at'] },
  redact: { paths: ['env.*'], secrets: ['named', 'jwt'] },
  validate: { validator: 'any' },
  deduplicate: { by: ['id'], window: 10 },
  sort: { by: [{ at: 'n', descending: true }], limit: 2 },
  limit: { count: 2, skip: 1 },
  aggregate: {
    window: { kind: 'count', size: 2 },
    by: ['id'],
    measures: { n: { op: 'p95', at: 'n' } },
    maxOpenRows: 5,
  },
  enrich: { at: 'id', as: 'known', lookup: 'names', missing: 'keep' },
  join: { at: 'id', table: 'rows', rightAt: 'id', as: 'row', kind: 'left' },
  pivot: { rows: ['id'], column: 'id', value: 'n', op: 'count', maxRows: 5, maxColumns: 5 },
  json: {},
  ndjson: {},
  csv: { columns: [{ at: 'id', header: 'Id' }], header: true },
  markdownTable: { columns: [{ at: 'id', header: 'Id' }] },
  markdownSections: { title: 'id', fields: ['n'], body: 'id' },
  otlp: {
    metrics: [{ at: 'n', name: 'n', unit: '1', kind: 'gauge' }],
    attributes: ['id'],
    endAt: 'n',
    startAt: 'n',
    resource: { a: 'b' },
    rowsPerLine: 5,
  },
};
const resources = {
  lookups: { names: () => new Map([['a', 'A']]) },
  tables: { rows: () => [{ id: 'a' }] },
  validators: { any: { validate: () => ({ ok: true, problems: [] }) } },
};

describe('pipelines as data', () => {
  it('may use every kind of step, and what is described is what is read', async () => {
    const registry = aRegistry();
    assert.deepEqual(
      registry.kinds.map(({ name }) => name),
      Object.keys(everything).sort(),
    );
    for (const { name, schema, description } of registry.kinds) {
      const parameters = everything[name]!;
      assert.deepEqual(Object.keys(schema.properties as object).sort(), Object.keys(parameters).sort(), name);
      assert.match(description, /^[A-Z].*\.$/);
      const compiled = registry.compile(
        JSON.parse(JSON.stringify(aPipeline([{ use: name, with: parameters }]))),
        resources,
      );
      assert.equal(compiled.steps.length, 1);
      const items =
        name === 'pivot'
          ? []
          : [
              { id: 'a', n: 1 },
              { id: 'b', n: 2 },
            ];
      assert.ok(Array.isArray(await collect(compiled, items)), name);
    }
  });

  it('do what the factories do', async () => {
    const pipeline = aPipeline([
      { use: 'filter', with: { where: { op: 'ge', path: 'n', value: 2 } } },
      { use: 'rename', with: { fields: { n: 'count' } } },
      { use: 'redact' },
      { use: 'ndjson' },
    ]);
    const records = [{ n: 1 }, { n: 2, password: 'CANARY' }];
    assert.deepEqual(await collect(aRegistry().compile(pipeline), records), ['{"password":"[redacted]","count":2}\n']);
  });

  it('name every mistake in the failure: where, which and why', () => {
    const compile = (steps: PipelineSpec['steps']) => (): unknown => aRegistry().compile(aPipeline(steps));
    const names = aRegistry().kinds.map(({ name }) => name); // prettier-ignore
    const nothing = `unknown: no kind of step has this name; there are ${names.join(', ')}`;
    assert.ok(names.includes('filter') && names.includes('markdownTable'));
    assert.throws(compile([{ use: 'nothing' }, { use: 'csv', with: { header: 'yes' } }]), {
      message: `processing.unknownStep: 2 mistakes: /steps/0/use ${nothing}; /steps/1/with/header type: this is true or false`,
    });
    const many = Array.from({ length: 25 }, () => ({ use: 'nothing' }));
    assert.throws(compile(many), /: 25 mistakes: .*\/steps\/19\/use unknown: [^;]*; and 5 more$/);
  });

  it('are refused with every mistake', () => {
    const registry = aRegistry();
    const at = (spec: unknown): string[] => registry.validate(spec).map(({ path, code }) => `${path} ${code}`);
    assert.deepEqual(at([]), [' type']);
    assert.deepEqual(at({ name: '1', steps: [{ with: 5 }, 7], more: 1 }), [
      '/more unknown',
      '/name invalid',
      '/version required',
      '/steps/0/use required',
      '/steps/0/with type',
      '/steps/1 type',
    ]);
    assert.deepEqual(
      at({ name: '1', version: 1, steps: [7, { use: 'csv', with: { header: 'yes' } }, { use: 'nothing' }] }),
      ['/name invalid', '/steps/0 type', '/steps/1/use invalid', '/steps/1/with/header type', '/steps/2/use unknown'],
    );
    const steps = [
      { use: 'nothing' },
      { use: 'csv', with: { header: 'yes' } },
      { use: 'project', with: { paths: ['a', '__proto__', 'b..c'], other: 1 } },
      {
        use: 'filter',
        with: {
          where: {
            op: 'and',
            of: [
              { op: 'eq', path: 'a', value: {} },
              { op: 'matches', path: 'a', value: 'x' },
            ],
          },
        },
      },
      { use: 'aggregate', with: { window: { kind: 'time', size: 2 }, measures: { n: { op: 'sum' } } } },
      { use: 'rename', with: { fields: { 'a..b': 'c' } } },
      { use: 'sort', with: { by: [], limit: 0 } },
      { use: 'map', with: { fields: { x: { op: 'eval', of: [{ value: 1 }] }, y: { path: 'a', value: 1 } } } },
    ];
    assert.deepEqual(at(aPipeline(steps)), [
      '/steps/0/use unknown',
      '/steps/1/use invalid',
      '/steps/1/with/header type',
      '/steps/2/with/other unknown',
      '/steps/2/with/paths/1 path',
      '/steps/2/with/paths/2 path',
      '/steps/3/with/where/of/0/value type',
      '/steps/3/with/where/of/1/op enum',
      '/steps/4/with/window/sizeMs required',
      '/steps/4/with/window/at required',
      '/steps/4/with/window/size unknown',
      '/steps/4/with/measures/n required',
      '/steps/5/with/fields/a..b path',
      '/steps/6/with/by length',
      '/steps/6/with/limit range',
      '/steps/7/with/fields/x/op enum',
      '/steps/7/with/fields/y/value unknown',
    ]);
    assert.throws(
      () => registry.compile(aPipeline(steps)),
      (error: unknown) => {
        assert.ok(ProcessingError.is(error, 'processing.unknownStep'));
        assert.equal(error.problems.length, 17);
        return true;
      },
    );
  });

  it('are bounded in depth, and code in them is never run', () => {
    let deep: unknown = { op: 'exists', path: 'a' };
    for (let level = 0; level < 5_000; level++) deep = { op: 'not', of: deep };
    const registry = aRegistry();
    assert.equal(registry.validate(aPipeline([{ use: 'filter', with: { where: deep } }]))[0]?.code, 'length');
    const wide = { op: 'or', of: Array(2_000).fill({ op: 'exists', path: 'a' }) };
    assert.equal(registry.validate(aPipeline([{ use: 'filter', with: { where: wide } }]))[0]?.code, 'length');
    assert.equal(registry.validate(aPipeline([{ use: 'filter', with: { where: () => true } }]))[0]?.code, 'type');
  });

  it('of any JSON are read without throwing', () => {
    const registry = aRegistry();
    const step = fc.record({
      use: fc.constantFrom(...Object.keys(everything)),
      with: fc.oneof(jsonRecord, fc.constantFrom(...Object.values(everything))),
    });
    return fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => aPipeline(steps)),
        ),
        (spec) => {
          for (const { path, code, message } of registry.validate(spec))
            assert.ok(path.startsWith('/') || path === '', `${path} ${code} ${message}`);
        },
      ),
    );
  });

  it('name their lookups, tables and validators', () => {
    const registry = aRegistry();
    for (const use of ['enrich', 'join', 'validate']) {
      const pipeline = aPipeline([{ use, with: everything[use]! }]);
      assert.deepEqual(registry.validate(pipeline), []);
      assert.throws(() => registry.compile(pipeline), { code: 'processing.invalidPipeline' });
    }
  });
});

describe('kinds of steps', () => {
  const times = {
    name: 'times',
    description: 'Multiplies.',
    parameters: { by: integer(1, 9), twice: optional(integer(0, 1)) },
    emits: 'records',
    create: ({ by, twice = 0 }: { readonly by: number; readonly twice?: number | undefined }) =>
      eachItem('times', (record: JsonObject) => ({ n: (record.n as number) * by * (twice + 1) })),
  } as const;

  it('can be added until they are disposed; what was compiled goes on', async () => {
    const registry = new TransformationRegistry();
    const added = registry.register(times);
    const pipeline = aPipeline([{ use: 'times', with: { by: 3, twice: 1 } }]);
    const compiled = registry.compile(pipeline);
    added.dispose();
    added.dispose();
    assert.throws(() => registry.compile(pipeline), { code: 'processing.unknownStep' });
    assert.deepEqual(await collect(compiled, [{ n: 2 }]), [{ n: 12 }]);
    assert.deepEqual(registry.kinds, []);
  });

  it('have a name each', () => {
    const registry = aRegistry();
    assert.throws(() => registry.register({ ...times, name: 'csv' }), { code: 'processing.duplicateStep' });
    assert.throws(() => registry.register({ ...times, name: 'a b' }), { code: 'processing.invalidPipeline' });
  });
});

describe('kept pipelines', () => {
  const spec = aPipeline([{ use: 'redact' }, { use: 'ndjson' }]);

  it('are kept, listed and removed by name', async () => {
    const [store, registry] = [new MemoryDataStore({ clock: new ManualClock() }), aRegistry()];
    await savePipeline(store, registry, spec);
    await savePipeline(store, registry, { ...spec, name: 'another' }, 0);
    await savePipeline(store, registry, { ...spec, version: 2 }, 1);
    assert.equal((await loadPipeline(store, 'export'))?.value.version, 2);
    assert.deepEqual(
      (await listPipelines(store)).map(({ id }) => id),
      ['another', 'export'],
    );
    await assert.rejects(savePipeline(store, registry, spec, 1), (error: unknown) =>
      DataError.is(error, 'data.conflict'),
    );
    assert.equal(await removePipeline(store, 'export'), true);
    assert.equal(await removePipeline(store, 'export'), false);
    assert.equal(await loadPipeline(store, 'export'), undefined);
  });

  it('are never kept with a mistake, and read though a kind of step is gone', async () => {
    const [store, registry] = [new MemoryDataStore({ clock: new ManualClock() }), aRegistry()];
    const bad = savePipeline(store, registry, aPipeline([{ use: 'nothing' }]));
    await assert.rejects(
      bad,
      (error: unknown) => ProcessingError.is(error, 'processing.unknownStep') && error.problems.length === 1,
    );
    await assert.rejects(savePipeline(store, registry, {}), { code: 'processing.invalidPipeline' });
    assert.deepEqual(await listPipelines(store), []);
    await store.tx((tx) => tx.put(PIPELINES, 'old', aPipeline([{ use: 'gone' }], 'old')));
    assert.equal((await loadPipeline(store, 'old'))?.value.steps[0]?.use, 'gone');
    await assert.rejects(
      store.tx((tx) => tx.put(PIPELINES, 'x', { name: 'x' } as never)),
      { code: 'data.invalid' },
    );
  });
});

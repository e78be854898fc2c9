import { type Disposable, DisposableStore } from '../../base/disposable';
import { secretKinds } from '../../../shared/redact';
import { aggregate, measureOps } from './aggregate';
import { csv } from './csvExport';
import { jsonArray, ndjson } from './jsonExport';
import { markdownSections, markdownTable } from './markdownExport';
import { deduplicate, limit, maxTopRecords, sort } from './orderSteps';
import { otlpMetrics } from './otlpExport';
import {
  condition,
  expression,
  flag,
  integer,
  json,
  list,
  oneOf,
  optional,
  type Parameters,
  recordPath,
  shape,
  table,
  text,
} from './parameters';
import { parsePath } from './recordPath';
import { coerce, defaults, filter, mapFields, normalise, project, rename, validateStep } from './recordSteps';
import { redactStep } from './redactStep';
import type { Report } from './report';
import { enrich, join, pivot, pivotOps } from './tableSteps';
import type { TransformationKind, TransformationRegistry } from './transformationRegistry';

const maxFields = 500;
const paths = list(recordPath, 1, maxFields);
const column = shape({ at: recordPath, header: text(200) });

/** A kind of step with the types of its parameters. */
function kind<const P extends Parameters>(of: TransformationKind<P>): TransformationKind<P> {
  return of;
}

/** Adds every kind of step that the product brings along. @throws {ProcessingError} processing.duplicateStep */
export function registerBuiltInSteps(registry: TransformationRegistry): Disposable {
  const owned = new DisposableStore();
  for (const register of [registerRecordSteps, registerStreamSteps, registerTableSteps, registerExports])
    register(<P extends Parameters>(of: TransformationKind<P>): void => void owned.add(registry.register(of)));
  return owned;
}

type Add = <P extends Parameters>(of: TransformationKind<P>) => void;

function registerRecordSteps(add: Add): void {
  add(
    kind({
      name: 'map',
      description: 'Makes a new record of fields, each from an expression.',
      parameters: { fields: table(expression, maxFields) },
      emits: 'records',
      create: ({ fields }) => mapFields(fields),
    }),
  );
  add(
    kind({
      name: 'filter',
      description: 'Keeps the records that a condition holds for.',
      parameters: { where: condition },
      emits: 'records',
      create: ({ where }) => filter(where),
    }),
  );
  add(
    kind({
      name: 'rename',
      description: 'Moves values: from each path to the path given for it.',
      parameters: { fields: table(recordPath, maxFields) },
      emits: 'records',
      check: ({ fields }, report) => checkNamesArePaths(fields, report),
      create: ({ fields }) => rename(fields),
    }),
  );
  add(
    kind({
      name: 'project',
      description: 'Keeps what is at these paths.',
      parameters: { paths },
      emits: 'records',
      create: (values) => project(values.paths),
    }),
  );
  add(
    kind({
      name: 'default',
      description: 'Sets values where there are none.',
      parameters: { values: table(json, maxFields), alsoNull: optional(flag) },
      emits: 'records',
      check: ({ values }, report) => checkNamesArePaths(values, report, '/values'),
      create: ({ values, alsoNull = false }) =>
        defaults(
          values.map(([at, { value }]) => [at, value]),
          { alsoNull },
        ),
    }),
  );
  add(
    kind({
      name: 'coerce',
      description: 'Makes values the types given, where nothing is lost by it.',
      parameters: { types: table(oneOf('text', 'number', 'integer', 'boolean', 'time'), maxFields) },
      emits: 'records',
      check: ({ types }, report) => checkNamesArePaths(types, report, '/types'),
      create: ({ types }) => coerce(types),
    }),
  );
  add(
    kind({
      name: 'normalise',
      description: 'Unicode NFC, no white space at the ends, times in UTC.',
      parameters: { texts: optional(paths), nfc: optional(flag), trim: optional(flag), times: optional(paths) },
      emits: 'records',
      create: ({ texts, nfc = true, trim = true, times = [] }) =>
        normalise({ ...(texts ? { texts } : {}), nfc, trim, times }),
    }),
  );
  add(
    kind({
      name: 'redact',
      description: 'Takes secrets out, by path and by what they look like.',
      parameters: { paths: optional(paths), secrets: optional(list(oneOf(...secretKinds), 0, secretKinds.length)) },
      emits: 'records',
      create: (values) => redactStep({ paths: values.paths ?? [], secrets: values.secrets ?? 'all' }),
    }),
  );
  add(
    kind({
      name: 'validate',
      description: 'Refuses what a validator finds wrong.',
      parameters: { validator: text(200) },
      emits: 'records',
      create: ({ validator }, { validators }) => validateStep(resource(validators, validator, 'validator')),
    }),
  );
}

function registerStreamSteps(add: Add): void {
  add(
    kind({
      name: 'deduplicate',
      description: 'Leaves out records whose key was among those seen last.',
      parameters: { by: paths, window: optional(integer(1, 1_000_000)) },
      emits: 'records',
      create: ({ by, window = 100_000 }) => deduplicate({ by, window }),
    }),
  );
  add(
    kind({
      name: 'sort',
      description: 'Orders records; with a limit only the first of the order are kept.',
      parameters: {
        by: list(shape({ at: recordPath, descending: optional(flag) }), 1, 20),
        limit: optional(integer(1, maxTopRecords)),
      },
      emits: 'records',
      create: ({ by, limit: most }) =>
        sort({
          by: by.map(({ at, descending = false }) => ({ at, descending })),
          ...(most === undefined ? {} : { limit: most }),
        }),
    }),
  );
  add(
    kind({
      name: 'limit',
      description: 'The first records, after those skipped.',
      parameters: { count: integer(0, Number.MAX_SAFE_INTEGER), skip: optional(integer(0, Number.MAX_SAFE_INTEGER)) },
      emits: 'records',
      create: ({ count, skip = 0 }) => limit(count, skip),
    }),
  );
  add(
    kind({
      name: 'aggregate',
      description: 'Counts, sums, extremes, means and quantiles over windows.',
      parameters: {
        window: shape({
          kind: oneOf('all', 'count', 'time'),
          size: optional(integer(1, 1_000_000_000)),
          sizeMs: optional(integer(1, 366 * 86_400_000)),
          at: optional(recordPath),
          latenessMs: optional(integer(0, 366 * 86_400_000)),
        }),
        by: optional(paths),
        measures: table(shape({ op: oneOf(...measureOps), at: optional(recordPath) }), 100),
        maxOpenRows: optional(integer(1, 100_000)),
      },
      emits: 'records',
      check: ({ window, measures }, report) => {
        const needed = { all: [], count: ['size'], time: ['sizeMs', 'at'] }[window.kind];
        const allowed = ['kind', ...needed, ...(window.kind === 'time' ? ['latenessMs'] : [])];
        const given = Object.keys(window);
        for (const name of needed)
          if (!given.includes(name)) report(`/window/${name}`, 'required', 'this kind of window needs it');
        for (const name of given)
          if (!allowed.includes(name)) report(`/window/${name}`, 'unknown', 'this kind of window has none');
        for (const [name, { op, at }] of measures)
          if (op !== 'count' && !at) report(`/measures/${name}`, 'required', 'it says where the number is ("at")');
      },
      create: ({
        window: { kind: of, size = 1, sizeMs = 1, at = [], latenessMs = 0 },
        by = [],
        measures,
        maxOpenRows = 10_000,
      }) =>
        aggregate({
          window:
            of === 'all' ? { kind: of } : of === 'count' ? { kind: of, size } : { kind: of, sizeMs, at, latenessMs },
          by,
          measures: measures.map(([name, measure]) => [
            name,
            measure.at ? { op: measure.op, at: measure.at } : { op: measure.op },
          ]),
          maxOpenRows,
        }),
    }),
  );
}

function registerTableSteps(add: Add): void {
  add(
    kind({
      name: 'enrich',
      description: 'Adds what a lookup finds for a key.',
      parameters: { at: recordPath, as: recordPath, lookup: text(200), missing: optional(oneOf('keep', 'refuse')) },
      emits: 'records',
      create: ({ at, as, lookup, missing = 'keep' }, { lookups }) =>
        enrich({ at, as, lookup: resource(lookups, lookup, 'lookup'), missing }),
    }),
  );
  add(
    kind({
      name: 'join',
      description: 'Puts the records of a table to those of the same key.',
      parameters: {
        at: recordPath,
        table: text(200),
        rightAt: recordPath,
        as: recordPath,
        kind: optional(oneOf('inner', 'left')),
      },
      emits: 'records',
      create: ({ at, table: name, rightAt, as, kind: of = 'inner' }, { tables }) =>
        join({ at, right: resource(tables, name, 'table'), rightAt, as, kind: of }),
    }),
  );
  add(
    kind({
      name: 'pivot',
      description: 'Turns values into columns.',
      parameters: {
        rows: paths,
        column: recordPath,
        value: recordPath,
        op: optional(oneOf(...pivotOps)),
        maxRows: optional(integer(1, 100_000)),
        maxColumns: optional(integer(1, 1_000)),
      },
      emits: 'records',
      create: ({ rows, column: at, value, op = 'last', maxRows = 10_000, maxColumns = 200 }) =>
        pivot({ rows, column: at, value, op, maxRows, maxColumns }),
    }),
  );
}

function registerExports(add: Add): void {
  add(kind({ name: 'json', description: 'One JSON array.', parameters: {}, emits: 'text', create: () => jsonArray() }));
  add(kind({ name: 'ndjson', description: 'Lines of JSON.', parameters: {}, emits: 'text', create: () => ndjson() }));
  add(
    kind({
      name: 'csv',
      description: 'CSV by RFC 4180; texts that a spreadsheet would run as a formula get an apostrophe in front.',
      parameters: { columns: optional(list(column, 1, maxFields)), header: optional(flag) },
      emits: 'text',
      create: ({ columns, header = true }) => csv({ ...(columns ? { columns } : {}), header }),
    }),
  );
  add(
    kind({
      name: 'markdownTable',
      description: 'A Markdown table.',
      parameters: { columns: list(column, 1, maxFields) },
      emits: 'text',
      create: ({ columns }) => markdownTable({ columns }),
    }),
  );
  add(
    kind({
      name: 'markdownSections',
      description: 'A Markdown section for each record, as in a transcript.',
      parameters: { title: recordPath, fields: optional(paths), body: optional(recordPath) },
      emits: 'text',
      create: ({ title, fields = [], body }) => markdownSections({ title, fields, ...(body ? { body } : {}) }),
    }),
  );
  add(
    kind({
      name: 'otlp',
      description: 'OTLP/JSON metrics of aggregated rows.',
      parameters: {
        metrics: list(
          shape({
            at: recordPath,
            name: text(255),
            unit: optional(text(63)),
            kind: optional(oneOf('gauge', 'deltaSum')),
          }),
          1,
          100,
        ),
        attributes: optional(paths),
        endAt: optional(recordPath),
        startAt: optional(recordPath),
        resource: optional(table(text(1_000), 100)),
        rowsPerLine: optional(integer(1, 10_000)),
      },
      emits: 'text',
      create: ({ metrics, attributes = [], endAt, startAt, resource: about = [], rowsPerLine = 500 }) =>
        otlpMetrics({
          metrics: metrics.map(({ at, name, unit, kind: of = 'gauge' }) => ({
            at,
            name,
            kind: of,
            ...(unit === undefined ? {} : { unit }),
          })),
          attributes,
          ...(endAt ? { endAt } : {}),
          ...(startAt ? { startAt } : {}),
          resource: about,
          rowsPerLine,
        }),
    }),
  );
}

function checkNamesArePaths(entries: readonly (readonly [string, unknown])[], report: Report, under = '/fields'): void {
  for (const [name] of entries)
    if (!parsePath(name))
      report(
        `${under}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        'path',
        'a path is written agent.name or /agent/name',
      );
}

/** @throws {RangeError} when there is none of this name */
function resource<T>(from: Readonly<Record<string, T>> | undefined, name: string, what: string): T {
  const found = from && Object.hasOwn(from, name) ? from[name] : undefined;
  if (found === undefined) throw new RangeError(`there is no ${what} of this name`);
  return found;
}

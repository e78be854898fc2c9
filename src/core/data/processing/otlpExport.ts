import { asRecord, type DataTransformation, type JsonObject, type StepRun, transformation } from './dataTransformation';
import { RecordRejection } from './processingErrors';
import { formatPath, getAt, type RecordPath } from './recordPath';
import { type Place, toPath } from './recordSteps';

export interface OtlpMetric {
  /** Where the number of a row is; a row without it adds no point. */
  readonly at: Place;
  readonly name: string;
  /** UCUM: `ms`, `By`, `1`, `{request}`. */
  readonly unit?: string;
  /** `gauge` (default); `deltaSum`: grows only, counted from the start of the row's own window. */
  readonly kind?: 'gauge' | 'deltaSum';
}

export interface OtlpOptions {
  /** At least one. */
  readonly metrics: readonly OtlpMetric[];
  /** Attributes of a point: text, number and truth values of the row; others are left out. */
  readonly attributes?: readonly Place[];
  /** Epoch milliseconds of the end and the start of a row; default `windowEndMs` and `windowStartMs`, as `aggregate` makes them. */
  readonly endAt?: Place;
  readonly startAt?: Place;
  /** Attributes of the resource; `service.name` should be among them. */
  readonly resource?: readonly (readonly [name: string, value: string])[];
  readonly scope?: { readonly name: string; readonly version?: string };
  /** Rows told in one line, 1 to 10 000; default 500. */
  readonly rowsPerLine?: number;
}

/**
 * Rows of `aggregate` as OTLP/JSON: each line is one ExportMetricsServiceRequest, as OpenTelemetry's file exporter
 * writes them (OTLP 1.x, "JSON Protobuf Encoding": 64-bit integers are texts). Refuses: otlp.notATime, otlp.notANumber.
 */
export function otlpMetrics(options: OtlpOptions): DataTransformation<JsonObject, string> {
  return transformation('otlp', () => otlpRun(options));
}

type Attribute = { readonly key: string; readonly value: JsonObject };

function otlpRun(options: OtlpOptions): StepRun<JsonObject, string> {
  const { rowsPerLine = 500 } = options;
  const metrics = options.metrics.map((metric) => ({ ...metric, at: toPath(metric.at), points: [] as JsonObject[] }));
  const attributePaths = (options.attributes ?? []).map(toPath);
  const [endAt, startAt] = [toPath(options.endAt ?? 'windowEndMs'), toPath(options.startAt ?? 'windowStartMs')];
  let rowCount = 0;
  const takeLine = (): string => {
    const line = `${JSON.stringify(request(options, metrics))}\n`;
    for (const metric of metrics) metric.points = [];
    rowCount = 0;
    return line;
  };
  return {
    push: (item, emit) => {
      const row = asRecord(item, 'otlp');
      const times = { startTimeUnixNano: nanosAt(row, startAt), timeUnixNano: nanosAt(row, endAt) };
      const attributes = attributePaths.flatMap((parts) => attributeOf(formatPath(parts), getAt(row, parts)));
      const points = metrics.map(({ at }) => pointOf(row, at, times, attributes)); // all before anything is kept
      for (const [index, metric] of metrics.entries()) {
        const point = points[index];
        if (point) metric.points.push(point);
      }
      if (++rowCount >= rowsPerLine) emit(takeLine());
    },
    finish: () => (rowCount > 0 ? [takeLine()] : []),
  };
}

function pointOf(
  row: JsonObject,
  at: RecordPath,
  times: JsonObject,
  attributes: readonly Attribute[],
): JsonObject | undefined {
  const value = getAt(row, at) ?? null;
  if (value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new RecordRejection('otlp.notANumber', `${formatPath(at)} is no number`);
  const number = Number.isSafeInteger(value) ? { asInt: String(value) } : { asDouble: value };
  return { attributes, ...times, ...number };
}

function request(
  options: OtlpOptions,
  metrics: readonly (OtlpMetric & { readonly points: readonly JsonObject[] })[],
): JsonObject {
  const resource = { attributes: (options.resource ?? []).flatMap(([name, value]) => attributeOf(name, value)) };
  const told = metrics.filter(({ points }) => points.length > 0);
  const scopeMetrics = [{ scope: options.scope ?? { name: 'core-orchestrator' }, metrics: told.map(metricOf) }];
  return { resourceMetrics: [{ resource, scopeMetrics }] };
}

function metricOf({ name, unit, kind, points }: OtlpMetric & { readonly points: readonly JsonObject[] }): JsonObject {
  const data =
    kind === 'deltaSum'
      ? { sum: { dataPoints: points, aggregationTemporality: 1, isMonotonic: true } } // 1: AGGREGATION_TEMPORALITY_DELTA
      : { gauge: { dataPoints: points } };
  return { name, ...(unit === undefined ? {} : { unit }), ...data };
}

function attributeOf(key: string, value: unknown): readonly Attribute[] {
  if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
  if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }];
  if (typeof value !== 'number' || !Number.isFinite(value)) return [];
  return [{ key, value: Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value } }];
}

function nanosAt(row: JsonObject, at: RecordPath): string {
  const ms = getAt(row, at);
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0) return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
  throw new RecordRejection('otlp.notATime', `${formatPath(at)} is no time`);
}

import { mayHoldSecret, redact } from '../../../shared/redact';
import type { KeptRecord } from '../dataStore';
import { type DataTransformation, eachItem } from '../processing/dataTransformation';
import { toPath } from '../processing/recordSteps';
import type { Place } from '../processing/recordSteps';
import { redactor } from '../processing/redactStep';
import { lineOf } from './exportFormat';

/**
 * Takes secrets out of records as they are kept: by place (below `value`), and by what they look like. Only what may hold one is parsed, since
 * most records hold none.
 */
export function redactKept(places: readonly Place[]): DataTransformation<KeptRecord, KeptRecord> {
  const clean = redactor({ paths: places });
  const names = places.map((place) => `"${toPath(place).findLast((part) => part !== '*') ?? ''}":`);
  return eachItem('redact', (record) => {
    const { id, json } = record;
    if (!mayHoldSecret(json) && !names.some((name) => json.includes(name)) && redact(id) === id) return record;
    const { value } = clean({ value: JSON.parse(json) as unknown });
    return { ...record, id: redact(id), json: JSON.stringify(value) };
  });
}

/** Everything passes. */
export function keepAll(): DataTransformation<KeptRecord, KeptRecord> {
  return eachItem('keep', (record) => record);
}

/** Each record as a line that ends with LF. */
export function ndjsonLines(): DataTransformation<KeptRecord, string> {
  return eachItem('ndjson', (record) => `${lineOf(record)}\n`);
}

/** Each record as an element of an array that goes on: one on each line, with the comma after it. */
export function jsonElements(): DataTransformation<KeptRecord, string> {
  return eachItem('json', (record) => `${lineOf(record)},\n`);
}

import type { Clock } from '../../base/clock';
import { boundedJson } from '../validation/jsonText';
import { asRecord, type JsonObject, transformation } from './dataTransformation';
import { json, optional, type Parameters } from './parameters';
import { RecordRejection } from './processingErrors';
import type { TransformationKind } from './transformationRegistry';

/** What another extension gives for a kind of step. */
export interface OutsideTransformation {
  /** `publisher.extension/name`: what a pipeline says in `use`. */
  readonly name: string;
  /** One sentence for people. */
  readonly description: string;
  /**
   * Makes of a record another one, several, or none (undefined, an empty list). Synchronous and pure; it sees copies, also of the
   * parameters of its step (`with: { parameters: … }`). What it throws refuses the record.
   */
  readonly apply: (record: JsonObject, parameters: unknown) => JsonObject | readonly JsonObject[] | undefined;
}

/** A step of somebody else that takes longer for one record is slow. */
export const SLOW_STEP_MS = 50;
/** So many slow records, one after the other, and the step refuses all that follow in this run. */
export const SLOW_STEP_RECORDS = 3;
/** Records that it may make of one. */
export const MAX_MADE = 1_000;
const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;

/**
 * A kind of step whose code comes from outside of the product, contained: a failure of any kind refuses one record
 * (`<name>.failed`, `.notRecords`, `.tooLarge`, `.suspended`) and never ends the run. Code that runs cannot be interrupted: after
 * {@link SLOW_STEP_RECORDS} slow records in a row it is not called any more in this run.
 */
export function outsideKind(given: OutsideTransformation, clock: Clock): TransformationKind<Parameters> {
  const { name, description, apply } = given;
  return {
    name,
    description,
    parameters: { parameters: optional(json) },
    emits: 'records',
    create: (values) => {
      const { parameters } = values as { readonly parameters?: { readonly value: unknown } | undefined }; // read by the table above
      return transformation(name, () => {
        let slow = 0;
        return {
          push: (item, emit) => {
            if (slow >= SLOW_STEP_RECORDS) throw new RecordRejection(`${name}.suspended`, 'this step is too slow');
            const record = structuredClone(asRecord(item, name));
            const startedAtMs = clock.monotonicMs();
            let made: unknown;
            try {
              made = apply(record, structuredClone(parameters?.value));
            } catch {
              throw new RecordRejection(`${name}.failed`, 'the step itself failed'); // its message may hold anything
            } finally {
              slow = clock.monotonicMs() - startedAtMs > SLOW_STEP_MS ? slow + 1 : 0;
            }
            for (const one of readMade(made, name)) emit(one);
          },
        };
      });
    },
  };
}

/** Copies: what the other side keeps hold of cannot change on its way. @throws {RecordRejection} */
function readMade(made: unknown, name: string): readonly JsonObject[] {
  if (made === undefined || made === null) return [];
  if (made instanceof Promise) made.catch(() => undefined); // told by the answer being wrong
  const list: readonly unknown[] = Array.isArray(made) ? made : [made];
  if (list.length > MAX_MADE)
    throw new RecordRejection(`${name}.tooLarge`, `it made more than ${MAX_MADE} records of one`);
  return list.map((one) => {
    if (typeof one !== 'object' || one === null || Array.isArray(one))
      throw new RecordRejection(`${name}.notRecords`, 'it made something that is no record');
    const text = readText(one, name);
    if (text.ok) return JSON.parse(text.text) as JsonObject; // an object, just asked
    if (text.reason === 'notJson')
      throw new RecordRejection(`${name}.notRecords`, 'it made something that is no plain JSON');
    throw new RecordRejection(`${name}.tooLarge`, 'it made a record that is larger than one may be');
  });
}

function readText(value: object, name: string): ReturnType<typeof boundedJson> {
  try {
    return boundedJson(value, MAX_DEPTH, MAX_BYTES);
  } catch {
    throw new RecordRejection(`${name}.notRecords`, 'it made a record that cannot be read');
  }
}

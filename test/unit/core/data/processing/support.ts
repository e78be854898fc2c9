import fc from 'fast-check';
import type { DataTransformation, JsonObject } from '../../../../../src/core/data/processing/dataTransformation';
import { RecordRejection } from '../../../../../src/core/data/processing/processingErrors';

/** Records of any JSON, with names short enough to meet. */
export const jsonRecord: fc.Arbitrary<JsonObject> = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,3}$/),
  fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,2}$/), fc.jsonValue({ maxDepth: 1 })),
  ),
  { maxKeys: 6, noNullPrototype: true },
) as fc.Arbitrary<JsonObject>;

/** Records of which many have the same `a` and a number `n`. */
export const shortRecord: fc.Arbitrary<JsonObject> = fc.record(
  {
    a: fc.constantFrom<unknown>(0, 1, 'x', 'Z', '', null, true, 'é'),
    n: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant(null)),
    t: fc.string({ maxLength: 5 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

export async function collect<I, O>(transformation: DataTransformation<I, O>, items: Iterable<I>): Promise<O[]> {
  const found: O[] = [];
  for await (const item of transformation.stream(items)) found.push(item);
  return found;
}

/** The code that `transformation` refuses `item` with; undefined when it does not. */
export async function refusal<I, O>(transformation: DataTransformation<I, O>, item: I): Promise<string | undefined> {
  try {
    await collect(transformation, [item]);
    return undefined;
  } catch (error) {
    if (error instanceof RecordRejection) return error.code;
    throw error;
  }
}

import type { Problem } from './agentErrors';

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How long and how many: limits that every document from outside is held to. */
export interface StringLimits {
  readonly minLength?: number;
  readonly maxLength: number;
  readonly pattern?: RegExp;
  /** What is expected, for the message. */
  readonly expected?: string;
}

/**
 * Reads a document from outside property by property and collects every problem with its path instead of stopping
 * at the first. A reader method returns `undefined` for what is absent or wrong.
 */
export class JsonReader {
  readonly problems: Problem[] = [];

  report(path: string, message: string): undefined {
    this.problems.push({ path, message });
    return undefined;
  }

  object(value: unknown, path: string): JsonObject | undefined {
    return isJsonObject(value) ? value : this.report(path, 'must be an object');
  }

  /** Reports properties that are not in `known`: a typing mistake must not pass in silence. */
  onlyKnown(object: JsonObject, path: string, known: readonly string[]): void {
    for (const key of Object.keys(object))
      if (!known.includes(key)) this.report(join(path, key), `is not a known property; there are: ${known.join(', ')}`);
  }

  string(value: unknown, path: string, limits: StringLimits): string | undefined {
    if (typeof value !== 'string') return this.report(path, 'must be a string');
    const { minLength = 1, maxLength, pattern, expected } = limits;
    if (value.length < minLength || value.length > maxLength) {
      return this.report(path, `must have ${minLength} to ${maxLength} characters`);
    }
    if (value.includes('\0')) return this.report(path, 'must not contain a NUL character');
    if (pattern && !pattern.test(value)) return this.report(path, expected ?? `must match ${pattern.source}`);
    return value;
  }

  optionalString(value: unknown, path: string, limits: StringLimits): string | undefined {
    return value === undefined ? undefined : this.string(value, path, limits);
  }

  oneOf<const T extends string>(value: unknown, path: string, allowed: readonly T[]): T | undefined {
    const found = allowed.find((one) => one === value);
    return found ?? this.report(path, `must be one of ${allowed.join(', ')}`);
  }

  integer(value: unknown, path: string, min: number, max: number): number | undefined {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.report(path, `must be a whole number from ${min} to ${max}`);
  }

  boolean(value: unknown, path: string): boolean | undefined {
    return typeof value === 'boolean' ? value : this.report(path, 'must be true or false');
  }

  /** Reads each element; elements with problems are left out (and reported by `read`). */
  array<T>(
    value: unknown,
    path: string,
    maxCount: number,
    read: (item: unknown, path: string) => T | undefined,
  ): readonly T[] | undefined {
    if (!Array.isArray(value)) return this.report(path, 'must be an array');
    if (value.length > maxCount) return this.report(path, `must have at most ${maxCount} elements`);
    return value.map((item, index) => read(item, `${path}[${index}]`)).filter((item) => item !== undefined);
  }

  strings(value: unknown, path: string, maxCount: number, limits: StringLimits): readonly string[] | undefined {
    return this.array(value, path, maxCount, (item, at) => this.string(item, at, limits));
  }

  /** Environment variables: names by POSIX, values up to 32 KiB. Values are never part of a message. */
  environment(value: unknown, path: string): Readonly<Record<string, string>> | undefined {
    const object = this.object(value, path);
    if (!object) return undefined;
    const entries: [string, string][] = [];
    for (const [name, item] of Object.entries(object).slice(0, 200)) {
      if (!ENVIRONMENT_NAME.test(name)) this.report(join(path, name), 'is not a name for an environment variable');
      const text = this.string(item, join(path, name), { minLength: 0, maxLength: 32_768 });
      if (text !== undefined) entries.push([name, text]);
    }
    if (Object.keys(object).length > 200) this.report(path, 'must have at most 200 variables');
    return Object.fromEntries(entries);
  }
}

/** POSIX.1-2017 8.1, with lower case as it is used in practice. */
export const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Path of a property; names that are not plain identifiers are quoted. */
export function join(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${path}[${JSON.stringify(key.slice(0, 60))}]`;
  return path === '' ? key : `${path}.${key}`;
}

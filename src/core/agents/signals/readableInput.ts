import { isJsonObject, type JsonObject } from '../jsonReader';

/** In which inputs what is run, changed or opened stands, in this order. */
export const SUBJECTS = ['command', 'cmd', 'file_path', 'filePath', 'path', 'url', 'pattern'] as const;
const BEFORE = ['old_string', 'oldString'] as const;
const AFTER = ['new_string', 'newString', 'content'] as const;
const INDENT = '  ';

/**
 * A tool's input as a person reads it, with nothing left out: what is run, changed or opened first and as it is, then what is taken from a file
 * (`- `) and put into it (`+ `), then every other field as `name: value`, lists and fields within them indented. Pure; cleans nothing.
 */
export function readableInput(input: unknown): string {
  if (input === undefined || input === null) return '';
  const { value, isExact } = decoded(input);
  const lines = isJsonObject(value) ? objectLines(value) : valueLines(value);
  return [...lines, ...(isExact ? [] : ['as it was told:', ...indented([String(input)])])].join('\n');
}

/** Some programs tell their input as the text of JSON. `isExact`: the text says nothing that its value does not (a name twice, for example). */
export function decoded(input: unknown): { readonly value: unknown; readonly isExact: boolean } {
  if (typeof input !== 'string' || !/^\s*[{[]/.test(input)) return { value: input, isExact: true };
  try {
    const value = JSON.parse(input) as unknown;
    const bare = (text: string): string => text.replace(/\s/g, '');
    return { value, isExact: bare(JSON.stringify(value)) === bare(input) };
  } catch {
    return { value: input, isExact: true }; // text that only begins like JSON
  }
}

/** A list of words as one would type it in a shell. */
export function commandLine(words: readonly string[]): string {
  return words
    .map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

export function isWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string');
}

function objectLines(input: JsonObject): readonly string[] {
  const rest = new Map(Object.entries(input));
  const take = (keys: readonly string[], isFit: (value: unknown) => boolean): unknown => {
    const key = keys.find((each) => isFit(rest.get(each)));
    const value = key === undefined ? undefined : rest.get(key);
    if (key !== undefined) rest.delete(key);
    return value;
  };
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
  const subject = take(SUBJECTS, (value) => isText(value) || isWords(value));
  const [before, after] = [take(BEFORE, isText), take(AFTER, isText)];
  return [
    ...(subject === undefined ? [] : [isWords(subject) ? commandLine(subject) : String(subject)]),
    ...(before === undefined ? [] : marked('- ', String(before))),
    ...(after === undefined ? [] : marked('+ ', String(after))),
    ...[...rest].flatMap(([name, value]) => fieldLines(name, value)),
  ];
}

/** `name: value`, or the value in lines of its own below its name. */
function fieldLines(name: string, value: unknown): readonly string[] {
  const label = /^[\w.$@-]+$/.test(name) ? name : JSON.stringify(name);
  const lines = valueLines(value);
  const isInline = lines.length === 1 && !isList(value);
  return isInline ? [`${label}: ${lines[0] ?? ''}`] : [`${label}:`, ...indented(lines)];
}

function valueLines(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split('\n');
  if (Array.isArray(value)) return value.length === 0 ? ['[]'] : value.flatMap(itemLines);
  if (!isJsonObject(value)) return [JSON.stringify(value) ?? ''];
  const lines = objectOrdered(value);
  return lines.length === 0 ? ['{}'] : lines;
}

/** Within a list or a field: an edit reads as an edit there, too; what has none of its fields keeps its order and its names. */
function objectOrdered(value: JsonObject): readonly string[] {
  const isEdit = [...BEFORE, ...AFTER].some((key) => typeof value[key] === 'string' && value[key] !== '');
  return isEdit ? objectLines(value) : Object.entries(value).flatMap(([name, field]) => fieldLines(name, field));
}

function itemLines(item: unknown): readonly string[] {
  const [first = '', ...more] = valueLines(item);
  return [`* ${first}`, ...indented(more)];
}

function isList(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isJsonObject(value) && Object.keys(value).length > 0;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split('\n')).map((line) => INDENT + line);
}

function marked(mark: string, text: string): readonly string[] {
  return text.split('\n').map((line) => mark + line);
}

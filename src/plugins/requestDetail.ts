import { fieldsOf } from '../shared/reportLine';
import { UNTOLD_FIELD } from '../shared/untoldInput';
import type { Json } from './engineLine';
import type { ToolCall } from './toolCalls';

/** Under one of these opencode names what is run, changed or opened. */
const SUBJECTS = ['command', 'filepath', 'filePath', 'path', 'url'];
const ANY = '*';

/**
 * What a person is shown of opencode's request: its metadata and its patterns, and the input of the call that it comes from. Many requests, those
 * for MCP tools above all, say nothing themselves (no metadata, the pattern `*`); one whose input is not known says that it is not complete.
 */
export function requestDetail(request: Json, call: ToolCall | undefined): Json {
  const { permission } = request;
  const metadata = fieldsOf(request['metadata']);
  const patterns = Array.isArray(request['patterns']) ? request['patterns'].map(String).join('\n') : '';
  const saysMore = Object.keys(metadata).length > 0 || patterns !== ANY;
  // A script that uses tools asks in the name of its own call for each of them: the input of that call is not theirs.
  const input = call?.tool === permission || saysMore ? call?.input : undefined;
  const told = typeof metadata['diff'] === 'string' ? metadata : withInput(metadata, input); // the difference is what the input does
  const hasSubject = SUBJECTS.some((key) => typeof metadata[key] === 'string');
  const isWhole = input !== undefined || permission === 'doom_loop'; // which tells the input of the calls that it is about
  return {
    ...(!hasSubject && patterns !== ANY && patternField(patterns, told)),
    ...told,
    ...(!isWhole && { [UNTOLD_FIELD]: 'the input of the tool; look into its terminal' }),
  };
}

/** Side by side where no name means two things; else each under a name of its own. */
function withInput(metadata: Json, input: unknown): Json {
  if (input === undefined) return metadata;
  const fields = Array.isArray(input) ? [] : Object.entries(fieldsOf(input));
  const isClear = fields.every(([name, value]) => !Object.hasOwn(metadata, name) || isSame(metadata[name], value));
  if (fields.length > 0 && isClear) return { ...Object.fromEntries(fields), ...metadata };
  return Object.keys(metadata).length > 0 ? { metadata, input } : { input };
}

function patternField(patterns: string, told: Json): Json {
  return Object.hasOwn(told, 'command') ? { patterns } : { command: patterns };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

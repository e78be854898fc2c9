import { asRecord, type DataTransformation, eachItem, type JsonObject, transformation } from './dataTransformation';
import { jsonOf } from './jsonExport';
import { formatPath, getAt, type RecordPath } from './recordPath';
import { type Place, toPath } from './recordSteps';

export interface MarkdownTableOptions {
  /** At least one. */
  readonly columns: readonly { readonly at: Place; readonly header: string }[];
}

/** A table (GitHub Flavored Markdown), a row for each record. */
export function markdownTable({ columns }: MarkdownTableOptions): DataTransformation<JsonObject, string> {
  const paths = columns.map(({ at }) => toPath(at));
  const rowOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const head = rowOf(columns.map(({ header }) => escapeMarkdown(header))) + rowOf(columns.map(() => '---'));
  return transformation('markdownTable', () => {
    let isFirst = true;
    return {
      push: (item, emit) => {
        const record = asRecord(item, 'markdownTable');
        const row = rowOf(paths.map((parts) => escapeMarkdown(plainText(getAt(record, parts), 'markdownTable'))));
        emit(isFirst ? head + row : row);
        isFirst = false;
      },
      finish: () => (isFirst ? [head] : []),
    };
  });
}

export interface MarkdownSectionsOptions {
  /** Where the heading of a section is. */
  readonly title: Place;
  /** Shown as a list below the heading; missing and null are left out. */
  readonly fields?: readonly Place[];
  /** Shown as it is, in a code fence; missing and null: no fence. */
  readonly body?: Place;
}

/** A section for each record, as for the transcript of a conversation. */
export function markdownSections(options: MarkdownSectionsOptions): DataTransformation<JsonObject, string> {
  const [title, fields] = [toPath(options.title), (options.fields ?? []).map(toPath)];
  const body = options.body === undefined ? undefined : toPath(options.body);
  return eachItem('markdownSections', (item) => {
    const record = asRecord(item, 'markdownSections');
    const lines = fields.flatMap((parts) => fieldLine(record, parts));
    const text = body && getAt(record, body);
    const heading = escapeMarkdown(plainText(getAt(record, title), 'markdownSections')) || '–';
    const list = lines.length > 0 ? `${lines.join('')}\n` : '';
    const fence = text === undefined || text === null ? '' : `${codeFence(plainText(text, 'markdownSections'))}\n`;
    return `## ${heading}\n\n${list}${fence}`;
  });
}

function fieldLine(record: JsonObject, parts: RecordPath): readonly string[] {
  const value = getAt(record, parts) ?? null;
  if (value === null) return [];
  return [`- ${escapeMarkdown(formatPath(parts))}: ${escapeMarkdown(plainText(value, 'markdownSections'))}\n`];
}

function plainText(value: unknown, step: string): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : jsonOf(value, step);
}

/** Characters that nobody sees: controls, and those that turn the direction of text around. */
const invisible = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * What CommonMark 0.31 and GitHub Flavored Markdown would interpret within a line: backslashes before punctuation, code, emphasis, strikethrough, tables, formulas, HTML,
 * links and addresses, entities, `_` unless it is within a word. At its beginning: headings, quotes, lists, underlines; at its end: what closes a heading.
 */
const markup =
  /\\(?=[!-/:-@[-`{-~]|$)|[`*~|$<[@]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|&(?=[#A-Za-z])|:(?=\/\/)|(?<=[wW]{3})\.|^[#>+=-]|(?<=^\d{1,9})[.)]|#(?=#*$)/gu;

/**
 * `text` as one line that is shown as it is: nothing in it is markup, HTML, an entity or a link, lines become one, and invisible characters are taken out. What is
 * no markup where it stands is not escaped, so that it can be read as it is.
 */
export function escapeMarkdown(text: string): string {
  return text.replace(/\s+/gu, ' ').replace(invisible, '').trim().replace(markup, '\\$&');
}

/** `text` in a fence longer than any run of backticks inside of it: no text can end it. Invisible characters but tab and LF are taken out. */
export function codeFence(text: string): string {
  const plain = text
    .replace(/\r\n?/g, '\n')
    .replace(invisible, (character) => (character === '\n' || character === '\t' ? character : ''));
  let longest = 2;
  for (const [run] of plain.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${plain}${plain === '' || plain.endsWith('\n') ? '' : '\n'}${fence}\n`;
}

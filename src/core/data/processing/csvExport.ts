import { asRecord, type DataTransformation, type JsonObject, transformation } from './dataTransformation';
import { jsonOf } from './jsonExport';
import { RecordRejection } from './processingErrors';
import { getAt, type RecordPath } from './recordPath';
import { type Place, toPath } from './recordSteps';

export interface CsvColumn {
  readonly at: Place;
  readonly header: string;
}

export interface CsvOptions {
  /**
   * Default: the properties of the first record. A later record with other properties is then refused
   * (csv.unknownColumn), since leaving them out would lose them in silence.
   */
  readonly columns?: readonly CsvColumn[];
  /** A line with the names of the columns comes first. Default true. */
  readonly header?: boolean;
}

/**
 * CSV by RFC 4180: commas, CRLF, quotes where needed. Numbers and truth values are written bare; missing and null are
 * an empty field, an empty text is `""`; objects and lists are JSON.
 *
 * **Formula guard**: spreadsheets run a text that begins with `=`, `+`, `-`, `@`, tab, CR or LF as a formula (OWASP, "CSV
 * Injection"), and some drop a NUL before it, so such a text, also as a header, gets an apostrophe in front. Numbers stay numbers: -5 is `-5`, the
 * text "-5" is `'-5`. Whoever reads the file back cannot tell a guarded text from one with an apostrophe of its own.
 *
 * Refuses: csv.unknownColumn, csv.notJson, csv.notFinite.
 */
export function csv(options: CsvOptions = {}): DataTransformation<JsonObject, string> {
  const given = options.columns?.map(({ at, header }) => ({ at: toPath(at), header }));
  return transformation('csv', () => {
    let columns = given;
    let names: ReadonlySet<string> = new Set();
    let isFirst = true;
    const head = (): string =>
      options.header === false || !columns ? '' : lineOf(columns.map(({ header }) => csvText(header)));
    return {
      push: (item, emit) => {
        const record = asRecord(item, 'csv');
        const used = columns ?? columnsOf(record);
        if (!columns) names = new Set(Object.keys(record));
        if (!given) checkColumns(record, names);
        const line = lineOf(used.map(({ at }) => csvField(getAt(record, at))));
        columns = used;
        emit(isFirst ? head() + line : line);
        isFirst = false;
      },
      finish: () => (isFirst && head() !== '' ? [head()] : []),
    };
  });
}

type Column = { readonly at: RecordPath; readonly header: string };

function columnsOf(record: JsonObject): Column[] {
  return Object.keys(record).map((name) => ({ at: [name], header: name }));
}

function checkColumns(record: JsonObject, names: ReadonlySet<string>): void {
  for (const name of Object.keys(record))
    if (!names.has(name))
      throw new RecordRejection('csv.unknownColumn', 'it has a property that the first record had not');
}

/** A single empty field would be an empty line, which readers skip. */
function lineOf(fields: readonly string[]): string {
  return fields.length === 1 && fields[0] === '' ? '""\r\n' : `${fields.join(',')}\r\n`;
}

/** One field. @throws {RecordRejection} csv.notFinite, csv.notJson */
export function csvField(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return csvText(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') return quoted(jsonOf(value, 'csv'));
  if (Number.isFinite(value)) return String(value);
  throw new RecordRejection('csv.notFinite', 'a number is not finite');
}

const formulaStarts = '=+-@\t\r\n\0';

function csvText(text: string): string {
  const guarded = text !== '' && formulaStarts.includes(text.charAt(0)) ? `'${text}` : text;
  return guarded === '' || /[",\r\n\t]|^\s|\s$/.test(guarded) ? quoted(guarded) : guarded;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

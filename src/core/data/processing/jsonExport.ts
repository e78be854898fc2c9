import { type DataTransformation, eachItem, transformation } from './dataTransformation';
import { RecordRejection } from './processingErrors';

/** Lines of JSON (https://jsonlines.org), each ended by LF. Refuses: ndjson.notJson. */
export function ndjson<T>(): DataTransformation<T, string> {
  return eachItem('ndjson', (item) => `${jsonOf(item, 'ndjson')}\n`);
}

/** One JSON array, a record on each line. Nothing at all makes `[]`. Refuses: json.notJson. */
export function jsonArray<T>(): DataTransformation<T, string> {
  return transformation('json', () => {
    let isFirst = true;
    return {
      push: (item, emit) => {
        const text = jsonOf(item, 'json');
        emit(isFirst ? `[\n${text}` : `,\n${text}`);
        isFirst = false;
      },
      finish: () => [isFirst ? '[]\n' : '\n]\n'],
    };
  });
}

/** @throws {RecordRejection} `<step>.notJson` */
export function jsonOf(item: unknown, step: string): string {
  const text = tryJson(item, step) as string | undefined; // undefined for functions and undefined, whatever the types say
  if (text === undefined) throw new RecordRejection(`${step}.notJson`, 'JSON cannot express it');
  return text;
}

function tryJson(item: unknown, step: string): string {
  try {
    return JSON.stringify(item);
  } catch (cause) {
    throw new RecordRejection(`${step}.notJson`, 'JSON cannot express it', { cause });
  }
}

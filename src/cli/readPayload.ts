import { fstatSync, readFileSync } from 'node:fs';

/** More than any program tells a hook; what comes after it is not read. */
const MAX_INPUT_BYTES = 32 * 1024 * 1024;
/** A program that leaves the input open has nothing more to say by then. */
const PATIENCE_MS = 1_000;

/**
 * What a program told its hook: JSON on standard input, or as an argument. A terminal and an empty input say nothing: `{}`. Text
 * that is no JSON is handed on as a text. Never rejects.
 */
export async function readPayload(argument: string | undefined): Promise<unknown> {
  const text = argument ?? (await readInput());
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // some programs tell plain text
  }
}

function readInput(): Promise<string> {
  try {
    const stat = fstatSync(0);
    if (stat.isFile()) return Promise.resolve(stat.size > MAX_INPUT_BYTES ? '' : readFileSync(0, 'utf8'));
    if (!stat.isFIFO() && !stat.isSocket()) return Promise.resolve('');
  } catch {
    return Promise.resolve(''); // no standard input at all
  }
  return readStream();
}

function readStream(): Promise<string> {
  const input = process.stdin;
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let size = 0;
    const done = (): void => {
      clearTimeout(timer);
      input.destroy();
      resolve(Buffer.concat(parts).toString('utf8'));
    };
    const timer = setTimeout(done, PATIENCE_MS);
    input.on('data', (part: Buffer) => {
      parts.push(part);
      size += part.length;
      if (size > MAX_INPUT_BYTES) done();
    });
    input.on('end', done);
    input.on('error', done);
  });
}

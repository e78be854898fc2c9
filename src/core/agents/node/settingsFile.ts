import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { applyEdits, modify, parse, type ParseError } from 'jsonc-parser';
import { isJsonObject, type JsonObject } from '../jsonReader';
import { settingChanges } from '../signals/homePlan';

/** Settings, comments and trailing commas allowed; empty when there are none, undefined when they cannot be read. @throws system errors */
export async function readSettings(path: string): Promise<JsonObject | undefined> {
  return parseSettings(await readText(path));
}

/**
 * Changes a user's settings as a program has changed its copy of them; everything else, comments too, stays as it is. One that cannot
 * be read is left alone. @throws system errors
 */
export async function changeSettings(
  path: string,
  { given, now, ours }: { readonly given: JsonObject; readonly now: JsonObject; readonly ours: JsonObject },
): Promise<void> {
  const before = await readText(path);
  const theirs = parseSettings(before);
  if (!theirs) return;
  const changes = settingChanges(given, now, { theirs, ours });
  if (changes.length === 0) return;
  const formattingOptions = { insertSpaces: true, tabSize: 2 };
  let text = before.trim() === '' ? '{}\n' : before;
  for (const { path: at, value } of changes)
    text = applyEdits(text, modify(text, [...at], value, { formattingOptions }));
  await replaceFile(path, text);
}

/** In one step, with the rights that the file has; of a link, what it leads to. @throws system errors */
export async function replaceFile(path: string, content: string | Buffer): Promise<void> {
  const target = await realpath(path).catch(() => path); // missing: it is made here
  const mode = await stat(target).then(({ mode: rights }) => rights & 0o777, () => 0o600); // prettier-ignore
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
    await file.close();
    await rename(temporary, target);
  } catch (error) {
    await file.close().catch(() => undefined); // closed already, or the disk is full: the first error tells
    await rm(temporary, { force: true });
    throw error;
  }
}

function parseSettings(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  return errors.length === 0 && isJsonObject(value) ? value : undefined;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}

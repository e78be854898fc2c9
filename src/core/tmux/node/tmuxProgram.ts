import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { TmuxError } from '../tmuxErrors';
import { isSupportedTmux, MINIMUM_TMUX, parseTmuxVersion, type TmuxVersion } from '../tmuxVersion';
import { runProgram } from './runProgram';

/** A tmux that can be used. */
export interface TmuxProgram {
  /** Absolute. */
  readonly path: string;
  readonly version: TmuxVersion;
}

/** 10 s: a first start from a cold disk under load. */
const VERSION_TIMEOUT_MS = 10_000;

/**
 * Finds tmux and proves that it is new enough: one short process.
 * @param setting an absolute path a person has set, or undefined to look along `env.PATH`.
 * @throws {TmuxError} tmux.notInstalled – nothing executable there, or it is no tmux; tmux.tooOld – older than 3.3.
 */
export async function findTmux(
  setting: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<TmuxProgram> {
  const path = setting ? await requireSetting(setting) : await lookUp('tmux', env.PATH ?? '');
  if (path === undefined) throw new TmuxError('tmux.notInstalled', '-V', { detail: 'no tmux on the PATH' });
  const { stdout } = await runProgram(path, ['-V'], { env, timeoutMs: VERSION_TIMEOUT_MS });
  const version = parseTmuxVersion(stdout);
  if (!version) throw new TmuxError('tmux.notInstalled', '-V', { detail: `${path} does not say that it is tmux` });
  if (!isSupportedTmux(version)) {
    throw new TmuxError('tmux.tooOld', '-V', {
      detail: `found ${version.text}, needed ${MINIMUM_TMUX.major}.${MINIMUM_TMUX.minor}`,
    });
  }
  return { path, version };
}

async function requireSetting(setting: string): Promise<string> {
  if (isAbsolute(setting) && (await isExecutableFile(setting))) return setting;
  throw new TmuxError('tmux.notInstalled', '-V', {
    detail: `the set path is no absolute path of a program: ${setting}`,
  });
}

async function lookUp(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    const candidate = join(folder, name);
    if (isAbsolute(folder) && (await isExecutableFile(candidate))) return candidate;
  }
  return undefined;
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false; // any reason why it cannot be executed makes it no candidate
  }
}

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { type GatewayPointer, POINTER_VARIABLE } from '../shared/gatewayProtocol';
import { storageCandidates, STORAGE_VARIABLE } from '../shared/storageFolders';
import { CliError, ExitCode, usageError } from './exitCodes';
import { readPointer } from './pointerFile';

/** Workspaces looked at when the folder itself leads nowhere. */
const MAX_WORKSPACES = 500;

export interface PointerSearch {
  /** `--workspace`; default: the current folder. */
  readonly workspace?: string | undefined;
  /** `--storage`; default: beside this program, else where editors keep it. */
  readonly storage?: string | undefined;
  readonly cwd: string;
  /** Folder of this program. */
  readonly programFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The gateway of the folder: the one the environment names (inside an agent), else the nearest folder upwards that an engine was
 * started for. @throws {CliError} NoEngine, with the folders that were looked at
 */
export function findPointer(search: PointerSearch): GatewayPointer {
  const named = search.env[POINTER_VARIABLE];
  if (named && search.workspace === undefined) return expectPointer(named) ?? missing(`there is no ${named}`);
  const start = search.workspace === undefined ? search.cwd : resolve(search.cwd, search.workspace);
  if (!existsSync(start)) throw usageError(`there is no folder ${start}`, 'Name an existing one with --workspace.');
  const storages = storagesOf(search);
  const folders = upwards(realPath(start));
  for (const folder of folders) {
    for (const storage of storages) {
      const pointer = expectPointer(join(storage, 'workspaces', workspaceIdOf(folder), 'gateway.json'));
      if (pointer) return pointer;
    }
  }
  const others = storages.flatMap(allPointers);
  const saved = others.filter(
    ({ workspace }) => /\.code-workspace$/.test(workspace) && folders.includes(dirname(workspace)),
  );
  if (saved.length === 1 && saved[0]) return saved[0];
  return missing(
    `no engine was started for ${folders.join(', ')}`,
    others.map(({ workspace }) => workspace).filter(Boolean),
  );
}

/** As the engine names workspaces (src/core/node/localWorkspace.ts). */
export function workspaceIdOf(realPath: string): string {
  return createHash('sha256').update(realPath).digest('hex').slice(0, 16);
}

function missing(what: string, others: readonly string[] = []): never {
  const elsewhere =
    others.length > 0
      ? ` Engines were started for: ${others.slice(0, 5).join(', ')} (--workspace DIR chooses one).`
      : '';
  throw new CliError(
    ExitCode.NoEngine,
    `no engine found: ${what}`,
    `Open the folder in VS Code with Core Orchestrator, or start the headless host for it.${elsewhere}`,
  );
}

/** Undefined when there is none. @throws {CliError} NoEngine when it is broken */
function expectPointer(file: string): GatewayPointer | undefined {
  const read = readPointer(file);
  if (read.kind === 'found') return read.pointer;
  if (read.kind === 'missing') return undefined;
  throw new CliError(
    ExitCode.NoEngine,
    `the pointer file ${file} cannot be used: ${read.reason}`,
    'A window that manages the folder writes it anew when it starts: reload that window.',
  );
}

/** An installed `orc` lies in `<storage>/bin`; one that is run from elsewhere looks where editors keep their data. */
function storagesOf({ storage, programFolder, env }: PointerSearch): readonly string[] {
  if (storage !== undefined) return [resolve(storage)];
  const own = dirname(programFolder);
  if (basename(programFolder) === 'bin' && existsSync(join(own, 'workspaces'))) return [own];
  const named = env[STORAGE_VARIABLE];
  return named ? [named] : storageCandidates(process.platform, env, homedir()).filter((folder) => existsSync(folder));
}

function upwards(folder: string): readonly string[] {
  const folders = [folder];
  for (let at = dirname(folder); at !== folders.at(-1); at = dirname(at)) folders.push(at);
  return folders;
}

function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder; // gone meanwhile: it keeps its name
  }
}

function allPointers(storage: string): readonly GatewayPointer[] {
  const folder = join(storage, 'workspaces');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .slice(0, MAX_WORKSPACES)
    .flatMap((name) => {
      const read = readPointer(join(folder, name, 'gateway.json'));
      return read.kind === 'found' ? [read.pointer] : [];
    });
}

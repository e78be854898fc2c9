import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
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
  const start = search.workspace === undefined ? search.cwd : path.resolve(search.cwd, search.workspace);
  if (!fs.existsSync(start)) throw usageError(`there is no folder ${start}`, 'Name an existing one with --workspace.');
  const storages = storagesOf(search);
  const folders = upwards(realPath(start));
  for (const folder of folders) {
    for (const storage of storages) {
      const pointer = expectPointer(path.join(storage, 'workspaces', workspaceIdOf(folder), 'gateway.json'));
      if (pointer) return pointer;
    }
  }
  const others = storages.flatMap(allPointers);
  const saved = others.filter(
    ({ workspace }) => /\.code-workspace$/.test(workspace) && folders.includes(path.dirname(workspace)),
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
  if (storage !== undefined) return [path.resolve(storage)];
  const own = path.dirname(programFolder);
  if (path.basename(programFolder) === 'bin' && fs.existsSync(path.join(own, 'workspaces'))) return [own];
  const named = env[STORAGE_VARIABLE];
  return named
    ? [named]
    : storageCandidates(process.platform, env, os.homedir()).filter((folder) => fs.existsSync(folder));
}

function upwards(folder: string): readonly string[] {
  const folders = [folder];
  for (let at = path.dirname(folder); at !== folders.at(-1); at = path.dirname(at)) folders.push(at);
  return folders;
}

function realPath(folder: string): string {
  try {
    return fs.realpathSync(folder);
  } catch {
    return folder; // gone meanwhile: it keeps its name
  }
}

function allPointers(storage: string): readonly GatewayPointer[] {
  const folder = path.join(storage, 'workspaces');
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .slice(0, MAX_WORKSPACES)
    .flatMap((name) => {
      const read = readPointer(path.join(folder, name, 'gateway.json'));
      return read.kind === 'found' ? [read.pointer] : [];
    });
}

import { createHash, randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { inheritedEnvironment } from '../agents/environment';
import { LinuxProcesses } from '../agents/node/linuxProcesses';
import { LoginShellEnvironment } from '../agents/node/loginShellEnvironment';
import { NodeHomeFolders } from '../agents/node/nodeHomeFolders';
import { NodeLaunchChecks } from '../agents/node/nodeLaunchChecks';
import { NodeTrialRun } from '../agents/node/nodeTrialRun';
import { NodeStatusFiles } from '../agents/node/nodeStatusFiles';
import { NodeUsageReader } from '../agents/node/nodeUsageReader';
import { PsProcesses } from '../agents/node/psProcesses';
import type { Clock } from '../base/clock';
import { describeError, OrchestratorError } from '../base/errors';
import { UlidIds } from '../base/ids';
import type { Logger } from '../base/log';
import { EpochWorkspaceLock } from '../data/node/epochWorkspaceLock';
import { NodeExportFiles } from '../data/node/nodeExportFiles';
import { nodeImportFiles } from '../data/node/nodeImportFiles';
import { NodeStoreKeeper } from '../data/node/nodeStoreKeeper';
import { checkInThread } from '../data/node/runCheck';
import { MonthArchive } from '../data/node/monthArchive';
import { StoreEngineChoice } from '../data/storeEngine';
import type { Diagnosis } from '../engine';
import type { GatewayClient } from '../gateway/gatewayClient';
import { GatewayError } from '../gateway/gatewayErrors';
import { connectGateway } from '../gateway/node/connectGateway';
import { findTmux } from '../tmux/node/tmuxProgram';
import { TmuxAgentHost } from '../tmux/node/tmuxAgentHost';
import type { Workspace } from '../workspace';
import { HookSpoolReader } from './hookSpoolReader';
import { openWorkspaceStore } from './openWorkspaceStore';
import { installTools, orcPath } from './toolsFolder';
import { openWorkspaceAccess, pointerFileOf, spoolFolderOf } from './workspaceAccess';
import { version } from '../../../package.json';

export interface LocalWorkspaceOptions {
  /** Path of the folder or of the `.code-workspace` file; undefined: no folder is open. */
  readonly path: string | undefined;
  /** Where data of all workspaces is kept (VS Code's global storage folder). */
  readonly storageFolder: string;
  /** Parent of the runtime folder; default `$XDG_RUNTIME_DIR`, else the system's temporary folder. */
  readonly runtimeParent?: string;
  /** `tmux`, or an absolute path. */
  readonly tmuxPath: string;
  /** Default `auto`. */
  readonly storeEngine?: StoreEngineChoice;
  /** Automatic backups of the store that are kept; default 0: none is made. */
  readonly keptBackups?: number;
  /** Names of variables passed on to agents besides the built-in allow-list. */
  readonly passEnvironment: readonly string[];
  /** Node, or what runs as Node with ELECTRON_RUN_AS_NODE=1. */
  readonly execPath: string;
  /** Folder of the bundles: `demoAgent.js`, `storeWorker.js`, `sql-wasm.wasm`, `orc.js`. */
  readonly distFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The workspace on this machine: its identity, its folders, and the real adapters behind the ports. Nothing is started. */
export async function openLocalWorkspace(options: LocalWorkspaceOptions): Promise<Workspace> {
  const { clock, log, env, execPath, distFolder } = options;
  const path = options.path === undefined ? '' : await realpath(options.path).catch(() => options.path ?? '');
  const id = await workspaceId(options.path);
  const names = workspaceNames(id, options);
  const shell = env['SHELL'] && isAbsolute(env['SHELL']) ? env['SHELL'] : (userInfo().shell ?? '/bin/sh');
  const passed = Object.fromEntries(options.passEnvironment.map((name) => [name, env[name]]));
  const serverEnv = serverEnvironment(env);
  const program = options.tmuxPath === 'tmux' ? undefined : options.tmuxPath;
  const [workerFile, wasmFile] = [join(distFolder, 'storeWorker.js'), join(distFolder, 'sql-wasm.wasm')];
  const storeKeeper = new NodeStoreKeeper({
    ...{ folder: names.dataFolder, wasmFile },
    runCheck: checkInThread(workerFile),
  });
  const environment = passingOn(new LoginShellEnvironment({ shell, execPath, process: env, log }), passed);
  return {
    id,
    lock: new EpochWorkspaceLock({ dataFolder: names.dataFolder, runtimeFolder: names.runtimeFolder, clock, log }),
    processes: process.platform === 'linux' ? new LinuxProcesses() : new PsProcesses(),
    environment,
    checks: new NodeLaunchChecks(),
    exportFiles: new NodeExportFiles({ workerFile, wasmFile }),
    importFiles: nodeImportFiles,
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    homes: new NodeHomeFolders({ folder: join(names.dataFolder, 'homes'), log }),
    usageReader: new NodeUsageReader(),
    statusFiles: new NodeStatusFiles(log, env),
    trial: new NodeTrialRun(),
    shell,
    execPath,
    demoAgent: join(distFolder, 'demoAgent.js'),
    openStore: async (ownership, { acceptMissingChanges }) => ({
      archive: new MonthArchive({ folder: names.dataFolder, epoch: ownership.epoch, workerFile, wasmFile }),
      ...(await openWorkspaceStore({
        ...{ folder: names.dataFolder, workerFile, wasmFile, ownership, clock, log, acceptMissingChanges },
        engine: options.storeEngine ?? StoreEngineChoice.Auto,
        keptBackups: options.keptBackups ?? 0,
        keeper: storeKeeper,
      })),
    }),
    storeKeeper,
    createHost: (mode, fence) =>
      new TmuxAgentHost({
        program,
        socketName: names.socketName,
        runtimeDir: names.runtimeFolder,
        clock,
        log,
        fence,
        serverEnv,
        mode,
      }),
    path,
    version,
    installTools: () =>
      installTools({
        ...{ storageFolder: options.storageFolder, distFolder, execPath, log },
        pointerFile: pointerFileOf(names.dataFolder),
      }),
    openAccess: (ownership) =>
      openWorkspaceAccess(ownership, {
        ...{ workspaceId: id, workspacePath: path, version, clock, log },
        dataFolder: names.dataFolder,
        runtimeFolder: names.runtimeFolder,
        ids: new UlidIds(() => clock.nowMs(), randomBytes),
      }),
    readHookSpool: (verify, deliver) =>
      HookSpoolReader.open({ folder: spoolFolderOf(names.dataFolder), verify, deliver, clock, log }),
    connectGateway: (signal) => connectIfThere(pointerFileOf(names.dataFolder), { clock, log }, signal),
    sha256,
    diagnose: () =>
      diagnose(
        { ...names, orc: orcPath(options.storageFolder) },
        diagnoseShell(shell, environment.lastFailure),
        program,
        serverEnv,
      ),
  };
}

/** Undefined when nobody answers, or nobody that we may talk to. */
async function connectIfThere(
  pointerFile: string,
  ports: { readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<GatewayClient | undefined> {
  try {
    return await connectGateway(
      { pointerFile, client: `core-orchestrator ${version}, process ${process.pid}`, ...ports },
      signal,
    );
  } catch (error) {
    if (signal.aborted || !GatewayError.is(error)) throw error;
    ports.log.debug('the gateway of the owner does not answer', { code: error.code });
    return undefined;
  }
}

/** Names what the window has open: 16 hex digits of the hash of the real path. The same folder has the same id in every window. */
export async function workspaceId(path: string | undefined): Promise<string> {
  const real = path === undefined ? 'no folder' : await realpath(path).catch(() => path); // a folder that vanished keeps its name
  return createHash('sha256').update(real).digest('hex').slice(0, 16);
}

export interface WorkspaceNames {
  readonly dataFolder: string;
  readonly runtimeFolder: string;
  /** Of our own tmux server: `tmux -L <socketName>`. */
  readonly socketName: string;
}

export function workspaceNames(
  id: string,
  options: Pick<LocalWorkspaceOptions, 'storageFolder' | 'runtimeParent' | 'env'>,
): WorkspaceNames {
  // The folder of the data is each editor's own, and so are its agents: two editors on one folder share no server (ADR 23).
  const short = sha256(`${id}\n${realPath(options.storageFolder)}`).slice(0, 8);
  const parent = options.runtimeParent ?? options.env['XDG_RUNTIME_DIR'];
  return {
    dataFolder: join(options.storageFolder, 'workspaces', id),
    runtimeFolder: parent
      ? join(parent, `core-orchestrator-${short}`)
      : join(tmpdir(), `core-orchestrator-${userInfo().uid}-${short}`),
    socketName: `core-${short}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Also of what is not there yet: by the nearest folder above it that is. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/** What the tmux server runs with: the allow-list, and where tmux keeps its sockets. */
function serverEnvironment(env: LocalWorkspaceOptions['env']): Readonly<Record<string, string>> {
  const inherited = inheritedEnvironment(env);
  const tmuxFolder = env['TMUX_TMPDIR'];
  return { LANG: 'C.UTF-8', ...inherited, ...(tmuxFolder && { TMUX_TMPDIR: tmuxFolder }) };
}

/** Adds variables that the person named in the settings to what the login shell gives. */
function passingOn(
  base: LoginShellEnvironment,
  passed: Readonly<Record<string, string | undefined>>,
): Workspace['environment'] {
  const extra = Object.fromEntries(
    Object.entries(passed).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return {
    get lastFailure() {
      return base.lastFailure;
    },
    read: async (signal) => {
      const answer = await base.read(signal);
      return { ...answer, loginShell: { ...(answer.loginShell ?? inheritedEnvironment(answer.process)), ...extra } };
    },
  };
}

async function diagnose(
  names: WorkspaceNames & { readonly orc: string },
  shell: Diagnosis,
  program: string | undefined,
  serverEnv: Readonly<Record<string, string>>,
): Promise<readonly Diagnosis[]> {
  return [
    await diagnoseTmux(program, serverEnv),
    { id: 'socket', label: 'tmux server', level: 'info', detail: attachLine(names.socketName, serverEnv) },
    { id: 'orc', label: 'orc, for your own shell', level: 'info', detail: names.orc },
    { id: 'data', label: 'Data folder', level: 'info', detail: names.dataFolder },
    { id: 'runtime', label: 'Runtime folder', level: 'info', detail: names.runtimeFolder },
    shell,
    {
      id: 'platform',
      label: 'Platform',
      level: 'info',
      detail: `${process.platform} ${process.arch}, Node ${process.version}`,
    },
  ];
}

function diagnoseShell(shell: string, lastFailure: string | undefined): Diagnosis {
  const what = { id: 'shell', label: 'Login shell' } as const;
  if (lastFailure === undefined) return { ...what, level: 'info', detail: shell };
  return {
    ...what,
    level: 'warning',
    detail: `${shell} gave no environment when an agent was started: ${lastFailure}`,
    advice:
      'Agents start with a reduced environment: keys and paths from your profile are missing. Mend the profile, or make it faster; it is asked again at the next start, at most once a minute.',
  };
}

/** What a person types in any shell. Where tmux keeps its sockets elsewhere, that belongs to it. */
function attachLine(socketName: string, { TMUX_TMPDIR: folder }: Readonly<Record<string, string>>): string {
  return `${folder === undefined ? '' : `TMUX_TMPDIR='${folder.replaceAll("'", "'\\''")}' `}tmux -L ${socketName} attach -t <agent>`;
}

async function diagnoseTmux(program: string | undefined, env: Readonly<Record<string, string>>): Promise<Diagnosis> {
  try {
    const { path, version } = await findTmux(program, env);
    return { id: 'tmux', label: 'tmux', level: 'ok', detail: `${version.text} at ${path}` };
  } catch (error) {
    const isTooOld = error instanceof OrchestratorError && error.code === 'tmux.tooOld';
    return {
      id: 'tmux',
      label: 'tmux',
      level: 'error',
      detail: describeError(error),
      advice: isTooOld
        ? 'Install tmux 3.3 or newer. Where the system’s own is older (Ubuntu 22.04, Debian 11), install one beside it, by Homebrew or from its source, and name it in coreOrchestrator.tmuxPath.'
        : 'Install tmux: apt install tmux, dnf install tmux, or brew install tmux; or set coreOrchestrator.tmuxPath.',
    };
  }
}

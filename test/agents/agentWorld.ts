import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { AgentId } from '../../src/core/agents/agent';
import type { Activity } from '../../src/core/agents/agentState';

import { DEFAULT_RESTART_SETTINGS } from '../../src/core/agents/restartBudget';
import { SystemClock } from '../../src/core/base/clock';
import { UlidIds } from '../../src/core/base/ids';
import { formatFields, type Logger } from '../../src/core/base/log';
import type { AgentView } from '../../src/core/engine';
import { openLocalWorkspace } from '../../src/core/node/localWorkspace';
import { Orchestrator } from '../../src/core/orchestrator';
import { AGENT_VARIABLE, GENERATION_VARIABLE } from '../../src/shared/gatewayProtocol';
import { buildBundles } from '../support/bundles';
import { eventually } from '../support/eventually';
import { type Cli, CLI_FOLDER, CliHome, type CliSetupOptions, TYPE_IDS } from './cliSetup';
import { ModelServer } from './modelServer';

const run = promisify(execFile);

export const READY_MS = 60_000;
/** A typed prompt has to be with the model by then. The first one of opencode takes long: it loads what it asks with. */
const ASKED_MS: Readonly<Record<Cli, number>> = { claude: 30_000, codex: 30_000, gemini: 30_000, opencode: 90_000 };

export interface WorldOptions {
  /** What a launch would be given is the person's own instead: what the engine starts by itself (the doctor) has it, too. */
  readonly person?: Partial<CliSetupOptions>;
}

/** One real program under the product's own engine, with the scripted model, in a home of its own. */
export class AgentWorld {
  readonly home = new CliHome();
  readonly #folder = mkdtempSync(join(tmpdir(), 'agents-'));
  readonly #log: string[] = [];
  #engine: Orchestrator | undefined;
  #model: ModelServer | undefined;

  private constructor(
    readonly cli: Cli,
    private readonly options: WorldOptions,
  ) {}

  static async open(cli: Cli, options: WorldOptions = {}): Promise<AgentWorld> {
    const world = new AgentWorld(cli, options);
    try {
      world.#model = await ModelServer.start();
      await world.beginEngine();
      return world;
    } catch (error) {
      await world.dispose();
      throw error;
    }
  }

  get engine(): Orchestrator {
    if (!this.#engine) throw new Error('no engine runs');
    return this.#engine;
  }

  get model(): ModelServer {
    if (!this.#model) throw new Error('no model runs');
    return this.#model;
  }

  /** What the engine said of itself: for the message of a failure. */
  get log(): string {
    return this.#log.join('\n');
  }

  /** A folder that is named comes first on the PATH, before the installed programs. */
  async beginEngine({ firstOnPath }: { readonly firstOnPath?: string } = {}): Promise<void> {
    const clock = new SystemClock();
    const log = this.#logger();
    const distFolder = await buildBundles();
    const personal = this.#personalEnvironment();
    const env = {
      ...process.env,
      ...personal,
      PATH: [firstOnPath ?? [], CLI_FOLDER, process.env.PATH ?? ''].flat().join(delimiter),
      TMUX_TMPDIR: this.#folder,
    };
    const engine = new Orchestrator({
      clock,
      log,
      ids: new UlidIds(() => clock.nowMs(), randomBytes),
      random: Math.random,
      settings: () => ({
        isTrusted: true,
        startDeadlineMs: READY_MS,
        restart: DEFAULT_RESTART_SETTINGS,
        recoveredFolder: this.home.workspace,
        allowRules: [],
      }),
      openWorkspace: () =>
        openLocalWorkspace({
          path: this.home.workspace,
          storageFolder: join(this.#folder, 'storage'),
          runtimeParent: this.#folder,
          tmuxPath: 'tmux',
          passEnvironment: ['PATH', ...Object.keys(personal)],
          execPath: process.execPath,
          distFolder,
          env,
          clock,
          log,
        }),
    });
    this.#engine = engine;
    await engine.start();
    await eventually('the engine is ready', () => engine.status.kind === 'ready', { timeoutMs: 20_000 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)} ${JSON.stringify(engine.status)}\n${this.log}`);
      },
    );
  }

  /** The engine goes, as when a window is closed; programs stay. */
  async endEngine(): Promise<void> {
    await this.#engine?.stop();
    this.#engine?.dispose();
    this.#engine = undefined;
  }

  /** Starts the program and waits until it takes prompts. */
  async start(name = 'worker', options: Partial<CliSetupOptions> = {}): Promise<AgentId> {
    const { env, args } = this.home.setUp(this.cli, { serverUrl: this.model.url, ...options });
    const spec = { name, typeId: TYPE_IDS[this.cli], folder: this.home.workspace, env, args };
    const id = await this.engine.startAgent({ ...spec, restartPolicy: 'never' }).catch(async (error: unknown) => {
      throw new Error(
        `${String(error)}\n${JSON.stringify(this.engine.agents)}\n${await this.#anyScreen()}\n${this.log}`,
      );
    });
    await this.shows(id, 'idle', READY_MS);
    return id;
  }

  view(id: AgentId): AgentView {
    const view = this.engine.agent(id);
    if (!view) throw new Error(`there is no agent ${id}`);
    return view;
  }

  /** Waits for an activity; resolves with how long it took, in milliseconds. */
  async shows(id: AgentId, activity: Activity | readonly Activity[], timeoutMs = 5_000): Promise<number> {
    const wanted = typeof activity === 'string' ? [activity] : activity;
    const beganMs = performance.now();
    await eventually(`${this.cli} is ${wanted.join(' or ')}`, () => wanted.includes(this.view(id).activity), {
      timeoutMs,
    }).catch(async (error: unknown) => {
      const { conclusion, signals } = await this.engine.explain(id).catch(() => ({ conclusion: '', signals: [] }));
      const told = signals.map((one) => `${one.weight} ${one.source} ${one.activity} ${one.detail}`).join('\n');
      throw new Error(
        `${String(error)}\nis ${this.view(id).activity}: ${conclusion}\n${told}\n${await this.screen(id)}`,
      );
    });
    return performance.now() - beganMs;
  }

  async screen(id: AgentId): Promise<string> {
    return this.engine.screen(id).catch((error: unknown) => `no screen: ${String(error)}`);
  }

  /** Presses keys in the agent's terminal, as the person who looks at it. */
  async keys(id: AgentId, ...keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', '-t', this.#target(id), ...keys);
  }

  async type(id: AgentId, text: string): Promise<void> {
    await this.#tmux('send-keys', '-t', this.#target(id), '-l', '--', text);
  }

  /** The person scrolls back. */
  async scrollBack(id: AgentId): Promise<void> {
    await this.#tmux('copy-mode', '-t', this.#target(id));
  }

  /** Types a prompt as a person and waits until the model has it: what is tested then does not rest on deliveries. */
  async ask(id: AgentId, prompt: string): Promise<void> {
    const count = this.model.requests.length;
    await this.type(id, prompt);
    await eventually('the draft is drawn', async () => (await this.screen(id)).includes(prompt.slice(0, 20)), {
      timeoutMs: 10_000,
    });
    await new Promise((resolve) => setTimeout(resolve, 600)); // codex takes an Enter that follows at once for a pasted one
    await this.keys(id, 'Enter');
    await this.model.request(
      `the model is asked: ${prompt}`,
      ({ index, conversation }) => index >= count && conversation.message.trim() === prompt,
      ASKED_MS[this.cli],
    );
  }

  /** From now on hooks of this event come so many seconds late, as on a machine that has much else to do. */
  holdHooks(event: string, seconds: number): void {
    const orc = join(this.#folder, 'storage', 'bin', 'orc');
    const lines = readFileSync(orc, 'utf8').split('\n').filter((line) => !line.includes(`= ${event} ]`)); // prettier-ignore
    const held = seconds > 0 ? [`[ "$2" = ${event} ] && sleep ${seconds}`] : [];
    writeFileSync(orc, [lines[0], ...held, ...lines.slice(1)].join('\n'));
  }

  /** Every living process that was started in this home, whoever is its parent now. */
  processes(): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && this.#isOurs(pid));
  }

  /** The run of its agent that a process belongs to, as its environment says; undefined when that says nothing. */
  generationOf(pid: number): number | undefined {
    const mark = `${GENERATION_VARIABLE}=`;
    const [generation] = environmentOf(pid).filter((one) => one.startsWith(mark));
    return generation === undefined ? undefined : Number(generation.slice(mark.length));
  }

  /** As at the end of the person's last session: the system removes the folder, programs go on. */
  removeRuntimeFolder(): void {
    const [name] = readdirSync(this.#folder).filter((one) => one.startsWith('core-orchestrator-'));
    if (name === undefined) throw new Error('there is no runtime folder');
    rmSync(join(this.#folder, name), { recursive: true });
  }

  /** Kills everything of the home, as a machine out of memory does, and waits until that is known. */
  async killAll(id: AgentId): Promise<void> {
    for (const pid of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it ended with its parent
      }
    }
    await eventually('it has ended', () => this.view(id).lifecycle === 'failed', { timeoutMs: 15_000 });
  }

  /** What is in the workspace folder. */
  folders(): readonly string[] {
    return readdirSync(this.home.workspace);
  }

  #isOurs(pid: number): boolean {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return false;
    } catch {
      return false; // gone
    }
    const variables = environmentOf(pid);
    // In the person's environment the engine's own helpers have this home, too.
    if (this.options.person && !variables.some((one) => one.startsWith(`${AGENT_VARIABLE}=`))) return false;
    // A tool may be started without the environment of its agent.
    return variables.includes(`HOME=${this.home.folder}`) || folderOf(pid).startsWith(this.home.folder);
  }

  async dispose(): Promise<void> {
    for (const { id } of this.#engine?.agents ?? []) await this.#engine?.removeAgent(id).catch(() => undefined); // what is left is killed below
    await this.endEngine();
    for (const pid of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone: that is what we want
      }
    }
    const sockets = this.#sockets();
    for (const socket of sockets) await run('tmux', ['-S', socket, 'kill-server']).catch(() => undefined);
    await this.#model?.stop();
    this.home.dispose();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #personalEnvironment(): Readonly<Record<string, string>> {
    const { person } = this.options;
    return person ? this.home.setUpForPerson(this.cli, { serverUrl: this.model.url, ...person }) : {};
  }

  #sockets(): readonly string[] {
    const folder = join(this.#folder, `tmux-${process.getuid?.() ?? 0}`);
    try {
      return readdirSync(folder).map((name) => join(folder, name));
    } catch {
      return []; // no server was ever started
    }
  }

  #target(id: AgentId): string {
    const { args } = this.engine.attachCommand(id);
    const at = args.indexOf('-t');
    return args[at + 1] ?? '';
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const [socket = ''] = this.#sockets();
    const { stdout } = await run('tmux', ['-u', '-S', socket, ...args]);
    return stdout;
  }

  async #anyScreen(): Promise<string> {
    return this.#tmux('capture-pane', '-p').catch((error: unknown) => String(error));
  }

  #logger(): Logger {
    const write =
      (level: string) =>
      (message: string, fields?: Readonly<Record<string, unknown>>): void =>
        void this.#log.push(`${level} ${message}${formatFields(fields)}`);
    return {
      trace: () => undefined,
      debug: process.env.CORE_TEST_LOG ? write('debug') : () => undefined,
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    };
  }
}

/** The variables that a process was started with; none of one that is gone or of somebody else. */
function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** The folder that a process is in; empty of one that is gone or of somebody else. */
function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

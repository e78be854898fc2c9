/**
 * An engine in a process of its own, for tests that kill it (bundled by bundles.ts): reads commands as JSON lines, answers with JSON lines.
 *   node engineProcess.js <workspace folder> <storage folder> <runtime parent> <dist folder> [<JSON: an agent type of the test's own>]
 */
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { AgentId, AgentSpec } from '../../src/core/agents/agent';
import type { DeliveryFaultPoint } from '../../src/core/agents/delivery/faultPoints';
import type { StopFaultPoint } from '../../src/core/agents/stopFaultPoints';
import { DEFAULT_RESTART_SETTINGS } from '../../src/core/agents/restartBudget';
import { SystemClock } from '../../src/core/base/clock';
import { UlidIds } from '../../src/core/base/ids';
import { formatFields, type Logger } from '../../src/core/base/log';
import { openLocalWorkspace } from '../../src/core/node/localWorkspace';
import { Orchestrator } from '../../src/core/orchestrator';

const [path = '', storageFolder = '', runtimeParent = '', distFolder = '', ownType] = process.argv.slice(2);
const clock = new SystemClock();
const write = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
  process.stderr.write(`${new Date().toISOString()} ${level} ${message}${formatFields(fields)}\n`);
const quiet = (): void => undefined;
const log: Logger = { trace: quiet, debug: quiet, info: write('info'), warn: write('warn'), error: write('error') };

const engine = new Orchestrator({
  clock,
  log,
  ids: new UlidIds(() => clock.nowMs(), randomBytes),
  random: Math.random,
  settings: () => ({
    isTrusted: true,
    startDeadlineMs: 30_000,
    restart: DEFAULT_RESTART_SETTINGS,
    recoveredFolder: path,
  }),
  openWorkspace: async () => {
    const workspace = await openLocalWorkspace({
      path,
      storageFolder,
      runtimeParent,
      tmuxPath: 'tmux',
      passEnvironment: [],
      execPath: process.execPath,
      distFolder,
      env: process.env,
      clock,
      log,
    });
    return { ...workspace, faultPoints: { hit: (point) => point === armed && process.kill(process.pid, 'SIGKILL') } };
  },
});
if (ownType !== undefined) engine.registerAgentType(JSON.parse(ownType)); // our own test writes it
/** The instant of a delivery or a stop at which this process ends. */
let armed: DeliveryFaultPoint | StopFaultPoint | undefined;

/** What a parent may ask for; each answers one line `{id, value}` or `{id, error}`. */
const calls = {
  start: (spec: AgentSpec) => engine.startAgent(spec),
  stop: (id: AgentId) => engine.stopAgent(id),
  prompt: (id: AgentId, text: string, options?: { readonly whenBlocked?: 'refuse' | 'queue' }) =>
    engine.sendPrompt(id, text, options),
  receipts: (id: AgentId) => engine.receipts(id),
  /** From now on this process is killed (SIGKILL) when a delivery or a stop comes to this point. */
  arm: (point: DeliveryFaultPoint | StopFaultPoint) => Promise.resolve(void (armed = point)),
  agents: () => Promise.resolve(engine.agents),
  notices: () => Promise.resolve(engine.notices),
  status: () => Promise.resolve(engine.status),
  acceptStoreLoss: () => engine.acceptStoreLoss(),
  takeOver: () => Promise.resolve(engine.takeOver()),
  end: async () => {
    await engine.stop();
    setImmediate(() => process.exit(0));
  },
};
export type EngineCalls = typeof calls;

const say = (value: unknown): void => void process.stdout.write(JSON.stringify(value) + '\n');
engine.onDidChangeStatus((status) => say({ status, atMs: Date.now() }));
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, call, args } = JSON.parse(line) as { id: number; call: keyof EngineCalls; args: unknown[] }; // our own test writes it
  const work = calls[call] as (...args: unknown[]) => Promise<unknown>; // the pair comes from EngineProcess, which is typed
  work(...args).then(
    (value) => say({ id, value: value ?? null }),
    (error: unknown) => say({ id, error: String((error as { code?: string }).code ?? error) }),
  );
});
process.stdin.on('close', () => process.exit(0));
void engine.start();

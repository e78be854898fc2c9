import type { GatewayMethod, GatewayParams } from '../shared/gatewayMethods';
import type { GatewayPointer } from '../shared/gatewayProtocol';
import { type CommandLine, timeoutOf } from './commandLine';
import { EngineClient, type Step } from './engineClient';
import type { AgentRow } from './engineAnswers';
import { CliError, ExitCode, usageError } from './exitCodes';
import { findPointer } from './findPointer';
import { handleOf, nextStep } from './nextStep';
import { cleanLine } from './terminalText';

/** The process as a verb sees it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Folder of this program. */
  readonly programFolder: string;
  readonly version: string;
  readonly isInputTerminal: boolean;
  readonly isOutputTerminal: boolean;
  readonly isErrorTerminal: boolean;
  /** Of the terminal; Infinity when there is none: what another program reads is not shortened. */
  readonly columns: number;
  write(text: string): void;
  writeError(text: string): void;
}

/** 2 s: longest wait for what only makes an advice better. */
const ADVICE_MS = 2_000;

/** What a verb works with: the command line, the terminal and, once it is asked for, the engine. */
export class VerbContext {
  #client: EngineClient | undefined;
  /** Of the verb that runs: the agents as they were listed, and the one that was named last. */
  #listed: readonly AgentRow[] = [];
  #chosen: AgentRow | undefined;
  #isStepShown = false;

  constructor(
    readonly line: CommandLine,
    readonly terminal: Terminal,
  ) {}

  get isJson(): boolean {
    return this.line.options['json'] === true;
  }

  /** A person types here, and reads what is said. */
  get isAtTerminal(): boolean {
    return this.terminal.isInputTerminal && this.terminal.isOutputTerminal;
  }

  has(option: string): boolean {
    return this.line.options[option] === true;
  }

  operand(index: number): string {
    return this.line.operands[index] ?? '';
  }

  /** One line of text. */
  say(text: string): void {
    this.terminal.write(`${text}\n`);
  }

  /** The whole answer as JSON, or as text for people. */
  answer(json: unknown, text: () => string): void {
    this.say(this.isJson ? JSON.stringify(json, undefined, 2) : text());
  }

  /** Bold, on a terminal that may have colours. */
  strong(text: string): string {
    const { env, isOutputTerminal } = this.terminal;
    const mayColour = isOutputTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
    return mayColour ? `\u001b[1m${text}\u001b[0m` : text;
  }

  get pointer(): GatewayPointer {
    const { env, cwd, programFolder } = this.terminal;
    const { workspace, storage } = this.line.options as Readonly<Record<string, string | undefined>>; // both take a value
    return findPointer({ workspace, storage, cwd, programFolder, env });
  }

  /** @throws {CliError} */
  engine(): EngineClient {
    const { env, version } = this.terminal;
    this.#client ??= EngineClient.connect({
      pointer: this.pointer,
      env,
      version,
      timeoutMs: timeoutOf(this.line),
      ...(this.terminal.isErrorTerminal && { onStep: (step) => this.#showStep(step) }),
    });
    return this.#client;
  }

  /** Asks the engine; at a terminal one line says meanwhile how far it is. @throws {CliError} */
  async call<M extends GatewayMethod>(method: M, params: GatewayParams[M]): Promise<unknown> {
    try {
      return await this.engine().call(method, params);
    } finally {
      this.#showStep();
    }
  }

  /** In the place of the step before it; without one the line is empty again. */
  #showStep(step?: Step): void {
    if (!step && !this.#isStepShown) return;
    this.#isStepShown = step !== undefined;
    this.terminal.writeError(`\r\u001b[K${step ? stepWords(step) : ''}`);
  }

  /** @throws {CliError} */
  async agents(): Promise<readonly AgentRow[]> {
    this.#listed = (await this.call('agent.list', {})) as readonly AgentRow[]; // the engine's own; shown defensively
    return this.#listed;
  }

  /** The agent of this id or display name. @throws {CliError} NotFound; Usage when several are called so */
  async agent(name: string): Promise<AgentRow> {
    const agent = chooseAgent(await this.agents(), name);
    const isLeftOut = agent.request?.isCut === true && agent.request.detail === ''; // too much for a list of all
    this.#chosen = isLeftOut ? ((await this.call('agent.get', { agentId: agent.id })) as AgentRow) : agent; // the engine's own
    return this.#chosen;
  }

  /** How a person names an agent of {@link agents} in a shell. */
  handle(agent: Pick<AgentRow, 'id' | 'name'>): string {
    return handleOf(agent, this.#listed);
  }

  /** The failure with what to do next about the agent that it is about, as that agent is now. Never rejects. */
  async advised(error: CliError): Promise<CliError> {
    const { code, agentId } = error.data;
    const id = agentId ?? this.#chosen?.id;
    if (code === undefined || id === undefined) return error;
    const agent = await this.#agentNow(id);
    if (!agent) return error;
    const advice = error.advice ?? nextStep(code, agent, this.handle(agent), this.isAtTerminal);
    return new CliError(error.exitCode, named(error.message, agent), advice, error.data);
  }

  /** The agent as it is now, else as it was listed. */
  async #agentNow(id: string): Promise<AgentRow | undefined> {
    const asked = this.agents().catch(() => []); // there is a failure to tell already
    const agents = await Promise.race([
      asked,
      new Promise<readonly AgentRow[]>((done) => setTimeout(done, ADVICE_MS, [])),
    ]);
    return agents.find((agent) => agent.id === id) ?? (this.#chosen?.id === id ? this.#chosen : undefined);
  }

  dispose(): void {
    this.#client?.dispose();
  }
}

/** The engine tells ids: `builder is paused` becomes `The Builder is paused`. */
function named(message: string, { id, name }: AgentRow): string {
  const isOfId = message.startsWith(id) && /^[ :]/.test(message.slice(id.length));
  return isOfId && name !== '' ? `${cleanLine(name)}${message.slice(id.length)}` : message;
}

/** `copying, 40 %`, `records, 1200`: never more than a line. */
function stepWords({ name, done, total }: Step): string {
  const far = total > 0 ? `${Math.min(100, Math.round((100 * done) / total))} %` : String(done);
  return `${cleanLine(name, 40)}, ${far}`;
}

/** Ids go before names, exact names before names in other letters. @throws {CliError} NotFound; Usage when several are called so */
export function chooseAgent(agents: readonly AgentRow[], name: string): AgentRow {
  const byId = agents.find(({ id }) => id === name);
  if (byId) return byId;
  const lower = name.toLowerCase();
  const exact = agents.filter((agent) => agent.name === name);
  const named = exact.length > 0 ? exact : agents.filter((agent) => agent.name.toLowerCase() === lower);
  if (named.length === 1 && named[0]) return named[0];
  if (named.length > 1)
    throw usageError(
      `${named.length} agents are called "${cleanLine(name)}"`,
      `Name one by its id: ${listOf(named, ({ id }) => cleanLine(id))}.`,
    );
  const advice =
    agents.length === 0
      ? 'There are no agents; `orc start TYPE` starts one.'
      : `There are: ${listOf(agents, (agent) => handleOf(agent, agents))}.`;
  throw new CliError(ExitCode.NotFound, `there is no agent "${cleanLine(name)}"`, advice, {
    status: 'NOT_FOUND',
    code: 'agent.notFound',
  });
}

/** An advice that names more helps nobody. */
const LONGEST_LIST = 20;

function listOf(agents: readonly AgentRow[], word: (agent: AgentRow) => string): string {
  const more = agents.length - LONGEST_LIST;
  const words = agents.slice(0, LONGEST_LIST).map(word).join(', ');
  return more > 0 ? `${words} and ${more} more` : words;
}

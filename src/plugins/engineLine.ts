import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, isAbsolute, join } from 'node:path';
import { AGENT_VARIABLE, type GatewayPointer, GENERATION_VARIABLE, POINTER_VARIABLE } from '../shared/gatewayProtocol';
import {
  type EnginePlace,
  type Fields,
  openReportLine,
  type Outcome,
  type Patience,
  type Report,
  type Reporter,
  tellEngine,
} from '../shared/reportLine';
import { leaveInSpool } from '../shared/spoolWriter';

const NEWS: Patience = { helloMs: 5_000, answerMs: 5_000 };
const QUESTION: Patience = { helloMs: undefined, answerMs: undefined };
/** What waits to be sent while the engine is slow; older events go first. */
const MAX_WAITING = 200;

export type Json = Fields;

/** A report that waits to be sent; one that is a question takes its answer when it comes. */
interface Waiting extends Report {
  readonly question?: { readonly signal: AbortSignal; readonly settle: (outcome: Promise<Outcome>) => void };
}

/** How this process finds the engine, and is known to it. */
interface Agent {
  readonly pointerFile: string;
  readonly agentId: string;
  readonly generation: string;
}

/**
 * Tells the engine what happens in a program, from inside of that program: the same reports as `orc hook`, one after the other, so that they
 * arrive in their order. What no engine takes is spooled. Never throws and never keeps the program waiting.
 */
export class EngineLine {
  readonly #agent: Agent | undefined;
  readonly #reporter: Reporter = {
    client: 'opencode plugin',
    connect: (path) => createConnection(path),
    findEngine: () => this.#findEngine(),
  };
  readonly #waiting: Waiting[] = [];
  #isSending = false;
  #spooled = 0;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    const { [POINTER_VARIABLE]: pointerFile, [AGENT_VARIABLE]: agentId, [GENERATION_VARIABLE]: generation } = env;
    const isAgent = pointerFile && isAbsolute(pointerFile) && agentId && generation;
    this.#agent = isAgent ? { pointerFile, agentId, generation } : undefined;
  }

  /** Changes when another engine has taken over, or the socket has moved. Undefined: no engine was ever there. */
  get owner(): string | undefined {
    try {
      const { ino, mtimeMs } = fs.statSync(this.#agent?.pointerFile ?? '');
      return `${ino} ${mtimeMs}`; // an engine replaces the file when it begins
    } catch {
      return undefined;
    }
  }

  send(event: string, payload: Json): void {
    this.#push({ event, payload, sentAtMs: Date.now() });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()?.question?.settle(Promise.resolve('notTaken'));
  }

  /**
   * Resolves when the engine lets the question go, with what a person decided, if anything; `notTaken` when no engine has it, or the one that
   * had it has gone, or `signal` was aborted. Waits for as long as that takes; on a connection of its own, in its turn. Never spooled.
   */
  ask(event: string, payload: Json, signal: AbortSignal): Promise<Outcome> {
    return new Promise((resolve) => {
      const settle = (outcome: Promise<Outcome>): void => void outcome.then(resolve, () => resolve('notTaken'));
      this.#push({ event, payload, sentAtMs: Date.now(), question: { signal, settle } });
    });
  }

  #push(report: Waiting): void {
    this.#waiting.push(report);
    if (!this.#isSending) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#isSending = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const { question, ...report } = next;
      if (question) question.settle(this.#tell(report, QUESTION, question.signal));
      else if ((await this.#tell(report, NEWS)) === 'notTaken') this.#spool(report);
    }
    this.#isSending = false;
  }

  #tell(report: Report, patience: Patience, signal?: AbortSignal): Promise<Outcome> {
    return tellEngine(this.#reporter, openReportLine(this.#reporter), report, patience, signal);
  }

  #findEngine(): EnginePlace | undefined {
    try {
      const { pointerFile, agentId, generation } = this.#expectAgent();
      const { socket, tokenFolder } = JSON.parse(fs.readFileSync(pointerFile, 'utf8')) as GatewayPointer; // ours, in a private folder
      return { socket, token: readToken(tokenFolder, agentId, generation) };
    } catch {
      return undefined; // no engine, or no token: the run may be over
    }
  }

  #expectAgent(): Agent {
    if (!this.#agent) throw new Error('not started as an agent');
    return this.#agent;
  }

  #spool({ event, payload, sentAtMs }: Report): void {
    try {
      const { pointerFile, agentId, generation } = this.#expectAgent();
      const unique = `${process.pid.toString(36)}-p${(this.#spooled += 1).toString(36).padStart(6, '0')}`;
      const folder = dirname(pointerFile);
      const token = this.#findEngine()?.token ?? readToken(join(folder, 'tokens'), agentId, generation);
      const place = { folder: join(folder, 'spool'), uid: process.getuid?.(), unique };
      leaveInSpool(fs, place, { token, mac: macOf }, { event, payload, sentAtMs });
    } catch {
      return; // there is nobody to complain to: the screen tells the rest
    }
  }
}

function readToken(folder: string, agentId: string, generation: string): string {
  return fs.readFileSync(join(folder, `${agentId}.${generation}.jwt`), 'utf8').trim();
}

function macOf(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

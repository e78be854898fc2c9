import { connect } from 'node:net';
import { dirname, isAbsolute, join } from 'node:path';
import { AGENT_VARIABLE, type GatewayPointer, GENERATION_VARIABLE, POINTER_VARIABLE } from '../shared/gatewayProtocol';
import { openReportLine, type Patience, type Report, type Reporter, tellEngine } from '../shared/reportLine';
import { readPointer, readSecret, tokenFile } from './pointerFile';
import { readPayload } from './readPayload';
import { spoolHook } from './spoolHook';

/**
 * The answer to `hello` shows that an engine works; without it the agent's program is not kept waiting. The engine has the report then; it
 * answers at once.
 */
const PATIENCE: Patience = { helloMs: 100, answerMs: 1_000 };
/** The same for a question that a person may answer from elsewhere: worth more patience than news, and held for as long as they take. */
const HELD_PATIENCE: Patience = { helloMs: 1_000, answerMs: undefined };
const EVENT = /^[A-Za-z0-9._:-]{1,80}$/;

export interface HookArguments {
  readonly event: string;
  /** The payload, when the program gives it as an argument. */
  readonly payload?: string;
  /** The engine may hold the answer until a person has decided. */
  readonly mayBeHeld: boolean;
}

/** `[--hold] EVENT [JSON]`; undefined when that is not what was given. */
export function parseHookArguments(args: readonly string[]): HookArguments | undefined {
  const isHold = args[0] === '--hold';
  const [event = '', payload] = isHold ? args.slice(1) : args;
  if (!EVENT.test(event)) return undefined;
  return { event, mayBeHeld: isHold || /permission/i.test(event), ...(payload !== undefined && { payload }) };
}

/**
 * Tells the engine one event of the agent in whose terminal this runs, and resolves with what its program is to be told, if
 * anything. Never rejects and never keeps the program waiting for an engine that does not answer; what no engine took is spooled.
 */
export async function runHook(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const sentAtMs = Date.now();
  const parsed = parseHookArguments(args);
  const { [POINTER_VARIABLE]: file, [AGENT_VARIABLE]: agentId, [GENERATION_VARIABLE]: generation } = env;
  if (!parsed || !file || !agentId || !generation || !isAbsolute(file)) return undefined;
  const tokenOf = (place: Pick<GatewayPointer, 'tokenFolder'>): string | undefined =>
    readSecret(tokenFile(place, agentId, generation) ?? '');
  const reporter: Reporter = {
    client: 'orc hook',
    connect: (path) => connect({ path }),
    findEngine: () => {
      const pointer = pointerOf(file);
      const token = pointer && tokenOf(pointer);
      return token ? { socket: pointer.socket, token } : undefined;
    },
  };
  const line = openReportLine(reporter); // while the payload is still being read
  const report: Report = { event: parsed.event, payload: await readPayload(parsed.payload), sentAtMs };
  const outcome = await tellEngine(reporter, line, report, parsed.mayBeHeld ? HELD_PATIENCE : PATIENCE);
  if (outcome !== 'notTaken') return outcome.output;
  try {
    const beside = (name: string): string => join(dirname(file), name);
    const place = pointerOf(file) ?? { tokenFolder: beside('tokens'), spoolFolder: beside('spool') };
    const token = tokenOf(place); // without one nobody could tell who reports
    if (token) await spoolHook(place.spoolFolder, token, report);
  } catch {
    return undefined; // a hook has nobody to complain to: the program it belongs to must go on
  }
  return undefined;
}

function pointerOf(file: string): GatewayPointer | undefined {
  const read = readPointer(file);
  return read.kind === 'found' ? read.pointer : undefined;
}

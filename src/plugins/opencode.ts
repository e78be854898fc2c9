import { fieldsOf } from '../shared/reportLine';
import { EngineLine, type Json } from './engineLine';
import { OpenQuestions } from './openQuestions';
import { requestDetail } from './requestDetail';
import { ToolCalls } from './toolCalls';

/*
 * Runs inside opencode and tells the engine what happens there: the same reports as `orc hook`, sent by this process itself. It starts
 * nothing, throws nothing and never keeps opencode waiting. Without an engine events are spooled, and open questions wait for the next one.
 */

/** Events of opencode's bus that are told. Everything else, the streaming above all, stays here. */
const TOLD = new Set([
  'session.created', 'session.status', 'session.idle', 'session.error', 'permission.asked', 'permission.replied',
  'question.asked', 'question.replied', 'question.rejected', 'message.updated',
]); // prettier-ignore
const ASKS = new Set(['permission.asked', 'question.asked']);
const ENDS_QUESTION = new Set(['permission.replied', 'question.replied', 'question.rejected']);
/** Of any session, those of sub-agents, too. */
const ENDS_TURN = new Set(['session.idle', 'session.error']);
/** How opencode and the services that it asks name a limit (opencode 1.18.33, session/retry.ts). */
const LIMIT = /rate.?limit|too many requests|overloaded|quota|usage (limit|exceeded)/i;
const MAX_TEXT_LENGTH = 100_000;
const MAX_CHILDREN = 1_000;

/** What opencode hands to a plugin; only what is used here. Untyped on purpose: it is not a published interface. */
interface PluginInput {
  readonly client?: {
    readonly _client?: { post?(request: { readonly url: string; readonly body: unknown }): Promise<unknown> };
  };
}

/** The plugin; opencode calls every export of this file. */
export const CoreOrchestrator = (input: PluginInput): Promise<Json> => {
  const line = new EngineLine(process.env);
  const questions = new OpenQuestions(line, (id, output) => void reply(input, id, output));
  const calls = new ToolCalls();
  const sessions = new Sessions(calls);
  line.send('plugin.load', {});
  const onEvent = (type: string, properties: Json): void => {
    const { requestID, permissionID, sessionID, part } = properties;
    if (type === 'message.part.updated') calls.onPart(fieldsOf(part));
    if (ENDS_QUESTION.has(type)) questions.closed(String(requestID ?? permissionID));
    if (ENDS_TURN.has(type)) {
      questions.closedOf(sessionID);
      calls.endOf(sessionID);
    }
    const payload = TOLD.has(type) ? sessions.read(type, properties) : undefined;
    if (!payload) return;
    if (ASKS.has(type)) questions.asked(String(payload['id']), type, payload);
    else line.send(type, payload);
  };
  return Promise.resolve({
    event: ({ event }: { readonly event: { readonly type: string; readonly properties?: unknown } }): Promise<void> => {
      quietly(() => onEvent(event.type, fieldsOf(event.properties)));
      return Promise.resolve();
    },
    'chat.message': (message: unknown, output: unknown): Promise<void> => {
      quietly(() => {
        const { sessionID } = fieldsOf(message);
        if (sessions.isChild(sessionID)) return;
        sessions.begin(sessionID);
        line.send('chat.message', { sessionID, prompt: promptOf(fieldsOf(output)['parts']) });
      });
      return Promise.resolve();
    },
    // Awaited before the tool asks for its permission.
    'tool.execute.before': (call: unknown, output: unknown): Promise<void> => {
      quietly(() => {
        const { sessionID, callID, tool } = fieldsOf(call);
        calls.begin(sessionID, callID, tool, fieldsOf(output)['args']);
      });
      return Promise.resolve();
    },
    'tool.execute.after': (tool: unknown): Promise<void> => {
      quietly(() => {
        const { sessionID, tool: name } = fieldsOf(tool);
        line.send('tool.execute.after', { sessionID, tool: name });
      });
      return Promise.resolve();
    },
  });
};

/** Hands the answer of a person to opencode. A late one finds nothing to answer. */
async function reply(input: PluginInput, id: string, output: string): Promise<void> {
  try {
    const { reply, message } = fieldsOf(JSON.parse(output));
    if (reply !== 'once' && reply !== 'reject') return;
    const body = { reply, ...(typeof message === 'string' && reply === 'reject' && { message }) };
    const client = input.client?._client;
    await client?.post?.({ url: `/permission/${id}/reply`, body });
  } catch {
    return; // the dialog in the terminal is still there
  }
}

/** Tells sessions of sub-agents from the person's own, and an end with an error from one without. */
class Sessions {
  readonly #children = new Set<unknown>();
  readonly #failed = new Set<unknown>();

  constructor(private readonly calls: Pick<ToolCalls, 'find'>) {}

  isChild(sessionId: unknown): boolean {
    return this.#children.has(sessionId);
  }

  begin(sessionId: unknown): void {
    this.#failed.delete(sessionId);
  }

  /** What is told of an event; undefined when it says nothing about the person's conversation. */
  read(type: string, properties: Json): Json | undefined {
    const sessionID = properties['sessionID'] ?? fieldsOf(properties['info'])['id'];
    switch (type) {
      case 'session.created':
        if (fieldsOf(properties['info'])['parentID'] === undefined) return { sessionID };
        if (this.#children.size < MAX_CHILDREN) this.#children.add(sessionID);
        return undefined;
      case 'permission.asked': {
        const call = this.calls.find(sessionID, fieldsOf(properties['tool'])['callID']);
        return { sessionID, ...picked(properties, ['id', 'permission']), detail: requestDetail(properties, call) };
      }
      case 'question.asked':
        return { sessionID, ...picked(properties, ['id', 'questions']) };
      case 'session.status':
        return this.isChild(sessionID) ? undefined : { sessionID, ...statusOf(properties['status']) };
      case 'session.error':
        return this.#onError(sessionID, fieldsOf(properties['error']));
      case 'session.idle':
        return this.isChild(sessionID) || this.#failed.has(sessionID) ? undefined : { sessionID };
      case 'message.updated':
        return usageOf(fieldsOf(properties['info']));
      default:
        return { sessionID, ...picked(properties, ['requestID', 'permissionID', 'reply', 'response']) };
    }
  }

  /** An interruption by the person is the end of the turn, no failure. */
  #onError(sessionID: unknown, error: Json): Json | undefined {
    if (this.isChild(sessionID) || error['name'] === 'MessageAbortedError') return undefined;
    this.#failed.add(sessionID);
    return { sessionID, error: picked(error, ['name']) };
  }
}

/** What it does, and whether it waits because of a limit or an overload of the service. */
function statusOf(status: unknown): Json {
  const { type, message } = fieldsOf(status);
  const isLimit = type === 'retry' && typeof message === 'string' && LIMIT.test(message);
  return { status, ...(isLimit && { isLimit }) };
}

/** Tokens and cost of an answer that is complete. */
function usageOf(info: Json): Json | undefined {
  if (info['role'] !== 'assistant' || fieldsOf(info['time'])['completed'] === undefined) return undefined;
  return picked(info, ['id', 'sessionID', 'tokens', 'cost', 'modelID']);
}

function promptOf(parts: unknown): string {
  const texts = (Array.isArray(parts) ? parts : [])
    .map(fieldsOf)
    .filter((part) => part['type'] === 'text' && part['synthetic'] !== true)
    .map((part) => String(part['text'] ?? ''));
  return texts.join('').slice(0, MAX_TEXT_LENGTH);
}

function picked(from: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]));
}

/** Whatever opencode hands over in another version: nothing of it may disturb opencode. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    return;
  }
}

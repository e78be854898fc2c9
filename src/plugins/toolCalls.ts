import { fieldsOf } from '../shared/reportLine';
import type { Json } from './engineLine';

/** Of all sessions together; the oldest is forgotten first. */
const MAX_CALLS = 200;
/** As JSON. Of more nothing is kept: a request keeps less than that. */
const MAX_INPUT_LENGTH = 100_000;
/** What is nested deeper is left out on its way to the engine. */
const MAX_INPUT_DEPTH = 24;

/** A call of a tool that is under way. */
export interface ToolCall {
  readonly tool: string;
  /** Undefined: it is not known, or too much. As the program has it: what another plugin changes in it shows. */
  readonly input: unknown;
}

/**
 * The calls of tools that are under way, with their input: requests for permission name their call only. Two calls of one name at a time are told
 * apart by nothing, so the input of neither is known.
 */
export class ToolCalls {
  readonly #calls = new Map<string, ToolCall & { readonly sessionId: unknown }>();

  begin(sessionId: unknown, callId: unknown, tool: unknown, input: unknown): void {
    const key = keyOf(sessionId, callId);
    const isOne = !this.#calls.has(key);
    this.#calls.set(key, { sessionId, tool: String(tool), input: isOne && isKept(input) ? input : undefined });
    const [oldest] = this.#calls.keys();
    if (this.#calls.size > MAX_CALLS && oldest !== undefined) this.#calls.delete(oldest);
  }

  find(sessionId: unknown, callId: unknown): ToolCall | undefined {
    return this.#calls.get(keyOf(sessionId, callId));
  }

  /** By what is told of a part of a message: a call that ended, however, is forgotten. */
  onPart(part: Json): void {
    const { type, sessionID, callID, state } = part;
    const { status } = fieldsOf(state);
    if (type === 'tool' && (status === 'completed' || status === 'error')) this.#calls.delete(keyOf(sessionID, callID));
  }

  /** The turn is over, and every call of it. */
  endOf(sessionId: unknown): void {
    for (const [key, call] of this.#calls) if (call.sessionId === sessionId) this.#calls.delete(key);
  }
}

function keyOf(sessionId: unknown, callId: unknown): string {
  return JSON.stringify([sessionId, callId]);
}

function isKept(input: unknown): boolean {
  try {
    return depthOf(input) <= MAX_INPUT_DEPTH && (JSON.stringify(input)?.length ?? Infinity) <= MAX_INPUT_LENGTH;
  } catch {
    return false; // it holds itself, or what has no JSON
  }
}

function depthOf(value: unknown, above = 0): number {
  if (typeof value !== 'object' || value === null || above > MAX_INPUT_DEPTH) return above;
  return Object.values(value).reduce<number>((most, field) => Math.max(most, depthOf(field, above + 1)), above + 1);
}

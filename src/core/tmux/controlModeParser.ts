import { joinBytes } from '../../shared/frameCodec';

/** One thing tmux said to a control client (tmux(1), CONTROL MODE). */
export type ControlEvent =
  /** The answer to a command. `flags` 1: a command of this client; 0: something else (the attach itself, a hook). */
  | {
      readonly kind: 'reply';
      readonly number: number;
      readonly flags: number;
      readonly isError: boolean;
      readonly text: string;
    }
  /** Output of a pane, still escaped: most of it is only counted, so unescape on demand with {@link unescapeOutput}. */
  | { readonly kind: 'output'; readonly paneId: string; readonly escaped: Uint8Array }
  | { readonly kind: 'pause'; readonly paneId: string }
  | { readonly kind: 'continue'; readonly paneId: string }
  | { readonly kind: 'subscription'; readonly name: string; readonly paneId: string; readonly value: string }
  | { readonly kind: 'exit'; readonly reason: string }
  /** Any other notification, also of versions to come: `name` without the `%`. */
  | { readonly kind: 'notification'; readonly name: string; readonly rest: string }
  /** A line outside a reply that is no notification. Harmless: a `display-message -p` in a hook makes one. */
  | { readonly kind: 'stray'; readonly line: string }
  /** The order of replies is broken: text of a pane imitated the protocol, or bytes were lost. The connection must not be used any more. */
  | { readonly kind: 'violation'; readonly detail: string };

const LF = 10;
const PERCENT = 37;
const BACKSLASH = 92;
/** 32 MiB: a reply line longer than the longest capture by far; a line without an end must not fill the memory. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

interface OpenReply {
  /** `time number flags` as in the `%begin`; only the same triple closes it. */
  readonly guard: string;
  readonly number: number;
  readonly flags: number;
  readonly lines: Uint8Array[];
}

/**
 * Turns the bytes of a control client into events, whatever the chunking.
 * A reply may contain lines that look like protocol, for a captured screen is an agent's text. So a reply is closed only by its own
 * time, number and flags; numbers must grow; and an end without a beginning is a violation instead of being skipped.
 */
export class ControlModeParser {
  readonly #decoder = new TextDecoder();
  readonly #onEvent: (event: ControlEvent) => void;
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #reply: OpenReply | undefined;
  #lastNumber = -1;

  constructor(onEvent: (event: ControlEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Feeds the next bytes; events are delivered synchronously. The chunk must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LF, start);
      if (end < 0) break;
      const tail = chunk.subarray(start, end);
      this.#line(this.#restBytes === 0 ? tail : this.#takeRest(tail));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  #keep(part: Uint8Array): void {
    this.#rest.push(part);
    this.#restBytes += part.length;
    if (this.#restBytes <= MAX_LINE_BYTES) return;
    this.#takeRest(new Uint8Array());
    this.#onEvent({ kind: 'violation', detail: `a line of more than ${MAX_LINE_BYTES} bytes` });
  }

  #takeRest(tail: Uint8Array): Uint8Array {
    const line = joinBytes([...this.#rest, tail], this.#restBytes + tail.length);
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }

  #line(line: Uint8Array): void {
    if (this.#reply) return this.#replyLine(this.#reply, line);
    if (line[0] !== PERCENT) return this.#onEvent({ kind: 'stray', line: this.#decoder.decode(line) });
    const output = outputEvent(line);
    if (output) return this.#onEvent(output);
    this.#notification(this.#decoder.decode(line));
  }

  #replyLine(reply: OpenReply, line: Uint8Array): void {
    const guard = line[0] === PERCENT ? closingGuard(line) : undefined;
    if (guard?.rest !== reply.guard) {
      reply.lines.push(line);
      return;
    }
    this.#reply = undefined;
    const text = reply.lines.map((part) => this.#decoder.decode(part)).join('\n');
    this.#onEvent({ kind: 'reply', number: reply.number, flags: reply.flags, isError: guard.isError, text });
  }

  #notification(text: string): void {
    const space = text.indexOf(' ');
    const name = space < 0 ? text.slice(1) : text.slice(1, space);
    const rest = space < 0 ? '' : text.slice(space + 1);
    switch (name) {
      case 'begin':
        return this.#begin(rest);
      case 'end':
      case 'error':
        return this.#onEvent({ kind: 'violation', detail: 'the end of a reply that had not begun' });
      case 'pause':
      case 'continue':
        return this.#onEvent({ kind: name, paneId: rest });
      case 'exit':
        return this.#onEvent({ kind: 'exit', reason: rest });
      case 'subscription-changed':
        return this.#subscription(rest);
      default:
        return this.#onEvent({ kind: 'notification', name, rest });
    }
  }

  #begin(guard: string): void {
    const match = /^\d+ (\d+) (\d+)$/.exec(guard);
    const number = Number(match?.[1]);
    if (!match || number <= this.#lastNumber) {
      return this.#onEvent({ kind: 'violation', detail: 'a reply out of order' });
    }
    this.#lastNumber = number;
    this.#reply = { guard, number, flags: Number(match[2]), lines: [] };
  }

  /** `name $session @window index %pane : value`; only subscriptions to panes are of use here. */
  #subscription(rest: string): void {
    const match = /^(\S+) \S+ \S+ \S+ (%\d+) : (.*)$/s.exec(rest);
    if (!match) return this.#onEvent({ kind: 'notification', name: 'subscription-changed', rest });
    const [, name = '', paneId = '', value = ''] = match;
    this.#onEvent({ kind: 'subscription', name, paneId, value });
  }
}

/**
 * The bytes a program wrote, from the value of an output notification: bytes below 32 and the backslash come as three octal
 * digits, all others as they are. A character of several bytes may be split between two notifications: decode with a streaming decoder.
 */
export function unescapeOutput(escaped: Uint8Array): Uint8Array {
  const first = escaped.indexOf(BACKSLASH);
  if (first < 0) return escaped;
  const bytes = new Uint8Array(escaped.length);
  bytes.set(escaped.subarray(0, first));
  let length = first;
  for (let i = first; i < escaped.length; i++) {
    const byte = escaped[i] as number; // below length
    const value = byte === BACKSLASH ? octal(escaped, i + 1) : -1;
    bytes[length++] = value < 0 ? byte : value;
    if (value >= 0) i += 3;
  }
  return bytes.subarray(0, length);
}

function octal(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 3; i++) {
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 7) return -1;
    value = value * 8 + digit;
  }
  return value > 255 ? -1 : value;
}

const OUTPUT = ascii('%output ');
const EXTENDED_OUTPUT = ascii('%extended-output ');

/** `%output %1 data` and `%extended-output %1 age … : data`. */
function outputEvent(line: Uint8Array): ControlEvent | undefined {
  if (startsWith(line, OUTPUT)) {
    const space = line.indexOf(32, OUTPUT.length);
    if (space < 0) return undefined;
    return { kind: 'output', paneId: latin(line, OUTPUT.length, space), escaped: line.subarray(space + 1) };
  }
  if (!startsWith(line, EXTENDED_OUTPUT)) return undefined;
  const space = line.indexOf(32, EXTENDED_OUTPUT.length);
  let colon = line.indexOf(58, space);
  while (colon > 0 && (line[colon - 1] !== 32 || (colon + 1 < line.length && line[colon + 1] !== 32)))
    colon = line.indexOf(58, colon + 1);
  if (space < 0 || colon < 0) return undefined;
  return { kind: 'output', paneId: latin(line, EXTENDED_OUTPUT.length, space), escaped: line.subarray(colon + 2) };
}

function closingGuard(line: Uint8Array): { readonly isError: boolean; readonly rest: string } | undefined {
  if (line.length > 80) return undefined;
  const match = /^%(end|error) (.*)$/.exec(latin(line, 0, line.length));
  return match ? { isError: match[1] === 'error', rest: match[2] ?? '' } : undefined;
}

function startsWith(line: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => line[i] === byte);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function latin(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

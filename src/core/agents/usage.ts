import type { Clock } from '../base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../base/disposable';
import { describeError } from '../base/errors';
import { Emitter, type Event } from '../base/event';
import type { Logger } from '../base/log';
import type { AgentId } from './agent';
import type { AgentRegistry } from './agentRegistry';
import type { AgentType } from './agentType';
import type { Agent } from './baseAgent';
import { textAt } from './signals/jsonPointer';
import { readUsageLine, type TokenCount, UsageTally } from './usageRecords';

/** Tokens and cost as the program itself recorded them; never estimated. */
export interface AgentUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Only when the program reports it. */
  readonly costUsd?: number;
  /** What is covered, in words: `this conversation`, `since it was started or found here`; or why it is not. */
  readonly coverage: string;
  readonly updatedAtMs: number;
}

/** Reads the files in which programs record what they used. Implemented by `node/nodeUsageReader.ts`. */
export interface UsageReader {
  /**
   * Complete lines from `offset` on, at most `maxBytes` of them. Lines over 1 MiB are left out. `isReset`: the file is shorter than
   * before; what was read of it counts no more. `unreadBytes`: what lies behind `nextOffset`. @throws system errors
   */
  read(
    path: string,
    offset: number,
    maxBytes: number,
  ): Promise<{
    readonly lines: readonly string[];
    readonly nextOffset: number;
    readonly isReset: boolean;
    readonly unreadBytes: number;
  }>;
}

interface Meter {
  /** Undefined: counted from events. */
  readonly path: string | undefined;
  offset: number;
  tally: UsageTally;
  /** More than {@link MAX_UNREAD_BYTES} were to be read: none of it is counted. */
  isTooLarge: boolean;
  /** A reading is under way; `isAgain`: something came meanwhile. */
  isReading: boolean;
  isAgain: boolean;
  updatedAtMs: number;
  readonly later: MutableDisposable<Disposable>;
}

const MAX_BYTES_PER_READ = 4 * 1024 * 1024;
/** No conversation is that long, and which file is read is what an agent's hook says: a sparse one can have terabytes. */
const MAX_UNREAD_BYTES = 256 * 1024 * 1024;
/** Records that are read beside each other when the engine begins: a slow one does not hold up the others. */
const PARALLEL = 3;
const TOO_LARGE = 'nothing: the record is larger than 256 MiB and was not counted';
/** A program may tell its hooks that a turn is over before it has recorded it: Claude Code 2.1.197 does. */
const RECORD_MS = 1_500;
/** Where programs say in which file they record the conversation. */
const TRANSCRIPT_PATH = '/transcript_path';
const TRANSCRIPT = /^\/.{1,4000}\.jsonl$/;

/** Counts what agents used: from the program's own records, read on when a hook tells that something was added. */
export class UsageMeter implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #meters = new Map<AgentId, Meter>();
  readonly #onDidChange: Emitter<AgentId>;

  constructor(
    private readonly parts: {
      readonly registry: AgentRegistry;
      readonly reader: UsageReader | undefined;
      readonly clock: Clock;
      readonly log: Logger;
    },
  ) {
    this.#onDidChange = this.#owned.add(
      new Emitter<AgentId>((error) => parts.log.error('a listener of usage failed', { error })),
    );
    this.#owned.add(parts.registry.onDidRemove(({ id }) => this.#forget(id)));
  }

  get onDidChange(): Event<AgentId> {
    return this.#onDidChange.event;
  }

  /** Undefined until something was counted. */
  usage(id: AgentId): AgentUsage | undefined {
    const meter = this.#meters.get(id);
    if (!meter || (meter.tally.isEmpty && !meter.isTooLarge)) return undefined;
    const coverage = meter.path === undefined ? 'since it was started or found here' : meter.isTooLarge ? TOO_LARGE : 'this conversation'; // prettier-ignore
    return { ...meter.tally.total, coverage, updatedAtMs: meter.updatedAtMs };
  }

  /** A hook of the present run told something: it may name the record, or be one. */
  onHook(agent: Agent, payload: unknown): void {
    const source = agent.type?.usage;
    if (!source || this.#owned.isDisposed) return;
    if (source === 'opencode') return this.#count(agent, payload);
    const path = transcriptPathOf(payload);
    if (path === undefined || !this.parts.reader) return;
    const meter = this.#meter(agent.id, path);
    const { reader } = this.parts;
    const read = (): void => {
      meter.isAgain = true;
      if (!meter.isReading && !this.#owned.isDisposed) void this.#readOn(agent.id, meter, source, reader);
    };
    read();
    meter.later.value = this.parts.clock.setTimer(RECORD_MS, read);
  }

  /**
   * The engine has begun anew: what agents used in their conversations so far is read once, a few beside each other, where it is known in
   * which file that is. What was counted from events is lost with the engine that counted it. Never rejects.
   */
  async readAgain(agents: readonly Agent[]): Promise<void> {
    const queue = [...agents];
    const worker = async (): Promise<void> => {
      for (let agent = queue.shift(); agent; agent = queue.shift()) await this.#readWhole(agent);
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }

  async #readWhole({ id, type, record }: Agent): Promise<void> {
    const { reader } = this.parts;
    const { sessionId, transcriptPath } = record;
    if (!reader || !type?.usage || sessionId === undefined || transcriptPath === undefined) return;
    if (!TRANSCRIPT.test(transcriptPath)) return;
    if (this.#owned.isDisposed || this.#meters.has(id)) return; // a hook was quicker
    const meter = this.#meter(id, transcriptPath);
    meter.isAgain = true;
    await this.#readOn(id, meter, type.usage, reader);
  }

  dispose(): void {
    for (const id of [...this.#meters.keys()]) this.#forget(id);
    this.#owned.dispose();
  }

  #forget(id: AgentId): void {
    this.#meters.get(id)?.later.dispose();
    this.#meters.delete(id);
  }

  #count(agent: Agent, payload: unknown): void {
    const count = readUsageLine('opencode', payload);
    if (count) this.#add(agent.id, this.#meter(agent.id, undefined), [count]);
  }

  async #readOn(
    id: AgentId,
    meter: Meter,
    source: NonNullable<AgentType['usage']>,
    reader: UsageReader,
  ): Promise<void> {
    meter.isReading = true;
    try {
      while (meter.isAgain && !meter.isTooLarge && meter.path !== undefined && this.#meters.get(id) === meter) {
        meter.isAgain = false;
        const { lines, nextOffset, isReset, unreadBytes } = await reader.read(meter.path, meter.offset, MAX_BYTES_PER_READ); // prettier-ignore
        if (unreadBytes > MAX_UNREAD_BYTES) return this.#giveUp(id, meter);
        if (isReset) meter.tally = new UsageTally();
        meter.isAgain ||= nextOffset - meter.offset >= MAX_BYTES_PER_READ;
        meter.offset = nextOffset;
        this.#add(id, meter, lines.map((line) => readUsageLine(source, parse(line))).filter((count) => count !== undefined)); // prettier-ignore
      }
    } catch (error) {
      this.parts.log.debug('what an agent used could not be read', { agent: id, error: describeError(error) });
    } finally {
      meter.isReading = false;
    }
  }

  /** Until another record is named. */
  #giveUp(id: AgentId, meter: Meter): void {
    if (this.#meters.get(id) !== meter) return;
    meter.tally = new UsageTally();
    meter.isTooLarge = true;
    meter.updatedAtMs = this.parts.clock.nowMs();
    this.parts.log.warn('what an agent used is not counted: its record is too large', { agent: id, path: meter.path });
    this.#onDidChange.fire(id);
  }

  #add(id: AgentId, meter: Meter, counts: readonly TokenCount[]): void {
    if (counts.length === 0 || this.#meters.get(id) !== meter) return;
    for (const count of counts) meter.tally.add(count);
    meter.updatedAtMs = this.parts.clock.nowMs();
    this.#onDidChange.fire(id);
  }

  /** Another record is another conversation, or the same one seen through the folder of another launch: it is read from its beginning. */
  #meter(id: AgentId, path: string | undefined): Meter {
    const present = this.#meters.get(id);
    if (present && present.path === path) return present;
    this.#forget(id);
    const meter: Meter = {
      path,
      offset: 0,
      tally: new UsageTally(),
      isTooLarge: false,
      isReading: false,
      isAgain: false,
      updatedAtMs: 0,
      later: new MutableDisposable(),
    };
    this.#meters.set(id, meter);
    return meter;
  }
}

/** The file in which a program records its conversation, as a hook told; undefined when it did not. */
export function transcriptPathOf(payload: unknown): string | undefined {
  const path = textAt(payload, TRANSCRIPT_PATH);
  return path !== undefined && TRANSCRIPT.test(path) ? path : undefined;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // a line that a crash cut; the rest of the record counts
  }
}

import { isJsonObject, type JsonObject } from './jsonReader';
import type { AgentType } from './agentType';
import { atPointer } from './signals/jsonPointer';
import type { AgentUsage } from './usage';

type Totals = Omit<AgentUsage, 'coverage' | 'updatedAtMs'>;

/** Tokens of one answer. A later count of the same id replaces an earlier one. */
export interface TokenCount extends Totals {
  readonly id: string;
}

/** How many answers may still be corrected; older ones are summed up. */
const MAX_OPEN_ANSWERS = 200;
const NOTHING: Totals = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

/** The sum of answers' counts, each counted once. */
export class UsageTally {
  readonly #open = new Map<string, TokenCount>();
  #closed: Totals = NOTHING;

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  get total(): Totals {
    return [...this.#open.values()].reduce(sum, this.#closed);
  }

  add(count: TokenCount): void {
    this.#open.set(count.id, count);
    if (this.#open.size <= MAX_OPEN_ANSWERS) return;
    const [oldest] = this.#open.values();
    if (!oldest) return;
    this.#open.delete(oldest.id);
    this.#closed = sum(this.#closed, oldest);
  }
}

function sum(a: Totals, b: Totals): Totals {
  const cost = a.costUsd === undefined && b.costUsd === undefined ? undefined : (a.costUsd ?? 0) + (b.costUsd ?? 0);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    ...(cost !== undefined && { costUsd: cost }),
  };
}

/**
 * What one record of a program says about tokens; undefined for every other record. Seen with Claude Code 2.1.197, Codex 0.169.0, Gemini CLI 0.61.0
 * and opencode 1.18.33. Input is what was read anew: without what came from a cache.
 */
export function readUsageLine(source: NonNullable<AgentType['usage']>, record: unknown): TokenCount | undefined {
  if (!isJsonObject(record)) return undefined;
  switch (source) {
    case 'claude':
      return fromClaude(record);
    case 'codex':
      return fromCodex(record);
    case 'gemini':
      return fromGemini(record);
    case 'opencode':
      return fromOpencode(record);
  }
}

/** One answer is several lines with the same message id, each with the whole count. */
function fromClaude(record: JsonObject): TokenCount | undefined {
  const id = atPointer(record, '/message/id');
  const usage = atPointer(record, '/message/usage');
  if (record['type'] !== 'assistant' || typeof id !== 'string' || !isJsonObject(usage)) return undefined;
  return {
    id,
    inputTokens: tokens(usage['input_tokens']),
    outputTokens: tokens(usage['output_tokens']),
    cacheReadTokens: tokens(usage['cache_read_input_tokens']),
    cacheWriteTokens: tokens(usage['cache_creation_input_tokens']),
  };
}

/** Each line holds the count of the whole conversation. */
function fromCodex(record: JsonObject): TokenCount | undefined {
  const usage = atPointer(record, '/payload/info/total_token_usage');
  if (atPointer(record, '/payload/type') !== 'token_count' || !isJsonObject(usage)) return undefined;
  const cacheReadTokens = tokens(usage['cached_input_tokens']);
  return {
    id: 'conversation',
    inputTokens: Math.max(0, tokens(usage['input_tokens']) - cacheReadTokens),
    outputTokens: tokens(usage['output_tokens']),
    cacheReadTokens,
    cacheWriteTokens: tokens(usage['cache_write_input_tokens']),
  };
}

function fromGemini(record: JsonObject): TokenCount | undefined {
  const { id, tokens: usage } = record;
  if (record['type'] !== 'gemini' || typeof id !== 'string' || !isJsonObject(usage)) return undefined;
  const cacheReadTokens = tokens(usage['cached']);
  return {
    id,
    inputTokens: Math.max(0, tokens(usage['input']) - cacheReadTokens) + tokens(usage['tool']),
    outputTokens: tokens(usage['output']) + tokens(usage['thoughts']),
    cacheReadTokens,
    cacheWriteTokens: 0,
  };
}

/** An event of our plugin. */
function fromOpencode(record: JsonObject): TokenCount | undefined {
  const { id, tokens: usage, cost } = record;
  if (typeof id !== 'string' || !isJsonObject(usage)) return undefined;
  return {
    id,
    inputTokens: tokens(usage['input']),
    outputTokens: tokens(usage['output']) + tokens(usage['reasoning']),
    cacheReadTokens: tokens(atPointer(usage, '/cache/read')),
    cacheWriteTokens: tokens(atPointer(usage, '/cache/write')),
    ...(typeof cost === 'number' && Number.isFinite(cost) && cost >= 0 && { costUsd: cost }),
  };
}

/** A count that could not be one counts as none. */
function tokens(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

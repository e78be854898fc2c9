import { GATEWAY_LIMITS } from '../../shared/gatewayProtocol';
import type { Clock } from '../base/clock';
import type { Principal } from './gatewayPorts';

/** A token bucket: `burst` at once, then `perSecond`. */
export class TokenBucket {
  #tokens: number;
  #atMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.#tokens = burst;
    this.#atMs = clock.monotonicMs();
  }

  /** Takes `count` and returns 0, or takes nothing and returns the milliseconds until there will be as many (at least 1). */
  take(count = 1): number {
    this.#refill();
    const needed = Math.min(count, this.burst); // what costs more than the bucket holds must come through some day
    if (this.#tokens >= needed) {
      this.#tokens -= needed;
      return 0;
    }
    return Math.max(1, Math.ceil(((needed - this.#tokens) / this.perSecond) * 1000));
  }

  get isFull(): boolean {
    this.#refill();
    return this.#tokens >= this.burst;
  }

  #refill(): void {
    const nowMs = this.clock.monotonicMs();
    this.#tokens = Math.min(this.burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * this.perSecond);
    this.#atMs = nowMs;
  }
}

/** Why a request is not begun: `retryAfterMs` from the rate; undefined when too much is under way. */
export interface Refused {
  readonly why: string;
  readonly retryAfterMs: number;
}

/** A frame of this size costs as much as one request; a larger one as many as it has of them. */
const BYTES_PER_REQUEST = 64 * 1024;
/** When something of a caller may have ended. */
const BUSY_RETRY_MS = 200;

/** What one caller may still cost, over all its connections: requests per second, requests and bytes under way (S17). */
export class CallerBudget {
  readonly #bucket: TokenBucket;
  readonly #maxUnderWay: number;
  #underWay = 0;
  #bytes = 0;
  connectionCount = 0;

  constructor(clock: Clock, kind: Principal['kind']) {
    this.#maxUnderWay = kind === 'person' ? GATEWAY_LIMITS.personRequestsUnderWay : GATEWAY_LIMITS.requestsUnderWay;
    this.#bucket =
      kind === 'person'
        ? new TokenBucket(clock, GATEWAY_LIMITS.personRequestsPerSecond, GATEWAY_LIMITS.personRequestBurst)
        : new TokenBucket(clock, GATEWAY_LIMITS.requestsPerSecond, GATEWAY_LIMITS.requestBurst);
  }

  /** Nothing of it is left to remember. */
  get isUnused(): boolean {
    return this.connectionCount === 0 && this.#underWay === 0 && this.#bucket.isFull;
  }

  /** Counts a frame of `bytes` against the rate. */
  admit(bytes: number): Refused | undefined {
    const retryAfterMs = this.#bucket.take(Math.max(1, Math.ceil(bytes / BYTES_PER_REQUEST)));
    return retryAfterMs === 0 ? undefined : { why: 'too many requests', retryAfterMs };
  }

  /** Counts a request as under way until `end` is called with the same bytes. */
  begin(bytes: number): Refused | undefined {
    if (this.#underWay >= this.#maxUnderWay || this.#bytes + bytes > GATEWAY_LIMITS.bytesUnderWay) {
      return { why: 'too many requests are under way', retryAfterMs: BUSY_RETRY_MS };
    }
    this.#underWay++;
    this.#bytes += bytes;
    return undefined;
  }

  end(bytes: number): void {
    this.#underWay--;
    this.#bytes -= bytes;
  }
}

/** The budgets of all callers that were here lately. */
export class CallerBudgets {
  readonly #budgets = new Map<string, CallerBudget>();

  constructor(private readonly clock: Clock) {}

  /** One for an agent whatever its generation, one for the person. */
  of(principal: Principal): CallerBudget {
    const key = principal.kind === 'person' ? 'person' : `agent:${principal.agentId}`;
    const known = this.#budgets.get(key);
    if (known) return known;
    for (const [other, budget] of this.#budgets) if (budget.isUnused) this.#budgets.delete(other);
    const budget = new CallerBudget(this.clock, principal.kind);
    this.#budgets.set(key, budget);
    return budget;
  }
}

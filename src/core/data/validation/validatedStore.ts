import type { Event } from '../../base/event';
import { DataError } from '../dataErrors';
import type { SearchOptions, SearchPage } from '../search/dataSearch';
import type {
  Change,
  Collection,
  DataRecord,
  DataStore,
  PreparedPut,
  Query,
  StoreHealth,
  StoreSnapshot,
  Tx,
} from '../dataStore';
import type { DataValidator } from './dataValidator';
import type { ValidationInput, ValidationLookup, ValidationProblem } from './validationRule';

/** What the rules found in a value that was to be kept. */
export interface WriteFinding {
  readonly kind: string;
  readonly id: string;
  /** Nothing of its transaction was written. Else it was kept, and these are warnings. */
  readonly isRefused: boolean;
  readonly problems: readonly ValidationProblem[];
}

export interface ValidatedStoreOptions {
  /** Told once per transaction that was acknowledged or refused, and only where there was something. Must not throw. */
  readonly onFindings?: (findings: readonly WriteFinding[]) => void;
  /** Kinds that rules may ask about (`lookup`), and by which properties: their indexes. */
  readonly collections?: readonly Collection<never>[];
  /** Lets the event loop turn while many records are checked at once. */
  readonly breathe?: () => Promise<void>;
}

/** So many records are checked without letting the event loop turn: some 5 ms. */
const CHECKED_AT_ONCE = 250;

/**
 * A store into which nothing comes that breaks a rule of its kind: each `put` is checked, with all its problems, before
 * it takes part in the transaction. A kind without rules is not kept at all. Reading is not affected: what is kept was valid by the rules of its time.
 * Adds to the errors of `tx`: {DataError} data.invalid with the problems; nothing of the transaction was written then.
 */
export class ValidatedStore implements DataStore {
  readonly #onFindings: (findings: readonly WriteFinding[]) => void;

  constructor(
    private readonly store: DataStore,
    private readonly validator: DataValidator,
    private readonly options: ValidatedStoreOptions = {},
  ) {
    this.#onFindings = options.onFindings ?? (() => undefined);
  }

  get health(): StoreHealth {
    return this.store.health;
  }

  get onDidChangeHealth(): Event<StoreHealth> {
    return this.store.onDidChangeHealth;
  }

  async tx<T>(work: (tx: Tx) => T): Promise<T> {
    let findings: WriteFinding[] = [];
    try {
      const result = await this.store.tx((tx) => {
        findings = []; // the callback may run again
        return work(new ValidatedTx(tx, this.validator, findings, this.options.collections ?? []));
      });
      if (findings.length > 0) this.#onFindings(findings);
      return result;
    } catch (error) {
      const refused = findings.filter(({ isRefused }) => isRefused);
      if (refused.length > 0) this.#onFindings(refused);
      throw error;
    }
  }

  get<T>(collection: Collection<T>, id: string): Promise<DataRecord<T> | undefined> {
    return this.store.get(collection, id);
  }

  find<T>(collection: Collection<T>, query?: Query<T>): Promise<readonly DataRecord<T>[]> {
    return this.store.find(collection, query);
  }

  search(query: string, options?: SearchOptions): Promise<SearchPage> {
    return this.store.search(query, options);
  }

  changes(after: number, limit?: number): Promise<readonly Change[]> {
    return this.store.changes(after, limit);
  }

  snapshot<R>(
    use: (snapshot: StoreSnapshot) => Promise<R>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<R> {
    return this.store.snapshot(use, options);
  }

  /** Rules that ask about other records cannot hold here, where nothing can be read: they fail. */
  async putAll(
    puts: readonly PreparedPut[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const findings: WriteFinding[] = [];
    for (const [index, { kind, id, json }] of puts.entries()) {
      if (index % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await this.options.breathe?.();
      options.signal?.throwIfAborted();
      requireRules(this.validator, kind);
      const { ok, problems } = this.validator.validate(kind, JSON.parse(json), { recordId: id });
      if (problems.length > 0) findings.push({ kind, id, isRefused: !ok, problems });
      if (ok) continue;
      this.#onFindings(findings.slice(-1));
      throw this.validator.refusal(kind, problems);
    }
    await this.store.putAll(puts, options);
    if (findings.length > 0) this.#onFindings(findings);
  }

  close(): Promise<void> {
    return this.store.close();
  }

  dispose(): void {
    this.store.dispose();
  }
}

class ValidatedTx implements Tx {
  constructor(
    private readonly tx: Tx,
    private readonly validator: DataValidator,
    private readonly findings: WriteFinding[],
    private readonly collections: readonly Collection<never>[],
  ) {}

  get<T>(collection: Collection<T>, id: string): DataRecord<T> | undefined {
    return this.tx.get(collection, id);
  }

  find<T>(collection: Collection<T>, query?: Query<T>): readonly DataRecord<T>[] {
    return this.tx.find(collection, query);
  }

  put<T>(collection: Collection<T>, id: string, value: T, options?: { readonly expectedVersion?: number }): void {
    this.#check(collection, id, value);
    this.tx.put(collection, id, value, options);
  }

  delete<T>(collection: Collection<T>, id: string, options?: { readonly expectedVersion?: number }): void {
    this.tx.delete(collection, id, options);
  }

  /** @throws {DataError} data.invalid; what a read of the transaction throws, which is how it is run again */
  #check<T>(collection: Collection<T>, id: string, value: T): void {
    const { kind } = collection;
    requireRules(this.validator, kind);
    const input = new WriteInput(this.tx, (tx) => tx.get(collection, id)?.value, id, this.collections);
    const { ok, problems } = this.validator.validate(kind, value, input);
    input.rethrow();
    if (problems.length === 0) return;
    this.findings.push({ kind, id, isRefused: !ok, problems });
    if (!ok) throw this.validator.refusal(kind, problems);
  }
}

/** @throws {DataError} data.invalid */
function requireRules(validator: DataValidator, kind: string): void {
  if (!validator.has(kind)) throw new DataError('data.invalid', `there are no rules for records of the kind ${kind}`);
}

/** What rules may ask about the rest of the store: read in the same transaction, and only when a rule asks. */
class WriteInput implements ValidationInput {
  /** A read that has no answer yet ends this run of the callback: the rule that asked must not turn that into a problem. */
  #failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly tx: Tx,
    private readonly readPrevious: (tx: Tx) => unknown,
    readonly recordId: string,
    private readonly collections: readonly Collection<never>[],
  ) {}

  get previous(): unknown {
    return this.#ask(() => this.readPrevious(this.tx));
  }

  readonly lookup: ValidationLookup = {
    exists: (kind, id) => this.#ask(() => this.tx.get(this.#collection(kind), id) !== undefined),
    idsWith: (kind, property, value) =>
      this.#ask(() =>
        this.tx.find(this.#collection(kind), { where: { [property]: value }, limit: 2 }).map(({ id }) => id),
      ),
  };

  #collection(kind: string): Collection<Readonly<Record<string, unknown>>> {
    const known = this.collections.find((collection) => collection.kind === kind);
    if (!known) throw new DataError('data.invalid', `rules cannot ask about records of the kind ${kind}`);
    return { ...known, parse: (value) => value as never }; // only asked whether it is there
  }

  rethrow(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #ask<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }
}

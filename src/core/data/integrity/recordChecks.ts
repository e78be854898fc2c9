import { getAt, path, type RecordPath } from '../processing/recordPath';
import type { ValidationProblem } from '../validation/validationRule';
import type { IntegrityModel, Reference, SeenRecord, Sequence, Suspicion } from './integrityModel';
import type { IntegrityCode, IntegrityFinding } from './integrityReport';
import { advice, type IntegrityFix } from './integrityReport';

interface CompiledReference extends Reference {
  readonly place: RecordPath;
  readonly numbers?: { readonly own: RecordPath; readonly highest: RecordPath; readonly words: string };
}

/**
 * Compares records with the rules of their kind and with each other. They come one by one, each kind in the order of its
 * ids; kinds that others refer to come first ({@link RecordChecks.order}), and only of those the values are held.
 */
export class RecordChecks {
  readonly #targetKinds: ReadonlySet<string>;
  readonly #targets = new Map<string, Map<string, { readonly value: unknown }>>();
  readonly #references: readonly CompiledReference[];
  readonly #sequences: readonly (Sequence & { readonly place: RecordPath })[];
  /** By sequence, then owner: the last one seen. */
  readonly #last = new Map<string, SeenRecord>();
  /** By kind and key: who has it. */
  readonly #keys = new Map<string, Suspicion['seen'][number]>();
  /** Kinds whose records cannot all be read: what refers to one of them may refer to a damaged one. */
  readonly #damaged = new Map<string, Set<string>>();

  constructor(
    private readonly model: IntegrityModel,
    private readonly validate: (kind: string, id: string, value: unknown) => readonly ValidationProblem[],
  ) {
    this.#targetKinds = new Set(model.references.map(({ to }) => to));
    this.#references = model.references.map((reference) => ({
      ...reference,
      place: path(reference.at),
      ...(reference.notAhead && {
        numbers: {
          own: path(reference.notAhead.at),
          highest: path(reference.notAhead.of),
          words: reference.notAhead.words,
        },
      }),
    }));
    this.#sequences = model.sequences.map((sequence) => ({ ...sequence, place: path(sequence.groupBy) }));
  }

  /** Kinds in the order in which their records must come. */
  order(kinds: readonly string[]): readonly string[] {
    return [...kinds].sort((a, b) => Number(this.#targetKinds.has(b)) - Number(this.#targetKinds.has(a)));
  }

  /** A record that cannot be read. */
  damaged(kind: string, id: string, why: string): Suspicion {
    const known = this.#damaged.get(kind) ?? new Set<string>();
    this.#damaged.set(kind, known.add(id));
    return this.#suspect('record.damaged', { kind, id }, why, this.model.fixOf(kind, id, undefined));
  }

  check(record: SeenRecord): readonly Suspicion[] {
    if (this.#targetKinds.has(record.kind)) this.#remember(record);
    return [
      ...this.#byRules(record),
      ...this.#byReferences(record),
      ...this.#bySequences(record),
      ...this.#byDistinct(record),
    ];
  }

  /** Of a kind: those that could not be read. */
  damagedIds(kind: string): ReadonlySet<string> {
    return this.#damaged.get(kind) ?? new Set();
  }

  #remember({ kind, id, value }: SeenRecord): void {
    const targets = this.#targets.get(kind) ?? new Map<string, { readonly value: unknown }>();
    this.#targets.set(kind, targets.set(id, { value }));
  }

  #byRules(record: SeenRecord): readonly Suspicion[] {
    const { kind, id, version, value } = record;
    return this.validate(kind, id, value).map(({ path: at, rule, message, severity }) =>
      this.#suspect('record.invalid', record, message, this.model.fixOf(kind, id, version), {
        path: at,
        rule,
        severity,
      }),
    );
  }

  #byReferences(record: SeenRecord): readonly Suspicion[] {
    return this.#references.flatMap((reference) => {
      const named = reference.kind === record.kind ? getAt(record.value, reference.place) : undefined;
      if (typeof named !== 'string' || this.#damaged.get(reference.to)?.has(named)) return [];
      const target = this.#targets.get(reference.to)?.get(named);
      const also = [{ kind: reference.to, id: named }];
      const common = { path: reference.at, severity: reference.severity, also };
      const fix = removalOf(reference, record);
      if (!target) return [this.#suspect('reference.missing', record, reference.message, fix, common)];
      if (reference.isGone?.(target.value))
        return [this.#suspect('record.orphan', record, `it belongs to a removed ${reference.to}`, fix, common)];
      const { numbers } = reference;
      if (!numbers) return [];
      const [own, highest] = [getAt(record.value, numbers.own), getAt(target.value, numbers.highest)];
      if (typeof own !== 'number' || typeof highest !== 'number' || own <= highest) return [];
      const why = `it speaks of ${numbers.words} ${own}, and the ${reference.to} is at ${highest}`;
      return [this.#suspect('sequence.ahead', record, why, advice(AHEAD), { ...common, severity: 'error' })];
    });
  }

  #bySequences(record: SeenRecord): readonly Suspicion[] {
    return this.#sequences.flatMap((sequence, index) => {
      const owner = sequence.kind === record.kind ? getAt(record.value, sequence.place) : undefined;
      if (typeof owner !== 'string') return [];
      const key = `${index} ${owner}`;
      const before = this.#last.get(key);
      this.#last.set(key, record);
      const found = before && sequence.check(before.value, record.value);
      if (!found) return [];
      const { severity } = sequence;
      return [this.#suspect(found.code, record, found.message, advice(sequence.advice), { severity, also: [before] })];
    });
  }

  #byDistinct(record: SeenRecord): readonly Suspicion[] {
    return this.model.distinct.flatMap((distinct) => {
      const own = distinct.kind === record.kind ? distinct.keyOf(record.value) : undefined;
      if (own === undefined) return [];
      const key = `${record.kind} ${own}`;
      const other = this.#keys.get(key);
      if (!other) {
        this.#keys.set(key, { kind: record.kind, id: record.id });
        return [];
      }
      const why = `${distinct.message} (${other.id})`;
      return [
        this.#suspect('record.duplicate', record, why, advice(distinct.advice), { severity: 'warning', also: [other] }),
      ];
    });
  }

  #suspect(
    code: IntegrityCode,
    { kind, id }: { readonly kind: string; readonly id: string },
    message: string,
    fix: IntegrityFix,
    more: Partial<Pick<IntegrityFinding, 'path' | 'rule' | 'severity'>> & { readonly also?: Suspicion['seen'] } = {},
  ): Suspicion {
    const { also = [], severity = 'error', ...rest } = more;
    const others = also.map((other) => ({ kind: other.kind, id: other.id }));
    return { finding: { code, severity, kind, id, ...rest, message, fix }, seen: [{ kind, id }, ...others] };
  }
}

const AHEAD =
  'The store may have been set back to an earlier state (a restored backup), which this record outlived. Nothing must be done: it stays readable.';

function removalOf({ removeLabel, advice: text }: Reference, { kind, id, version }: SeenRecord): IntegrityFix {
  if (removeLabel === undefined) return advice(text ?? 'It does no harm; there is nothing that must be done.');
  return { kind: 'deleteRecord', label: removeLabel, recordKind: kind, id, version };
}

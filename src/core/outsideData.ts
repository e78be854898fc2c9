import type { Clock } from './base/clock';
import { type Disposable, DisposableStore, toDisposable } from './base/disposable';
import { DataError } from './data/dataErrors';
import type { DataValidator } from './data/validation/dataValidator';
import { type OutsideTransformation, outsideKind } from './data/processing/outsideStep';
import { TransformationRegistry } from './data/processing/transformationRegistry';
import { containedRule, isNamespaced, refusesNewOnly } from './data/validation/outsideRule';
import { VALID, type ValidationProblem, type ValidationRule } from './data/validation/validationRule';
import { allOf } from './data/validation/composeRules';
import { exportSchema } from './data/validation/jsonSchema';
import { importSchema } from './data/validation/schemaImport';
import { runRules } from './data/validation/validationRun';
import { keptRules } from './keptRules';

/** A requirement that another extension adds. */
export interface OutsideRule {
  /** `publisher.extension/name`. */
  readonly name: string;
  /** What it is about. */
  readonly kind: OutsideKind;
  /** One sentence for people. */
  readonly description: string;
  /** Default `error`: a new record is refused. */
  readonly severity?: 'error' | 'warning';
  /** Synchronous. It sees a copy without values of environment variables. What it throws refuses nothing. */
  readonly validate: (value: unknown) => readonly Partial<ValidationProblem>[];
}

/** The same, said as a schema of JSON Schema 2020-12. */
export type OutsideSchema = Omit<OutsideRule, 'validate'> & { readonly schema: unknown };

/** Kinds about which others may have requirements: not the engine's own bookkeeping (histories, approvals). */
export const OUTSIDE_KINDS = ['agent', 'delivery', 'fleetType', 'pipeline'] as const;
export type OutsideKind = (typeof OUTSIDE_KINDS)[number];

const MAX_RULES = 100;
const MAX_TRANSFORMATIONS = 100;

/**
 * What other extensions add to the data of the engine. Outlives single sessions of an owner and supplies each of them; while another
 * window owns the workspace it waits.
 */
export class OutsideData {
  readonly #rules = new Map<string, KnownRule>();
  readonly #supplied = new Map<DataValidator, Map<string, Disposable>>();

  /** Kinds of steps for pipelines: the product's own and those of others. */
  readonly transformations = new TransformationRegistry();
  #transformationCount = 0;

  constructor(private readonly clock: Clock) {}

  /** @throws {DataError} data.invalid – not one, or there are too many; {ProcessingError} processing.duplicateStep */
  registerTransformation(given: OutsideTransformation): Disposable {
    const { name, description, apply } = given;
    if (!isNamespaced(name) || typeof description !== 'string' || typeof apply !== 'function')
      throw new DataError(
        'data.invalid',
        'a transformation has a name (publisher.extension/name), a description and `apply`',
      );
    if (this.#transformationCount >= MAX_TRANSFORMATIONS)
      throw new DataError('data.invalid', `there are ${MAX_TRANSFORMATIONS} transformations already`);
    const contained = outsideKind(
      { name, description: description.slice(0, 500), apply: (record, parameters) => given.apply(record, parameters) },
      this.clock,
    );
    const registration = this.transformations.register(contained);
    this.#transformationCount++;
    return toDisposable(() => {
      this.#transformationCount--;
      registration.dispose();
    });
  }

  /** @throws {DataError} data.invalid – not a rule, a schema that is not known in whole, its name is in use, or there are too many */
  registerRule(rule: OutsideRule | OutsideSchema): Disposable {
    const added = readRule(rule);
    if (this.#rules.has(added.name)) throw new DataError('data.invalid', `there is a rule named ${added.name}`);
    if (this.#rules.size >= MAX_RULES) throw new DataError('data.invalid', `there are ${MAX_RULES} rules already`);
    this.#rules.set(added.name, added);
    for (const [validator, registrations] of this.#supplied) this.#supplyOne(validator, registrations, added);
    return toDisposable(() => {
      this.#rules.delete(added.name);
      for (const registrations of this.#supplied.values()) {
        registrations.get(added.name)?.dispose();
        registrations.delete(added.name);
      }
    });
  }

  /**
   * What values of a kind must fulfil here, the rules of others with it, as JSON Schema 2020-12; a rule that is code stands under `x-core-rule`.
   * @throws {DataError} data.invalid – others have nothing to do with this kind
   */
  schema(kind: OutsideKind): Readonly<Record<string, unknown>> {
    const own = OUTSIDE_KINDS.includes(kind) ? keptRules()[kind] : undefined;
    if (!own) throw new DataError('data.invalid', `a kind is one of ${OUTSIDE_KINDS.join(', ')}`);
    const others = [...this.#rules.values()].filter((rule) => rule.kind === kind);
    return exportSchema(allOf(own, ...others.map(({ form }) => form)));
  }

  /** Gives `validator` every rule, now and later, until disposed. */
  supply(validator: DataValidator): Disposable {
    const registrations = new Map<string, Disposable>();
    this.#supplied.set(validator, registrations);
    for (const rule of this.#rules.values()) this.#supplyOne(validator, registrations, rule);
    return toDisposable(() => {
      this.#supplied.delete(validator);
      const owned = new DisposableStore();
      for (const registration of registrations.values()) owned.add(registration);
      owned.dispose();
    });
  }

  #supplyOne(validator: DataValidator, registrations: Map<string, Disposable>, rule: KnownRule): void {
    const { name, kind, description, severity = 'error', validate } = rule;
    const contained = containedRule(
      {
        code: name,
        description,
        severity,
        validate: (value) => validate(withoutEnvironment(value)) as readonly ValidationProblem[], // read part by part by containedRule
      },
      this.clock,
    );
    registrations.set(name, validator.register(kind, refusesNewOnly(contained)));
  }
}

interface KnownRule extends OutsideRule {
  /** For an export as a schema. */
  readonly form: ValidationRule;
}

/** @throws {DataError} data.invalid */
function readRule(given: OutsideRule | OutsideSchema): KnownRule {
  const { name, kind, description, severity } = given;
  const hasSchema = 'schema' in given && given.schema !== undefined;
  const validate: unknown = 'validate' in given ? given.validate : undefined;
  const why = !isNamespaced(name)
    ? 'its name is that of its extension, /, and a name: publisher.extension/name'
    : !OUTSIDE_KINDS.includes(kind)
      ? `its kind is one of ${OUTSIDE_KINDS.join(', ')}`
      : hasSchema === (typeof validate === 'function')
        ? 'it has either a function `validate` or a `schema`'
        : typeof description !== 'string' || description.trim() === ''
          ? 'it has a description'
          : severity !== undefined && severity !== 'error' && severity !== 'warning'
            ? 'its severity is error or warning'
            : undefined;
  if (why !== undefined) throw new DataError('data.invalid', `a validation rule: ${why}`);
  const common = { name, kind, description, ...(severity && { severity }) };
  if (hasSchema) {
    const form = importSchema(given.schema);
    return { ...common, form, validate: (value) => runRules([form], value).problems };
  }
  const form: ValidationRule = { code: name, description, validate: () => VALID }; // it is code: only its name goes out
  return { ...common, form, validate: (value) => (given as OutsideRule).validate(value) };
}

/** Values of environment variables may be secret: names go out, values do not. */
function withoutEnvironment(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { env, spec, inject, ...rest } = value as Readonly<Record<string, unknown>>; // a copy of a record's value
  return {
    ...rest,
    ...(env !== undefined && { env: namesOnly(env) }),
    ...(spec !== undefined && { spec: withoutEnvironment(spec) }),
    ...(inject !== undefined && { inject: withoutEnvironment(inject) }),
  };
}

function namesOnly(env: unknown): unknown {
  if (typeof env !== 'object' || env === null) return {};
  return Object.fromEntries(Object.keys(env).map((name) => [name, '']));
}

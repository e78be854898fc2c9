import { type Disposable, toDisposable } from '../../base/disposable';
import { compose, type DataTransformation, type JsonObject, type TransformationStep } from './dataTransformation';
import { type Parameters, shape, type ValuesOf } from './parameters';
import { readSpec, type StepSpec } from './pipelineSpec';
import { pipelineError, type PipelineProblem, ProcessingError, RecordRejection } from './processingErrors';
import { child, type Report } from './report';
import type { Lookup } from './tableSteps';
import type { Validator } from './recordSteps';

/** What pipelines may name and cannot hold. */
export interface PipelineResources {
  readonly lookups?: Readonly<Record<string, Lookup>>;
  /** Right sides of joins; opened once for every run. */
  readonly tables?: Readonly<Record<string, () => AsyncIterable<JsonObject> | Iterable<JsonObject>>>;
  readonly validators?: Readonly<Record<string, Validator>>;
}

/** A kind of step that pipelines in data form may use. */
export interface TransformationKind<P extends Parameters> {
  /** A letter, then letters and digits; at most 64. */
  readonly name: string;
  /** One sentence for people. */
  readonly description: string;
  readonly parameters: P;
  /** What a step of it emits; after `text` nothing can follow. */
  readonly emits: 'records' | 'text';
  /** Reports what is wrong between parameters that are each right; `at` is relative to them: `/limit`. */
  readonly check?: (values: ValuesOf<P>, report: Report) => void;
  /** Makes the step from parameters that were checked. @throws {RangeError} when a resource is not there */
  readonly create: (values: ValuesOf<P>, resources: PipelineResources) => DataTransformation<never, unknown>;
}

/** A kind of step, for people and editors. */
export interface KindDescription {
  readonly name: string;
  readonly description: string;
  readonly emits: 'records' | 'text';
  /** JSON Schema (2020-12) of the parameters. */
  readonly schema: Readonly<Record<string, unknown>>;
}

interface Kind {
  readonly description: KindDescription;
  /** The checked values in a box, or undefined after all mistakes were reported. */
  readonly read: (
    given: unknown,
    at: string,
    report: Report,
  ) => (() => (resources: PipelineResources) => readonly TransformationStep[]) | undefined;
}

/** Before the name there may be the id of the extension that brings it: `publisher.extension/name`. */
const NO_SUCH_KIND = 'no kind of step has this name';
const kindPattern = /^(?:[A-Za-z0-9][A-Za-z0-9-]{0,99}\.[A-Za-z0-9][A-Za-z0-9._-]{0,99}\/)?[A-Za-z][A-Za-z0-9]{0,63}$/;

/** The kinds of steps that are known, and what makes a pipeline of data one that runs. */
export class TransformationRegistry {
  readonly #kinds = new Map<string, Kind>();

  /**
   * Adds a kind until the result is disposed; pipelines compiled before go on working then.
   * @throws {ProcessingError} processing.duplicateStep – the name is taken; processing.invalidPipeline – it is no name
   */
  register<const P extends Parameters>(kind: TransformationKind<P>): Disposable {
    const { name, description, emits, parameters } = kind;
    if (!kindPattern.test(name))
      throw new ProcessingError('processing.invalidPipeline', 'a kind of step has a name of letters and digits');
    if (this.#kinds.has(name))
      throw new ProcessingError('processing.duplicateStep', `there is a kind of step named ${name}`);
    const reader = shape(parameters);
    const added: Kind = {
      description: { name, description, emits, schema: reader.schema },
      read: (given, at, report) => {
        const values = reader.read(given, at, report);
        if (values === undefined) return undefined;
        let isValid = true;
        kind.check?.(values, (place, code, message) => {
          isValid = false;
          return report(at + place, code, message);
        });
        return isValid ? () => (resources) => kind.create(values, resources).steps : undefined;
      },
    };
    this.#kinds.set(name, added);
    return toDisposable(() => {
      if (this.#kinds.get(name) === added) this.#kinds.delete(name);
    });
  }

  /** All kinds, by name. */
  get kinds(): readonly KindDescription[] {
    return [...this.#kinds.values()].map(({ description }) => description).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Every mistake in `spec`; whether the resources it names are there is seen by `compile` only. Never throws. */
  validate(spec: unknown): readonly PipelineProblem[] {
    return this.#read(spec).problems;
  }

  /**
   * Makes a pipeline of data one that runs.
   * @throws {ProcessingError} processing.unknownStep – a kind of step is not registered; processing.invalidPipeline –
   * anything else; either with every problem found
   */
  compile(spec: unknown, resources: PipelineResources = {}): DataTransformation<JsonObject, unknown> {
    const { makers, problems } = this.#read(spec);
    const found = [...problems];
    const steps = makers.flatMap(([at, make]) => {
      try {
        return make()(resources);
      } catch (error) {
        if (!(error instanceof RangeError) && !(error instanceof RecordRejection)) throw error;
        found.push({ path: `${at}/with`, code: 'invalid', message: error.message });
        return [];
      }
    });
    if (found.length === 0) return compose(steps);
    throw pipelineError(found);
  }

  #read(value: unknown): {
    readonly makers: readonly (readonly [
      at: string,
      make: () => (resources: PipelineResources) => readonly TransformationStep[],
    ])[];
    readonly problems: readonly PipelineProblem[];
  } {
    const { steps, problems: outer } = readSpec(value);
    const problems: PipelineProblem[] = [...outer];
    const report: Report = (path, code, message) => void problems.push({ path, code, message }) as undefined;
    const makers = steps.flatMap(({ step, index, isLast }) => {
      const make = this.#readStep(step, `/steps/${index}`, isLast, report);
      return make ? [[`/steps/${index}`, make] as const] : [];
    });
    return { makers, problems: this.#withKinds(problems) };
  }

  /** The first step that does not exist names those that do. */
  #withKinds(problems: readonly PipelineProblem[]): readonly PipelineProblem[] {
    const first = problems.find(({ message }) => message === NO_SUCH_KIND);
    const names = this.kinds.map(({ name }) => name).join(', ');
    return problems.map((one) => (one === first ? { ...one, message: `${NO_SUCH_KIND}; there are ${names}` } : one));
  }

  #readStep(step: StepSpec, at: string, isLast: boolean, report: Report): ReturnType<Kind['read']> {
    const kind = this.#kinds.get(step.use);
    if (!kind) return report(`${at}/use`, 'unknown', NO_SUCH_KIND);
    if (kind.description.emits === 'text' && !isLast)
      report(`${at}/use`, 'invalid', 'a step that writes text is the last one');
    return kind.read(step.with ?? {}, child(at, 'with'), report);
  }
}

import type { PipelineProblem } from './processingErrors';
import { child, type Report } from './report';

/** One step of a pipeline in data form. */
export interface StepSpec {
  /** Name of a registered kind of step. */
  readonly use: string;
  /** Its parameters; none: all defaults. */
  readonly with?: Readonly<Record<string, unknown>>;
}

/** A pipeline as plain JSON: it can be kept, sent and shown, and holds no code. */
export interface PipelineSpec {
  /** Begins with a letter; letters, digits, `.`, `_`, `-`; at most 100 characters. */
  readonly name: string;
  /** The author's own count of changes, from 1. */
  readonly version: number;
  readonly description?: string;
  /** 1 to {@link maxSteps}. */
  readonly steps: readonly StepSpec[];
}

export const maxSteps = 50;

const namePattern = /^[A-Za-z][A-Za-z0-9._-]{0,99}$/;

/** A step and where it stands. */
export interface PlacedStep {
  readonly step: StepSpec;
  readonly index: number;
  readonly isLast: boolean;
}

/** Checks the outer form of a pipeline; kinds of steps and their parameters are the registry's. All problems, not the first. */
export function readSpec(value: unknown): {
  readonly spec: PipelineSpec | undefined;
  /** Those whose outer form is right, whatever else is not. */
  readonly steps: readonly PlacedStep[];
  readonly problems: readonly PipelineProblem[];
} {
  const problems: PipelineProblem[] = [];
  const report: Report = (path, code, message) => void problems.push({ path, code, message }) as undefined;
  if (!isObject(value)) {
    report('', 'type', 'a pipeline is an object');
    return { spec: undefined, steps: [], problems };
  }
  checkNames(value, ['name', 'version', 'description', 'steps'], '', report);
  const { name, version, description, steps } = value;
  if (typeof name !== 'string' || !namePattern.test(name))
    report(
      '/name',
      name === undefined ? 'required' : 'invalid',
      'a letter, then letters, digits, ".", "_" or "-", at most 100',
    );
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    report('/version', version === undefined ? 'required' : 'range', 'a whole number from 1');
  if (description !== undefined && (typeof description !== 'string' || description.length > 1_000))
    report('/description', 'type', 'a text of at most 1 000 characters');
  const listed: [number, unknown][] = Array.isArray(steps) && steps.length <= maxSteps ? [...steps.entries()] : [];
  if (!Array.isArray(steps)) report('/steps', steps === undefined ? 'required' : 'type', 'a list of steps');
  else if (steps.length < 1 || steps.length > maxSteps) report('/steps', 'length', `1 to ${maxSteps} steps`);
  const rightSteps = listed.flatMap(([index, step]) => {
    const before = problems.length;
    checkStep(step, `/steps/${index}`, report);
    const isLast = index === listed.length - 1;
    return problems.length === before ? [{ step: step as StepSpec, index, isLast }] : []; // just checked
  });
  const spec = problems.length === 0 ? (value as unknown as PipelineSpec) : undefined; // every part was checked
  return { spec, steps: rightSteps, problems };
}

function checkStep(step: unknown, at: string, report: Report): void {
  if (!isObject(step)) return report(at, 'type', 'a step is an object');
  checkNames(step, ['use', 'with'], at, report);
  if (typeof step.use !== 'string')
    report(`${at}/use`, step.use === undefined ? 'required' : 'type', 'the name of a kind of step');
  if (step.with !== undefined && !isObject(step.with)) report(`${at}/with`, 'type', 'parameters are an object');
}

function checkNames(
  value: Readonly<Record<string, unknown>>,
  names: readonly string[],
  at: string,
  report: Report,
): void {
  for (const name of Object.keys(value))
    if (!names.includes(name)) report(child(at, name), 'unknown', 'this has no meaning here');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

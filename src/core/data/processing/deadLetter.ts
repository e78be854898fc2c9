import { describeError, OrchestratorError } from '../../base/errors';
import { redact, REDACTED } from '../../../shared/redact';
import { secretCleaner } from './redactStep';
import { RecordRejection } from './processingErrors';

/** A record that a step refused. */
export interface DeadLetter {
  /** The record as JSON, at most {@link maxExcerptLength} characters, without secrets. */
  readonly excerpt: string;
  readonly step: string;
  /** Position of the step, from 0: a pipeline may have one kind of step twice. */
  readonly stepIndex: number;
  /** `<step>.<reason>`; the code of a typed error; `processing.stepFailed` for anything else that was thrown. */
  readonly code: string;
  /** One line, without secrets. */
  readonly message: string;
}

/** Takes what was refused, in order; awaited before the run goes on. */
export type DeadLetterSink = (letters: readonly DeadLetter[]) => Promise<void> | void;

export const maxExcerptLength = 500;
const maxTextLength = 4_096;
const maxShownLength = 120;
const maxEntries = 20;
const maxDepth = 4;

export function deadLetter(item: unknown, error: unknown, step: string, stepIndex: number): DeadLetter {
  const isTyped = error instanceof RecordRejection || error instanceof OrchestratorError;
  const code = isTyped ? error.code : 'processing.stepFailed';
  const text = error instanceof RecordRejection ? error.message : describeError(error);
  return { excerpt: excerptOf(item), step, stepIndex, code, message: cut(withoutSecrets(text), 300) };
}

const clean = secretCleaner(undefined);

/** Bounded in work, too: of a large record only the beginning is looked at. */
function excerptOf(item: unknown): string {
  const text = JSON.stringify(clean(shortened(item, 0))) as string | undefined; // undefined for functions
  return cut(text ?? typeof item, maxExcerptLength);
}

function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(withoutSecrets(value), maxShownLength);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '…';
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((part) => shortened(part, depth + 1));
  const entries: [string, unknown][] = [];
  for (const name in value) {
    if (entries.length >= maxEntries) break;
    entries.push([cut(name, maxShownLength), shortened((value as Readonly<Record<string, unknown>>)[name], depth + 1)]); // an object
  }
  return Object.fromEntries(entries);
}

/** Cutting may take apart what only as a whole looks like a secret: of a long text with any nothing is shown. */
function withoutSecrets(text: string): string {
  if (text.length <= maxTextLength) return redact(text);
  const start = text.slice(0, maxTextLength);
  return redact(start) === start ? start : REDACTED;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

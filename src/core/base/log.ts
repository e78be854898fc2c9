import { describeError } from './errors';

/** Where the core writes. Implementations redact secrets; callers never pass prompt text, tokens or environment values. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Structured detail of one log line; `error` is printed by {@link describeError}. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes nothing. */
export const silentLogger: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** One line for `fields`, in the order given: `agent=reviewer code=0`. */
export function formatFields(fields: LogFields | undefined): string {
  if (!fields) return '';
  return Object.entries(fields)
    .map(
      ([key, value]) =>
        ` ${key}=${value instanceof Error ? JSON.stringify(describeError(value)) : typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`,
    )
    .join('');
}

/** Ignores a failure on purpose, visibly: one trace line with the reason. */
export function ignore(log: Logger, error: unknown, why: string): void {
  log.trace(`ignored: ${why}`, { error: describeError(error) });
}

import type { Clock } from './base/clock';
import type { Logger } from './base/log';
import { isNamespaced } from './data/validation/outsideRule';
import type { WriteFinding } from './data/validation/validatedStore';
import { AlertLevel, type AlertSink } from './monitoring/alertSink';

export const RECORD_REFUSED = 'store.refused';
/** One kind of problem is logged so often, and then not any more in this session. */
const TOLD_EACH = 5;
const MAX_TOLD = 1_000;

/**
 * Tells what the rules found in what was to be kept. Whoever ordered a write that was refused got the error; a person is told as well,
 * since the engine keeps much by itself.
 */
export class InvalidRecords {
  readonly #told = new Map<string, number>();

  constructor(private readonly ports: { readonly notices: AlertSink; readonly clock: Clock; readonly log: Logger }) {}

  note(findings: readonly WriteFinding[]): void {
    for (const { kind, id, isRefused, problems } of findings) {
      const [first] = problems.filter(({ severity }) => !isRefused || severity === 'error');
      if (!first) continue;
      const { path, rule, code } = first;
      if (this.#mustTell(`${kind} ${rule} ${code} ${isRefused}`)) {
        const fields = { kind, id, path, rule, code, count: problems.length };
        if (isRefused) this.ports.log.error('a record is not valid and was not kept', fields);
        else this.ports.log.warn('a record is odd, and was kept', fields);
      }
      // Of a rule that somebody added who asked for the write is told, and nobody else: it works as it should.
      if (isRefused && !isNamespaced(rule)) this.#raise(kind, id, path, first.message);
    }
  }

  #mustTell(key: string): boolean {
    const count = this.#told.get(key) ?? 0;
    if (count >= TOLD_EACH || this.#told.size >= MAX_TOLD) return false;
    this.#told.set(key, count + 1);
    return true;
  }

  #raise(kind: string, id: string, path: string, message: string): void {
    const where = path === '' ? '' : ` at ${path}`;
    this.ports.notices.raise({
      fingerprint: RECORD_REFUSED,
      level: AlertLevel.Error,
      title: 'Something was not kept because it is not valid',
      detail: `The last one: ${kind} ${id}${where}: ${message}. What was kept before is unchanged. This is a bug of Core Orchestrator: Report an Issue.`,
      atMs: this.ports.clock.nowMs(),
    });
  }
}

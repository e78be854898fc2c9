import type { FleetStep } from '../../core/engine';
import { isCancellation } from '../errorMessages';
import type { WindowPort } from '../notices/windowPort';

/** What a person may end, and is told about then. */
export interface CancellableWork<T> {
  /** What goes on: `Exporting data`. */
  readonly title: string;
  /** What holds after a Cancel, one sentence: `No file was written.` */
  readonly afterCancel: string;
  readonly run: (tell: (step: FleetStep) => void, signal: AbortSignal) => Promise<T>;
  /** How far it is, in words; default: {@link stepText}. */
  readonly words?: (step: FleetStep) => string;
}

/** Shows the work with a Cancel. Undefined when the person cancelled it, which was told then. @throws what the work throws otherwise */
export async function runCancellable<T extends object | boolean>(
  window: Pick<WindowPort, 'progress' | 'show'>,
  { title, afterCancel, run, words = stepText }: CancellableWork<T>,
): Promise<T | undefined> {
  let signal: AbortSignal | undefined;
  try {
    return await window.progress(title, (ended, report) => {
      signal = ended;
      return run((step) => report(words(step)), ended);
    });
  } catch (error) {
    if (!signal?.aborted || !isCancellation(error)) throw error;
    await window.show('information', `${title} was cancelled. ${afterCancel}`, []);
    return undefined;
  }
}

/** `copying, 40 %`, `records, 120` */
export function stepText({ name, done, total }: FleetStep): string {
  if (total > 0) return `${name}, ${Math.min(100, Math.round((100 * done) / total))} %`;
  return done > 0 ? `${name}, ${done}` : name;
}

import type { Clock } from '../../core/base/clock';
import { type Disposable, MutableDisposable } from '../../core/base/disposable';
import { Emitter, type Event } from '../../core/base/event';
import type { Engine, SearchAnswer } from '../../core/engine';

export type FinderState =
  /** Nothing to look for yet. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'looking' }
  | { readonly kind: 'found'; readonly answer: SearchAnswer }
  | { readonly kind: 'failed'; readonly error: unknown };

/** A person types faster than this; the store is not asked for every letter. */
const PAUSE_MS = 120;

/** Looks for what a person is typing: after a pause, and only the answer to what stands there now counts. */
export class RecordFinder implements Disposable {
  readonly #changed: Emitter<FinderState>;
  readonly #timer = new MutableDisposable();
  readonly onDidChange: Event<FinderState>;
  #asked = 0;

  constructor(
    private readonly engine: Pick<Engine, 'searchRecords'>,
    private readonly clock: Clock,
    onFailure: (error: unknown) => void,
  ) {
    this.#changed = new Emitter(onFailure);
    this.onDidChange = this.#changed.event;
  }

  type(text: string): void {
    const asked = ++this.#asked;
    this.#timer.value = undefined;
    if (text.trim() === '') return this.#changed.fire({ kind: 'empty' });
    this.#changed.fire({ kind: 'looking' });
    this.#timer.value = this.clock.setTimer(PAUSE_MS, () => void this.#look(asked, text));
  }

  dispose(): void {
    this.#asked++;
    this.#timer.dispose();
    this.#changed.dispose();
  }

  async #look(asked: number, text: string): Promise<void> {
    let state: FinderState;
    try {
      state = { kind: 'found', answer: await this.engine.searchRecords({ query: queryOf(text) }) };
    } catch (error) {
      state = { kind: 'failed', error };
    }
    if (asked === this.#asked) this.#changed.fire(state);
  }
}

/** The last word may not be finished yet; fewer than three letters are a word, not the beginning of one. */
function queryOf(text: string): string {
  return /[\p{L}\p{N}]$/u.test(text) && !isInPhrase(text) ? `${text}*` : text;
}

function isInPhrase(text: string): boolean {
  return text.split('"').length % 2 === 0;
}

import type { Look } from './deliveryScreen';
import { comparablePrompt } from './preparePrompt';

/** What the box shows after the submit key: our draft, nothing of it any more, or nothing that can be relied on. */
export type Shown = 'ours' | 'gone' | 'unclear';

/** Longer texts are scrolled, wrapped and collapsed by programs: their drafts cannot be compared as a whole. */
const WHOLE_LENGTH = 200;

/** The text that was pasted, as the program draws it: only good for "is it there" and "is it still there". */
export class TypedDraft {
  /** As it was last drawn before the submit key; empty while it was not seen. Untrusted. */
  drawn = '';

  /** `wasBusy`: the agent worked before the paste, so that a dialog may come of that work. */
  constructor(
    private readonly prepared: string,
    private readonly wasBusy: boolean,
  ) {}

  classify(look: Look | undefined): Shown {
    if (!look || look.isInCopyMode) return 'unclear';
    // A box that is covered says nothing, unless only our prompt can have set the agent to work.
    if (look.isDialog || look.box.kind === 'hidden')
      return !this.wasBusy && (look.isDialog || look.isBusy) ? 'gone' : 'unclear';
    if (look.box.kind === 'empty') return 'gone';
    return look.box.kind === 'draft' && this.#isOurs(look.box.text) ? 'ours' : 'unclear';
  }

  /** For a short text the whole box can be compared: more than the text is in it, somebody typed at the same time. */
  get isMixed(): boolean {
    if (this.prepared.length > WHOLE_LENGTH || this.prepared.includes('\n')) return false;
    const own = comparablePrompt(this.prepared);
    const drawn = comparablePrompt(this.drawn);
    return drawn.length > own.length && drawn.includes(own);
  }

  /** The same draft as was seen, drawn a little differently, or a piece of what was typed. */
  #isOurs(text: string): boolean {
    const now = comparablePrompt(text);
    const seen = comparablePrompt(this.drawn);
    if (now === '' || seen === '') return text === this.drawn;
    if (now.slice(0, WHOLE_LENGTH) === seen.slice(0, WHOLE_LENGTH) || now.startsWith(seen.slice(0, 40))) return true;
    return comparablePrompt(this.prepared).includes(now.slice(0, 40));
  }
}

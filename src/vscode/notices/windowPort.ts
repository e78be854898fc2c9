import type { Event } from '../../core/base/event';
import type { MessageSeverity } from '../errorMessages';

/** What presenting notices needs of a window. `vscodeWindow.ts` is the real one. */
export interface WindowPort {
  /** The person is looking at this window: only then something pops up, and only here. */
  readonly isFocused: boolean;
  /** Fires when the window gets the focus. */
  readonly onDidFocus: Event<void>;
  /** Shows a message; resolves with the chosen button, undefined when it was closed. Never rejects. */
  show(severity: MessageSeverity, text: string, buttons: readonly string[]): Promise<string | undefined>;
  run(command: string, ...args: readonly unknown[]): void;
}

/** Small things this window remembers between sessions. */
export interface Memory {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

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
  /** Asks in the middle of the window, with everything there is to read in `detail`; undefined when it was cancelled. Enter presses the first button, which changes nothing and ends nothing. Never rejects. */
  confirm(question: string, detail: string, buttons: readonly string[]): Promise<string | undefined>;
  /** Asks for one line; undefined when it was cancelled. */
  askText(question: TextQuestion): Promise<string | undefined>;
  /** Asks for one of some choices, in their order; its id, or undefined when it was cancelled. Stays open when the focus goes elsewhere. */
  choose(question: string, hint: string, choices: readonly Choice[]): Promise<string | undefined>;
  /** Asks for any number of some choices; the ids of what was picked, in the choices' order; undefined when it was cancelled. */
  chooseMany(question: string, hint: string, choices: readonly Choice[]): Promise<readonly string[] | undefined>;
  /** Shows that something goes on, and how far it is; with a signal that a person's Cancel aborts. Settles like `work`. */
  progress<T>(title: string, work: (signal: AbortSignal, report: (message: string) => void) => Promise<T>): Promise<T>;
  run(command: string, ...args: readonly unknown[]): void;
}

export interface TextQuestion {
  readonly title: string;
  readonly prompt: string;
  readonly placeholder?: string;
  readonly value?: string;
}

export interface Choice {
  /** What is returned. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  /** Of {@link WindowPort.chooseMany}: picked already when it is shown. */
  readonly isPicked?: boolean;
}

/** Read-only documents. `documents/reportDocuments.ts` is the real one. */
export interface DocumentsPort {
  /** `about`: what it is about, whatever it is called: an earlier document about the same is replaced. */
  show(fileName: string, content: string, about?: string): Promise<unknown>;
  close(fileName: string): Promise<void>;
}

/** Small things this window remembers between sessions. */
export interface Memory {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

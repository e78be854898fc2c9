import type { AgentId } from '../../src/core/agents/agent';
import { Emitter } from '../../src/core/base/event';
import type { MessageSeverity } from '../../src/vscode/errorMessages';
import type { Choice, DocumentsPort, Memory, TextQuestion, WindowPort } from '../../src/vscode/notices/windowPort';
import type { Watching } from '../../src/vscode/notices/watching';

/** A window whose person answers as the test says; everything that is shown is kept. */
export class FakeWindow implements WindowPort {
  readonly shown: string[] = [];
  readonly ran: unknown[][] = [];
  readonly #onDidFocus = new Emitter<void>((error) => {
    throw error;
  });
  readonly onDidFocus = this.#onDidFocus.event;
  isFocused = true;
  /** What the person presses on every message and question that offers it. */
  answer: string | undefined;
  /** What the person presses on the next ones, in order; `answer` comes after them. */
  readonly nextAnswers: (string | undefined)[] = [];
  /** What the person writes. */
  text: string | undefined;
  /** Aborts what is shown as going on: the person's Cancel. */
  cancel: (() => void) | undefined;

  async show(severity: MessageSeverity, text: string, buttons: readonly string[]): Promise<string | undefined> {
    this.shown.push(`${severity}: ${text} [${buttons.join('|')}]`);
    return this.#answerOf(buttons);
  }

  async confirm(question: string, detail: string, buttons: readonly string[]): Promise<string | undefined> {
    this.shown.push(`confirm: ${question} [${buttons.join('|')}]\n${detail}`);
    return this.#answerOf(buttons);
  }

  async askText({ title }: TextQuestion): Promise<string | undefined> {
    this.shown.push(`text: ${title}`);
    return this.text;
  }

  async choose(question: string, _hint: string, choices: readonly Choice[]): Promise<string | undefined> {
    this.shown.push(`choose: ${question} [${choices.map(({ label }) => label).join('|')}]`);
    return this.#answerOf(choices.map(({ id }) => id));
  }

  /** The person takes what is picked already. */
  async chooseMany(
    question: string,
    _hint: string,
    choices: readonly Choice[],
  ): Promise<readonly string[] | undefined> {
    const marks = choices.map(({ label, isPicked }) => `${isPicked ? '*' : ''}${label}`);
    this.shown.push(`chooseMany: ${question} [${marks.join('|')}]`);
    return choices.filter(({ isPicked }) => isPicked).map(({ id }) => id);
  }

  async progress<T>(
    title: string,
    work: (signal: AbortSignal, report: (message: string) => void) => Promise<T>,
  ): Promise<T> {
    this.shown.push(`progress: ${title}`);
    const abort = new AbortController();
    this.cancel = () => abort.abort();
    try {
      return await work(abort.signal, (message) => void this.shown.push(`going on: ${message}`));
    } finally {
      this.cancel = undefined;
    }
  }

  run(...call: readonly unknown[]): void {
    this.ran.push([...call]);
  }

  simulateFocus(isFocused: boolean): void {
    this.isFocused = isFocused;
    if (isFocused) this.#onDidFocus.fire();
  }

  #answerOf(offered: readonly string[]): string | undefined {
    const answer = this.nextAnswers.length > 0 ? this.nextAnswers.shift() : this.answer;
    return answer !== undefined && offered.includes(answer) ? answer : undefined;
  }
}

/** Whom the person looks at, as the test says. */
export class FakeWatching implements Watching {
  watched: AgentId | undefined;
  readonly #onDidLeave = new Emitter<void>((error) => {
    throw error;
  });
  readonly onDidLeave = this.#onDidLeave.event;

  get listenerCount(): number {
    return this.#onDidLeave.listenerCount;
  }

  simulateLeave(): void {
    this.#onDidLeave.fire();
  }
}

/** Documents by name; a closed one stays in `closed`. */
export class FakeDocuments implements DocumentsPort {
  readonly open = new Map<string, string>();
  readonly closed: string[] = [];

  async show(fileName: string, content: string): Promise<void> {
    this.open.set(fileName, content);
  }

  async close(fileName: string): Promise<void> {
    this.open.delete(fileName);
    this.closed.push(fileName);
  }
}

export class MapMemory implements Memory {
  readonly #values = new Map<string, unknown>();
  get(key: string): unknown {
    return this.#values.get(key);
  }
  set(key: string, value: unknown): void {
    this.#values.set(key, value);
  }
}

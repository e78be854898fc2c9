import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../core/base/disposable';
import { describeError } from '../../core/base/errors';
import { Emitter } from '../../core/base/event';
import type { Logger } from '../../core/base/log';
import { ownArguments } from '../commands/ownArguments';
import type { MessageSeverity } from '../errorMessages';
import { withoutIcons, withoutLinks } from '../plainText';
import { redact } from '../redact';
import type { Choice, TextQuestion, WindowPort } from './windowPort';

/** The window as VS Code offers it. */
export class VscodeWindow implements WindowPort, Disposable {
  readonly #store = new DisposableStore();
  readonly #onDidFocus: Emitter<void>;
  readonly onDidFocus;

  constructor(private readonly log: Logger) {
    this.#onDidFocus = this.#store.add(new Emitter<void>((error) => log.error('focus listener', { error })));
    this.onDidFocus = this.#onDidFocus.event;
    this.#store.add(
      vscode.window.onDidChangeWindowState(({ focused }) => {
        if (focused) this.#onDidFocus.fire();
      }),
    );
  }

  get isFocused(): boolean {
    return vscode.window.state.focused;
  }

  async show(severity: MessageSeverity, text: string, buttons: readonly string[]): Promise<string | undefined> {
    const plain = withoutLinks(redact(text));
    try {
      if (severity === 'information') return await vscode.window.showInformationMessage(plain, ...buttons);
      if (severity === 'warning') return await vscode.window.showWarningMessage(plain, ...buttons);
      return await vscode.window.showErrorMessage(plain, ...buttons);
    } catch (error) {
      this.log.warn('message not shown', { error: describeError(error) });
      return undefined;
    }
  }

  async confirm(question: string, detail: string, buttons: readonly string[]): Promise<string | undefined> {
    try {
      return await vscode.window.showWarningMessage(question, { modal: true, detail }, ...buttons);
    } catch (error) {
      this.log.warn('question not shown', { error: describeError(error) });
      return undefined;
    }
  }

  async askText({ title, prompt, placeholder, value }: TextQuestion): Promise<string | undefined> {
    return vscode.window.showInputBox({
      title,
      prompt,
      ...(placeholder === undefined ? {} : { placeHolder: placeholder }),
      ...(value === undefined ? {} : { value }),
      ignoreFocusOut: true,
    });
  }

  async choose(question: string, hint: string, choices: readonly Choice[]): Promise<string | undefined> {
    const items = choices.map(itemOf);
    const options = { title: question, placeHolder: hint, ignoreFocusOut: true };
    return (await vscode.window.showQuickPick(items, options))?.choice.id;
  }

  async chooseMany(question: string, hint: string, choices: readonly Choice[]): Promise<readonly string[] | undefined> {
    const items = choices.map(itemOf);
    const options = { title: question, placeHolder: hint, ignoreFocusOut: true, canPickMany: true } as const;
    const picked = await vscode.window.showQuickPick(items, options);
    return picked && items.filter((item) => picked.includes(item)).map(({ choice }) => choice.id);
  }

  async progress<T>(
    title: string,
    work: (signal: AbortSignal, report: (message: string) => void) => Promise<T>,
  ): Promise<T> {
    const options = { location: vscode.ProgressLocation.Notification, title: withoutLinks(title), cancellable: true };
    return vscode.window.withProgress(options, async (progress, token) => {
      const abort = new AbortController();
      const subscription = token.onCancellationRequested(() => abort.abort());
      try {
        return await work(abort.signal, (message) => progress.report({ message }));
      } finally {
        subscription.dispose();
      }
    });
  }

  run(command: string, ...args: readonly unknown[]): void {
    vscode.commands
      .executeCommand(command, ...ownArguments(command, args))
      .then(undefined, (error: unknown) => this.log.warn('command failed', { command, error: describeError(error) }));
  }

  dispose(): void {
    this.#store.dispose();
  }
}

function itemOf(choice: Choice): vscode.QuickPickItem & { readonly choice: Choice } {
  return {
    choice,
    label: withoutIcons(choice.label),
    ...(choice.description === undefined ? {} : { description: withoutIcons(choice.description) }),
    ...(choice.detail === undefined ? {} : { detail: withoutIcons(choice.detail) }),
    ...(choice.isPicked === undefined ? {} : { picked: choice.isPicked }),
  };
}

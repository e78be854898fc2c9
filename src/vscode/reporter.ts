import * as vscode from 'vscode';
import { describeError } from '../core/base/errors';
import type { Logger } from '../core/base/log';
import { type MessageButton, type MessageSeverity, messageFor, showLogButton } from './errorMessages';
import { withoutLinks } from './plainText';
import { redact } from './redact';

/** Tells the person about failures: once in the log with everything, once as a message that says what to do. */
export class Reporter {
  constructor(private readonly log: Logger) {}

  /** @param what in words: `Stop Agent`. Cancellations are silent. */
  failure(what: string, thrown: unknown): void {
    const message = messageFor(thrown);
    if (!message) return;
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    this.log.error(`${what} failed`, { error: describeError(thrown), ...(stack === undefined ? {} : { stack }) });
    const buttons = message.severity === 'information' ? message.buttons : [...message.buttons, showLogButton];
    this.show(message.severity, message.text, buttons);
  }

  show(severity: MessageSeverity, text: string, buttons: readonly MessageButton[]): void {
    const titles = buttons.map((button) => button.title);
    const choice = showers[severity](withoutLinks(redact(text)), ...titles);
    choice.then(
      (title) => this.#run(buttons.find((button) => button.title === title)),
      (error: unknown) => this.log.warn('message not shown', { error: describeError(error) }),
    );
  }

  #run(button: MessageButton | undefined): void {
    if (!button) return;
    vscode.commands
      .executeCommand(button.command, ...(button.args ?? []))
      .then(undefined, (error: unknown) => this.log.warn('button failed', { error: describeError(error) }));
  }
}

const showers: Record<MessageSeverity, (text: string, ...titles: string[]) => Thenable<string | undefined>> = {
  information: (text, ...titles) => vscode.window.showInformationMessage(text, ...titles),
  warning: (text, ...titles) => vscode.window.showWarningMessage(text, ...titles),
  error: (text, ...titles) => vscode.window.showErrorMessage(text, ...titles),
};

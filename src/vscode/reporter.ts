import * as vscode from 'vscode';
import { agentOfError } from '../core/agents/agentErrors';
import type { Disposable } from '../core/base/disposable';
import { describeError } from '../core/base/errors';
import { Emitter, type Event } from '../core/base/event';
import type { Logger } from '../core/base/log';
import type { Engine } from '../core/engine';
import { ownArguments } from './commands/ownArguments';
import { type MessageButton, type MessageSeverity, messageFor, showLogButton } from './errorMessages';
import { withoutLinks } from './plainText';
import { redact } from './redact';

/** Tells the person about failures: once in the log with everything, once as a message that says what to do. */
export class Reporter implements Disposable {
  readonly #onDidTell: Emitter<string>;
  /** The person was told of a failure of this agent: nobody else need tell it. */
  readonly onDidTell: Event<string>;

  constructor(
    private readonly engine: Pick<Engine, 'agent'>,
    private readonly log: Logger,
  ) {
    this.#onDidTell = new Emitter<string>((error) =>
      log.error('listener of failures', { error: describeError(error) }),
    );
    this.onDidTell = this.#onDidTell.event;
  }

  /** @param what in words: `Stop Agent`. Cancellations are silent. */
  failure(what: string, thrown: unknown): void {
    const agentId = agentOfError(thrown);
    const message = messageFor(thrown, agentId === undefined ? undefined : this.engine.agent(agentId));
    if (!message) return;
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    this.log.error(`${what} failed`, { error: describeError(thrown), ...(stack === undefined ? {} : { stack }) });
    const buttons = message.severity === 'information' ? message.buttons : [...message.buttons, showLogButton];
    this.show(message.severity, message.text, buttons);
    if (agentId !== undefined) this.#onDidTell.fire(agentId);
  }

  dispose(): void {
    this.#onDidTell.dispose();
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
      .executeCommand(button.command, ...ownArguments(button.command, button.args ?? []))
      .then(undefined, (error: unknown) => this.log.warn('button failed', { error: describeError(error) }));
  }
}

const showers: Record<MessageSeverity, (text: string, ...titles: string[]) => Thenable<string | undefined>> = {
  information: (text, ...titles) => vscode.window.showInformationMessage(text, ...titles),
  warning: (text, ...titles) => vscode.window.showWarningMessage(text, ...titles),
  error: (text, ...titles) => vscode.window.showErrorMessage(text, ...titles),
};

import type * as vscode from 'vscode';
import { formatFields, type LogFields, type Logger } from '../core/base/log';
import { redact } from './redact';

/**
 * The core's log on a VS Code log channel, which adds time and level and drops what is below the level a person
 * chose. This is the single place where lines leave the program, so this is where secrets are taken out.
 */
export class ChannelLogger implements Logger {
  constructor(private readonly channel: vscode.LogOutputChannel) {}

  trace(message: string, fields?: LogFields): void {
    this.channel.trace(line(message, fields));
  }

  debug(message: string, fields?: LogFields): void {
    this.channel.debug(line(message, fields));
  }

  info(message: string, fields?: LogFields): void {
    this.channel.info(line(message, fields));
  }

  warn(message: string, fields?: LogFields): void {
    this.channel.warn(line(message, fields));
  }

  error(message: string, fields?: LogFields): void {
    this.channel.error(line(message, fields));
  }
}

function line(message: string, fields: LogFields | undefined): string {
  return redact(message + formatFields(fields));
}

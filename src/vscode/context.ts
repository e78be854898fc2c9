import * as vscode from 'vscode';
import { ignore, type Logger } from '../core/base/log';
import type { ContextKeys } from './manifest';

/** Our context keys. Sets only what changed: each call is a message to the window. */
export class ContextKeySetter {
  readonly #values = new Map<string, unknown>();

  constructor(private readonly log: Logger) {}

  set<K extends keyof ContextKeys>(key: K, value: ContextKeys[K]): void {
    if (this.#values.get(key) === value) return;
    this.#values.set(key, value);
    vscode.commands
      .executeCommand('setContext', key, value)
      .then(undefined, (error: unknown) => ignore(this.log, error, `context key ${key}`));
  }

  /** The value set last. */
  get<K extends keyof ContextKeys>(key: K): ContextKeys[K] | undefined {
    return this.#values.get(key) as ContextKeys[K] | undefined; // only `set` writes, with this very type
  }
}

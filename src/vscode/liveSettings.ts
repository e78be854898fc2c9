import * as vscode from 'vscode';
import type { Disposable } from '../core/base/disposable';
import { Emitter, type Event, type ListenerFailure } from '../core/base/event';
import { SECTION, type SettingKey } from './manifest';
import { compileSettings, type Settings } from './settings';

/** The settings as they are now; compiled again whenever one of ours changes. */
export class LiveSettings implements Disposable {
  readonly #onDidChange: Emitter<Settings>;
  readonly #subscription: vscode.Disposable;
  #current: Settings;
  readonly onDidChange: Event<Settings>;

  constructor(onFailure: ListenerFailure) {
    this.#onDidChange = new Emitter(onFailure);
    this.onDidChange = this.#onDidChange.event;
    this.#current = readSettings();
    this.#subscription = vscode.workspace.onDidChangeConfiguration((change) => {
      if (!change.affectsConfiguration(SECTION)) return;
      this.#current = readSettings();
      this.#onDidChange.fire(this.#current);
    });
  }

  get current(): Settings {
    return this.#current;
  }

  /** Writes a setting where the person has it now: in the workspace when it is set there, else in the user's settings. */
  async update(key: SettingKey, value: unknown): Promise<void> {
    const configuration = vscode.workspace.getConfiguration(SECTION);
    const isInWorkspace = configuration.inspect(key)?.workspaceValue !== undefined;
    const target = isInWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
    await configuration.update(key, value, target);
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#onDidChange.dispose();
  }
}

function readSettings(): Settings {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  return compileSettings((key) => configuration.get(key));
}

import * as vscode from 'vscode';
import type { Event } from '../core/base/event';

/** A core event as VS Code's API passes events: with `thisArgs` and the array that collects disposables. */
export function toVscodeEvent<T>(event: Event<T>): vscode.Event<T> {
  return (listener, thisArgs?: unknown, disposables?: vscode.Disposable[]) => {
    const subscription = event((fact) => void listener.call(thisArgs, fact));
    const disposable = new vscode.Disposable(() => subscription.dispose());
    disposables?.push(disposable);
    return disposable;
  };
}

import * as vscode from 'vscode';
import { DisposableStore } from '../../core/base/disposable';

/** The person pressed Back, or closed the input. */
export const Back = Symbol('back');
export const Cancel = Symbol('cancel');
export type StepEnd = typeof Back | typeof Cancel;

interface StepPlace {
  readonly title: string;
  /** From 1. */
  readonly step: number;
  /** Absent: not known yet. */
  readonly totalSteps?: number;
}

export interface PickStep<T extends vscode.QuickPickItem> extends StepPlace {
  readonly items: readonly T[];
  readonly placeholder: string;
  /** Chosen before, when the person came back to this step. */
  readonly active?: T | undefined;
}

export interface TextStep extends StepPlace {
  readonly prompt: string;
  readonly placeholder?: string;
  readonly value: string;
  /** The present text's problem or preview. An `error` must be corrected first. */
  readonly check: (text: string) => TextCheck | undefined;
}

export interface TextCheck {
  readonly severity: 'error' | 'info';
  readonly message: string;
}

/** One step of a dialog in several steps that chooses from a list. Stays open when the focus goes elsewhere. */
export function askChoice<T extends vscode.QuickPickItem>(step: PickStep<T>): Promise<T | StepEnd> {
  return new Promise((resolve) => {
    const store = new DisposableStore();
    const input = store.add(vscode.window.createQuickPick<T>());
    prepare(input, step);
    input.items = step.items;
    input.placeholder = step.placeholder;
    input.matchOnDescription = true;
    if (step.active) input.activeItems = [step.active];
    const settle = settleOnce(store, resolve);
    store.add(input.onDidAccept(() => input.selectedItems[0] && settle(input.selectedItems[0])));
    store.add(input.onDidTriggerButton(() => settle(Back)));
    store.add(input.onDidHide(() => settle(Cancel)));
    input.show();
  });
}

/** One step that asks for a text. */
export function askText(step: TextStep): Promise<string | StepEnd> {
  return new Promise((resolve) => {
    const store = new DisposableStore();
    const input = store.add(vscode.window.createInputBox());
    prepare(input, step);
    input.prompt = step.prompt;
    input.placeholder = step.placeholder;
    input.value = step.value;
    const check = (): TextCheck | undefined => {
      const result = step.check(input.value);
      input.validationMessage = result && { message: result.message, severity: severities[result.severity] };
      return result;
    };
    const settle = settleOnce(store, resolve);
    store.add(input.onDidChangeValue(check));
    store.add(input.onDidAccept(() => check()?.severity !== 'error' && settle(input.value)));
    store.add(input.onDidTriggerButton(() => settle(Back)));
    store.add(input.onDidHide(() => settle(Cancel)));
    input.show();
  });
}

const severities = {
  error: vscode.InputBoxValidationSeverity.Error,
  info: vscode.InputBoxValidationSeverity.Info,
} as const;

function prepare(input: vscode.QuickInput & { buttons: readonly vscode.QuickInputButton[] }, place: StepPlace): void {
  input.title = place.title;
  input.step = place.step;
  input.totalSteps = place.totalSteps ?? 0; // 0: VS Code shows the step alone
  input.ignoreFocusOut = true;
  input.buttons = place.step > 1 ? [vscode.QuickInputButtons.Back] : [];
}

/** The first answer counts: closing the input announces itself as a cancellation. */
function settleOnce<T>(store: DisposableStore, resolve: (value: T) => void): (value: T) => void {
  return (value) => {
    if (store.isDisposed) return;
    resolve(value);
    store.dispose();
  };
}

import * as vscode from 'vscode';
import { DisposableStore } from '../../core/base/disposable';
import { withoutIcons } from '../plainText';

/** What a person wants to send, or that they want to write it in an editor. */
export type PromptInput = { readonly kind: 'send' | 'queue' | 'editor'; readonly text: string };

const queueButton: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('watch'),
  tooltip: 'Queue: Send When the Agent Is Free',
};
const editorButton: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('edit'),
  tooltip: 'Write in an Editor (Several Lines)',
};

/** Asks for a short prompt; undefined when cancelled. What was typed so far goes along into the editor. */
export function askPrompt(whom: string, hint: string): Promise<PromptInput | undefined> {
  return new Promise((resolve) => {
    const store = new DisposableStore();
    const input = store.add(vscode.window.createInputBox());
    const settle = (result: PromptInput | undefined): void => {
      if (store.isDisposed) return;
      resolve(result);
      store.dispose();
    };
    input.title = withoutIcons(`Send Prompt to ${whom}`);
    input.prompt = hint;
    input.placeholder = 'What should it do?';
    input.ignoreFocusOut = true;
    input.buttons = [queueButton, editorButton];
    store.add(
      input.onDidAccept(() => settle(input.value.trim() === '' ? undefined : { kind: 'send', text: input.value })),
    );
    store.add(
      input.onDidTriggerButton((button) => {
        if (button === editorButton) settle({ kind: 'editor', text: input.value });
        else if (input.value.trim() !== '') settle({ kind: 'queue', text: input.value });
      }),
    );
    store.add(input.onDidHide(() => settle(undefined)));
    input.show();
  });
}

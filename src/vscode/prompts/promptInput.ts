import * as vscode from 'vscode';
import { DisposableStore } from '../../core/base/disposable';
import { CommandId } from '../manifest';
import { withoutIcons } from '../plainText';
import type { PromptInput, PromptQuestion } from './promptDialog';

const button = (icon: string, tooltip: string): vscode.QuickInputButton => ({
  iconPath: new vscode.ThemeIcon(icon),
  tooltip,
});
const reviewButton = button('shield', 'Review Request');
const attachButton = button('terminal', 'Attach');
const queueButton = button('watch', 'Queue: Send When the Agent Is Free');
const editorButton = button('edit', 'Write in an Editor (Several Lines)');

/** Asks for a short prompt, and says below it what is so of the agent while it is written. What was typed so far goes along into the editor. */
export function askPrompt({ title, text, state, onDidChange, run }: PromptQuestion): Promise<PromptInput> {
  return new Promise((resolve) => {
    const store = new DisposableStore();
    const input = store.add(vscode.window.createInputBox());
    const settle = (kind: PromptInput['kind']): void => {
      if (store.isDisposed) return;
      resolve({ kind, text: input.value });
      store.dispose();
    };
    const draw = (): void => drawState(input, state());
    input.title = withoutIcons(title);
    input.placeholder = 'What should it do?';
    input.ignoreFocusOut = true;
    input.value = text;
    draw();
    store.add(onDidChange(draw));
    store.add(input.onDidAccept(() => settle(state().enter)));
    store.add(
      input.onDidTriggerButton((pressed) => {
        const id = state().blocked?.id;
        if (pressed === editorButton) settle('editor');
        else if (pressed === queueButton && input.value.trim() !== '') settle('queue');
        else if (pressed === reviewButton && id !== undefined) run(CommandId.ReviewRequest, id);
        else if (pressed === attachButton && id !== undefined) run(CommandId.AttachAgent, id);
      }),
    );
    store.add(input.onDidHide(() => settle('hidden')));
    input.show();
  });
}

/** Sets only what is another: a box that is drawn anew loses a click. */
function drawState(input: vscode.InputBox, { words, isRefusal, blocked }: ReturnType<PromptQuestion['state']>): void {
  const plain = withoutIcons(words);
  const shown = isRefusal ? plain : undefined;
  if (messageOf(input) !== shown)
    input.validationMessage =
      shown === undefined ? undefined : { message: shown, severity: vscode.InputBoxValidationSeverity.Warning };
  if (!isRefusal && input.prompt !== plain) input.prompt = plain;
  const review = blocked?.isReviewable ? [reviewButton] : [];
  const buttons = [...review, ...(blocked ? [attachButton] : []), queueButton, editorButton];
  if (buttons.length !== input.buttons.length) input.buttons = buttons;
}

function messageOf({ validationMessage }: vscode.InputBox): string | undefined {
  return typeof validationMessage === 'object' ? validationMessage.message : validationMessage;
}

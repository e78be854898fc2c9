import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import type { Disposable } from '../../core/base/disposable';
import { PROMPT_LANGUAGE_ID } from '../manifest';

/** Prompts that are written in an editor: untitled documents, each for some agents. Sending one closes it; a refusal keeps it. */
export class PromptEditor implements Disposable {
  readonly #agents = new Map<string, readonly AgentId[]>();
  readonly #closing = vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#agents.delete(uri.toString()));

  async open(ids: readonly AgentId[], whom: string, text: string): Promise<void> {
    const uri = this.#freeUri(whom);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, PROMPT_LANGUAGE_ID);
    this.#agents.set(uri.toString(), ids);
    const editor = await vscode.window.showTextDocument(document);
    if (text !== '') await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), text));
  }

  /** Whom the document is for; empty when that is not known (any more): the person picks. */
  agentsOf(document: vscode.TextDocument): readonly AgentId[] {
    return this.#agents.get(document.uri.toString()) ?? [];
  }

  /** Closes a prompt that was sent, without asking whether to save it. */
  async close(document: vscode.TextDocument): Promise<void> {
    if (document.languageId !== PROMPT_LANGUAGE_ID || !document.isUntitled) return;
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  }

  dispose(): void {
    this.#closing.dispose();
    this.#agents.clear();
  }

  /** `Prompt for Reviewer`, `Prompt for Reviewer 2`, … */
  #freeUri(whom: string): vscode.Uri {
    const name = whom.replace(/[^\p{L}\p{N} _-]+/gu, ' ').trim() || 'agent';
    const taken = new Set(vscode.workspace.textDocuments.map(({ uri }) => uri.toString()));
    for (let count = 1; ; count++) {
      const uri = vscode.Uri.from({ scheme: 'untitled', path: `Prompt for ${name}${count === 1 ? '' : ` ${count}`}` });
      if (!taken.has(uri.toString())) return uri;
    }
  }
}

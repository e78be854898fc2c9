import * as vscode from 'vscode';
import type { Disposable } from '../../core/base/disposable';
import { DOCUMENT_SCHEME, REPORT_LANGUAGE_ID } from '../manifest';

/** Read-only documents: find, copy, compare and screen readers work in them for free. Shown again, one is replaced. */
export class ReportDocuments implements vscode.TextDocumentContentProvider, Disposable {
  readonly #contents = new Map<string, string>();
  readonly #onDidChange = new vscode.EventEmitter<vscode.Uri>();
  readonly #subscriptions: readonly vscode.Disposable[];
  readonly onDidChange = this.#onDidChange.event;

  constructor() {
    this.#subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(DOCUMENT_SCHEME, this),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (uri.scheme === DOCUMENT_SCHEME) this.#contents.delete(uri.path);
      }),
    ];
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#contents.get(uri.path) ?? 'This report is not kept. Run its command again.\n';
  }

  /** @param fileName what the tab says; `.md` is Markdown, anything else plain text with wrapped lines. */
  async show(fileName: string, content: string): Promise<vscode.TextEditor> {
    const uri = uriOf(fileName);
    this.#contents.set(uri.path, content);
    this.#onDidChange.fire(uri);
    let document = await vscode.workspace.openTextDocument(uri);
    if (!fileName.endsWith('.md'))
      document = await vscode.languages.setTextDocumentLanguage(document, REPORT_LANGUAGE_ID);
    return vscode.window.showTextDocument(document, { preview: true });
  }

  /** Takes it out of the window again. */
  async close(fileName: string): Promise<void> {
    const uri = uriOf(fileName).toString();
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    await vscode.window.tabGroups.close(
      tabs.filter(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri),
    );
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#onDidChange.dispose();
    this.#contents.clear();
  }
}

function uriOf(fileName: string): vscode.Uri {
  return vscode.Uri.from({ scheme: DOCUMENT_SCHEME, path: `/${fileName.replaceAll('/', ' ')}` });
}

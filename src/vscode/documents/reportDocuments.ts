import * as vscode from 'vscode';
import { type Disposable, toDisposable } from '../../core/base/disposable';
import { ignore, type Logger } from '../../core/base/log';
import { DOCUMENT_SCHEME, REPORT_LANGUAGE_ID } from '../manifest';

/** VS Code's rendered Markdown as an editor: unlike its command, it can be told to leave the focus where it is. */
const MARKDOWN_EDITOR = 'vscode.markdown.preview.editor';

/** Read-only documents: find, copy, compare and screen readers work in them for free. Shown again, one is replaced. */
export class ReportDocuments implements vscode.TextDocumentContentProvider, Disposable {
  readonly #contents = new Map<string, string>();
  /** Of what may be shown again under another name: the name that it has now. */
  readonly #names = new Map<string, string>();
  /** Those that can be made again, by the paths of their documents. */
  readonly #makers = new Map<string, () => Promise<string>>();
  #leavingFocus = 0;
  readonly #onDidChange = new vscode.EventEmitter<vscode.Uri>();
  readonly #subscriptions: readonly vscode.Disposable[];
  readonly onDidChange = this.#onDidChange.event;

  constructor(private readonly log: Logger) {
    this.#subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(DOCUMENT_SCHEME, this),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (uri.scheme === DOCUMENT_SCHEME && !isMarkdown(uri.path)) this.#contents.delete(uri.path);
      }),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    try {
      const text = this.#contents.get(uri.path) ?? (await this.#makers.get(uri.path)?.());
      if (text !== undefined) return text;
    } catch (error) {
      ignore(this.log, error, 'the report says itself that it is not there');
    }
    return 'This report is not kept. Run its command again.\n';
  }

  /** Its tab outlives a reload of the window: what it shows is made again then. */
  remake(fileName: string, make: () => Promise<string>): void {
    this.#makers.set(uriOf(fileName).path, make);
  }

  /**
   * @param fileName what the tab says; `.md` is Markdown and is shown rendered, anything else plain text with wrapped lines. Text of
   * others in Markdown must have gone through `escapeMarkdown`.
   * @param about the tab that an earlier document about the same has under another name is closed.
   */
  async show(fileName: string, content: string, about?: string): Promise<void> {
    const uri = uriOf(fileName);
    if (about !== undefined) await this.#replace(about, fileName);
    this.#contents.set(uri.path, content);
    this.#onDidChange.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    if (isMarkdown(fileName) && (await this.#showRendered(uri))) return;
    if (!isMarkdown(fileName)) await vscode.languages.setTextDocumentLanguage(document, REPORT_LANGUAGE_ID);
    const options = { preview: true, preserveFocus: this.#leavingFocus > 0 };
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), options);
  }

  /** Until it is disposed documents open without taking the focus: a person is writing elsewhere. */
  leaveFocus(): Disposable {
    this.#leavingFocus++;
    return toDisposable(() => void this.#leavingFocus--);
  }

  /** False where VS Code's own Markdown extension is disabled or missing: then the text itself is shown. */
  async #showRendered(uri: vscode.Uri): Promise<boolean> {
    if (!vscode.extensions.getExtension('vscode.markdown-language-features')) return false;
    try {
      if (this.#leavingFocus > 0)
        await vscode.commands.executeCommand('vscode.openWith', uri, MARKDOWN_EDITOR, { preserveFocus: true });
      else await vscode.commands.executeCommand('markdown.showPreview', uri);
      return true;
    } catch (error) {
      ignore(this.log, error, 'the text itself is shown');
      return false;
    }
  }

  async #replace(about: string, fileName: string): Promise<void> {
    const earlier = this.#names.get(about);
    this.#names.set(about, fileName);
    if (earlier !== undefined && earlier !== fileName) await this.close(earlier);
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
    this.#names.clear();
  }
}

/** A preview has no document of its own: what it shows is kept for it. */
function isMarkdown(name: string): boolean {
  return name.endsWith('.md');
}

function uriOf(fileName: string): vscode.Uri {
  return vscode.Uri.from({ scheme: DOCUMENT_SCHEME, path: `/${fileName.replaceAll('/', ' ')}` });
}

import * as vscode from 'vscode';
import { summarize } from '../agents/agentSummary';
import type { Clock } from '../../core/base/clock';
import { type Disposable, DisposableStore } from '../../core/base/disposable';
import type { Engine } from '../../core/engine';
import { RefreshQueue } from '../agents/refreshQueue';
import { canAct } from '../commands/control';
import { bytesText, storeLine } from '../../core/storeDiagnosis';
import { AGENTS_VIEW_ID, CommandId, STATUS_ITEM_ID } from '../manifest';

/** More lines make the tooltip unreadable; the view has them all. */
const LONGEST_LIST = 12;
const STORE_EVERY_MS = 60_000;

/** The one entry in the status bar: `2 working, 1 needs you`. Hidden while there is nothing to say. */
export class StatusItem implements Disposable {
  readonly #store = new DisposableStore();
  readonly #item: vscode.StatusBarItem;
  #storeText = '';
  #storeReadAtMs = -STORE_EVERY_MS;

  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
  ) {
    this.#item = this.#store.add(vscode.window.createStatusBarItem(STATUS_ITEM_ID, vscode.StatusBarAlignment.Left, 10));
    this.#item.name = 'Core Orchestrator: Agents';
    const queue = this.#store.add(new RefreshQueue<'item'>(clock, () => this.#update()));
    this.#store.add(engine.onDidChangeAgent(() => queue.add('item')));
    this.#store.add(engine.onDidChangeStatus(() => queue.add('item')));
    this.#update();
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** Files are looked at when something changes, at most this often. */
  #readStoreNowAndThen(): void {
    const nowMs = this.clock.nowMs();
    if (!canAct(this.engine.status) || nowMs - this.#storeReadAtMs < STORE_EVERY_MS) return;
    this.#storeReadAtMs = nowMs;
    this.engine.dataStatus().then(
      (status) => {
        const line = `Store: ${storeLine(status)}, backups ${bytesText(status.backupBytes)}`;
        if (this.#store.isDisposed || line === this.#storeText) return;
        this.#storeText = line;
        this.#update();
      },
      () => (this.#storeText = ''), // the engine says elsewhere what is wrong
    );
  }

  #update(): void {
    const { status, agents } = this.engine;
    this.#readStoreNowAndThen();
    if (status.kind === 'blocked')
      return this.#show(
        '$(robot) Agents: set-up needed',
        'Core Orchestrator cannot work yet. Open the Agents view to see why.',
        `${AGENTS_VIEW_ID}.focus`,
        false,
      );
    if (agents.length === 0) return this.#item.hide();
    const summary = summarize(agents);
    const more = summary.lines.length - LONGEST_LIST;
    const lines = [
      ...summary.lines.slice(0, LONGEST_LIST),
      ...(more > 0 ? [`and ${more} more`] : []),
      ...(this.#storeText === '' ? [] : [this.#storeText]),
    ];
    this.#show(`$(robot) ${summary.text}`, lines.join('\n'), CommandId.GoToAgent, summary.needYouCount > 0);
  }

  /** @param tooltip plain text: VS Code shows a string as it is. */
  #show(text: string, tooltip: string, command: string, isWaiting: boolean): void {
    this.#item.text = text;
    this.#item.tooltip = tooltip;
    this.#item.command = command;
    this.#item.accessibilityInformation = { label: `Agents: ${text.replace(/^\$\([a-z-]+\) /, '')}`, role: 'button' };
    this.#item.backgroundColor = isWaiting ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.show();
  }
}

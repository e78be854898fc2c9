import * as vscode from 'vscode';
import { type AgentId, isAgentId } from '../../core/agents/agent';
import { type Disposable, DisposableStore } from '../../core/base/disposable';
import { ignore, type Logger } from '../../core/base/log';
import type { Engine, EngineStatus } from '../../core/engine';
import type { Memory } from '../notices/windowPort';
import { besideColumn, editorColumnOf, viewOf } from './agentTerminals';
import { MirrorTerminal } from './mirrorTerminal';

export const MIRRORS_KEY = 'coreOrchestrator.mirrors';

interface Mirror {
  readonly id: AgentId;
  readonly column: vscode.ViewColumn;
}

/**
 * Read-only mirrors, which live in this extension host: VS Code brings back the place in which one stood after a reload, locked and
 * empty, and not the mirror. So they are remembered, and opened there again; the place of one whose agent is gone is closed.
 */
export class MirrorTerminals implements Disposable {
  readonly #open = new Map<vscode.Terminal, Mirror>();
  readonly #store = new DisposableStore();
  #isRestored = false;

  constructor(
    private readonly engine: Engine,
    private readonly memory: Memory,
    private readonly log: Logger,
  ) {
    this.#store.add(vscode.window.onDidCloseTerminal((terminal) => this.#onDidClose(terminal)));
    this.#store.add(vscode.window.tabGroups.onDidChangeTabs(() => this.#remember()));
    this.#store.add(engine.onDidChangeStatus((status) => void this.#restore(status)));
  }

  /** @throws {WindowError} window.unknownAgent */
  open(id: AgentId, column: vscode.ViewColumn = besideColumn()): void {
    const terminal = vscode.window.createTerminal({
      name: `${viewOf(this.engine, id).name} (mirror)`,
      pty: new MirrorTerminal(this.engine, id, this.log),
      iconPath: new vscode.ThemeIcon('eye'),
      isTransient: true, // it belongs to this extension host and cannot come back by itself
      location: { viewColumn: column, preserveFocus: true },
    });
    this.#open.set(terminal, { id, column });
    terminal.show(true);
  }

  dispose(): void {
    this.#store.dispose();
    this.#open.clear();
  }

  #onDidClose(terminal: vscode.Terminal): void {
    if (this.#open.delete(terminal)) this.#remember();
  }

  /** Where they stand now; one that is not to be found yet stands where it was last. */
  #remember(): void {
    if (!this.#isRestored) return;
    for (const [terminal, mirror] of this.#open)
      this.#open.set(terminal, { ...mirror, column: editorColumnOf(terminal) ?? mirror.column });
    const now = [...this.#open.values()];
    if (JSON.stringify(now) !== JSON.stringify(this.#remembered())) this.memory.set(MIRRORS_KEY, now);
  }

  #remembered(): readonly Mirror[] {
    const stored = this.memory.get(MIRRORS_KEY);
    return Array.isArray(stored) ? stored.filter(isMirror) : [];
  }

  /** Once, when the agents are known. */
  async #restore({ kind }: EngineStatus): Promise<void> {
    if (this.#isRestored || (kind !== 'ready' && kind !== 'following' && kind !== 'restricted')) return;
    this.#isRestored = true;
    for (const { id, column } of this.#remembered()) {
      if (this.engine.agent(id)?.isAttachable) this.open(id, column);
      else await this.#closeEmpty(column);
    }
    this.#remember();
  }

  async #closeEmpty(column: vscode.ViewColumn): Promise<void> {
    const { all } = vscode.window.tabGroups;
    const group = all.find(({ viewColumn, tabs }) => viewColumn === column && tabs.length === 0);
    if (!group || all.length === 1) return;
    try {
      await vscode.window.tabGroups.close(group, true);
    } catch (error) {
      ignore(this.log, error, 'an empty place is left');
    }
  }
}

function isMirror(value: unknown): value is Mirror {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('column' in value)) return false;
  return typeof value.id === 'string' && isAgentId(value.id) && Number.isInteger(value.column);
}

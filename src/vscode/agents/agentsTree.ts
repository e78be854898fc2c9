import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import type { Clock } from '../../core/base/clock';
import type { AgentView, Engine } from '../../core/engine';
import { AgentRow } from '../commands/agentRow';
import type { GroupBy } from '../settings';
import { type AgentGroup, groupAgents, headingOf } from './agentGroups';
import { contextValue, description, sentence, stateIcon } from './agentText';
import { evidenceLines, type Fact, facts } from './agentTooltip';

export interface GroupNode {
  readonly kind: 'group';
  readonly key: string;
}
export type TreeNode = AgentRow | GroupNode;

/** The rows of the Agents view, read off the engine each time they are drawn. Keeps no state of agents. */
export class AgentsTree implements vscode.TreeDataProvider<TreeNode> {
  /** Always the same object for the same agent, so that VS Code keeps selection and focus. */
  readonly #agentNodes = new Map<AgentId, AgentRow>();
  readonly #groupNodes = new Map<string, GroupNode>();
  /** Part of the rows' ids: VS Code turns a row's id that a command is given into the row, whoever gives it (S22). */
  readonly #secret = randomUUID();
  readonly #drawnDescriptions = new Map<AgentId, string>();
  readonly #onDidChange = new vscode.EventEmitter<TreeNode[] | undefined>();
  readonly onDidChangeTreeData = this.#onDidChange.event;
  /** Keys of the headings as they stand in the view, in order. */
  #drawnKeys: readonly string[] = [];
  #drawnRowCount = 0;

  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    private readonly groupBy: () => GroupBy,
  ) {}

  /** How many rows VS Code asked for since the start: shows that a change of one agent draws one row. */
  get drawnRowCount(): number {
    return this.#drawnRowCount;
  }

  getChildren(node?: TreeNode): TreeNode[] {
    if (node?.kind === 'agent') return [];
    const groups = this.#groups();
    if (node) return (groups.find((group) => group.key === node.key)?.agentIds ?? []).map((id) => this.agentNode(id));
    this.#drawnKeys = groups.map((group) => group.key);
    if (groups.length > 0) return groups.map((group) => this.groupNode(group.key));
    return this.engine.agents.map((agent) => this.agentNode(agent.id));
  }

  getParent(node: TreeNode): TreeNode | undefined {
    const view = node.kind === 'agent' ? this.engine.agent(node.id) : undefined;
    const key = view ? headingOf(view, this.groupBy()).key : '';
    return key === '' ? undefined : this.groupNode(key);
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    this.#drawnRowCount++;
    return node.kind === 'agent' ? this.#agentItem(node) : this.#groupItem(node);
  }

  /** The tooltip is made only when somebody looks: agents' texts go in as text, never as Markdown. */
  resolveTreeItem(item: vscode.TreeItem, node: TreeNode): vscode.TreeItem {
    const view = node.kind === 'agent' ? this.engine.agent(node.id) : undefined;
    if (view) item.tooltip = tooltip(view, this.clock.nowMs());
    return item;
  }

  /** The headings in the view are still the right ones in the right order, so drawing some of them again is enough. */
  get areHeadingsDrawn(): boolean {
    const keys = this.#groups().map((group) => group.key);
    return (
      keys.length > 0 && keys.length === this.#drawnKeys.length && keys.every((key, i) => key === this.#drawnKeys[i])
    );
  }

  agentNode(id: AgentId): AgentRow {
    const node = this.#agentNodes.get(id) ?? new AgentRow(id);
    this.#agentNodes.set(id, node);
    return node;
  }

  groupNode(key: string): GroupNode {
    const node = this.#groupNodes.get(key) ?? { kind: 'group', key };
    this.#groupNodes.set(key, node);
    return node;
  }

  forget(id: AgentId): void {
    this.#agentNodes.delete(id);
    this.#drawnDescriptions.delete(id);
  }

  /** Draws these again; all of it when undefined. */
  refresh(nodes: readonly TreeNode[] | undefined): void {
    this.#onDidChange.fire(nodes && [...nodes]);
  }

  /** Rows whose words are other than when they were drawn: their minutes have gone on. */
  agedNodes(): readonly AgentRow[] {
    const nowMs = this.clock.nowMs();
    return [...this.#drawnDescriptions].flatMap(([id, drawn]) => {
      const view = this.engine.agent(id);
      return view && description(view, nowMs) !== drawn ? [this.agentNode(id)] : [];
    });
  }

  dispose(): void {
    this.#onDidChange.dispose();
  }

  #agentItem(node: AgentRow): vscode.TreeItem {
    const view = this.engine.agent(node.id);
    const item = new vscode.TreeItem(view?.name ?? node.id);
    item.id = `agent:${node.id}:${this.#secret}`;
    if (!view) return item; // removed since VS Code asked for its siblings
    const nowMs = this.clock.nowMs();
    const icon = stateIcon(view);
    item.description = description(view, nowMs);
    item.iconPath = new vscode.ThemeIcon(icon.id, new vscode.ThemeColor(icon.color));
    item.contextValue = contextValue(view, this.#canReceivePrompts(view));
    item.accessibilityInformation = { label: sentence(view, nowMs), role: 'treeitem' };
    this.#drawnDescriptions.set(node.id, item.description);
    return item;
  }

  #groupItem(node: GroupNode): vscode.TreeItem {
    const group = this.#groups().find((candidate) => candidate.key === node.key);
    const item = new vscode.TreeItem(group?.label ?? '', vscode.TreeItemCollapsibleState.Expanded);
    const count = group?.agentIds.length ?? 0;
    item.id = `group:${node.key}`;
    item.description = String(count);
    item.contextValue = 'group';
    item.accessibilityInformation = {
      label: `${group?.label ?? ''}, ${count} ${count === 1 ? 'agent' : 'agents'}`,
      role: 'treeitem',
    };
    return item;
  }

  #groups(): readonly AgentGroup[] {
    return groupAgents(this.engine.agents, this.groupBy());
  }

  #canReceivePrompts(view: AgentView): boolean {
    return this.engine.agentTypes.find((type) => type.id === view.typeId)?.canReceivePrompts ?? false;
  }
}

/** Facts that stand above the evidence: a tooltip shows its beginning, the rest is scrolled to. */
const FIRST: ReadonlySet<string> = new Set(['State', 'Access', 'Asks', 'Wants']);

function tooltip(view: AgentView, nowMs: number): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString('', false);
  markdown.isTrusted = false;
  markdown.supportHtml = false;
  markdown.appendMarkdown('**').appendText(view.name).appendMarkdown('**');
  const append = ({ label, value }: Fact): void => {
    markdown.appendMarkdown('\n\n');
    appendWords(markdown, `${label}: ${value}`);
  };
  const all = facts(view, nowMs);
  all.filter(({ label }) => FIRST.has(label)).forEach(append);
  const evidence = evidenceLines(view, nowMs);
  if (evidence.length > 0) markdown.appendMarkdown('\n\nWhy it says so:\n');
  for (const line of evidence) {
    markdown.appendMarkdown('\n- ');
    appendWords(markdown, line);
  }
  markdown.appendMarkdown('\n\n---');
  all.filter(({ label }) => !FIRST.has(label)).forEach(append);
  return markdown;
}

/** As text on one line; word by word, because `appendText` makes blanks that lines cannot break at. */
function appendWords(markdown: vscode.MarkdownString, text: string): void {
  for (const word of text.split(/\s+/)) markdown.appendText(word).appendMarkdown(' ');
}

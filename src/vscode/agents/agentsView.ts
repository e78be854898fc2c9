import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import type { Clock } from '../../core/base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../../core/base/disposable';
import { ignore, type Logger } from '../../core/base/log';
import type { AgentViewChange, Engine } from '../../core/engine';
import type { LiveSettings } from '../liveSettings';
import { AGENTS_VIEW_ID } from '../manifest';
import { headingOf } from './agentGroups';
import { badgeText, summarize, viewMessage } from './agentSummary';
import { AgentsTree, type TreeNode } from './agentsTree';
import { RefreshQueue } from './refreshQueue';

/** How often the words of the rows that depend on time (minutes, settled receipts) are looked at, while the view can be seen. */
const AGE_MS = 5_000;

/** The Agents view: draws again only what changed, only while it is visible, and carries badge and message. */
export class AgentsView implements Disposable {
  readonly tree: AgentsTree;
  readonly #store = new DisposableStore();
  readonly #age = this.#store.add(new MutableDisposable<Disposable>());
  readonly #queue: RefreshQueue<TreeNode>;
  readonly #view: vscode.TreeView<TreeNode>;
  #isStale = false;

  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    private readonly settings: LiveSettings,
    private readonly log: Logger,
  ) {
    this.tree = this.#store.add(new AgentsTree(engine, clock, () => settings.current.groupBy));
    this.#queue = this.#store.add(new RefreshQueue<TreeNode>(clock, (nodes) => this.#draw(nodes)));
    this.#view = this.#store.add(
      vscode.window.createTreeView(AGENTS_VIEW_ID, {
        treeDataProvider: this.tree,
        canSelectMany: true,
        showCollapseAll: false,
      }),
    );
    this.#store.add(this.#view.onDidChangeVisibility(({ visible }) => this.#onVisibility(visible)));
    this.#store.add(engine.onDidChangeAgent((change) => this.#onAgent(change)));
    this.#store.add(engine.onDidChangeStatus(() => this.#drawAll()));
    this.#store.add(engine.onDidChangeAgentTypes(() => this.#drawAll()));
    this.#store.add(this.#regroupOnSetting());
    this.#updateHeader();
    this.#scheduleAge();
  }

  get selection(): readonly TreeNode[] {
    return this.#view.selection;
  }

  /** Shows and selects the agent's row; `focus`: a person goes to it. Resolves also when the row cannot be shown. */
  async reveal(id: AgentId, focus = true): Promise<void> {
    try {
      await this.#view.reveal(this.tree.agentNode(id), { select: true, focus });
    } catch (error) {
      ignore(this.log, error, 'the row went away while it was to be shown');
    }
  }

  dispose(): void {
    this.#store.dispose();
  }

  #regroupOnSetting(): Disposable {
    let groupBy = this.settings.current.groupBy;
    return this.settings.onDidChange((settings) => {
      if (settings.groupBy === groupBy) return;
      groupBy = settings.groupBy;
      this.#drawAll();
    });
  }

  #onAgent({ id, view, previous }: AgentViewChange): void {
    this.#updateHeader();
    const groupBy = this.settings.current.groupBy;
    const before = previous && headingOf(previous, groupBy).key;
    const after = view && headingOf(view, groupBy).key;
    if (before === after) {
      this.#queue.add(this.tree.agentNode(id));
      return;
    }
    if (!view) this.tree.forget(id);
    const headings = [before, after].filter((key): key is string => key !== undefined && key !== '');
    if (headings.length === 0 || !this.tree.areHeadingsDrawn) this.#drawAll();
    else for (const key of headings) this.#queue.add(this.tree.groupNode(key));
  }

  #draw(nodes: readonly TreeNode[]): void {
    if (!this.#view.visible) this.#isStale = true;
    else if (nodes.includes(everything)) this.tree.refresh(undefined);
    else this.tree.refresh(nodes);
  }

  #drawAll(): void {
    this.#updateHeader();
    this.#queue.add(everything);
  }

  #onVisibility(isVisible: boolean): void {
    if (!isVisible) {
      this.#age.value = undefined;
      return;
    }
    if (this.#isStale) this.tree.refresh(undefined);
    this.#isStale = false;
    this.#scheduleAge();
  }

  #scheduleAge(): void {
    if (!this.#view.visible) return;
    this.#age.value = this.clock.setTimer(AGE_MS, () => {
      for (const node of this.tree.agedNodes()) this.#queue.add(node);
      this.#scheduleAge();
    });
  }

  #updateHeader(): void {
    const { needYouCount } = summarize(this.engine.agents);
    const tooltip = badgeText(needYouCount);
    if ((this.#view.badge?.tooltip ?? '') !== tooltip) {
      this.#view.badge = needYouCount === 0 ? undefined : { value: needYouCount, tooltip };
    }
    const message = this.engine.agents.length === 0 ? undefined : viewMessage(this.engine.status);
    if ((this.#view.message ?? '') !== (message ?? '')) this.#view.message = message ?? '';
  }
}

/** Stands for the whole tree in the queue of what must be drawn. */
const everything: TreeNode = { kind: 'group', key: 'everything' };

import type { AgentId } from './agents/agent';
import { isSameView } from './agentViews';
import type { Disposable } from './base/disposable';
import { Emitter, type Event, type ListenerFailure } from './base/event';
import type { AgentView, AgentViewChange } from './engine';

/**
 * What the engine shows of all agents, whoever supplies it (the owner's session or a follower's). Announces exactly
 * the differences, so that a hand-over between sessions changes only the rows that really changed.
 */
export class ViewBoard implements Disposable {
  #views = new Map<AgentId, AgentView>();
  readonly #onDidChange: Emitter<AgentViewChange>;
  readonly onDidChange: Event<AgentViewChange>;

  constructor(onListenerFailure: ListenerFailure) {
    this.#onDidChange = new Emitter(onListenerFailure);
    this.onDidChange = this.#onDidChange.event;
  }

  /** In the order in which they were put first. */
  get views(): readonly AgentView[] {
    return [...this.#views.values()];
  }

  find(id: string): AgentView | undefined {
    return this.#views.get(id as AgentId); // a key that is no AgentId is not in the map
  }

  put(view: AgentView): void {
    const previous = this.#views.get(view.id);
    if (isSameView(previous, view)) return;
    this.#views.set(view.id, view);
    this.#onDidChange.fire({ id: view.id, view, previous });
  }

  remove(id: AgentId): void {
    const previous = this.#views.get(id);
    if (!previous) return;
    this.#views.delete(id);
    this.#onDidChange.fire({ id, view: undefined, previous });
  }

  /** Makes `views`, in this order, everything there is. */
  replaceAll(views: readonly AgentView[]): void {
    const before = this.#views;
    this.#views = new Map(views.map((view) => [view.id, view]));
    for (const [id, previous] of before) {
      if (!this.#views.has(id)) this.#onDidChange.fire({ id, view: undefined, previous });
    }
    for (const view of views) {
      const previous = before.get(view.id);
      if (!isSameView(previous, view)) this.#onDidChange.fire({ id: view.id, view, previous });
    }
  }

  dispose(): void {
    this.#onDidChange.dispose();
  }
}

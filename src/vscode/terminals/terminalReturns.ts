import type { AgentId } from '../../core/agents/agent';
import type { AgentView } from '../../core/engine';

interface Lost<Place> {
  /** The run that it showed. */
  readonly generation: number;
  readonly place: Place;
}

/**
 * Which agents get a terminal again: tmux ends the terminal of a run when the next one is started, not before, and nobody closed it. One
 * that a person closed or detached does not come back, nor one that stood behind something else in the editor area: VS Code would open it in
 * front of where the person works.
 */
export class TerminalReturns<Place extends { readonly isCovered: boolean }> {
  readonly #lost = new Map<AgentId, Lost<Place>>();

  /** A terminal ended by itself. `generation`: of the run that it showed; `view`: its agent as it is now. */
  note(view: AgentView, generation: number, place: Place): void {
    const isOver = view.generation > generation || (view.lifecycle !== 'running' && view.lifecycle !== 'paused');
    if (isOver && !place.isCovered) this.#lost.set(view.id, { generation, place });
  }

  /** Where the agent's terminal stood, once there is something to attach to again; told once. */
  take(view: AgentView): Place | undefined {
    const lost = this.#lost.get(view.id);
    const isThere = view.isAttachable && (view.lifecycle !== 'starting' || view.pid !== undefined);
    if (!lost || view.generation <= lost.generation || !isThere) return undefined;
    this.#lost.delete(view.id);
    return lost.place;
  }

  /** It was removed, or has a terminal by another way. */
  forget(id: AgentId): void {
    this.#lost.delete(id);
  }
}

import type { AgentId } from '../../core/agents/agent';
import type { Disposable } from '../../core/base/disposable';
import { Emitter, type Event } from '../../core/base/event';
import type { AgentView, Engine } from '../../core/engine';
import { overlaidEngine } from '../overlaidEngine';

/** The agent of a start: by its id, or, while it is being made, by its name, which no other one has. */
type Ordered = { readonly id: AgentId } | { readonly name: string };

/**
 * Starts that a person has ordered in this window, from the order to its end. How one ends is told to the person by whoever ordered it; that can
 * take a moment longer than the agent's failure is known, in which nobody else should tell it.
 */
export class OrderedStarts implements Disposable {
  readonly #pending = new Set<Ordered>();
  readonly #onDidEnd: Emitter<void>;
  /** One has ended, well or not. */
  readonly onDidEnd: Event<void>;

  constructor(onFailure: (error: unknown) => void) {
    this.#onDidEnd = new Emitter(onFailure);
    this.onDidEnd = this.#onDidEnd.event;
  }

  /** An engine through which such starts are ordered. */
  watching(engine: Engine): Engine {
    return overlaidEngine(engine, {
      startAgent: (spec, signal) => this.#during({ name: spec.name }, engine.startAgent(spec, signal)),
      startExisting: (id, signal) => this.#during({ id }, engine.startExisting(id, signal)),
      restartAgent: (id, signal) => this.#during({ id }, engine.restartAgent(id, signal)),
      resumeSession: (id, signal) => this.#during({ id }, engine.resumeSession(id, signal)),
    });
  }

  covers(agent: Pick<AgentView, 'id' | 'name'>): boolean {
    return [...this.#pending].some((one) => ('id' in one ? one.id === agent.id : one.name === agent.name));
  }

  dispose(): void {
    this.#onDidEnd.dispose();
    this.#pending.clear();
  }

  async #during<T>(ordered: Ordered, start: Promise<T>): Promise<T> {
    this.#pending.add(ordered);
    try {
      return await start;
    } finally {
      this.#pending.delete(ordered);
      this.#onDidEnd.fire();
    }
  }
}

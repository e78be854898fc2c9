import type { AgentId } from '../../core/agents/agent';
import type { Engine } from '../../core/engine';

/** Goes round the agents that need a person, one after the other, in the order of the view. */
export class WaitingRound {
  #last: AgentId | undefined;

  constructor(private readonly engine: Pick<Engine, 'agents'>) {}

  /** The one after the one that was given last; undefined when none waits. */
  next(): AgentId | undefined {
    const { agents } = this.engine;
    const lastIndex = agents.findIndex(({ id }) => id === this.#last);
    const fromThere = [...agents.slice(lastIndex + 1), ...agents.slice(0, lastIndex + 1)];
    this.#last = fromThere.find((agent) => agent.needsYou !== undefined)?.id;
    return this.#last;
  }
}

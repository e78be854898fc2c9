import type { AgentId } from '../../core/agents/agent';

/**
 * An agent as this window names it: a row of the Agents view, or what one of its own messages is about. Its brand cannot be
 * forged, and no such object leaves the window: a command that gets one was asked for by a person (S22).
 */
export class AgentRow {
  readonly kind = 'agent';
  readonly #brand = true;

  constructor(readonly id: AgentId) {}

  static is(value: unknown): value is AgentRow {
    return typeof value === 'object' && value !== null && #brand in value && value.#brand;
  }
}

import { describeError } from '../base/errors';
import type { ActivityObserver } from './activityObserver';
import type { AgentId } from './agent';
import type { AgentType } from './agentType';
import type { Agent } from './baseAgent';
import type { SupervisorContext } from './supervisorPorts';

/** Identity of the notice that a first prompt was not typed. */
export function firstPromptNotice(id: AgentId): string {
  return `agent.firstPrompt:${id}`;
}

/** Types the first prompt of a run; when it must not or cannot be typed, a person learns of it. */
export class FirstPrompt {
  constructor(
    private readonly context: SupervisorContext,
    private readonly observer: ActivityObserver,
  ) {}

  /**
   * Marked as done before it is typed: a crash in between loses it visibly, it is never typed twice. Not typed at all into a
   * dialog that came up first (a question of trust, a login): it would answer it.
   * @throws the signal's reason; nothing else
   */
  async type(agent: Agent, type: AgentType, signal: AbortSignal): Promise<void> {
    const { spec, generation, isFirstPromptDone } = agent.record;
    if (isFirstPromptDone || spec.firstPrompt === undefined) return;
    try {
      if (!type.prompt.canPaste)
        return await this.#tell(
          agent,
          generation,
          `Agents of the type "${type.label}" cannot be typed into safely yet.`,
        );
      const { activity } = await this.observer.look(agent);
      if (activity === 'awaiting_approval' || activity === 'awaiting_input')
        return await this.#tell(agent, generation, 'The agent asks something first, which the prompt would answer.');
      const { kind } = await this.context.state.transition(agent.id, generation, {
        isFirstPromptDone: true,
        durability: 'before',
        actor: 'engine',
        reason: 'first_prompt_typed',
      });
      if (kind === 'applied') await agent.submit(spec.firstPrompt, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      this.context.log.warn('the first prompt could not be typed', { agent: agent.id, error });
      await this.#tell(agent, generation, `It could not be typed, or not completely (${describeError(error)}).`);
    }
  }

  /** In the history, among the evidence, and as a notice until the next start. Nothing when the run is over: then there is nobody to type into. */
  async #tell(agent: Agent, generation: number, why: string): Promise<void> {
    const { state, clock, notices, log } = this.context;
    log.warn('the first prompt was not typed', { agent: agent.id, why });
    if (agent.record.lifecycle !== 'running') return;
    const atMs = clock.nowMs();
    const { kind } = await state.transition(agent.id, generation, {
      actor: 'engine',
      reason: 'first_prompt_not_typed',
      hasLine: true,
      evidence: [
        { source: 'policy', detail: `The first prompt was not typed. ${why}`, observedAtMs: atMs },
        ...agent.record.evidence,
      ],
    });
    if (kind === 'ignored') return;
    notices.raise({
      fingerprint: firstPromptNotice(agent.id),
      level: 'warning',
      title: `The first prompt of ${agent.record.spec.name} was not typed`,
      detail: `${why} Attach to the agent and type it yourself.`,
      agentId: agent.id,
      atMs,
    });
  }
}

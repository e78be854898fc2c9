import { describeError } from '../base/errors';
import { ignore } from '../base/log';
import type { AgentId } from './agent';
import type { AgentType } from './agentType';
import type { Agent } from './baseAgent';
import type { PromptReceipt } from './delivery/promptDelivery';
import type { SupervisorContext } from './supervisorPorts';

/** Identity of the notice that a first prompt was not typed. */
export function firstPromptNotice(id: AgentId): string {
  return `agent.firstPrompt:${id}`;
}

/** Why a first prompt waits, by the reason of its receipt. */
const WAITS: Readonly<Record<string, string>> = {
  dialog_open: 'The agent asks something first, which the prompt would answer.',
  draft_in_box: 'There is text in its input box already.',
};

/** Sends the first prompt of a run; when it has to wait or does not arrive, a person learns of it. */
export class FirstPrompt {
  constructor(private readonly context: SupervisorContext) {}

  /**
   * Resolves when it is on its way: a queued delivery, which is kept over a crash and never typed twice, nor into a dialog that
   * came up first (a question of trust, a login). @throws the signal's reason; nothing else
   */
  async type(agent: Agent, type: AgentType, signal: AbortSignal): Promise<void> {
    const { spec, generation, isFirstPromptDone } = agent.record;
    if (isFirstPromptDone || spec.firstPrompt === undefined) return;
    signal.throwIfAborted();
    if (!type.prompt.canPaste)
      return this.#tell(
        agent,
        generation,
        `Agents of the type "${type.label}" cannot be typed into safely yet.`,
        BY_HAND,
      );
    const options = { whenBlocked: 'queue', actor: 'engine', firstPromptOf: generation } as const;
    const sent = this.context.prompts.send(agent, spec.firstPrompt, options);
    this.#follow(agent, generation, sent).catch((error: unknown) =>
      ignore(this.context.log, error, 'the agent is gone, and with it who would have to know'),
    );
    try {
      await this.context.state.transition(agent.id, generation, {
        isFirstPromptDone: true,
        durability: 'before',
        actor: 'engine',
        reason: 'first_prompt_sent',
      });
    } catch (error) {
      ignore(this.context.log, error, 'the delivery is kept by itself');
    }
  }

  async #follow(agent: Agent, generation: number, sent: Promise<PromptReceipt>): Promise<void> {
    try {
      const receipt = await sent;
      if (receipt.state !== 'queued') return;
      this.#resolveWhenOver(agent, generation, receipt.id);
      const why = WAITS[receipt.reason ?? ''] ?? 'The agent is not ready for it.';
      await this.#tell(agent, generation, why, 'It is typed as soon as the agent is free.');
    } catch (error) {
      if (this.context.prompts.isClosed) return;
      this.context.log.warn('the first prompt did not arrive', { agent: agent.id, error });
      await this.#tell(
        agent,
        generation,
        `It could not be typed, or not completely (${describeError(error)}).`,
        BY_HAND,
      );
    }
  }

  /** A queued one goes its way without a sender: its receipts tell. */
  #resolveWhenOver(agent: Agent, generation: number, receiptId: string): void {
    const watch = this.context.prompts.onDidChangeReceipt(({ id, state, reason, detail }) => {
      if (id !== receiptId || state === 'queued') return;
      this.context.notices.resolve(firstPromptNotice(agent.id));
      if (state === 'typing' || state === 'typed' || state === 'submitted') return;
      watch.dispose();
      if (state === 'acknowledged' || state === 'canceled' || reason === 'no_evidence_possible') return;
      const why = `It could not be typed, or not completely (${detail ?? state}).`;
      this.#tell(agent, generation, why, BY_HAND).catch((error: unknown) =>
        ignore(this.context.log, error, 'the agent is gone'),
      );
    });
  }

  /** In the history, among the evidence, and as a notice until the next start. Nothing when the run is over: then there is nobody to type into. */
  async #tell(agent: Agent, generation: number, why: string, advice: string): Promise<void> {
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
      detail: `${why} ${advice}`,
      agentId: agent.id,
      atMs,
    });
  }
}

const BY_HAND = 'Attach to the agent and type it yourself.';

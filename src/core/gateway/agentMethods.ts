import { AgentError } from '../agents/agentErrors';
import type { SelfStatus } from './gatewayResults';
import { type AgentCall, forAgent } from './methodTable';
import { agentId, anything, flag, integer, optional, text } from './params';

/** Fields by which a caller may name itself; anything else was refused before. */
const own = { agentId: optional(agentId), generation: optional(integer(0, Number.MAX_SAFE_INTEGER)) };

const event = text({ maxLength: 80, pattern: /^[A-Za-z0-9._:-]+$/, expected: 'is no name of an event' });

/**
 * What an agent's own programs may do: report, and ask about themselves. Never start, stop, prompt, approve or see others
 * (S5, S11). Who it is comes from its token alone.
 */
export const agentMethods = {
  'hook.report': forAgent(
    { ...own, event, payload: anything, sentAtMs: integer(0, Number.MAX_SAFE_INTEGER), isLate: optional(flag) },
    ({ event, payload, sentAtMs, isLate = false }, { hooks, principal, signal }) =>
      hooks.report(
        { agentId: principal.agentId, generation: principal.generation, event, payload, sentAtMs, isLate },
        signal,
      ),
    { hasLargeTexts: true },
  ),
  'self.status': forAgent(own, (_, call) => selfStatus(call)),
};

function selfStatus({ engine, principal }: AgentCall): SelfStatus {
  const view = engine.agent(principal.agentId);
  if (!view) throw new AgentError('agent.notFound', 'the engine does not know this agent yet');
  const { id, name, typeId, role, team, desired, lifecycle, activity, generation, sinceMs, queuedPromptCount } = view;
  return {
    agentId: id,
    name,
    typeId,
    ...(role !== undefined && { role }),
    ...(team !== undefined && { team }),
    desired,
    lifecycle,
    activity,
    generation,
    sinceMs,
    queuedPromptCount,
  };
}

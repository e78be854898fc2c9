import { agentOfError } from '../core/agents/agentErrors';

/** A start that fails after the agent was kept says which agent: as a field, for other extensions have no access to our helpers. */
export async function namingAgent<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const agentId = agentOfError(error);
    if (error instanceof Error && agentId !== undefined && !('agentId' in error))
      Object.defineProperty(error, 'agentId', { value: agentId, enumerable: true });
    throw error;
  }
}

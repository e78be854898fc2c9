import type { AgentId } from '../../core/agents/agent';
import type { Engine, EngineStatus } from '../../core/engine';

/** How a terminal attaches, asked at the moment it is opened. */
export interface Attachment {
  readonly program: string;
  readonly args: readonly string[];
  /** No key typed in it reaches the agent. */
  readonly isReadOnly: boolean;
}

/** This window only looks: another one manages the agents, or the workspace is not trusted. */
export function isOnlyLooking({ kind }: EngineStatus): boolean {
  return kind === 'following' || kind === 'restricted';
}

/**
 * A window that only looks asks first who else is attached, for `attachCommand` needs to know that somebody keeps the agent's size.
 * @throws {TmuxError} tmux.wouldResize, tmux.serverGone, tmux.timeout
 */
export async function attachmentOf(engine: Engine, id: AgentId): Promise<Attachment> {
  const isReadOnly = isOnlyLooking(engine.status);
  if (isReadOnly) await engine.attachedClients();
  return { ...engine.attachCommand(id), isReadOnly };
}

/** The name of an agent's terminal. */
export function terminalName(agentName: string, isReadOnly: boolean): string {
  return isReadOnly ? `${agentName} (read-only)` : agentName;
}

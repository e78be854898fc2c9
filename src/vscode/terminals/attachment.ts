import type { AgentId } from '../../core/agents/agent';
import type { Engine } from '../../core/engine';

/** How a terminal attaches, asked at the moment it is opened. */
export interface Attachment {
  readonly program: string;
  readonly args: readonly string[];
  /** No key typed in it reaches the agent. */
  readonly isReadOnly: boolean;
}

/**
 * A window that does not manage the agents asks first who else is attached, for `attachCommand` needs to know that somebody keeps the
 * agent's size. Whether keys arrive is read off the command itself.
 * @throws {TmuxError} tmux.wouldResize, tmux.serverGone, tmux.timeout
 */
export async function attachmentOf(engine: Engine, id: AgentId): Promise<Attachment> {
  if (engine.status.kind !== 'ready') await engine.attachedClients();
  const command = engine.attachCommand(id);
  return { ...command, isReadOnly: command.args.some((arg) => READ_ONLY.test(arg)) };
}

/** `-r`, or the client flag `read-only` among others (tmux manual, attach-session). */
const READ_ONLY = /^-r$|(?:^|,)read-only(?:,|$)/;

/** The name of an agent's terminal. */
export function terminalName(agentName: string, isReadOnly: boolean): string {
  return isReadOnly ? `${agentName} (read-only)` : agentName;
}

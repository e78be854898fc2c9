import { isAgentId } from '../../core/agents/agent';
import { SECTION } from '../manifest';
import { AgentRow } from './agentRow';

/** What a message of this window gives to a command of this window: its agents as rows, because a person chose the button (S22). */
export function ownArguments(command: string, args: readonly unknown[]): readonly unknown[] {
  if (!command.startsWith(`${SECTION}.`)) return args;
  return args.map((arg) => (typeof arg === 'string' && isAgentId(arg) ? new AgentRow(arg) : arg));
}

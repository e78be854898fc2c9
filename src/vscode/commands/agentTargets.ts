import { type AgentId, isAgentId } from '../../core/agents/agent';
import type { Engine } from '../../core/engine';
import { COMMAND_TITLES } from '../commandTitles';
import type { CommandId } from '../manifest';
import type { AgentFilter, AgentPicker } from './agentPicker';

/** Finds out which agents a command is about: the selected rows, the given one, or those a person picks. */
export class AgentTargets {
  constructor(
    private readonly engine: Engine,
    private readonly picker: AgentPicker,
  ) {}

  async one(command: CommandId, filter: AgentFilter, row: unknown): Promise<AgentId | undefined> {
    return idOf(row) ?? (await this.picker.pickOne(COMMAND_TITLES[command], filter));
  }

  /** Rows that are not agents or do not fit `filter` are left out when several are selected. */
  async many(
    command: CommandId,
    filter: AgentFilter,
    row: unknown,
    rows: readonly unknown[] | undefined,
  ): Promise<readonly AgentId[]> {
    const clicked = idOf(row);
    if (clicked === undefined) return this.picker.pickMany(COMMAND_TITLES[command], filter);
    const selected = Array.isArray(rows) ? rows.map(idOf).filter((id): id is AgentId => id !== undefined) : [];
    if (selected.length <= 1) return [clicked];
    return [...new Set(selected)].filter((id) => {
      const agent = this.engine.agent(id);
      return agent !== undefined && filter(agent);
    });
  }
}

/** Arguments of commands come from anywhere (keybindings, other extensions), so they are checked. */
export function idOf(argument: unknown): AgentId | undefined {
  const id: unknown =
    typeof argument === 'object' &&
    argument !== null &&
    'kind' in argument &&
    argument.kind === 'agent' &&
    'id' in argument
      ? argument.id
      : argument;
  return typeof id === 'string' && isAgentId(id) ? id : undefined;
}

import { type AgentId, isAgentId } from '../../core/agents/agent';
import type { Engine } from '../../core/engine';
import { COMMAND_TITLES } from '../commandTitles';
import type { CommandId } from '../manifest';
import type { AgentFilter, AgentPicker } from './agentPicker';

/** In the place of a row that was clicked and that VS Code no longer knows. */
const LOST_ROW = { kind: 'lost' } as const;
const LOST_HINT = 'Its row has just changed: choose the agent here';

/**
 * A row that is drawn anew while its menu is open is lost: VS Code (1.139) runs the command all the same, with an argument that is undefined.
 * The palette gives no argument at all.
 */
export function markLostRow(args: readonly unknown[]): readonly unknown[] {
  return args.length > 0 && args[0] === undefined ? [LOST_ROW, ...args.slice(1)] : args;
}

/** Finds out which agents a command is about: the selected rows, the given one, or those a person picks. */
export class AgentTargets {
  constructor(
    private readonly engine: Engine,
    private readonly picker: Pick<AgentPicker, 'pickOne' | 'pickMany'>,
  ) {}

  async one(command: CommandId, filter: AgentFilter, row: unknown): Promise<AgentId | undefined> {
    return (
      idOf(row) ?? (await this.picker.pickOne(COMMAND_TITLES[command], filter, isLost(row) ? LOST_HINT : undefined))
    );
  }

  /** Rows that are not agents or do not fit `filter` are left out when several are selected. */
  async many(
    command: CommandId,
    filter: AgentFilter,
    row: unknown,
    rows: readonly unknown[] | undefined,
  ): Promise<readonly AgentId[]> {
    const clicked = idOf(row);
    if (isLost(row)) {
      const meant = await this.one(command, filter, row);
      return meant === undefined ? [] : [meant];
    }
    if (clicked === undefined) return this.picker.pickMany(COMMAND_TITLES[command], filter);
    const selected = Array.isArray(rows) ? rows.map(idOf).filter((id): id is AgentId => id !== undefined) : [];
    if (selected.length <= 1) return [clicked];
    return [...new Set(selected)].filter((id) => {
      const agent = this.engine.agent(id);
      return agent !== undefined && filter(agent);
    });
  }
}

function isLost(row: unknown): boolean {
  return row === LOST_ROW;
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

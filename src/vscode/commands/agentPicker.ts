import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import type { Clock } from '../../core/base/clock';
import type { AgentView, Engine } from '../../core/engine';
import { groupAgents } from '../agents/agentGroups';
import { description, stateIcon } from '../agents/agentText';
import { withoutIcons } from '../plainText';
import { GroupBy } from '../settings';

interface AgentItem extends vscode.QuickPickItem {
  readonly agentId?: AgentId;
}

export type AgentFilter = (agent: AgentView) => boolean;

/** Asks for agents by a quick pick: those that need you first, under headings. It stays when the focus goes elsewhere: agents’ terminals come and go. */
export class AgentPicker {
  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
  ) {}

  /** Undefined when the person cancelled or no agent fits (which is said). */
  async pickOne(title: string, filter: AgentFilter, hint = 'Choose an agent'): Promise<AgentId | undefined> {
    const items = this.#items(filter);
    if (items.length === 0) return this.#sayNone(title);
    const options = { title, placeHolder: hint, matchOnDescription: true, matchOnDetail: true, ignoreFocusOut: true };
    return (await vscode.window.showQuickPick(items, options))?.agentId;
  }

  async pickMany(title: string, filter: AgentFilter): Promise<readonly AgentId[]> {
    const items = this.#items(filter);
    if (items.length === 0) return this.#sayNone(title) ?? [];
    const only = items.filter((item) => item.agentId !== undefined);
    if (only.length === 1) {
      const one = await this.pickOne(title, filter);
      return one === undefined ? [] : [one];
    }
    const options = {
      title,
      placeHolder: 'Choose agents',
      canPickMany: true as const,
      ignoreFocusOut: true,
      matchOnDescription: true,
      matchOnDetail: true,
    };
    const picked = (await vscode.window.showQuickPick(items, options)) ?? [];
    return picked.flatMap(({ agentId }) => (agentId === undefined ? [] : [agentId]));
  }

  #items(filter: AgentFilter): readonly AgentItem[] {
    const agents = this.engine.agents.filter(filter);
    const nowMs = this.clock.nowMs();
    return groupAgents(agents, GroupBy.State).flatMap(({ label, agentIds }) => [
      { label, kind: vscode.QuickPickItemKind.Separator },
      ...agentIds.flatMap((id) => {
        const agent = this.engine.agent(id);
        return agent ? [item(agent, nowMs)] : [];
      }),
    ]);
  }

  #sayNone(title: string): undefined {
    const text = this.engine.agents.length === 0 ? 'There are no agents yet.' : 'No agent is in a state for this.';
    void vscode.window.showInformationMessage(`${title}: ${text}`);
    return undefined;
  }
}

function item(agent: AgentView, nowMs: number): AgentItem {
  const icon = stateIcon(agent);
  return {
    label: withoutIcons(agent.name),
    description: withoutIcons(description(agent, nowMs)),
    detail: withoutIcons([agent.typeLabel, agent.team, agent.folder].filter(Boolean).join(' · ')),
    iconPath: new vscode.ThemeIcon(icon.id, new vscode.ThemeColor(icon.color)),
    agentId: agent.id,
  };
}

import type { AgentId } from '../../core/agents/agent';
import type { AgentView } from '../../core/engine';
import { GroupBy } from '../settings';
import { isEnded } from './agentText';

/** A heading of the Agents view with the agents below it, in order of their creation. */
export interface AgentGroup {
  /** Stable for the same heading. */
  readonly key: string;
  readonly label: string;
  readonly agentIds: readonly AgentId[];
}

/**
 * The headings of the view. Grouped by state there are three that an agent does not leave and enter all the time:
 * who needs you, who is active, who has ended. Headings without agents are left out; `none` has none at all.
 */
export function groupAgents(agents: readonly AgentView[], groupBy: GroupBy): readonly AgentGroup[] {
  if (groupBy === GroupBy.None) return [];
  const groups = new Map<string, { readonly label: string; readonly agentIds: AgentId[] }>();
  for (const agent of agents) {
    const { key, label } = headingOf(agent, groupBy);
    const group = groups.get(key) ?? { label, agentIds: [] };
    group.agentIds.push(agent.id);
    groups.set(key, group);
  }
  return [...groups].map(([key, group]) => ({ key, ...group })).sort((a, b) => compareHeadings(a, b, groupBy));
}

/** The heading an agent stands below. */
export function headingOf(agent: AgentView, groupBy: GroupBy): { readonly key: string; readonly label: string } {
  if (groupBy === GroupBy.Team) return named('team', agent.team, 'No Team');
  if (groupBy === GroupBy.Folder) return { key: `folder:${agent.folder}`, label: lastSegment(agent.folder) };
  if (groupBy === GroupBy.None) return { key: '', label: '' };
  if (agent.needsYou !== undefined) return stateHeadings.needsYou;
  return isEnded(agent) || agent.lifecycle === 'retired' ? stateHeadings.ended : stateHeadings.active;
}

const stateHeadings = {
  needsYou: { key: 'state:0', label: 'Needs You' },
  active: { key: 'state:1', label: 'Active' },
  ended: { key: 'state:2', label: 'Ended' },
} as const;

function named(
  kind: string,
  name: string | undefined,
  fallback: string,
): { readonly key: string; readonly label: string } {
  return name === undefined || name === ''
    ? { key: `${kind}:`, label: fallback }
    : { key: `${kind}:${name}`, label: name };
}

function compareHeadings(a: AgentGroup, b: AgentGroup, groupBy: GroupBy): number {
  if (groupBy === GroupBy.State) return a.key < b.key ? -1 : 1;
  if (a.key.endsWith(':') !== b.key.endsWith(':')) return a.key.endsWith(':') ? 1 : -1; // "No Team" comes last
  return a.label.localeCompare(b.label) || (a.key < b.key ? -1 : 1);
}

function lastSegment(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? path;
}

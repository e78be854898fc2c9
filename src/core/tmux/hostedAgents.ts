import { isAgentId, type AgentId, type ProcessIdentity } from '../agents/agent';
import type { ExitCause } from '../agents/agentState';
import type { PaneRow } from './tmuxFormat';
import { asPaneId, asWindowId, HUB_SESSION, type PaneId, type WindowId } from './tmuxArgs';

/** Where one agent lives in tmux, or lived. */
export interface HostedEntry {
  readonly agentId: AgentId;
  readonly generation: number;
  readonly pid: number;
  readonly paneId: PaneId;
  readonly windowId: WindowId;
  /** With the start time once it was read. */
  process: ProcessIdentity | undefined;
  /** Its terminal exists. False: the server or somebody took it away; the process may live on. */
  isHosted: boolean;
  /** Set once it is known to have ended; `{}` when nothing says why. */
  cause: ExitCause | undefined;
}

/** What a reconciliation found out. */
export interface Reconciliation {
  /** Terminals seen for the first time. */
  readonly appeared: readonly { readonly entry: HostedEntry; readonly row: PaneRow }[];
  /** Agents believed alive whose pane is dead. */
  readonly died: readonly { readonly entry: HostedEntry; readonly row: PaneRow }[];
  /** Agents whose terminal is gone. */
  readonly vanished: readonly HostedEntry[];
}

/**
 * The host's table of agents, by id and by pane. Pane ids begin again with each server, so entries are matched by agent,
 * generation and pid, and the index by pane covers only terminals that exist.
 */
export class HostedAgents {
  readonly #byAgent = new Map<AgentId, HostedEntry>();
  readonly #byPane = new Map<string, HostedEntry>();

  get(agentId: AgentId): HostedEntry | undefined {
    return this.#byAgent.get(agentId);
  }

  /** The agent whose terminal `paneId` is. */
  atPane(paneId: string): HostedEntry | undefined {
    return this.#byPane.get(paneId);
  }

  all(): readonly HostedEntry[] {
    return [...this.#byAgent.values()];
  }

  hosted(): readonly HostedEntry[] {
    return this.all().filter((entry) => entry.isHosted);
  }

  add(entry: HostedEntry): void {
    this.remove(entry.agentId);
    this.#byAgent.set(entry.agentId, entry);
    if (entry.isHosted) this.#byPane.set(entry.paneId, entry);
  }

  remove(agentId: AgentId): void {
    const entry = this.#byAgent.get(agentId);
    if (entry) this.unhost(entry);
    this.#byAgent.delete(agentId);
  }

  /** The terminal is gone; what is known of the process stays. */
  unhost(entry: HostedEntry): void {
    entry.isHosted = false;
    if (this.#byPane.get(entry.paneId) === entry) this.#byPane.delete(entry.paneId);
  }

  clear(): void {
    this.#byAgent.clear();
    this.#byPane.clear();
  }

  /** Brings the table in line with a complete listing. Agents in `skip` are being launched or discarded just now. */
  reconcile(rows: readonly PaneRow[], skip: (agentId: AgentId) => boolean): Reconciliation {
    const appeared: { entry: HostedEntry; row: PaneRow }[] = [];
    const died: { entry: HostedEntry; row: PaneRow }[] = [];
    const seen = new Set<HostedEntry>();
    for (const { agentId, row } of taggedRows(rows)) {
      if (skip(agentId)) continue;
      let entry = this.#byAgent.get(agentId);
      if (!entry || !isSame(entry, row)) {
        entry = entryOf(agentId, row);
        this.add(entry);
        appeared.push({ entry, row });
      } else if (!entry.isHosted) {
        entry.isHosted = true;
        this.#byPane.set(entry.paneId, entry);
      }
      seen.add(entry);
      if (row.isDead === '1' && entry.cause === undefined) died.push({ entry, row });
    }
    const vanished = this.hosted().filter((entry) => !seen.has(entry) && !skip(entry.agentId));
    for (const entry of vanished) this.unhost(entry);
    return { appeared, died, vanished };
  }
}

/** The rows that carry our tags, one per pane: a linked pane is listed once per session, a person's own panes have no tag. */
export function taggedRows(rows: readonly PaneRow[]): readonly { readonly agentId: AgentId; readonly row: PaneRow }[] {
  const byPane = new Map<string, { agentId: AgentId; row: PaneRow }>();
  for (const row of rows) {
    if (row.session === HUB_SESSION || !isAgentId(row.agent) || row.agent !== row.session) continue;
    if (/^\d{1,15}$/.test(row.generation) && /^\d+$/.test(row.pid)) byPane.set(row.paneId, { agentId: row.agent, row });
  }
  return [...byPane.values()];
}

export function entryOf(agentId: AgentId, row: PaneRow): HostedEntry {
  return {
    agentId,
    generation: Number(row.generation),
    pid: Number(row.pid),
    paneId: asPaneId(row.paneId),
    windowId: asWindowId(row.windowId),
    process: undefined,
    isHosted: true,
    cause: undefined,
  };
}

function isSame(entry: HostedEntry, row: PaneRow): boolean {
  return entry.generation === Number(row.generation) && entry.pid === Number(row.pid) && entry.paneId === row.paneId;
}

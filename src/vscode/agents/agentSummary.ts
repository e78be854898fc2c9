import type { AgentView, EngineStatus } from '../../core/engine';
import { isLive, stateWords } from './agentText';

/** The agents in one line and a little more, for the status bar and the badge. */
export interface AgentSummary {
  readonly needYouCount: number;
  readonly workingCount: number;
  /** `2 working, 1 needs you`. */
  readonly text: string;
  /** One line per agent, those that need you first. Plain text. */
  readonly lines: readonly string[];
}

export function summarize(agents: readonly AgentView[]): AgentSummary {
  const waiting = agents.filter((agent) => agent.needsYou !== undefined);
  const working = agents.filter((agent) => agent.lifecycle === 'running' && agent.activity === 'busy');
  const live = agents.filter(isLive);
  const liveCount = live.length;
  const isAllIdle = live.every((agent) => agent.lifecycle === 'running' && agent.activity === 'idle');
  const parts: string[] = [];
  if (working.length > 0) parts.push(`${working.length} working`);
  if (waiting.length > 0) parts.push(`${waiting.length} ${waiting.length === 1 ? 'needs' : 'need'} you`);
  if (parts.length === 0)
    parts.push(liveCount === 0 ? 'no agent running' : `${liveCount} ${isAllIdle ? 'idle' : 'running'}`);
  const ordered = [...waiting, ...agents.filter((agent) => agent.needsYou === undefined)];
  return {
    needYouCount: waiting.length,
    workingCount: working.length,
    text: parts.join(', '),
    lines: ordered.map((agent) => `${agent.name}: ${stateWords(agent)}`),
  };
}

/** `1 agent needs you`; empty for none. */
export function badgeText(needYouCount: number): string {
  if (needYouCount === 0) return '';
  return needYouCount === 1 ? '1 agent needs you' : `${needYouCount} agents need you`;
}

const tmuxLostText = {
  stopped: 'tmux stopped. Reconnecting… If this stays, run Check Setup.',
  neverRan: 'tmux cannot be started. It is tried again by itself; Check Setup says why.',
} as const;

/** What stands above the rows, when the engine has something to say; undefined when it works as it should. */
export function viewMessage(status: EngineStatus): string | undefined {
  switch (status.kind) {
    case 'following':
      if (!status.isOwnerResponding) return 'Managed by another window that does not respond. You can take over.';
      return status.isConnected
        ? 'Managed by another window. Commands work here, too.'
        : 'Managed by another window that cannot be reached. Shown read-only.';
    case 'restricted':
      return 'Restricted Mode: agents are shown, nothing is started or sent.';
    case 'blocked':
      return 'Not up to date: the engine had to stop. Run Check Setup.';
    case 'ready':
      if (status.isTmuxLost) return tmuxLostText[status.tmuxLoss?.hasRun === false ? 'neverRan' : 'stopped'];
      return status.isReadOnly ? 'Read-only: changes cannot be kept now.' : undefined;
    case 'starting':
    case 'stopped':
      return undefined;
  }
}

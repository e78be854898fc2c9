import type { AgentRecord } from './agents/agent';
import type { HostedAgent } from './agents/agentHost';
import { type Evidence, Lifecycle, RestartPolicy } from './agents/agentState';
import { isLive } from './agents/agentTransitions';
import type { AgentType } from './agents/agentType';
import { cleanText } from './agents/visibleText';
import { troubleWords } from './agentTrouble';
import { type AgentView, needsYouOf } from './engine';

/** Lifecycles in which a terminal exists that a person can look at (an ended agent keeps its last screen). */
const ATTACHABLE: ReadonlySet<Lifecycle> = new Set([
  Lifecycle.Starting,
  Lifecycle.Running,
  Lifecycle.Paused,
  Lifecycle.Stopping,
  Lifecycle.Exited,
  Lifecycle.Failed,
  Lifecycle.Backoff,
  Lifecycle.Quarantined,
]);

/** What is known of an agent beside its record. */
export interface AgentDetails {
  readonly lastReceipt?: AgentView['lastReceipt'] | undefined;
  readonly queuedPromptCount: number;
  readonly unsurePromptCount?: number;
  readonly request?: AgentView['request'] | undefined;
  readonly isResumable: boolean;
  readonly conditions: AgentView['conditions'];
  readonly degraded: readonly string[];
  readonly usage?: AgentView['usage'] | undefined;
}

const NO_DETAILS: AgentDetails = { queuedPromptCount: 0, isResumable: false, conditions: [], degraded: [] };

/** What the owner of the workspace shows of one agent. Pure. */
export function viewOfRecord(
  record: AgentRecord,
  type: AgentType | undefined,
  details: AgentDetails = NO_DETAILS,
): AgentView {
  const { spec, lifecycle, activity } = record;
  const needsYou = needsYouOf(lifecycle, activity);
  const trouble = troubleWords(record);
  return {
    id: record.id,
    name: cleanText(spec.name),
    typeId: spec.typeId,
    typeLabel: type?.label ?? spec.typeId,
    typeIcon: type?.icon ?? 'question',
    folder: spec.folder,
    ...(spec.role !== undefined && { role: cleanText(spec.role) }),
    ...(spec.team !== undefined && { team: cleanText(spec.team) }),
    ...(record.fleetName !== undefined && { fleetName: record.fleetName }),
    desired: record.desired,
    lifecycle,
    activity,
    ...(needsYou && { needsYou }),
    ...(trouble !== '' && { trouble }),
    generation: record.generation,
    ...(record.process && isLive(lifecycle) && { pid: record.process.pid }),
    sinceMs: record.sinceMs,
    reason: record.reason,
    evidence: record.evidence,
    ...(record.exit && { exit: record.exit }),
    recentRestartCount: record.restartsAtMs.length,
    ...(record.nextStartAtMs !== undefined && { nextStartAtMs: record.nextStartAtMs }),
    restartPolicy: spec.restartPolicy ?? RestartPolicy.OnFailure,
    ...(spec.firstPrompt !== undefined && { hasFirstPrompt: true as const }),
    ...(details.lastReceipt && { lastReceipt: details.lastReceipt }),
    queuedPromptCount: details.queuedPromptCount,
    ...(details.unsurePromptCount && { unsurePromptCount: details.unsurePromptCount }),
    ...(details.request && { request: details.request }),
    isResumable: details.isResumable,
    conditions: details.conditions,
    degraded: details.degraded,
    ...(details.usage && { usage: details.usage }),
    isAttachable: record.generation > 0 && ATTACHABLE.has(lifecycle),
    isManagedElsewhere: false,
  };
}

/** What a second window can honestly say of an agent that it sees only in tmux. Pure; `sinceMs` is when it saw the present state first. */
export function viewOfHosted(hosted: HostedAgent, sinceMs: number): AgentView {
  const { liveness } = hosted;
  const lifecycle =
    liveness.kind === 'alive'
      ? Lifecycle.Running
      : liveness.kind === 'unknown'
        ? Lifecycle.Lost
        : liveness.cause.code === 0
          ? Lifecycle.Exited
          : Lifecycle.Failed;
  const evidence: Evidence = {
    source: 'pane',
    detail: `seen in tmux, foreground ${cleanText(hosted.foreground).slice(0, 60) || 'unknown'}; managed by another window`,
    observedAtMs: sinceMs,
  };
  return {
    id: hosted.agentId,
    name: hosted.agentId,
    typeId: 'unknown',
    typeLabel: 'Agent',
    typeIcon: 'robot',
    folder: '',
    desired: 'running',
    lifecycle,
    activity: 'unknown',
    generation: hosted.generation,
    ...(hosted.process && { pid: hosted.process.pid }),
    sinceMs,
    reason: 'managed_elsewhere',
    evidence: [evidence],
    ...(liveness.kind === 'dead' && { exit: liveness.cause }),
    recentRestartCount: 0,
    restartPolicy: RestartPolicy.OnFailure,
    queuedPromptCount: 0,
    isResumable: false,
    conditions: [],
    degraded: [],
    isAttachable: liveness.kind !== 'unknown',
    isManagedElsewhere: true,
  };
}

/** True when two views would look the same everywhere: then nothing is announced. */
export function isSameView(a: AgentView | undefined, b: AgentView | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b));
}

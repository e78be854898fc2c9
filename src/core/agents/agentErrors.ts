import { OrchestratorError, type ErrorDisposition } from '../base/errors';

export type AgentErrorCode =
  | 'agent.unknownType'
  | 'agent.typeInvalid'
  | 'agent.notFound'
  | 'agent.nameTaken'
  | 'agent.invalidSpec'
  | 'agent.illegalTransition'
  | 'agent.commandNotFound'
  | 'agent.folderMissing'
  | 'agent.notRunning'
  | 'agent.stillRunning'
  | 'agent.killFailed'
  | 'agent.startDeadline'
  | 'agent.endedEarly'
  | 'agent.launchUnknown'
  | 'agent.notAllowed'
  | 'agent.quarantined'
  | 'agent.paused'
  | 'agent.dialogOpen'
  | 'agent.draftInBox'
  | 'agent.inputHidden'
  | 'agent.notReady'
  | 'agent.linesWouldSplit'
  | 'agent.deliveryFailed'
  | 'agent.deliveryUnknown'
  | 'agent.requestGone'
  | 'agent.cannotAnswer'
  | 'agent.cannotResume'
  | 'agent.fleetInvalid'
  | 'agent.notApproved'
  | 'agent.conflict'
  | 'agent.hostUnavailable'
  | 'agent.superseded';

const dispositions: Record<AgentErrorCode, ErrorDisposition> = {
  'agent.unknownType': 'reconfigure',
  'agent.typeInvalid': 'reconfigure',
  'agent.notFound': 'giveUp',
  'agent.nameTaken': 'reconfigure',
  'agent.invalidSpec': 'reconfigure',
  'agent.illegalTransition': 'giveUp',
  'agent.commandNotFound': 'reconfigure',
  'agent.folderMissing': 'reconfigure',
  'agent.notRunning': 'giveUp',
  'agent.stillRunning': 'giveUp',
  'agent.killFailed': 'retry',
  'agent.startDeadline': 'retry',
  'agent.endedEarly': 'giveUp',
  'agent.launchUnknown': 'retry',
  'agent.notAllowed': 'giveUp',
  'agent.quarantined': 'giveUp',
  'agent.paused': 'giveUp',
  'agent.dialogOpen': 'giveUp',
  'agent.draftInBox': 'giveUp',
  'agent.inputHidden': 'retry',
  'agent.notReady': 'retry',
  'agent.linesWouldSplit': 'giveUp',
  'agent.deliveryFailed': 'giveUp',
  'agent.deliveryUnknown': 'giveUp',
  'agent.requestGone': 'giveUp',
  'agent.cannotAnswer': 'giveUp',
  'agent.cannotResume': 'giveUp',
  'agent.fleetInvalid': 'reconfigure',
  'agent.notApproved': 'reconfigure',
  'agent.conflict': 'retry',
  'agent.hostUnavailable': 'retry',
  'agent.superseded': 'giveUp',
};

/** One thing that is wrong with data from outside. */
export interface Problem {
  /** Where, as a JSON path: `agents[2].env.TOKEN`; empty for the whole. */
  readonly path: string;
  /** What, in a short sentence; never an environment value. */
  readonly message: string;
  /** Zero-based position in the file it was read from, when there is one. */
  readonly line?: number;
  readonly column?: number;
}

/** A failure of the agents module. `detail` never holds prompt text or environment values. */
export class AgentError extends OrchestratorError<AgentErrorCode> {
  readonly disposition: ErrorDisposition;
  /** The agent it is about, when there is one. */
  readonly agentId: string | undefined;
  /** Every problem found, for `agent.invalidSpec`, `agent.typeInvalid` and `agent.fleetInvalid`. */
  readonly problems: readonly Problem[];

  constructor(
    readonly code: AgentErrorCode,
    readonly detail: string,
    options?: ErrorOptions & { readonly agentId?: string; readonly problems?: readonly Problem[] },
  ) {
    super(`${code}: ${detail}`, options);
    this.disposition = dispositions[code];
    this.agentId = options?.agentId;
    this.problems = options?.problems ?? [];
  }

  static is<C extends AgentErrorCode>(error: unknown, code?: C): error is AgentError & { readonly code: C } {
    return error instanceof AgentError && (code === undefined || error.code === code);
  }
}

const agents = new WeakMap<object, string>();

/**
 * The failure as one about this agent: an AgentError that names none yet becomes one that does; of any other error the agent is
 * remembered beside it, so that its type and code stay. Ask with {@link agentOfError}.
 */
export function aboutAgent(error: unknown, agentId: string): unknown {
  if (AgentError.is(error)) {
    if (error.agentId !== undefined) return error;
    return new AgentError(error.code, error.detail, { agentId, problems: error.problems, cause: error });
  }
  if (typeof error === 'object' && error !== null) agents.set(error, agentId);
  return error;
}

/** The agent that a failure is about, also for failures of the host and the store; undefined when it is about none. */
export function agentOfError(error: unknown): string | undefined {
  if (AgentError.is(error)) return error.agentId;
  return typeof error === 'object' && error !== null ? agents.get(error) : undefined;
}

/** Every code of this module, for the check that each has a text for people. */
export const AGENT_ERROR_CODES = Object.keys(dispositions) as readonly AgentErrorCode[]; // keys of a full Record

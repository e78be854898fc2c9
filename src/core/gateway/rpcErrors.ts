import { RPC_CODES, type RpcErrorBody, RpcStatus } from '../../shared/gatewayProtocol';
import { AGENT_ERROR_CODES, AgentError, type AgentErrorCode, agentOfError } from '../agents/agentErrors';
import { OrchestratorError } from '../base/errors';
import { ENGINE_ERROR_CODES, EngineError, type EngineErrorCode } from '../engineErrors';
import { CODE_OF_STATUS, GatewayError } from './gatewayErrors';

const { InvalidArgument, NotFound, AlreadyExists, FailedPrecondition, DeadlineExceeded, Unavailable, Internal } =
  RpcStatus;

/**
 * What each typed error is to a caller. Every code that the engine can throw is here (a test walks over all of them); one
 * that is not is INTERNAL, without its text.
 */
const STATUS_OF_CODE: Readonly<Record<string, RpcStatus>> = {
  'agent.unknownType': NotFound,
  'agent.typeInvalid': InvalidArgument,
  'agent.notFound': NotFound,
  'agent.nameTaken': AlreadyExists,
  'agent.invalidSpec': InvalidArgument,
  'agent.illegalTransition': FailedPrecondition,
  'agent.commandNotFound': FailedPrecondition,
  'agent.folderMissing': FailedPrecondition,
  'agent.notRunning': FailedPrecondition,
  'agent.stillRunning': FailedPrecondition,
  'agent.killFailed': Unavailable,
  'agent.startDeadline': DeadlineExceeded,
  'agent.endedEarly': FailedPrecondition,
  'agent.launchUnknown': Unavailable,
  'agent.notAllowed': FailedPrecondition,
  'agent.quarantined': FailedPrecondition,
  'agent.paused': FailedPrecondition,
  'agent.dialogOpen': FailedPrecondition,
  'agent.draftInBox': FailedPrecondition,
  'agent.inputHidden': FailedPrecondition,
  'agent.notReady': FailedPrecondition,
  'agent.linesWouldSplit': FailedPrecondition,
  'agent.deliveryFailed': FailedPrecondition,
  'agent.deliveryUnknown': DeadlineExceeded,
  'agent.requestGone': FailedPrecondition,
  'agent.cannotAnswer': FailedPrecondition,
  'agent.cannotResume': FailedPrecondition,
  'agent.fleetInvalid': InvalidArgument,
  'agent.notApproved': FailedPrecondition,
  'agent.conflict': Unavailable,
  'agent.hostUnavailable': Unavailable,
  'agent.superseded': FailedPrecondition,

  'engine.following': FailedPrecondition,
  'engine.restricted': FailedPrecondition,
  'engine.blocked': FailedPrecondition,
  'engine.starting': Unavailable,
  'engine.stopped': Unavailable,

  'data.closed': Unavailable,
  'data.conflict': Unavailable,
  'data.invalid': Internal,
  'data.fileUnusable': InvalidArgument,
  'data.tooLarge': InvalidArgument,
  'data.readOnly': Unavailable,
  'data.busy': Unavailable,
  'data.fenced': FailedPrecondition,
  'data.corrupt': FailedPrecondition,
  'data.newerSchema': FailedPrecondition,
  'data.engineUnavailable': FailedPrecondition,
  'data.io': Unavailable,
  'data.folderUnsafe': FailedPrecondition,
  'data.networkFileSystem': FailedPrecondition,
  'data.socketPathTooLong': FailedPrecondition,

  'exchange.fileExists': AlreadyExists,
  'exchange.fileUnusable': InvalidArgument,
  'exchange.fileUnreadable': InvalidArgument,
  'exchange.moving': Unavailable,
  'exchange.notAnExport': InvalidArgument,
  'exchange.unknownFormat': InvalidArgument,
  'exchange.newer': FailedPrecondition,
  'exchange.tooLarge': InvalidArgument,
  'exchange.fileChanged': FailedPrecondition,
  'exchange.notWhole': FailedPrecondition,
  'exchange.invalidRecords': FailedPrecondition,

  'processing.unknownStep': InvalidArgument,
  'processing.duplicateStep': Internal,
  'processing.invalidPipeline': InvalidArgument,
  'processing.unknownPipeline': NotFound,
  'processing.boundExceeded': FailedPrecondition,
  'processing.tooManyRejects': FailedPrecondition,

  'tmux.notInstalled': FailedPrecondition,
  'tmux.tooOld': FailedPrecondition,
  'tmux.socketFolderUnsafe': FailedPrecondition,
  'tmux.runtimeFolderUnusable': Unavailable,
  'tmux.serverGone': Unavailable,
  'tmux.noSuchTarget': NotFound,
  'tmux.alreadyExists': AlreadyExists,
  'tmux.inputTooLarge': InvalidArgument,
  'tmux.invalidArgument': Internal,
  'tmux.fenced': FailedPrecondition,
  'tmux.screenChanged': FailedPrecondition,
  'tmux.timeout': DeadlineExceeded,
  'tmux.rejected': FailedPrecondition,
  'tmux.wouldResize': FailedPrecondition,

  'auth.unauthenticated': RpcStatus.Unauthenticated,
  'auth.keysUnavailable': Unavailable,
  'auth.invalidClaims': Internal,

  'gateway.folderUnsafe': Internal,
  'gateway.pathTooLong': Internal,
  'gateway.cannotListen': Internal,
  'gateway.pointerInvalid': Internal,
  'gateway.unreachable': Unavailable,
  'gateway.disconnected': Unavailable,
  'gateway.protocolMismatch': FailedPrecondition,
  'gateway.unauthenticated': RpcStatus.Unauthenticated,
  'gateway.notPermitted': RpcStatus.PermissionDenied,
  'gateway.invalidRequest': InvalidArgument,
  'gateway.unknownMethod': RpcStatus.Unimplemented,
  'gateway.notFound': NotFound,
  'gateway.alreadyExists': AlreadyExists,
  'gateway.notPossible': FailedPrecondition,
  'gateway.tooMuch': RpcStatus.ResourceExhausted,
  'gateway.deadline': DeadlineExceeded,
  'gateway.unavailable': Unavailable,
  'gateway.canceled': RpcStatus.Canceled,
  'gateway.internal': Internal,
};

/** Undefined for a code that is in no table of ours. */
export function statusOfCode(code: string): RpcStatus | undefined {
  return Object.hasOwn(STATUS_OF_CODE, code) ? STATUS_OF_CODE[code] : undefined;
}

/** True for failures whose text says nothing to a caller: a bug of ours, which is to be logged. */
export function isUnexpected(error: unknown): boolean {
  return !(error instanceof OrchestratorError) || statusOfCode(error.code) === undefined;
}

/** The failure as a caller gets it. Of what is not typed nothing is told: neither text nor stack. */
export function rpcErrorOf(error: unknown): RpcErrorBody {
  const status = error instanceof OrchestratorError ? statusOfCode(error.code) : undefined;
  if (!(error instanceof OrchestratorError) || status === undefined) {
    return body(RpcStatus.Internal, 'something unexpected went wrong; the log of the engine tells more', {});
  }
  const agentId = agentOfError(error);
  const retryAfterMs = GatewayError.is(error) ? error.retryAfterMs : undefined;
  return body(status, detailOf(error), {
    // What only this module calls by that name says no more than the status.
    ...(!(error instanceof GatewayError) && { code: error.code }),
    ...(error instanceof GatewayError && error.remoteCode !== undefined && { code: error.remoteCode }),
    ...(agentId !== undefined && { agentId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** What a caller makes of the answer: an error of ours with its code, when it is one that a caller can meet, else a GatewayError. */
export function errorOfRpc(rpc: RpcErrorBody): OrchestratorError {
  const { status, code, agentId, retryAfterMs } = rpc.data;
  if (isAgentCode(code)) return new AgentError(code, rpc.message, agentId === undefined ? {} : { agentId });
  if (isEngineCode(code)) return new EngineError(code, rpc.message);
  return new GatewayError(CODE_OF_STATUS[status], rpc.message, {
    ...(code !== undefined && { remoteCode: code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function isAgentCode(code: string | undefined): code is AgentErrorCode {
  return (AGENT_ERROR_CODES as readonly (string | undefined)[]).includes(code);
}

function isEngineCode(code: string | undefined): code is EngineErrorCode {
  return (ENGINE_ERROR_CODES as readonly (string | undefined)[]).includes(code);
}

/** The message without the code before it, which goes beside it. */
function detailOf(error: OrchestratorError): string {
  const prefix = `${error.code}: `;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
}

function body(status: RpcStatus, message: string, more: Omit<RpcErrorBody['data'], 'status'>): RpcErrorBody {
  return { code: RPC_CODES[status], message, data: { status, ...more } };
}

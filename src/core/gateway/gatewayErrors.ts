import { OrchestratorError, type ErrorDisposition } from '../base/errors';
import type { RpcStatus } from '../../shared/gatewayProtocol';

export type GatewayErrorCode =
  /** The folder of the socket, the pointer file or the socket's place is not ours alone (S8). */
  | 'gateway.folderUnsafe'
  | 'gateway.pathTooLong'
  | 'gateway.cannotListen'
  | 'gateway.pointerInvalid'
  /** Nobody answers where the pointer leads. */
  | 'gateway.unreachable'
  /** The connection ended; whether what was under way was done is not known. */
  | 'gateway.disconnected'
  | 'gateway.protocolMismatch'
  | 'gateway.unauthenticated'
  | 'gateway.notPermitted'
  | 'gateway.invalidRequest'
  | 'gateway.unknownMethod'
  | 'gateway.notFound'
  | 'gateway.alreadyExists'
  | 'gateway.notPossible'
  | 'gateway.tooMuch'
  | 'gateway.deadline'
  | 'gateway.unavailable'
  | 'gateway.canceled'
  | 'gateway.internal';

const dispositions: Record<GatewayErrorCode, ErrorDisposition> = {
  'gateway.folderUnsafe': 'reconfigure',
  'gateway.pathTooLong': 'reconfigure',
  'gateway.cannotListen': 'retry',
  'gateway.pointerInvalid': 'retry',
  'gateway.unreachable': 'retry',
  'gateway.disconnected': 'retry',
  'gateway.protocolMismatch': 'reconfigure',
  'gateway.unauthenticated': 'giveUp',
  'gateway.notPermitted': 'giveUp',
  'gateway.invalidRequest': 'giveUp',
  'gateway.unknownMethod': 'giveUp',
  'gateway.notFound': 'giveUp',
  'gateway.alreadyExists': 'reconfigure',
  'gateway.notPossible': 'giveUp',
  'gateway.tooMuch': 'retry',
  'gateway.deadline': 'retry',
  'gateway.unavailable': 'retry',
  'gateway.canceled': 'giveUp',
  'gateway.internal': 'giveUp',
};

/** The code that stands for a status, where the other side named no code of its own that is known here. */
export const CODE_OF_STATUS: Readonly<Record<RpcStatus, GatewayErrorCode>> = {
  INVALID_ARGUMENT: 'gateway.invalidRequest',
  UNAUTHENTICATED: 'gateway.unauthenticated',
  PERMISSION_DENIED: 'gateway.notPermitted',
  NOT_FOUND: 'gateway.notFound',
  ALREADY_EXISTS: 'gateway.alreadyExists',
  RESOURCE_EXHAUSTED: 'gateway.tooMuch',
  FAILED_PRECONDITION: 'gateway.notPossible',
  DEADLINE_EXCEEDED: 'gateway.deadline',
  UNAVAILABLE: 'gateway.unavailable',
  UNIMPLEMENTED: 'gateway.unknownMethod',
  INTERNAL: 'gateway.internal',
  CANCELLED: 'gateway.canceled',
};

/** A failure of the gateway or of the way to it. `detail` goes to callers: it never holds tokens, keys or the content of requests. */
export class GatewayError extends OrchestratorError<GatewayErrorCode> {
  readonly disposition: ErrorDisposition;
  /** `gateway.tooMuch`: when to come again. */
  readonly retryAfterMs: number | undefined;
  /** The code that the other side gave, when it is not one that this side has an error for (`tmux.noSuchTarget`). */
  readonly remoteCode: string | undefined;

  constructor(
    readonly code: GatewayErrorCode,
    readonly detail: string,
    options?: ErrorOptions & { readonly retryAfterMs?: number; readonly remoteCode?: string },
  ) {
    super(`${code}: ${detail}`, options);
    this.disposition = dispositions[code];
    this.retryAfterMs = options?.retryAfterMs;
    this.remoteCode = options?.remoteCode;
  }

  static is<C extends GatewayErrorCode>(error: unknown, code?: C): error is GatewayError & { readonly code: C } {
    return error instanceof GatewayError && (code === undefined || error.code === code);
  }
}

/** Every code of this module, for the check that each has a text for people. */
export const GATEWAY_ERROR_CODES = Object.keys(dispositions) as readonly GatewayErrorCode[]; // keys of a full Record

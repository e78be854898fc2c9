/**
 * What the gateway and its callers (`orc`, other windows, the headless host) agree on: JSON-RPC 2.0 over a unix socket, one
 * JSON object per line (UTF-8, `\n`). The first frame of a connection is the request `hello`; frames may follow it without
 * waiting for its answer, and are answered after it, each as it finishes. What may be asked is in `gatewayMethods.ts`.
 */
export const GATEWAY_PROTOCOL = 1;

/** Everything a caller may cost us (S17). A caller that goes over a limit gets RESOURCE_EXHAUSTED or INVALID_ARGUMENT, or is cut off. */
export const GATEWAY_LIMITS = {
  /** One line, with its end. */
  frameBytes: 1024 * 1024,
  /** Nesting of arrays and objects in a frame. */
  jsonDepth: 32,
  /** Any text in the parameters as UTF-8, a prompt for example; only a fleet file and what a hook tells may fill the frame. */
  bodyBytes: 64 * 1024,
  /** Requests per second and caller, and how many may come at once. */
  requestsPerSecond: 20,
  requestBurst: 40,
  /** The same for a person's own callers: windows read a lot at once. */
  personRequestsPerSecond: 200,
  personRequestBurst: 400,
  connections: 64,
  /** Of these, only for a person's callers. */
  connectionsForPeople: 8,
  connectionsPerAgent: 16,
  /** Requests under way of one caller (all its connections together), and the bytes of them. */
  requestsUnderWay: 64,
  personRequestsUnderWay: 256,
  bytesUnderWay: 4 * 1024 * 1024,
  /** Without `hello`, or without any request under way or subscription, a connection is closed after this. */
  idleMs: 30_000,
  helloMs: 5_000,
  /** What waits to be read by a slow caller; over it the caller is cut off. */
  outgoingBytes: 4 * 1024 * 1024,
} as const;

/** gRPC's names for what went wrong; in `error.data.status`. `error.data.code` is our own typed code (`agent.dialogOpen`), when there is one. */
export const RpcStatus = {
  InvalidArgument: 'INVALID_ARGUMENT',
  Unauthenticated: 'UNAUTHENTICATED',
  PermissionDenied: 'PERMISSION_DENIED',
  NotFound: 'NOT_FOUND',
  AlreadyExists: 'ALREADY_EXISTS',
  ResourceExhausted: 'RESOURCE_EXHAUSTED',
  FailedPrecondition: 'FAILED_PRECONDITION',
  DeadlineExceeded: 'DEADLINE_EXCEEDED',
  Unavailable: 'UNAVAILABLE',
  Unimplemented: 'UNIMPLEMENTED',
  Internal: 'INTERNAL',
  /** The caller sent `$/cancel`. */
  Canceled: 'CANCELLED',
} as const;
export type RpcStatus = (typeof RpcStatus)[keyof typeof RpcStatus];

/** JSON-RPC 2.0 number of each status: the protocol's own where it has one, else in the range left to servers. */
export const RPC_CODES: Readonly<Record<RpcStatus, number>> = {
  INVALID_ARGUMENT: -32602,
  UNIMPLEMENTED: -32601,
  INTERNAL: -32603,
  UNAUTHENTICATED: -32001,
  PERMISSION_DENIED: -32002,
  NOT_FOUND: -32003,
  ALREADY_EXISTS: -32004,
  RESOURCE_EXHAUSTED: -32005,
  FAILED_PRECONDITION: -32006,
  DEADLINE_EXCEEDED: -32007,
  UNAVAILABLE: -32008,
  CANCELLED: -32800,
};

export interface RpcRequest {
  readonly jsonrpc: '2.0';
  /** Absent: a notification, which is not answered. */
  readonly id?: number | string;
  readonly method: string;
  /** Always an object. */
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface RpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data: {
    readonly status: RpcStatus;
    readonly code?: string;
    readonly agentId?: string;
    /** RESOURCE_EXHAUSTED: when to come again. */
    readonly retryAfterMs?: number;
  };
}

export type RpcResponse =
  | { readonly jsonrpc: '2.0'; readonly id: number | string; readonly result: unknown }
  | { readonly jsonrpc: '2.0'; readonly id: number | string | null; readonly error: RpcErrorBody };

/** Who calls. Exactly one of `token` (an agent's) and `personKey` is given. */
export interface HelloParams {
  /** {@link GATEWAY_PROTOCOL} of the caller. An engine of another protocol answers FAILED_PRECONDITION and says which it speaks. */
  readonly protocol: number;
  /** For people and logs: `orc 0.1.0`, `window 4711`. At most 100 characters. */
  readonly client: string;
  readonly token?: string;
  readonly personKey?: string;
}

export interface HelloResult {
  readonly protocol: number;
  readonly version: string;
  readonly principal: 'agent' | 'person';
  readonly agentId?: string;
  readonly workspace: string;
}

/**
 * The pointer file: how callers find the gateway although its socket lies in a folder that may vanish. `<data folder of the
 * workspace>/gateway.json`, 0600, rewritten by each owner; agents know its path from {@link POINTER_VARIABLE}.
 */
export interface GatewayPointer {
  readonly protocol: number;
  readonly version: string;
  /** Absolute path of the socket, at most 100 bytes. */
  readonly socket: string;
  /** Folder of the agents' token files: `<agent id>.<generation>.jwt`, 0600. */
  readonly tokenFolder: string;
  /** File with the person's key (64 hex digits), 0600. */
  readonly personKeyFile: string;
  /** Where `orc hook` leaves what it cannot deliver. */
  readonly spoolFolder: string;
  /** Real path of the folder or workspace file; empty: no folder. */
  readonly workspace: string;
  readonly ownerPid: number;
}

/** In every agent's environment. */
export const POINTER_VARIABLE = 'CORE_ORCHESTRATOR_GATEWAY';
export const AGENT_VARIABLE = 'CORE_ORCHESTRATOR_AGENT';
export const GENERATION_VARIABLE = 'CORE_ORCHESTRATOR_GENERATION';

/** sun_path holds 108 bytes on Linux and 104 on macOS; some runtimes cut a longer path in silence. */
export const MAX_SOCKET_PATH_BYTES = 100;

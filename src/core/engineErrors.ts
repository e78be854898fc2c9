import type { EngineStatus } from './engine';
import { OrchestratorError, type ErrorDisposition } from './base/errors';

export type EngineErrorCode =
  | 'engine.following'
  | 'engine.restricted'
  | 'engine.blocked'
  | 'engine.starting'
  | 'engine.stopped';

const dispositions: Record<EngineErrorCode, ErrorDisposition> = {
  'engine.following': 'giveUp',
  'engine.restricted': 'reconfigure',
  'engine.blocked': 'reconfigure',
  'engine.starting': 'retry',
  'engine.stopped': 'giveUp',
};

/** The engine is not in a position to do what was asked. */
export class EngineError extends OrchestratorError<EngineErrorCode> {
  readonly disposition: ErrorDisposition;

  constructor(
    readonly code: EngineErrorCode,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`${code}: ${detail}`, options);
    this.disposition = dispositions[code];
  }
}

/** Every code of this module, for the check that each has a text for people. */
export const ENGINE_ERROR_CODES = Object.keys(dispositions) as readonly EngineErrorCode[]; // keys of a full Record

/** Why nothing can be done in this state. */
export function unavailable(status: EngineStatus): EngineError {
  switch (status.kind) {
    case 'following':
      return new EngineError('engine.following', 'another window manages the agents of this folder');
    case 'restricted':
      return new EngineError('engine.restricted', 'the workspace is not trusted');
    case 'blocked':
      return new EngineError('engine.blocked', status.detail);
    case 'starting':
    case 'ready':
      return new EngineError('engine.starting', 'the engine is still starting');
    case 'stopped':
      return new EngineError('engine.stopped', 'the engine is not running');
  }
}

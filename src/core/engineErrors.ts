import { OrchestratorError, type ErrorDisposition } from './base/errors';

export type EngineErrorCode =
  'engine.following' | 'engine.restricted' | 'engine.blocked' | 'engine.starting' | 'engine.stopped';

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

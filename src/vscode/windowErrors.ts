import { OrchestratorError, type ErrorDisposition } from '../core/base/errors';

export type WindowErrorCode =
  | 'window.untrusted'
  | 'window.noFolder'
  | 'window.unknownAgent'
  | 'window.terminalFailed'
  | 'window.nothingToSend'
  | 'api.unknownVersion'
  | 'api.writeNotAllowed'
  | 'api.unknownExtension'
  | 'api.invalidName';

const dispositions: Record<WindowErrorCode, ErrorDisposition> = {
  'window.untrusted': 'reconfigure',
  'window.noFolder': 'reconfigure',
  'window.unknownAgent': 'giveUp',
  'window.terminalFailed': 'retry',
  'window.nothingToSend': 'giveUp',
  'api.unknownVersion': 'giveUp',
  'api.writeNotAllowed': 'reconfigure',
  'api.unknownExtension': 'giveUp',
  'api.invalidName': 'giveUp',
};

/** A refusal by this window or by the exported API, before the engine was asked. */
export class WindowError extends OrchestratorError<WindowErrorCode> {
  readonly disposition: ErrorDisposition;

  constructor(
    readonly code: WindowErrorCode,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`${code}: ${detail}`, options);
    this.disposition = dispositions[code];
  }

  static is<C extends WindowErrorCode>(error: unknown, code?: C): error is WindowError & { readonly code: C } {
    return error instanceof WindowError && (code === undefined || error.code === code);
  }
}

import { OrchestratorError, type ErrorDisposition } from '../../base/errors';

export type AuthErrorCode = 'auth.unauthenticated' | 'auth.keysUnavailable' | 'auth.invalidClaims';

const dispositions: Record<AuthErrorCode, ErrorDisposition> = {
  'auth.unauthenticated': 'giveUp',
  'auth.keysUnavailable': 'reconfigure',
  'auth.invalidClaims': 'giveUp',
};

/** A failure of authentication. Of `auth.unauthenticated` the message is the same whatever was wrong: a caller learns nothing from it. */
export class AuthError extends OrchestratorError<AuthErrorCode> {
  readonly disposition: ErrorDisposition;

  constructor(
    readonly code: AuthErrorCode,
    readonly detail: string = 'who calls could not be established',
    options?: ErrorOptions,
  ) {
    super(`${code}: ${detail}`, options);
    this.disposition = dispositions[code];
  }
}

/** Every code of this module, for the check that each has a text for people. */
export const AUTH_ERROR_CODES = Object.keys(dispositions) as readonly AuthErrorCode[]; // keys of a full Record

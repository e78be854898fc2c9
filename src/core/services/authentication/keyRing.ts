import type { Secret } from 'jsonwebtoken';
import { AuthError } from './authErrors';

/** One signing key. `secret` is a KeyObject: jsonwebtoken builds one from a text at every call, which costs six times the check. */
export interface SigningKey {
  /** `^[a-z0-9]{4,16}$`; looked up in a fixed map, never a path or an address. */
  readonly kid: string;
  readonly secret: Secret;
  readonly createdAtMs: number;
}

/** 30 days. */
export const KEY_ROTATION_MS = 30 * 24 * 60 * 60_000;
const KID_PATTERN = /^[a-z0-9]{4,16}$/;

/**
 * The keys that count: the newest signs, the one before it still checks what it has signed. Where they are kept is the
 * business of `node/keyFile.ts`.
 */
export class KeyRing {
  #keys: readonly SigningKey[];

  /** `keys`: newest first. @throws {AuthError} auth.keysUnavailable – none, or one that is malformed */
  constructor(keys: readonly SigningKey[]) {
    this.#keys = usable(keys);
  }

  /** As the constructor: a newer key was made. */
  replace(keys: readonly SigningKey[]): void {
    this.#keys = usable(keys);
  }

  get current(): SigningKey {
    const [key] = this.#keys;
    if (!key) throw new AuthError('auth.keysUnavailable', 'there is no signing key');
    return key;
  }

  /** Current and previous. Another list once they are others. */
  get accepted(): readonly SigningKey[] {
    return this.#keys;
  }
}

function usable(keys: readonly SigningKey[]): readonly SigningKey[] {
  if (keys.length === 0 || keys.some(({ kid }) => !KID_PATTERN.test(kid)))
    throw new AuthError('auth.keysUnavailable', 'there is no usable signing key');
  return keys.slice(0, 2);
}

/** True when the newest key should be replaced. */
export function isRotationDue(createdAtMs: number, nowMs: number): boolean {
  return nowMs - createdAtMs >= KEY_ROTATION_MS;
}

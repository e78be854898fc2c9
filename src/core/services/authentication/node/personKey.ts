import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readPrivateFile, writePrivateFile } from './keyFile';

const KEY_PATTERN = /^[0-9a-f]{64}$/;

/**
 * The key by which the person's own programs (`orc`, other windows) show that they may read a 0600 file of this user. Made once.
 * It tells people from confused agents, not from a hostile process of the same user: that one can read the file, too.
 * @throws {AuthError} auth.keysUnavailable
 */
export async function openPersonKey(path: string): Promise<PersonKey> {
  const present = (await readPrivateFile(path))?.trim();
  if (present !== undefined && KEY_PATTERN.test(present)) return new PersonKey(present);
  const key = randomBytes(32).toString('hex');
  await writePrivateFile(path, `${key}\n`);
  return new PersonKey(key);
}

export class PersonKey {
  readonly #key: Buffer;

  constructor(key: string) {
    this.#key = Buffer.from(key, 'utf8');
  }

  /** Takes the same time whatever is wrong. */
  matches(candidate: string): boolean {
    const given = Buffer.from(candidate.slice(0, 200), 'utf8');
    const isSameLength = given.length === this.#key.length;
    return timingSafeEqual(isSameLength ? given : this.#key, this.#key) && isSameLength;
  }
}

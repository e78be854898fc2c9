import crypto from 'node:crypto';

/** In one call it takes half the time; Node has that since 20.12. */
const { hash: inOneCall } = crypto as Partial<Pick<typeof crypto, 'hash'>>;

/** HMAC-SHA256, base64url. */
export function tokenMac(key: string, text: string): string {
  return crypto.createHmac('sha256', key).update(text).digest('base64url');
}

/** SHA-256: by what a token is known again without being kept. */
export function tokenDigest(token: string): string {
  return inOneCall?.('sha256', token, 'base64') ?? crypto.createHash('sha256').update(token).digest('base64');
}

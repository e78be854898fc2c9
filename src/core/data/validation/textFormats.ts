/** The formats that texts can have, and what is told of a text that has not. */
export const TEXT_FORMATS = {
  /** https://github.com/ulid/spec: 26 characters of Crockford base 32 in capitals, at most 7ZZZ…, as `Ids` makes them. */
  ulid: { test: isUlid, message: 'must be a ULID' },
  /** RFC 3339 section 5.6, with a day that exists and a leap second only where one can be. */
  'date-time': { test: (text: string) => rfc3339Ms(text) !== undefined, message: 'must be a time by RFC 3339' },
  /** RFC 3986: absolute, with a scheme. */
  uri: { test: isUri, message: 'must be a URI with a scheme' },
  /** https://semver.org, 2.0.0. */
  semver: { test: isSemver, message: 'must be a version by semver 2.0.0' },
} as const;

/** By the names that JSON Schema has for them, where it has one: `date-time` is RFC 3339. */
export type TextFormat = keyof typeof TEXT_FORMATS;

export function isTextFormat(name: unknown): name is TextFormat {
  return typeof name === 'string' && Object.hasOwn(TEXT_FORMATS, name);
}

const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const timePattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,40}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const semverPattern =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
/** Scheme, authority, the rest. The classes next to each other have no character in common, so that matching is linear. */
const uriPattern =
  /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/([^/?#]*)(?=[/?#]|$))?(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*(?:\?(?:[\w\-.~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?(?:#(?:[\w\-.~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?$/;
const authorityPattern =
  /^(?:(?:[\w\-.~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?(?:\[(?:[0-9A-Fa-f:.]+|v[0-9A-Fa-f]+\.[\w\-.~!$&'()*+,;=:]+)\]|(?:[\w\-.~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::\d*)?$/;
/** Longer texts are in none of these formats. */
const maxFormatLength = 8_192;

export function isUlid(text: string): boolean {
  return ulidPattern.test(text);
}

export function isSemver(text: string): boolean {
  if (text.length > maxFormatLength) return false;
  const match = semverPattern.exec(text);
  if (!match) return false;
  return !(match[1] ?? '').split('.').some((part) => /^0\d+$/.test(part)); // a number before the release has no leading zero
}

export function isUri(text: string): boolean {
  if (text.length > maxFormatLength) return false;
  const match = uriPattern.exec(text);
  if (!match) return false;
  return match[1] === undefined ? !/^[^:]*:\/\//.test(text) : authorityPattern.test(match[1]);
}

/** Milliseconds since the epoch of a time by RFC 3339; undefined when it is none. A leap second counts as the next one. */
export function rfc3339Ms(text: string): number | undefined {
  const match = text.length > 80 ? null : timePattern.exec(text);
  if (!match) return undefined;
  const part = (index: number): number => Number(match[index] ?? '0');
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60 || part(9) > 23 || part(10) > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC takes the years below 100 for others
  const offsetMinutes = (match[8] === '-' ? -1 : 1) * (part(9) * 60 + part(10));
  const minuteMs = date.getTime() + (hour * 60 + minute - offsetMinutes) * 60_000;
  if (second === 60 && (minuteMs + 60_000) % 86_400_000 !== 0) return undefined; // leap seconds end a day of UTC
  return minuteMs + second * 1000 + Number(`0.${match[7] ?? '0'}`) * 1000;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** `2026-11-23 04:05:06.789` where the person is. @param timeZone IANA name; default: of this machine */
export function localTime(atMs: number, timeZone?: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    ...(timeZone !== undefined && { timeZone }),
    year: 'numeric', month: '2-digit', day: '2-digit',
    hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23',
  }); // prettier-ignore
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const of = (...types: readonly Intl.DateTimeFormatPartTypes[]): readonly string[] =>
    types.map((type) => parts.get(type) ?? '');
  const [date, time] = [of('year', 'month', 'day').join('-'), of('hour', 'minute', 'second').join(':')];
  return `${date} ${time}.${of('fractionalSecond').join('')}`;
}

/** The zone of {@link localTime} for a head line, once per document: `Europe/Berlin`, `UTC`. */
export function zoneName(timeZone?: string): string {
  return timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

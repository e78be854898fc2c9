/** A version of tmux as far as it can be told; versions without a number (`master`) count as newer than any. */
export interface TmuxVersion {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
}

/** 3.2: the first with subscriptions (`refresh-client -B`) and `pause-after`. */
export const MINIMUM_TMUX = { major: 3, minor: 2 } as const;

/**
 * Reads the output of `tmux -V`: `tmux 3.3a`, `tmux next-3.6`, `tmux 3.5-rc`, `tmux master`, `tmux openbsd-7.4`
 * (OpenBSD names its own release: its tmux is as new as that release; 7.0 came after tmux 3.2).
 * Undefined when it is not a version of tmux.
 */
export function parseTmuxVersion(output: string): TmuxVersion | undefined {
  const text = /^tmux (\S+)/.exec(output.trim())?.[1];
  if (text === undefined) return undefined;
  if (text === 'master') return { text, major: Number.MAX_SAFE_INTEGER, minor: 0 };
  const openbsd = /^openbsd-(\d+)\./.exec(text);
  if (openbsd) return Number(openbsd[1]) >= 7 ? { text, ...MINIMUM_TMUX } : { text, major: 2, minor: 0 };
  const match = /^(?:next-)?(\d+)\.(\d+)/.exec(text);
  return match ? { text, major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

export function isSupportedTmux({ major, minor }: TmuxVersion): boolean {
  return major > MINIMUM_TMUX.major || (major === MINIMUM_TMUX.major && minor >= MINIMUM_TMUX.minor);
}

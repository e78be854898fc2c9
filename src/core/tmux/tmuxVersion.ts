/** A version of tmux as far as it can be told; versions without a number (`master`) count as newer than any. */
export interface TmuxVersion {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
}

/**
 * 3.3: tells the signal that ended a launch script (`pane_dead_signal`), and keeps running when a program ends whose last output a control
 * client has not read. Of that 3.2a crashes, with every agent (docs/adr/0021).
 */
export const MINIMUM_TMUX = { major: 3, minor: 3 } as const;
/** The first release of OpenBSD whose tmux is that new. */
const MINIMUM_OPENBSD = { major: 7, minor: 2 } as const;

/**
 * Reads the output of `tmux -V`: `tmux 3.3a`, `tmux next-3.6`, `tmux 3.5-rc`, `tmux master`, `tmux openbsd-7.4`
 * (OpenBSD names its own release: its tmux is as new as that release).
 * Undefined when it is not a version of tmux.
 */
export function parseTmuxVersion(output: string): TmuxVersion | undefined {
  const text = /^tmux (\S+)/.exec(output.trim())?.[1];
  if (text === undefined) return undefined;
  if (text === 'master') return { text, major: Number.MAX_SAFE_INTEGER, minor: 0 };
  const openbsd = /^openbsd-(\d+)\.(\d+)/.exec(text);
  if (openbsd) {
    const release = { major: Number(openbsd[1]), minor: Number(openbsd[2]) };
    return isAtLeast(release, MINIMUM_OPENBSD) ? { text, ...MINIMUM_TMUX } : { text, major: 2, minor: 0 };
  }
  const match = /^(?:next-)?(\d+)\.(\d+)/.exec(text);
  return match ? { text, major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

export function isSupportedTmux(version: TmuxVersion): boolean {
  return isAtLeast(version, MINIMUM_TMUX);
}

type Release = Pick<TmuxVersion, 'major' | 'minor'>;

function isAtLeast({ major, minor }: Release, least: Release): boolean {
  return major > least.major || (major === least.major && minor >= least.minor);
}

import type { AgentKey } from '../agents/agentHost';
import { type PaneId, TmuxArgs, type TmuxCommand } from './tmuxArgs';

/** What tmux answers in place of pressing. */
const NOT_PRESSED = 'core-no';
/** What a POSIX extended regular expression reads as something else than itself. */
const SPECIAL = /[\\^$.[\]|()*+?{}]/g;

/** Commands that press keys only into the screen that was read, to be sent as one sequence: tmux reads no output between them. */
export interface GuardedKeys {
  readonly commands: readonly TmuxCommand[];
  /** Takes away what the sequence has left with the pane. */
  readonly after: readonly TmuxCommand[];
  /** From the replies to `commands`. */
  readonly isPressed: (replies: readonly string[]) => boolean;
}

/**
 * Presses `keys` only while every line of `lines`, and the first empty one, is still at its place, the process is the same and no mode of tmux takes the
 * keys. The text of the screen goes into options of the pane, which tmux keeps as they are, as patterns that match that line alone; the format
 * that looks for them (`C/r`: the first line that matches, 0 for none; tmux(1), FORMATS) has nothing of it but the numbers of lines.
 * `reads` are run just before the keys.
 */
export function guardedKeys(
  pane: { readonly paneId: PaneId; readonly pid: number },
  keys: readonly AgentKey[],
  lines: readonly string[],
  reads: readonly TmuxCommand[],
): GuardedKeys {
  const { paneId, pid } = pane;
  const distinct = [...new Set(lines)];
  const places = distinct.map((line) => lines.indexOf(line) + 1);
  const remembered = distinct.map((line, index) =>
    TmuxArgs.rememberLine(paneId, index, `^${line.replace(SPECIAL, '\\$&')}$`),
  );
  return {
    commands: [...remembered, ...reads, ...TmuxArgs.sendKeysWhile(paneId, pid, places, keys, NOT_PRESSED)],
    after: distinct.map((_, index) => TmuxArgs.forgetLine(paneId, index)),
    isPressed: (replies) => replies.at(-1)?.trim() !== NOT_PRESSED,
  };
}

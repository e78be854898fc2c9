import { OrchestratorError, type ErrorDisposition } from '../base/errors';

export type TmuxErrorCode =
  | 'tmux.notInstalled'
  | 'tmux.tooOld'
  | 'tmux.socketFolderUnsafe'
  /** The folder of our own files cannot be written (disk full, no right). */
  | 'tmux.runtimeFolderUnusable'
  | 'tmux.serverGone'
  | 'tmux.noSuchTarget'
  | 'tmux.alreadyExists'
  | 'tmux.inputTooLarge'
  | 'tmux.invalidArgument'
  | 'tmux.fenced'
  | 'tmux.timeout'
  | 'tmux.rejected'
  /** Keys were sent, but the screen was another one than the one they were for. */
  | 'tmux.screenChanged'
  /** Nobody else decides the size of the terminal, so that even a read-only client that ignores sizes would. */
  | 'tmux.wouldResize';

const dispositions: Record<TmuxErrorCode, ErrorDisposition> = {
  'tmux.notInstalled': 'reconfigure',
  'tmux.tooOld': 'reconfigure',
  'tmux.socketFolderUnsafe': 'reconfigure',
  'tmux.runtimeFolderUnusable': 'retry',
  'tmux.serverGone': 'retry',
  'tmux.noSuchTarget': 'giveUp',
  'tmux.alreadyExists': 'giveUp',
  'tmux.inputTooLarge': 'giveUp',
  'tmux.invalidArgument': 'giveUp',
  'tmux.fenced': 'giveUp',
  'tmux.timeout': 'retry',
  'tmux.rejected': 'giveUp',
  'tmux.screenChanged': 'giveUp',
  'tmux.wouldResize': 'retry',
};

/** A failure of tmux or of the way to it. The text of tmux is turned into a code once, in `tmuxReply.ts`. */
export class TmuxError extends OrchestratorError<TmuxErrorCode> {
  readonly disposition: ErrorDisposition;
  /** Why, without code and command. */
  readonly detail: string | undefined;

  constructor(
    readonly code: TmuxErrorCode,
    /** The tmux command's name, for the log. */
    readonly command: string,
    options?: ErrorOptions & { readonly detail?: string },
  ) {
    super(`${code}: tmux ${command}${options?.detail ? ` (${options.detail})` : ''}`, options);
    this.disposition = dispositions[code];
    this.detail = options?.detail;
  }

  static is<C extends TmuxErrorCode>(error: unknown, code?: C): error is TmuxError & { readonly code: C } {
    return error instanceof TmuxError && (code === undefined || error.code === code);
  }
}

import { TmuxError, type TmuxErrorCode } from './tmuxErrors';

/** Texts of tmux 3.3–3.7 (cmd-find.c, client.c, server.c, cmd-new-session.c) and what they mean to us. Order matters: first match wins. */
const meanings: readonly (readonly [RegExp, TmuxErrorCode])[] = [
  [/^(can't find|no such) (session|window|pane|client)\b/, 'tmux.noSuchTarget'],
  [/^(session|window|pane) not found\b/, 'tmux.noSuchTarget'],
  [/^target pane has exited/, 'tmux.noSuchTarget'],
  [/^duplicate session\b/, 'tmux.alreadyExists'],
  [
    /no server running on|error connecting to|lost server|server exited|server version is too old|no sessions/,
    'tmux.serverGone',
  ],
  [/unsafe permissions|couldn't create directory|is not a directory|access not allowed/, 'tmux.socketFolderUnsafe'],
  [/^(command|argument|buffer) too (long|large)/, 'tmux.inputTooLarge'],
];

/** The one place where a text of tmux becomes a code; an unknown text is `tmux.rejected` with the text as detail, cut to 200 characters. */
export function errorOfReply(command: string, text: string): TmuxError {
  const code = meanings.find(([pattern]) => pattern.test(text))?.[1] ?? 'tmux.rejected';
  return new TmuxError(code, command, { detail: text.trim().slice(0, 200) });
}

import { TmuxError } from './tmuxErrors';

/** 64 KiB: what one prompt may weigh (S4); longer texts belong into a file that the prompt names. */
export const MAX_PASTE_BYTES = 64 * 1024;

/**
 * Makes `text` safe to be pasted into a terminal (S4): no byte of it can act as a key, end a bracketed paste or
 * start an escape sequence. Removes C0 but \n and \t, DEL and C1; \r\n and \r become \n. Lone surrogates become U+FFFD.
 * @throws {TmuxError} tmux.inputTooLarge – more than {@link MAX_PASTE_BYTES} of UTF-8.
 */
export function cleanPasteText(text: string): string {
  if (text.length > MAX_PASTE_BYTES || new TextEncoder().encode(text).length > MAX_PASTE_BYTES) {
    throw new TmuxError('tmux.inputTooLarge', 'paste-buffer', { detail: `limit ${MAX_PASTE_BYTES} bytes` });
  }
  return (
    text
      .replace(/\r\n?/g, '\n')
      // eslint-disable-next-line no-control-regex -- control characters are what this is about
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
      .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
  );
}

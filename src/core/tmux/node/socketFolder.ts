import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where tmux keeps its sockets (tmux(1), -L): `$TMUX_TMPDIR` when it is a folder, else /tmp; in it `tmux-<uid>`. */
export async function socketFolder(env: Readonly<Record<string, string>>): Promise<string> {
  const isUsable = env.TMUX_TMPDIR
    ? await stat(env.TMUX_TMPDIR).then(
        (stats) => stats.isDirectory(),
        () => false,
      )
    : false;
  return join(isUsable ? (env.TMUX_TMPDIR ?? '/tmp') : '/tmp', `tmux-${process.getuid?.() ?? 0}`);
}

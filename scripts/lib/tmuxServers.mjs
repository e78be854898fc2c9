// Ends the tmux servers whose sockets are below a folder (TMUX_TMPDIR), with everything that runs in them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export function endTmuxServers(folder) {
  const parents = readdirSync(folder).filter((name) => /^tmux-\d+$/.test(name));
  for (const socket of parents.flatMap((name) =>
    readdirSync(join(folder, name)).map((entry) => join(folder, name, entry)),
  )) {
    const tmux = (...args) => spawnSync('tmux', ['-S', socket, ...args], { encoding: 'utf8', timeout: 5_000 });
    // Some agents ignore the hang-up that the end of their terminal is: their process groups are ended by name.
    const pids = tmux('list-panes', '-a', '-F', '#{pane_pid}').stdout?.trim().split('\n') ?? [];
    tmux('kill-server');
    for (const pid of new Set(pids.filter((text) => /^\d+$/.test(text)))) endSession(Number(pid));
  }
}

/** A pane's processes share its session: all that is left of it is killed. */
function endSession(sessionId) {
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pid=,sess='], { encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    const [pid, session] = line.trim().split(/\s+/).map(Number);
    if (session !== sessionId || !pid) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

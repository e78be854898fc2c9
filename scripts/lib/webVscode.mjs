// Runs the web VS Code for a person, as long as its standard input is open: started by scripts/start.mjs, which may be ended
// in any way. Then everything that was started goes too: the server, its extension hosts and terminals, the tmux servers
// whose sockets are in the folder, and the folder itself.
//   node webVscode.mjs FOLDER < pipe    (FOLDER: private; holds token, data/, sample/, and the sockets)
import './nodeVersion.mjs';
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { node24, vscodeRoot } from '../../test/vscode-web/server.mjs';
import { endGroup } from './project.mjs';
import { endTmuxServers } from './tmuxServers.mjs';

const folder = process.argv[2];
const args = [
  join(vscodeRoot, 'out', 'server-main.js'),
  ...['--host', '127.0.0.1', '--port', '0'],
  ...['--connection-token-file', join(folder, 'token')],
  ...['--server-data-dir', join(folder, 'data')],
  ...['--default-folder', join(folder, 'sample')],
  '--accept-server-license-terms',
  '--disable-workspace-trust',
  '--disable-telemetry',
  '--disable-getting-started-override',
];
const server = spawn(node24, args, {
  env: { ...process.env, TMUX_TMPDIR: folder, XDG_RUNTIME_DIR: folder },
  stdio: ['ignore', 'inherit', 'inherit'],
  detached: true,
});

let isEnding = false;
function end() {
  if (isEnding) return;
  isEnding = true;
  endGroup(server.pid, 'SIGTERM');
  setTimeout(() => endGroup(server.pid, 'SIGKILL'), 4_000).unref();
}
process.stdin.on('end', end).on('error', end).resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
// What was written for a reader that is gone is lost.
process.stdout.on('error', end);
process.stderr.on('error', end);
server.on('error', end);
server.on('exit', (code) => {
  endGroup(server.pid, 'SIGKILL');
  endTmuxServers(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.exit(isEnding ? 0 : (code ?? 1));
});

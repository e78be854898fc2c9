// Calls into a window's extension host (see exthost-eval/). Test only.
import { existsSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the helper extension: pass it to `startServer({install: [evalExtension], env: {CORE_EVAL_DIR: dir}})`. */
export const evalExtension = join(dirname(fileURLToPath(import.meta.url)), 'exthost-eval');

/** `await inHost(dir, pid, (vscode, a) => vscode.workspace.name + a, 'x')`: the function is sent as source, so no closures. */
export async function inHost(dir, pid, fn, ...args) {
  const path = join(dir, `${pid}.sock`);
  for (let i = 0; i < 150 && !existsSync(path); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  return new Promise((ok, no) => {
    const socket = net.connect(path);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('error', no);
    socket.on('data', (data) => (text += data));
    socket.on('end', () => {
      const result = JSON.parse(text || '{"error":"the extension host went away"}');
      if (result.error) no(new Error(result.error));
      else ok(result.value);
    });
    socket.write(JSON.stringify({ source: fn.toString(), args }) + '\n');
  });
}

/**
 * What `orc` costs above an empty start of the same runtime, by its installed path (the shell script included), against the engine of a
 * headless host: a person's `--version` and `status`, and an agent's hook with its token, end to end.
 */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { workspaceId, workspaceNames } from '../src/core/node/localWorkspace';
import { AGENT_VARIABLE, GENERATION_VARIABLE, POINTER_VARIABLE } from '../src/shared/gatewayProtocol';
import { buildBundles, buildOrc } from '../test/support/bundles';
import { eventually } from '../test/support/eventually';
import { runProgram } from '../test/support/runProgram';
import { bench, figure, interleave, median } from './figure';

const ROUNDS = 25;

void bench(async (report) => {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), 'bench-')));
  const [workspace, storage, dist] = ['ws', 'st', 'dist'].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ];
  fs.mkdirSync(workspace);
  fs.cpSync(await buildBundles(), dist, { recursive: true });
  fs.copyFileSync(path.join(await buildOrc(), 'orc.js'), path.join(dist, 'orc.js')); // as it ships: minified
  const env = { ...process.env, XDG_RUNTIME_DIR: root, TMUX_TMPDIR: root };
  const args = [path.join(dist, 'host.js'), '--workspace', workspace, '--storage', storage];
  const host = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const { dataFolder, socketName } = workspaceNames(await workspaceId(workspace), { storageFolder: storage, env });
  try {
    await new Promise((resolve) => createInterface({ input: host.stdout }).once('line', resolve));
    const orc = path.join(storage, 'bin', 'orc');
    const tokens = path.join(dataFolder, 'tokens');
    await runProgram(orc, ['start', 'demo', '--name', 'Rev'], { cwd: workspace, env });
    await eventually('the agent has a token', () => fs.existsSync(path.join(tokens, 'rev.1.jwt')));
    const pointer = path.join(dataFolder, 'gateway.json');
    const agent = { [POINTER_VARIABLE]: pointer, [AGENT_VARIABLE]: 'rev', [GENERATION_VARIABLE]: '1' };
    const run = async (program: string, more: readonly string[], options: object = {}): Promise<readonly number[]> => {
      const { code, stderr, ms } = await runProgram(program, more, { cwd: workspace, ...options });
      if (code !== 0 || stderr !== '') throw new Error(`${more.join(' ')}: ${code} ${stderr}`);
      return [ms];
    };
    const baseline = (): Promise<readonly number[]> => run(process.execPath, ['-e', '0']);
    const above = async (name: string, goalMs: number, ours: () => Promise<readonly number[]>): Promise<void> => {
      const rounds = await interleave(ROUNDS, { ours, baseline });
      const empty = median(rounds.baseline);
      report(figure(name, median(rounds.ours) - empty, 'ms', { atMost: goalMs }, empty));
    };
    const payload = JSON.stringify({
      session_id: 's-1',
      tool_name: 'Bash',
      tool_input: { command: 'x'.repeat(2_000) },
    });
    await above('orc.start.ms', 40, () => run(orc, ['--version']));
    await above('orc.status.ms', 40, () => run(orc, ['status']));
    const spooled = namesIn(path.join(dataFolder, 'spool'));
    await above('orc.hook.ms', 60, () => run(orc, ['hook', 'PostToolUse'], { input: payload, env: agent }));
    const late = spooled();
    if (late.length > 0) throw new Error(`${late.length} hooks were spooled: the engine did not take them in time`);
  } finally {
    host.kill('SIGKILL');
    execFileSync('tmux', ['-L', socketName, 'kill-server'], { env, stdio: 'ignore' });
    fs.rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
});

/** Watches a folder, which the engine reads and empties as soon as something is left there: every name of a file that appeared since. */
function namesIn(folder: string): () => readonly string[] {
  const names = new Set<string>();
  const watcher = fs.watch(folder, { persistent: false }, (_, name) => names.add(String(name)));
  return () => {
    watcher.close();
    return [...names].filter((name) => name.endsWith('.json'));
  };
}

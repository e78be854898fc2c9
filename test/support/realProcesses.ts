import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ProcessIdentity } from '../../src/core/agents/agent';
import { MARKER_VARIABLE } from '../../src/core/agents/agentFactory';
import type { Processes } from '../../src/core/agents/processes';

/** Prints the pids of itself, a child in its session, a grandchild in its own session that ignores HUP and TERM, and a child of that. */
const TREE = `
const { spawn } = require('node:child_process');
if (process.argv[1] === 'grandchild') {
  process.on('SIGHUP', () => {}); process.on('SIGTERM', () => {});
  process.stdout.write(process.pid + '\\n');
  const orphan = spawn('sleep', ['600'], { stdio: 'ignore' });
  process.stdout.write(orphan.pid + '\\n');
} else {
  const next = process.argv[1] === 'child' ? 'grandchild' : 'child';
  process.stdout.write(process.pid + '\\n');
  spawn(process.execPath, ['-e', process.env.TREE_SCRIPT, next], { stdio: ['ignore', 'inherit', 'ignore'], detached: next === 'grandchild' });
}
setInterval(() => {}, 60000);`;

/** A parent that never collects its child: busy for a minute, so Node cannot reap. Prints the child's pid. */
const ZOMBIE = `
const { spawn } = require('node:child_process');
const child = spawn('sleep', ['0.2'], { stdio: 'ignore' });
require('node:fs').writeSync(1, child.pid + '\\n');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000);`;

/** Real processes of a test; `dispose` ends all of them by pid. */
export class RealProcesses {
  readonly #children: ChildProcess[] = [];
  readonly #identities: ProcessIdentity[] = [];

  constructor(private readonly processes: Processes) {}

  async tree(marker: string): Promise<{
    readonly root: ProcessIdentity;
    readonly child: ProcessIdentity;
    readonly grandchild: ProcessIdentity;
    readonly orphan: ProcessIdentity;
  }> {
    const [root, child, grandchild, orphan] = await this.#start(TREE, 4, {
      [MARKER_VARIABLE]: marker,
      TREE_SCRIPT: TREE,
    });
    if (!root || !child || !grandchild || !orphan) throw new Error('the tree did not start');
    return { root, child, grandchild, orphan };
  }

  async zombie(): Promise<ProcessIdentity> {
    const [zombie] = await this.#start(ZOMBIE, 1, {});
    if (!zombie) throw new Error('the process did not start');
    return zombie;
  }

  async #start(
    script: string,
    count: number,
    env: Readonly<Record<string, string>>,
  ): Promise<readonly ProcessIdentity[]> {
    const process_ = spawn(process.execPath, ['-e', script], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    this.#children.push(process_);
    let output = '';
    process_.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    while (output.split('\n').length <= count) await once(process_.stdout, 'data');
    const identities = await Promise.all(output.trim().split('\n').map((line) => this.processes.identify(Number(line)))); // prettier-ignore
    const living = identities.filter((one) => one !== undefined);
    this.#identities.push(...living);
    return living;
  }

  async dispose(): Promise<void> {
    for (const identity of this.#identities) await this.processes.signal(identity, 'SIGKILL');
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

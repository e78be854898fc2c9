/** The usual way to watch agents, as a baseline; and what processes have cost (Linux). */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { AgentId } from '../src/core/agents/agent';
import { installedTmux } from '../test/support/tmuxServer';

export const POLL_MS = 500;
const tmux = installedTmux() ?? 'tmux';

/** The usual way to watch agents: one tmux process per agent and tick, compared by hash (as claude-squad does). */
export class Poller {
  readonly #hashes = new Map<AgentId, string>();
  #isRunning = true;
  #loop: Promise<void>;

  constructor(
    private readonly socketName: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly ids: readonly AgentId[],
    private readonly onChange: (agentId: AgentId, screen: string) => void,
  ) {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      await Promise.all(this.ids.map((agentId) => this.#look(agentId)));
      await wait(POLL_MS);
    }
  }

  #look(agentId: AgentId): Promise<void> {
    return new Promise((resolve) => {
      execFile(
        tmux,
        ['-L', this.socketName, 'capture-pane', '-p', '-e', '-J', '-t', `=${agentId}:`],
        { env: this.env },
        (_, screen) => {
          const hash = createHash('sha256').update(screen).digest('hex');
          if (this.#hashes.get(agentId) !== hash) this.onChange(agentId, screen);
          this.#hashes.set(agentId, hash);
          resolve();
        },
      );
    });
  }
}

/** Processor seconds of a process and all its threads (Linux, scheduler statistics). */
export function cpuSeconds(pid: number): number {
  const ns = readdirSync(`/proc/${pid}/task`).map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return ns.reduce((sum, value) => sum + value, 0) / 1e9;
}

/** Ended children of this process; clock ticks are 1/100 s on every Linux that Node runs on. */
export function childrenSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

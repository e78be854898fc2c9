import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MARKER_VARIABLE } from '../../src/core/agents/agentFactory';

/**
 * Loaded into the demo agent before its own code: it ignores HUP and TERM and starts two programs that do the same, one in its process
 * group, one in a session of its own that does not carry the engine's mark. With $STUBBORN_DEAF it does not leave when it is asked.
 */
const PRELOADED = `
const { spawn } = require('node:child_process');
for (const signal of ['SIGHUP', 'SIGTERM']) process.on(signal, () => undefined);
if (process.env.STUBBORN_DEAF) process.exit = () => undefined;
const { NODE_OPTIONS, ...env } = process.env;
const { ${MARKER_VARIABLE}: marker, ...unmarked } = env;
const loop = ['-c', 'trap "" HUP TERM; exec sleep 86400'];
spawn('sh', loop, { env, stdio: 'ignore' });
spawn('sh', loop, { env: unmarked, stdio: 'ignore', detached: true });
`;

/** A demo agent that ends by SIGKILL only, as programs with tools of their own do, and its processes as the system shows them (Linux). */
export class StubbornAgent {
  readonly #file: string;

  /** `folder` is one of this test alone: by its name the processes are found. */
  constructor(private readonly folder: string) {
    this.#file = join(folder, 'stubborn.cjs');
    writeFileSync(this.#file, PRELOADED);
  }

  env(isDeaf: boolean): Readonly<Record<string, string>> {
    return {
      NODE_OPTIONS: `--require=${this.#file}`,
      STUBBORN: this.folder,
      ...(isDeaf && { STUBBORN_DEAF: '1' }),
    };
  }

  /** Pids of everything that runs for it: its program, its children and theirs, whoever their parents are by now. */
  living(): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && this.#isOurs(name))
      .map(Number);
  }

  #isOurs(pid: string): boolean {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`STUBBORN=${this.folder}`); // empty for a zombie
    } catch {
      return false; // gone, or another user's
    }
  }

  /** Ends what a failed test left. */
  end(): void {
    for (const pid of this.living()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone by itself
      }
    }
  }
}

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { MARKER_VARIABLE } from '../../../src/core/agents/agentFactory';
import { ProcessEnding } from '../../../src/core/agents/endProcesses';
import { LinuxProcesses } from '../../../src/core/agents/node/linuxProcesses';
import { PsProcesses } from '../../../src/core/agents/node/psProcesses';
import type { Processes } from '../../../src/core/agents/processes';
import { SystemClock } from '../../../src/core/base/clock';
import { eventually } from '../../support/eventually';
import { notRun } from '../../support/notRun';
import { trials } from '../../support/trials';

/**
 * Starts programs in sessions of their own without a pause, 200 at most. They ignore HUP and TERM, and so does it unless it is told
 * that it is tame. They do not carry the engine's mark: once their parent is gone only $FORKING tells whose they were.
 */
const FORKER = `
const { spawn } = require('node:child_process');
process.on('SIGHUP', () => undefined);
if (process.argv[1] !== 'tame') process.on('SIGTERM', () => undefined);
const { ${MARKER_VARIABLE}: mark, ...unmarked } = process.env;
let left = 200;
const more = () => {
  if (left-- <= 0) return;
  spawn('sh', ['-c', 'trap "" HUP TERM; exec sleep 300'], { env: unmarked, stdio: 'ignore', detached: true });
  setImmediate(more);
};
more();
setInterval(() => undefined, 60000);`;

/** The shell stays the parent, as the launch script of an agent does. */
const LAUNCH = `trap : HUP TERM; "$0" -e "$1" "$2"; :`;

/** The forking program and everything that came from it, as the system shows it (Linux). */
class Forking {
  readonly id = randomBytes(6).toString('hex');
  readonly #launch: ChildProcess;

  constructor(kind: 'stubborn' | 'tame') {
    const env = { PATH: process.env.PATH, FORKING: this.id, [MARKER_VARIABLE]: this.id };
    const args = ['-c', LAUNCH, process.execPath, FORKER, kind];
    this.#launch = spawn('sh', args, { env, stdio: 'ignore', detached: true });
  }

  get pid(): number {
    return this.#launch.pid ?? 0;
  }

  living(): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && this.#isOurs(name))
      .map(Number);
  }

  #isOurs(pid: string): boolean {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`FORKING=${this.id}`); // empty for a zombie
    } catch {
      return false; // gone, or another user's
    }
  }

  /** Ends what a failed test left; looks again, because it may be forking. */
  async end(): Promise<void> {
    await eventually('nobody of it is left', () => {
      const living = this.living();
      for (const pid of living) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // gone by itself
        }
      }
      return living.length === 0;
    });
  }
}

const LISTINGS: readonly (readonly [name: string, create: () => Processes, needs: string])[] = [
  ['/proc', () => new LinuxProcesses(), '/proc/self/environ'],
  ['ps', () => new PsProcesses(), '/bin/ps'],
];

for (const [name, create, needs] of LISTINGS) {
  describe(`A program that forks while it is ended, with the list of processes by ${name}`, function () {
    this.timeout(600_000);

    before(function () {
      if (!existsSync('/proc/self/environ'))
        notRun(this, 'no /proc: the processes of a run could not be judged from outside');
      if (!existsSync(needs)) notRun(this, `${needs} is not there`);
    });

    for (const kind of ['stubborn', 'tame'] as const) {
      it(`R17 leaves nobody, ${kind === 'tame' ? 'although SIGTERM ends it' : 'although it ignores HUP and TERM'}`, async () => {
        const left: string[] = [];
        for (let round = 0; round < trials(2, 20, 100); round++) {
          const forking = new Forking(kind);
          try {
            const processes = create();
            const root = await processes.identify(forking.pid);
            assert.ok(root);
            const count = 3 + (round % 5) * 6; // in the middle of it
            await eventually(`${count} processes`, () => forking.living().length > count, { timeoutMs: 20_000 });
            const options = { root, marker: forking.id, graceMs: 20, killWaitMs: 20_000 };
            const result = await new ProcessEnding(processes, new SystemClock(), options).run();
            assert.equal(result.kind, 'gone');
            const living = forking.living();
            if (living.length > 0) left.push(`round ${round}: ${living.length}`);
          } finally {
            await forking.end();
          }
        }
        assert.deepEqual(left, []);
      });
    }
  });
}

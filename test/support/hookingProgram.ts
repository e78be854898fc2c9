import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A POSIX shell program that runs the hooks that are written into its pipe (`$1`) and keeps how each ended in a file (`$2`). */
const PROGRAM = `exec 3<>"$1"
printf '> '
while read -r event delay payload <&3; do
  { sleep "$delay"; printf '%s' "$payload"; } | orc hook "$event"
  printf '%s %s\\n' "$event" "$?" >>"$2"
done`;

/** An agent's program that fires real hooks, `orc hook` in the agent's own terminal, when a test says so. */
export class HookingProgram {
  readonly argv: readonly string[];
  readonly #pipe: number;
  readonly #results: string;

  constructor(folder: string) {
    const pipe = join(folder, 'hooks.pipe');
    this.#results = join(folder, 'hooks.ended');
    const made = spawnSync('mkfifo', [pipe]);
    if (made.status !== 0) throw new Error(`mkfifo: ${String(made.stderr)}`);
    this.#pipe = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK); // kept open: what was told stays in the pipe
    this.argv = ['/bin/sh', '-c', PROGRAM, 'hooking', pipe, this.#results];
  }

  /** One hook, after those before it. `delayS`: how long it runs, with its token read, before it has its payload. */
  fire(event: string, payload: unknown = {}, delayS = 0): void {
    writeSync(this.#pipe, `${event} ${delayS} ${JSON.stringify(payload)}\n`);
  }

  /** `EVENT EXIT-CODE` of each hook that has ended. */
  ended(): readonly string[] {
    try {
      return readFileSync(this.#results, 'utf8').split('\n').filter(Boolean);
    } catch {
      return []; // none has
    }
  }

  dispose(): void {
    closeSync(this.#pipe);
  }
}

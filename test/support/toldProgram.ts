import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, closeSync, writeSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A POSIX shell program that does what is written into its pipe (`$1`) and keeps what its terminal types in a file (`$2`). */
const PROGRAM = `exec 3<>"$1"
cat </dev/tty >"$2" &
while IFS= read -r line <&3; do
  case $line in
    print\\ *) printf '%s\\n' "\${line#print }" ;;
    raw\\ *) printf "\${line#raw }" ;;
    exit\\ *) exit "\${line#exit }" ;;
    kill\\ *) kill -s "\${line#kill }" $$ ;;
  esac
done`;

/** One real process in a terminal that a test can tell what to do. */
export class ToldProgram {
  readonly argv: readonly string[];
  readonly #pipe: string;
  readonly #input: string;

  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true });
    this.#pipe = join(folder, `${name}.pipe`);
    this.#input = join(folder, `${name}.input`);
    const made = spawnSync('mkfifo', [this.#pipe]);
    if (made.status !== 0) throw new Error(`mkfifo: ${String(made.stderr)}`);
    this.argv = ['/bin/sh', '-c', PROGRAM, 'told', this.#pipe, this.#input];
  }

  /** `print TEXT`, `raw FORMAT` (octal escapes of printf, no line break), `exit CODE` or `kill SIGNAL`. The text waits in the pipe until the program reads it. */
  tell(line: string): void {
    const pipe = openSync(this.#pipe, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      writeSync(pipe, `${line}\n`);
      this.#opened.push(pipe);
    } catch (error) {
      closeSync(pipe);
      throw error;
    }
  }

  /** Open ends that keep what was told in the pipe until the program has opened its own. */
  readonly #opened: number[] = [];

  /** What the terminal typed to it so far. */
  input(): string {
    try {
      return readFileSync(this.#input, 'utf8');
    } catch {
      return ''; // nothing typed yet
    }
  }

  dispose(): void {
    for (const pipe of this.#opened.splice(0)) closeSync(pipe);
  }
}

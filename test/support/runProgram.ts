import { spawn } from 'node:child_process';

export interface ProgramEnd {
  /** Exit code; 128 when it was ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface ProgramInput {
  /** Written to standard input, which is then closed; undefined: nothing to read. */
  readonly input?: string | Buffer;
  /** Standard input stays open. */
  readonly isInputLeftOpen?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Longest run; after it the program is killed. Default 15 s. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end, with nothing of the environment of the tests but the PATH. */
export function runProgram(file: string, args: readonly string[], options: ProgramInput = {}): Promise<ProgramEnd> {
  const { input, isInputLeftOpen = false, env = {}, cwd, timeoutMs = 15_000 } = options;
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const hasInput = input !== undefined || isInputLeftOpen;
    const child = spawn(file, args, {
      stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      ...(cwd !== undefined && { cwd }),
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin?.on('error', () => undefined); // it need not read all of it
    if (input !== undefined) child.stdin?.write(input);
    if (!isInputLeftOpen) child.stdin?.end();
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      child.stdin?.destroy();
      resolve({ code: code ?? 128, stdout, stderr, ms: performance.now() - startedMs });
    });
  });
}

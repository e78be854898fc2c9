import { spawn } from 'node:child_process';

/** How a short helper program ended. */
export interface ProgramResult {
  /** Undefined when it was killed or could not be started. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** 1 MiB: version texts and process tables are far below. */
const MAX_OUTPUT_CHARS = 1024 * 1024;

/**
 * Runs a program that ends by itself, without a shell. Never rejects: a program that cannot be started, or takes longer than
 * `timeoutMs` (then it is killed), has no code.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { env, timeoutMs }: { readonly env: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const output = { stdout: '', stderr: '' };
    const child = spawn(program, [...args], {
      env,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < MAX_OUTPUT_CHARS) output[name] += text;
      });
    }
    child.on('error', (error) => resolve({ code: undefined, stdout: '', stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? undefined, ...output }));
  });
}

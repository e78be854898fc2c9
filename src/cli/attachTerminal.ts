import { spawn } from 'node:child_process';
import { CliError, ExitCode } from './exitCodes';

/**
 * Gives this terminal to a program until it ends; resolves with its exit code. Nothing of the editor's runtime or of a tmux around
 * us reaches it: the agents' tmux server is another one. @throws {CliError} Failure when it cannot be started
 */
export function attachTerminal(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { ELECTRON_RUN_AS_NODE: _runtime, TMUX: _tmux, TMUX_PANE: _pane, ...rest } = env;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: rest as NodeJS.ProcessEnv }); // the same shape, readonly
    // The terminal sends these to both; the program decides.
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTSTP'] as const) process.on(signal, () => undefined);
    process.on('SIGHUP', () => child.kill('SIGHUP'));
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.on('error', (error) =>
      reject(
        new CliError(ExitCode.Failure, `${program} cannot be started: ${error.message}`, 'Is tmux installed here?'),
      ),
    );
    child.on('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

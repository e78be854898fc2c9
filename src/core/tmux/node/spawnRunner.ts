import type { TmuxCommand } from '../tmuxArgs';
import { TmuxStart } from '../tmuxArgs';
import { TmuxError } from '../tmuxErrors';
import { errorOfReply } from '../tmuxReply';
import { runProgram } from './runProgram';

export interface SpawnRunnerOptions {
  readonly program: string;
  readonly socketName: string;
  readonly env: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 5_000;

/**
 * Runs each command by a short process of its own. For observers, which ask only when a file tells of a change, and rarely besides: tmux 3.3a dies (signal 11) when it has to tell
 * its control clients something while another control client is still introducing itself, so a second window must not attach one
 * at a moment it cannot choose (33 of 326 servers died of it while agents were being launched). Plain clients are told nothing.
 */
export class SpawnRunner {
  constructor(private readonly options: SpawnRunnerOptions) {}

  /** Only commands without text of others, and none that changes anything. @throws {TmuxError} as a control client, tmux.timeout. */
  async run(commands: readonly TmuxCommand[]): Promise<readonly string[]> {
    const { program, socketName, env } = this.options;
    const replies: string[] = [];
    for (const { name, args, isMutating } of commands) {
      if (isMutating) throw new TmuxError('tmux.fenced', name, { detail: 'observer' });
      const result = await runProgram(program, [...TmuxStart.command(socketName), name, ...args], {
        env,
        timeoutMs: TIMEOUT_MS,
      });
      if (result.code === undefined) throw new TmuxError('tmux.timeout', name);
      if (result.code !== 0) throw errorOfReply(name, result.stderr || result.stdout);
      replies.push(result.stdout.replace(/\n$/, ''));
    }
    return replies;
  }
}

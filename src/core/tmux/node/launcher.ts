import type { LaunchSpec } from '../../agents/agentHost';
import type { HostedEntry } from '../hostedAgents';
import { asPaneId, asWindowId, TmuxArgs } from '../tmuxArgs';
import { TmuxError } from '../tmuxErrors';
import { readStartTime, UNREAD_START_TIME } from './processIdentity';
import type { TmuxConnection } from './tmuxConnection';

/** The size of a terminal nobody looks at: what agents' screens are read best at. */
const DEFAULT_SIZE = { columns: 120, rows: 40 } as const;

/**
 * Makes the session of one agent and says what was made.
 * `requireRight` throws when we have lost the right to act; asked before and after the script is written.
 * @throws {TmuxError} what `writeScript` throws; tmux.alreadyExists – then nothing was changed; tmux.invalidArgument; tmux.serverGone; tmux.timeout.
 */
export async function launchInto(
  connection: TmuxConnection,
  writeScript: (spec: LaunchSpec) => Promise<string>,
  spec: LaunchSpec,
  signal: AbortSignal | undefined,
  requireRight: () => void,
): Promise<HostedEntry> {
  const size = { columns: spec.columns ?? DEFAULT_SIZE.columns, rows: spec.rows ?? DEFAULT_SIZE.rows };
  signal?.throwIfAborted(); // it may have waited for its turn
  requireRight();
  const script = await writeScript(spec);
  signal?.throwIfAborted();
  requireRight();
  const commands = TmuxArgs.newAgentSession(
    spec.agentId,
    spec.generation,
    size,
    ['/bin/sh', script],
    connection.launchFormat.text,
  );
  const [info = ''] = await connection.run(commands);
  const row = connection.launchFormat.parse(info)[0];
  if (!row) throw new TmuxError('tmux.rejected', 'new-session', { detail: 'no answer to be read' });
  // tmux gives a session made while a person is attached elsewhere that person's size.
  if (Number(row.columns) !== size.columns || Number(row.rows) !== size.rows)
    await connection.run(TmuxArgs.sizeAgent(spec.agentId, size)).catch((error: unknown) => {
      if (!TmuxError.is(error, 'tmux.noSuchTarget')) throw error; // it has ended already, which its exit tells
    });
  const pid = Number(row.pid);
  return {
    agentId: spec.agentId,
    generation: spec.generation,
    pid,
    paneId: asPaneId(row.paneId),
    windowId: asWindowId(row.windowId),
    process: { pid, startTime: (await readStartTime(pid)) ?? UNREAD_START_TIME },
    isHosted: true,
    cause: undefined,
  };
}

import type { Diagnosis } from './base/diagnosis';
import type { EngineStatus, TmuxLoss } from './engine';

/** What Check Setup says about the engine: everything that keeps it from its work is a problem, with its reason and the next step. */
export function engineDiagnosis(status: EngineStatus): Diagnosis {
  const is = (level: Diagnosis['level'], detail: string, advice?: string): Diagnosis => ({
    ...{ id: 'engine', label: 'Engine', level, detail },
    ...(advice !== undefined && { advice }),
  });
  switch (status.kind) {
    case 'stopped':
      return is('warning', 'not running in this window', 'Try Again starts it, where agents can run at all.');
    case 'starting':
      return is('info', 'starting', 'If this stays, look into the log.');
    case 'restricted':
      return is('info', 'Restricted Mode: agents are shown, nothing is started or sent');
    case 'blocked':
      return is('error', status.detail, 'When this is mended, Try Again starts the engine.');
    case 'following':
      return followingDiagnosis(status, is);
    case 'ready':
      if (status.isTmuxLost) return is('error', tmuxLossText(status.tmuxLoss), tmuxAdvice);
      return is('ok', 'ready');
  }
}

const tmuxAdvice =
  'It is tried again by itself, every few seconds. Run `tmux -L check new` in a shell of your own: if that fails, too, it says what is in the way; mend or reinstall tmux, or set coreOrchestrator.tmuxPath to another one.';

/** `tmux has stopped: server exited` – or, when it never ran here: `tmux cannot be started: …`. */
function tmuxLossText({ hasRun, reason }: TmuxLoss = { hasRun: true, reason: 'the reason is not known' }): string {
  return `${hasRun ? 'tmux has stopped, or does not answer any more' : 'tmux cannot be started'}: ${reason}`;
}

function followingDiagnosis(
  { ownerPid, isOwnerResponding, isConnected }: EngineStatus & { readonly kind: 'following' },
  is: (level: Diagnosis['level'], detail: string, advice?: string) => Diagnosis,
): Diagnosis {
  const owner = `another window (process ${ownerPid}) manages the agents of this workspace`;
  if (!isOwnerResponding) {
    const advice = `Wait, or take over: Take Over in the Agents view lets this window manage the agents, which are not disturbed. Or end process ${ownerPid}.`;
    return is('warning', `${owner} and does not respond`, advice);
  }
  if (isConnected) return is('ok', `${owner}; commands work here, too`);
  const advice =
    'It may just be starting. If this stays, reload both windows, so that they run the same version, and trust the workspace in both.';
  return is('warning', `${owner} and cannot be reached from here: agents are shown read-only`, advice);
}

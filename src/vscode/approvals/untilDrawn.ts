import type { AgentId } from '../../core/agents/agent';
import type { Clock } from '../../core/base/clock';
import { DisposableStore, toDisposable } from '../../core/base/disposable';
import type { Engine } from '../../core/engine';
import { isDrawn } from './requestText';

/** Waits until nothing is asked whose dialog is still to be drawn; at most `limitMs`, and not after `signal`. Never rejects. */
export function untilDrawn(
  engine: Pick<Engine, 'agent' | 'onDidChangeAgent'>,
  clock: Clock,
  id: AgentId,
  limitMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const owned = new DisposableStore();
    const end = (): void => {
      owned.dispose();
      resolve();
    };
    const look = (): void => {
      const request = engine.agent(id)?.request;
      if (!request || isDrawn(request)) end();
    };
    owned.add(engine.onDidChangeAgent((change) => change.id === id && look()));
    owned.add(clock.setTimer(limitMs, end));
    signal?.addEventListener('abort', end, { once: true });
    owned.add(toDisposable(() => signal?.removeEventListener('abort', end)));
    if (signal?.aborted) end();
    else look();
  });
}

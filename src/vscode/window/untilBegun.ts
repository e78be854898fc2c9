import type { Clock } from '../../core/base/clock';
import { DisposableStore } from '../../core/base/disposable';
import type { Engine } from '../../core/engine';

/** Waits until the engine of this window is past its start, at most `limitMs`. Never rejects. */
export function untilBegun(
  engine: Pick<Engine, 'status' | 'onDidChangeStatus'>,
  clock: Clock,
  limitMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const owned = new DisposableStore();
    const look = (): void => {
      if (engine.status.kind !== 'starting' && engine.status.kind !== 'stopped') end();
    };
    const end = (): void => {
      owned.dispose();
      resolve();
    };
    owned.add(engine.onDidChangeStatus(look));
    owned.add(clock.setTimer(limitMs, end));
    look();
  });
}

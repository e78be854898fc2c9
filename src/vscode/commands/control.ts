import type { Engine, EngineStatus } from '../../core/engine';
import { EngineError } from '../../core/engineErrors';

/** This window can act on agents: it manages them, or it is connected to the window or host that does. */
export function canAct(status: EngineStatus): boolean {
  return status.kind === 'ready' || (status.kind === 'following' && status.isConnected);
}

/** This window shows agents and nothing else: nobody takes its commands, or the workspace is not trusted. */
export function isOnlyLooking(status: EngineStatus): boolean {
  return status.kind === 'restricted' || (status.kind === 'following' && !status.isConnected);
}

/**
 * Says before anything is asked why nothing can be changed from this window. While the engine starts, questions may be asked: it will be
 * ready when they are answered.
 * @throws {EngineError} engine.following, engine.restricted, engine.blocked, engine.stopped
 */
export function demandControl({ status }: Pick<Engine, 'status'>): void {
  switch (status.kind) {
    case 'following':
      if (status.isConnected) return;
      throw new EngineError('engine.following', 'another window manages the agents and cannot be reached');
    case 'restricted':
      throw new EngineError('engine.restricted', 'the workspace is not trusted');
    case 'blocked':
      throw new EngineError('engine.blocked', status.detail);
    case 'stopped':
      throw new EngineError('engine.stopped', 'not started in this window');
    case 'starting':
    case 'ready':
      return;
  }
}

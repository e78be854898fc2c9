import type { Engine } from '../../core/engine';
import { EngineError } from '../../core/engineErrors';

/**
 * Says before anything is asked why nothing can be changed from this window. While the engine starts, questions may be asked: it will be
 * ready when they are answered.
 * @throws {EngineError} engine.following, engine.restricted, engine.blocked, engine.stopped
 */
export function demandOwnership({ status }: Pick<Engine, 'status'>): void {
  switch (status.kind) {
    case 'following':
      throw new EngineError('engine.following', 'another window manages the agents');
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

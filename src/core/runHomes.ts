import type { AgentFactory } from './agents/agentFactory';
import type { AgentRegistry } from './agents/agentRegistry';
import { isLive } from './agents/agentTransitions';
import type { HomeFolders, Run } from './agents/signals/homePlan';
import type { AgentRecord } from './agents/agent';
import type { Logger } from './base/log';
import { type Disposable, DisposableStore } from './base/disposable';

/**
 * Settles the home of each run that is over, those of runs that ended while nobody owned the workspace first, and knows what the living
 * were started with. Agents must have been adopted.
 */
export async function keepRunHomes({
  homes,
  registry,
  factory,
  log,
}: {
  readonly homes: HomeFolders;
  readonly registry: AgentRegistry;
  readonly factory: Pick<AgentFactory, 'noteHome'>;
  readonly log: Logger;
}): Promise<Disposable> {
  const owned = new DisposableStore();
  const settle = (record: AgentRecord): void => void homes.settle(runOf(record)); // never rejects
  owned.add(
    registry.onDidChange(({ previous, current }) => {
      if (isLive(previous.lifecycle) && !isLive(current.lifecycle)) settle(previous);
    }),
  );
  owned.add(registry.onDidRemove(settle));
  const known = await homes.list().catch((error: unknown) => {
    log.warn('the homes of runs cannot be looked through; the next start tries again', { error });
    return [];
  });
  for (const home of known) {
    const record = registry.find(home.agentId)?.record;
    if (record && record.generation === home.generation && isLive(record.lifecycle)) factory.noteHome(home);
    else await homes.settle(home);
  }
  return owned;
}

function runOf({ id, generation }: AgentRecord): Run {
  return { agentId: id, generation };
}

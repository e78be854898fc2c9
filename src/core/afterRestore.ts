import type { AgentRecord } from './agents/agent';
import type { AgentHost } from './agents/agentHost';
import type { AgentStore } from './agents/agentStore';
import type { Logger } from './base/log';

/**
 * A backup that was restored knows what was wanted of agents then, not now: what runs now goes on, and what does not run
 * is started by nobody but a person, whatever was wanted when the backup was made (R17, R18). Before agents are adopted.
 * @throws what the host and the store throw; then nothing may be adopted
 */
export async function wantWhatIs(store: AgentStore, host: AgentHost, log: Logger): Promise<void> {
  const hosted = await host.list();
  const living = new Set(hosted.filter(({ liveness }) => liveness.kind !== 'dead').map(({ agentId }) => agentId));
  for (const record of await store.load()) {
    const desired = desiredNow(record, living.has(record.id));
    if (desired === record.desired) continue;
    log.info('after a restore', { agent: record.id, was: record.desired, desired });
    await store.save({ ...record, desired }, [], record.generation);
  }
}

function desiredNow({ lifecycle, desired }: AgentRecord, isLiving: boolean): AgentRecord['desired'] {
  if (lifecycle === 'retired') return desired;
  if (!isLiving) return 'stopped';
  return desired === 'stopped' ? 'running' : desired;
}

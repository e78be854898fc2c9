import type { AgentId, AgentRecord } from './agents/agent';
import type { AgentHost, HostedAgent } from './agents/agentHost';
import type { AgentStore } from './agents/agentStore';
import { isLive } from './agents/agentTransitions';
import type { Clock } from './base/clock';
import type { Logger } from './base/log';

/**
 * A backup that was restored knows what was wanted of agents then, not now: what runs now goes on, and what does not run
 * is started by nobody but a person, whatever was wanted when the backup was made (R17, R18). Nor do its generations decide: two
 * histories may have counted the same ones, and the run that lives is the only one there is. Before agents are adopted.
 * @throws what the host and the store throw; then nothing may be adopted
 */
export async function wantWhatIs(store: AgentStore, host: AgentHost, clock: Clock, log: Logger): Promise<void> {
  const hosted = await host.list();
  const living = new Map<AgentId, HostedAgent>(
    hosted.filter(({ liveness }) => liveness.kind !== 'dead').map((one) => [one.agentId, one]),
  );
  for (const record of await store.load()) {
    const now = recordNow(record, living.get(record.id), clock.nowMs());
    if (now === record) continue;
    const { desired, lifecycle, generation } = record;
    log.info('after a restore', { agent: record.id, was: { desired, lifecycle, generation }, desired: now.desired, generation: now.generation }); // prettier-ignore
    await store.save(now, [], generation);
  }
}

function recordNow(record: AgentRecord, hosted: HostedAgent | undefined, nowMs: number): AgentRecord {
  const { lifecycle, desired, generation } = record;
  if (!hosted) return lifecycle === 'retired' || desired === 'stopped' ? record : { ...record, desired: 'stopped' };
  const wanted = desired === 'paused' ? 'paused' : 'running';
  const isRecorded = isLive(lifecycle) && lifecycle !== 'stopping' && hosted.generation === generation;
  if (isRecorded) return desired === wanted ? record : { ...record, desired: wanted };
  return asItLives(record, hosted, wanted, nowMs);
}

/** Known to the host alone: taken in by the adoption that follows, as everything that was out of sight. */
function asItLives(
  { process: _process, ending: _ending, exit: _exit, nextStartAtMs: _next, ...record }: AgentRecord,
  hosted: HostedAgent,
  desired: AgentRecord['desired'],
  nowMs: number,
): AgentRecord {
  const detail = `lives with generation ${hosted.generation}; in the backup it was ${record.lifecycle} with generation ${record.generation}`;
  return {
    ...record,
    ...(hosted.process && { process: hosted.process }),
    ...{ desired, lifecycle: 'lost', activity: 'unknown', generation: hosted.generation },
    ...{ reason: 'backup_restored', actor: 'engine', sinceMs: nowMs, isFirstPromptDone: true },
    evidence: [{ source: 'adoption', detail, observedAtMs: nowMs }],
  };
}

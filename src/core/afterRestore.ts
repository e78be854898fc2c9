import { LIFECYCLE_WORDS } from '../shared/stateWords';
import {
  type AgentChange,
  type AgentId,
  type AgentRecord,
  type AgentSpec,
  isWithoutRecord,
  lastGeneration,
} from './agents/agent';
import type { AgentHost, HostedAgent } from './agents/agentHost';
import { nameKey } from './agents/agentSpec';
import type { AgentStore } from './agents/agentStore';
import { isLive } from './agents/agentTransitions';
import type { Clock } from './base/clock';
import type { Ids } from './base/ids';
import type { Logger } from './base/log';

export interface AfterRestorePorts {
  readonly store: AgentStore;
  readonly host: AgentHost;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
}

/** What was kept of agents when a backup took the place of the store; empty when nothing could be read. */
export interface FormerAgents {
  readonly agents: ReadonlyMap<AgentId, AgentRecord>;
  /** The backup, as people know it. */
  readonly backup: string;
}

/** An agent that lives, as it goes on. */
export interface CarriedAgent {
  readonly record: AgentRecord;
  /** The generation that lives. */
  readonly generation: number;
  /** Its name before, where another agent has it in the backup. */
  readonly wasCalled?: string;
}

/** What {@link wantWhatIs} has found. */
export interface AfterRestore {
  readonly living: ReadonlySet<AgentId>;
  readonly carried: readonly CarriedAgent[];
}

/** Reason of the line that tells in an agent's history that it is kept as it was before a restore. */
export const CARRIED_OVER = 'carried_over';

/**
 * A backup that was restored knows what was wanted of agents then, not now: who lives goes on as the former store knew it, also one that the
 * backup does not know, and what does not run is started by nobody but a person (R17, R18). Of who lives and was not to be read in the former
 * store, the run is taken as it is: two histories may have counted the same generations, and it is the only one there is. No generation that
 * either history has counted is given out again, nor the id of an agent that only the former store knows (R19): of one that does not live it
 * is kept as that of a removed one. Before agents are adopted.
 * @throws what the host and the store throw; then nothing may be adopted, and it can be called again
 */
export async function wantWhatIs(
  { store, host, clock, ids, log }: AfterRestorePorts,
  former: FormerAgents,
): Promise<AfterRestore> {
  const hosted = await host.list();
  const living = new Map<AgentId, HostedAgent>(
    hosted.filter(({ liveness }) => liveness.kind !== 'dead').map((one) => [one.agentId, one]),
  );
  const kept = new Map((await store.load()).map((record) => [record.id, record]));
  const carried = carriedOver(living, former.agents, kept, clock.nowMs());
  for (const one of carried.values()) {
    const { record } = one;
    const before = kept.get(record.id);
    if (JSON.stringify(record) === JSON.stringify(before)) continue;
    const line = carriedLine(one, former.backup, clock.nowMs(), ids.next());
    log.info('carried over by a restore', { agent: record.id, isInBackup: before !== undefined, generation: record.generation }); // prettier-ignore
    await store.save(record, [line], before?.generation);
  }
  for (const was of former.agents.values()) {
    if (carried.has(was.id) || kept.has(was.id) || store.unreadableIds.has(was.id)) continue;
    log.info('its id is kept after a restore', { agent: was.id, generation: was.generation });
    await store.save(reserved(was, former.backup, clock.nowMs()), [], undefined);
  }
  const fleetNames = new Set([...carried.values()].flatMap(({ record }) => record.fleetName ?? []).map(nameKey));
  for (const record of kept.values()) {
    if (carried.has(record.id)) continue;
    const now = recordNow(record, living.get(record.id), fleetNames, clock.nowMs());
    const safe = withFloor(now, record, former.agents.get(record.id));
    if (safe === record) continue;
    const { desired, lifecycle, generation } = record;
    log.info('after a restore', { agent: record.id, was: { desired, lifecycle, generation }, desired: safe.desired, generation: safe.generation }); // prettier-ignore
    await store.save(safe, [], generation);
  }
  return { living: new Set(living.keys()), carried: [...carried.values()] };
}

/** The living as the former store knew them. One of which that knew only the id is in the backup, if at all, with more. */
function carriedOver(
  living: ReadonlyMap<AgentId, HostedAgent>,
  former: ReadonlyMap<AgentId, AgentRecord>,
  kept: ReadonlyMap<AgentId, AgentRecord>,
  nowMs: number,
): ReadonlyMap<AgentId, CarriedAgent> {
  const known = [...living.values()].flatMap((hosted) => {
    const was = former.get(hosted.agentId);
    const before = kept.get(hosted.agentId);
    const isBetterKept = was && isWithoutRecord(was) && before && before.lifecycle !== 'retired';
    return was && !isBetterKept ? [{ hosted, was, before }] : [];
  });
  const ids = new Set(known.map(({ was }) => was.id));
  const names = new Set(
    [...kept.values()]
      .filter(({ id, lifecycle }) => lifecycle !== 'retired' && !ids.has(id))
      .map(({ spec }) => nameKey(spec.name)),
  );
  return new Map(
    known.map(({ hosted, was, before }) => {
      const { generation } = hosted;
      // An earlier run than the last that was kept is over: adoption ends it, as it ends everything of a removed agent.
      const isNewRun = generation > was.generation && was.lifecycle !== 'retired';
      const record = isNewRun ? asItLives(was, hosted, wantedOf(was), 'last it was', nowMs) : was;
      const name = [was.spec.name, was.id].find((one) => !names.has(nameKey(one))) ?? `${was.id} (recovered)`;
      names.add(nameKey(name));
      const isRenamed = name !== was.spec.name;
      const named = isRenamed ? { ...record, spec: { ...record.spec, name } } : record;
      const carried = { record: withFloor(named, was, before), generation };
      return [was.id, isRenamed ? { ...carried, wasCalled: was.spec.name } : carried];
    }),
  );
}

function carriedLine(
  { record, generation, wasCalled }: CarriedAgent,
  backup: string,
  atMs: number,
  id: string,
): AgentChange {
  const { lifecycle, activity } = record;
  const standing = { lifecycle, activity };
  const renamed = wasCalled === undefined ? '' : `, was called "${wasCalled}"`;
  const detail = `carried over by the restore of ${backup}: it lives with generation ${generation}${renamed}`;
  return {
    ...{ id, agentId: record.id, generation: record.generation, atMs, from: standing, to: standing },
    ...{ reason: CARRIED_OVER, actor: 'engine' },
    evidence: [{ source: 'adoption', detail, observedAtMs: atMs }],
  };
}

/** A removed agent: its id is nobody else's, and an import brings it back with its generations going on. What may be secret is forgotten. */
function reserved(was: AgentRecord, backup: string, nowMs: number): AgentRecord {
  if (was.lifecycle === 'retired') return was;
  const { id, generation, generationFloor, exit, createdAtMs } = was;
  const { name, typeId, folder, role, team } = was.spec;
  const spec: AgentSpec = { name, typeId, folder, ...(role !== undefined && { role }), ...(team !== undefined && { team }) }; // prettier-ignore
  const detail = `not in ${backup}, before whose restore it was ${LIFECYCLE_WORDS[was.lifecycle]} with generation ${generation}; it did not live`;
  return {
    ...{ id, spec, desired: 'stopped', lifecycle: 'retired', activity: 'unknown', generation, createdAtMs },
    ...(generationFloor !== undefined && { generationFloor }),
    ...(exit && { exit }),
    ...{ reason: 'backup_restored', actor: 'engine', sinceMs: nowMs, restartsAtMs: [], isFirstPromptDone: true },
    evidence: [{ source: 'adoption', detail, observedAtMs: nowMs }],
  };
}

/** @param taken names of fleet entries whose agent lives: nobody else is theirs */
function recordNow(
  record: AgentRecord,
  hosted: HostedAgent | undefined,
  taken: ReadonlySet<string>,
  nowMs: number,
): AgentRecord {
  const { lifecycle, desired, generation } = record;
  if (!hosted) {
    const { fleetName, ...free } = record;
    const own = fleetName !== undefined && taken.has(nameKey(fleetName)) ? free : record;
    return lifecycle === 'retired' || desired === 'stopped' ? own : { ...own, desired: 'stopped' };
  }
  const wanted = wantedOf(record);
  const isRecorded = isLive(lifecycle) && lifecycle !== 'stopping' && hosted.generation === generation;
  if (isRecorded) return desired === wanted ? record : { ...record, desired: wanted };
  return asItLives(record, hosted, wanted, 'in the backup it was', nowMs);
}

function wantedOf({ desired }: AgentRecord): AgentRecord['desired'] {
  return desired === 'paused' ? 'paused' : 'running';
}

/** Known to the host alone: taken in by the adoption that follows, as everything that was out of sight. */
function asItLives(
  { process: _process, ending: _ending, exit: _exit, nextStartAtMs: _next, ...record }: AgentRecord,
  hosted: HostedAgent,
  desired: AgentRecord['desired'],
  was: string,
  nowMs: number,
): AgentRecord {
  const detail = `lives with generation ${hosted.generation}; ${was} ${LIFECYCLE_WORDS[record.lifecycle]} with generation ${record.generation}`;
  return {
    ...record,
    ...(hosted.process && { process: hosted.process }),
    ...{ desired, lifecycle: 'lost', activity: 'unknown', generation: hosted.generation },
    ...{ reason: 'backup_restored', actor: 'engine', sinceMs: nowMs, isFirstPromptDone: true },
    evidence: [{ source: 'adoption', detail, observedAtMs: nowMs }],
  };
}

/** So that its next start counts on from every generation that one of these histories has counted. */
function withFloor(record: AgentRecord, ...others: readonly (AgentRecord | undefined)[]): AgentRecord {
  const last = Math.max(...others.map((other) => (other ? lastGeneration(other) : 0)));
  return last > lastGeneration(record) ? { ...record, generationFloor: last } : record;
}

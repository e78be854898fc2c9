import { isFinal, type PromptDelivery } from './agents/delivery/promptDelivery';
import type { AgentChange } from './agents/agent';
import type { AnsweredRequest } from './agents/answeredRequest';
import type { Clock } from './base/clock';
import type { Disposable } from './base/disposable';
import type { Logger } from './base/log';
import { AGENT_CHANGES, ANSWERS } from './dataAgentStore';
import { DELIVERIES } from './dataDeliveryStore';
import type { DataStore } from './data/dataStore';
import { DataProcessor } from './data/processing/dataProcessor';
import { applyRetention, type RecordArchive, type RetentionClass } from './data/retention/retention';
import { RetentionSchedule } from './data/retention/retentionSchedule';
import { defaultRetention, type RetentionSettings } from './data/retention/retentionSettings';

export interface RecordRetentionPorts {
  readonly store: DataStore;
  /** Undefined where the store is not kept in a file: then nothing is moved. */
  readonly archive: RecordArchive | undefined;
  /** An agent of this id is managed: it is not removed. */
  readonly isLiving: (agentId: string) => boolean;
  readonly settings: () => RetentionSettings | undefined;
  readonly breathe: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Of each agent that is not removed, so many of its old records of each kind stay where they are. */
const KEPT_PER_AGENT = 20;

/**
 * What leaves the store when it is old: lines of history, answered requests, and prompts that came to a known end. Agents, also removed ones (their ids are never given
 * away again), approvals (they stand until a person takes them back) and prompts of which nobody knows whether they arrived are never due, unless they were sent again.
 */
export function retentionClasses(
  settings: () => RetentionSettings,
  isLiving: (agentId: string) => boolean,
): readonly RetentionClass[] {
  const livingGroup = (value: unknown): string | undefined => {
    const { agentId } = value as AgentChange | AnsweredRequest | PromptDelivery; // each belongs to an agent
    return isLiving(agentId) ? agentId : undefined;
  };
  return [
    {
      kind: AGENT_CHANGES.kind,
      days: () => settings().historyDays,
      endedAt: 'atMs' satisfies keyof AgentChange,
      livingGroup,
      keptPerGroup: KEPT_PER_AGENT,
    },
    {
      kind: ANSWERS.kind,
      days: () => settings().historyDays,
      endedAt: 'answeredAtMs' satisfies keyof AnsweredRequest,
      livingGroup,
      keptPerGroup: KEPT_PER_AGENT,
    },
    {
      kind: DELIVERIES.kind,
      days: () => settings().promptDays,
      endedAt: 'stateAtMs' satisfies keyof PromptDelivery,
      isOver: (value) => {
        const { state, resentAs } = value as PromptDelivery; // what this collection keeps
        return isFinal(state) && (state !== 'delivery_unknown' || resentAs !== undefined);
      },
      livingGroup,
      keptPerGroup: KEPT_PER_AGENT,
    },
  ];
}

/** Moves old records out of an owner's store as the settings say, until disposed. */
export function keepRetention(ports: RecordRetentionPorts): Disposable {
  const { store, archive, isLiving, breathe, clock, log } = ports;
  const settings = (): RetentionSettings => ports.settings() ?? defaultRetention;
  const processor = new DataProcessor({ clock, log, breathe });
  const classes = retentionClasses(settings, isLiving);
  const run: ConstructorParameters<typeof RetentionSchedule>[0]['run'] = async (signal) => {
    if (!archive || store.health.isReadOnly) return { moved: 0, isMore: false };
    const to = settings().then === 'archive' ? archive : undefined;
    return applyRetention(classes, { store, archive: to, processor, nowMs: () => clock.nowMs(), log }, signal);
  };
  return new RetentionSchedule({ run, clock, log });
}

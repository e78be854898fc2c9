import type { AgentType } from '../../src/core/agents/agentType';
import { requireAgentType } from '../../src/core/agents/agentTypeParser';
import type { AgentId, AgentRecord, AgentSpec } from '../../src/core/agents/agent';
import type { SettledScreen } from '../../src/core/agents/agentHost';
import type { Ids } from '../../src/core/base/ids';

/** Ids that count. */
export class CountingIds implements Ids {
  #count = 0;
  next(): string {
    return String(++this.#count).padStart(26, '0');
  }
}

export function agentId(text: string): AgentId {
  return text as AgentId; // tests name their agents themselves
}

export function aSpec(changes: Partial<AgentSpec> = {}): AgentSpec {
  return { name: 'Reviewer', typeId: 'shell', folder: '/project', ...changes };
}

/** A type as a fleet file brings one. */
export function aType(changes: Partial<AgentType> = {}): AgentType {
  return requireAgentType({
    ...{ id: 'theirs', label: 'Theirs', icon: 'beaker', command: ['true'], quit: [], graceMs: 1, screenRules: [] },
    ...{ readiness: { when: 'alive', afterMs: 1 }, prompt: { canPaste: false, submitDelayMs: 1 }, ...changes },
  });
}

export function aRecord(changes: Partial<AgentRecord> = {}): AgentRecord {
  return {
    id: agentId('reviewer'),
    spec: aSpec(),
    desired: 'running',
    lifecycle: 'created',
    activity: 'unknown',
    generation: 0,
    reason: 'created',
    actor: 'person',
    evidence: [],
    sinceMs: 0,
    createdAtMs: 0,
    restartsAtMs: [],
    isFirstPromptDone: true,
    ...changes,
  };
}

export function aScreen(changes: Partial<SettledScreen> = {}): SettledScreen {
  return {
    agentId: agentId('reviewer'),
    generation: 1,
    text: '',
    title: '',
    foreground: '',
    cursor: { x: 0, y: 0 },
    isInCopyMode: false,
    observedAtMs: 1,
    ...changes,
  };
}

/** Repeatable randomness: mulberry32 (public domain, Tommy Ettinger). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

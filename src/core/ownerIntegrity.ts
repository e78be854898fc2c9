import { CARRIED_OVER } from './afterRestore';
import type { AgentChange, AgentRecord } from './agents/agent';
import type { AgentHost } from './agents/agentHost';
import { nameKey } from './agents/agentSpec';
import { isLive } from './agents/agentTransitions';
import { AGENT_CHANGES, AGENTS, ANSWERS, APPROVALS } from './dataAgentStore';
import { DELIVERIES } from './dataDeliveryStore';
import type { DataStore } from './data/dataStore';
import { applyIntegrityFix } from './data/integrity/integrityFix';
import { type IntegrityOptions, type IntegrityPorts, runIntegrityJob } from './data/integrity/integrityJob';
import type { AnyCollection, IntegrityModel, RunClaim, TerminalFact } from './data/integrity/integrityModel';
import { advice, type ApplicableFix, type IntegrityFix, type IntegrityReport } from './data/integrity/integrityReport';
import { DEAD_LETTERS } from './data/processing/deadLetterStore';
import { PIPELINES } from './data/processing/pipelineStore';
import type { DataValidator } from './data/validation/dataValidator';
import { FLEET_TYPES } from './fleetTypes';

export interface OwnerIntegrityPorts {
  readonly store: DataStore;
  /** The check of its file; absent: it has none. */
  readonly checkFile?: NonNullable<IntegrityPorts['checkFile']>;
  readonly validator: DataValidator;
  readonly host: Pick<AgentHost, 'list'>;
  /** Compares every agent with tmux again (`AgentSupervisor.reconcile`). */
  readonly reconcile: () => Promise<void>;
  readonly breathe: () => Promise<void>;
}

/** The check of everything that an owner keeps, and what it offers to do. */
export interface OwnerIntegrity {
  /** @throws as `runIntegrityJob` */
  check(options?: IntegrityOptions): Promise<IntegrityReport>;
  /** The same, but for the file. @throws as `check` */
  checkBesideFile(options?: IntegrityOptions): Promise<IntegrityReport>;
  /** @throws as `applyIntegrityFix` */
  fix(fix: ApplicableFix): Promise<string>;
}

/** Everything that an owner keeps. */
export const KEPT_COLLECTIONS = [
  AGENTS,
  AGENT_CHANGES,
  DELIVERIES,
  ANSWERS,
  APPROVALS,
  FLEET_TYPES,
  PIPELINES,
  DEAD_LETTERS,
] as unknown as readonly AnyCollection[]; // records are only passed on

export function createOwnerIntegrity(ports: OwnerIntegrityPorts): OwnerIntegrity {
  const { store, checkFile, validator, host, reconcile, breathe } = ports;
  const besideFile: IntegrityPorts = {
    store,
    collections: KEPT_COLLECTIONS,
    validator,
    model: AGENT_MODEL,
    terminals: async () => (await host.list()).map(terminalFact),
    breathe,
  };
  return {
    check: (options) => runIntegrityJob({ ...besideFile, ...(checkFile && { checkFile }) }, options),
    checkBesideFile: (options) => runIntegrityJob(besideFile, options),
    fix: (fix) => applyIntegrityFix({ store, collections: KEPT_COLLECTIONS, reconcile }, fix),
  };
}

function terminalFact({ agentId, generation, liveness }: Awaited<ReturnType<AgentHost['list']>>[number]): TerminalFact {
  return { id: agentId, generation, liveness: liveness.kind };
}

const isRetired = (value: unknown): boolean => (value as Partial<AgentRecord>).lifecycle === 'retired'; // a kept agent, whatever is wrong with it

/** What must hold between the records of agents. */
export const AGENT_MODEL: IntegrityModel = {
  references: [
    {
      kind: AGENT_CHANGES.kind,
      at: '/agentId',
      to: AGENTS.kind,
      notAhead: { at: '/generation', of: '/generation', words: 'generation' },
      severity: 'warning',
      message: 'this line of history is about an agent that is not known',
      removeLabel: 'Remove this line of history',
    },
    {
      kind: ANSWERS.kind,
      at: '/agentId',
      to: AGENTS.kind,
      notAhead: { at: '/generation', of: '/generation', words: 'generation' },
      severity: 'warning',
      message: 'this answered request is of an agent that is not known',
      removeLabel: 'Remove this answered request',
    },
    {
      kind: DELIVERIES.kind,
      at: '/agentId',
      to: AGENTS.kind,
      isGone: isRetired,
      notAhead: { at: '/generation', of: '/generation', words: 'generation' },
      severity: 'warning',
      message: 'this prompt was for an agent that is not known',
      removeLabel: 'Remove this prompt',
    },
  ],
  sequences: [
    {
      kind: AGENT_CHANGES.kind,
      groupBy: '/agentId',
      check: (before, after) => followsOn(before as Partial<AgentChange>, after as Partial<AgentChange>), // read with care
      severity: 'warning',
      advice:
        'Lines are left out when the store could not be written for a long time. What is kept of the agent itself is not affected.',
    },
  ],
  distinct: [
    {
      kind: AGENTS.kind,
      keyOf: (value) => {
        const { lifecycle, spec } = value as Partial<AgentRecord>; // as above
        return lifecycle === 'retired' || typeof spec?.name !== 'string' ? undefined : nameKey(spec.name);
      },
      message: 'another agent has the same name',
      advice: 'Rename one of them.',
    },
  ],
  runs: { kind: AGENTS.kind, read: claimOf },
  fixOf: removal,
};

/** A line begins where the one before it ended, and generations only grow. */
function followsOn(
  before: Partial<AgentChange>,
  after: Partial<AgentChange>,
): { readonly code: 'sequence.gap' | 'sequence.order'; readonly message: string } | undefined {
  const [earlier, later] = [before.generation, after.generation];
  if (typeof earlier === 'number' && typeof later === 'number' && later < earlier)
    return { code: 'sequence.order', message: `generation ${later} comes after generation ${earlier}` };
  if (after.reason === CARRIED_OVER) return undefined; // what lies between is in the store that was put aside
  const [ended, began] = [before.to?.lifecycle, after.from?.lifecycle];
  if (ended === undefined || began === undefined || ended === began) return undefined;
  return { code: 'sequence.gap', message: `it begins with ${began}, and the line before it ended with ${ended}` };
}

function claimOf(value: unknown): RunClaim | undefined {
  const { id, generation, lifecycle, desired } = value as Partial<AgentRecord>; // as above
  if (typeof id !== 'string' || typeof generation !== 'number' || lifecycle === undefined) return undefined;
  const isSettled = lifecycle === 'running' || lifecycle === 'paused';
  if (isSettled) return { id, generation, expects: desired === 'stopped' ? 'open' : 'alive' };
  // What waits for a restart, or was ordered to run, is about to change.
  return { id, generation, expects: isLive(lifecycle) || desired === 'running' ? 'open' : 'none' };
}

const labels: Readonly<Record<string, string>> = {
  [AGENT_CHANGES.kind]: 'Remove this line of history',
  [ANSWERS.kind]: 'Remove this answered request',
  [DELIVERIES.kind]: 'Remove this prompt',
  [APPROVALS.kind]: 'Forget this approval: it is asked for again',
  [FLEET_TYPES.kind]: 'Remove this agent type: starting its fleet brings it back',
  [PIPELINES.kind]: 'Remove this pipeline',
  [DEAD_LETTERS.kind]: 'Forget this refused record',
};

/** An agent is not removed by a repair: it may run, and its id must not be given away again. */
function removal(kind: string, id: string, version: number | undefined): IntegrityFix {
  const label = Object.hasOwn(labels, kind) ? labels[kind] : undefined;
  if (label === undefined)
    return advice(
      'Restore the newest backup that is whole, or stop and remove the agent and start it anew. What runs can be used meanwhile.',
    );
  return { kind: 'deleteRecord', label, recordKind: kind, id, ...(version !== undefined && { version }) };
}

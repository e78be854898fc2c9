import assert from 'node:assert/strict';
import type { AgentId, AgentRecord } from '../../../src/core/agents/agent';
import { AgentRegistry, type RegistryWriter } from '../../../src/core/agents/agentRegistry';
import type { Lifecycle } from '../../../src/core/agents/agentState';
import type { Agent } from '../../../src/core/agents/baseAgent';
import type { HomeFolders, KnownHome, Run } from '../../../src/core/agents/signals/homePlan';
import { silentLogger } from '../../../src/core/base/log';
import { keepRunHomes } from '../../../src/core/runHomes';
import { agentId, aRecord } from '../../support/builders';

describe('homes of runs, kept', () => {
  const settled: string[] = [];
  const noted: string[] = [];
  let registry: AgentRegistry;
  let writer: RegistryWriter;
  const nameOf = (run: Run): string => `${run.agentId}.${run.generation}`;
  const home = (id: string, generation: number): KnownHome => ({ agentId: agentId(id), generation });
  const record = (id: AgentId, generation: number, lifecycle: Lifecycle): AgentRecord =>
    aRecord({ id, generation, lifecycle });

  beforeEach(() => {
    settled.length = noted.length = 0;
    registry = new AgentRegistry((id, read) => ({ id, get record() { return read(); } }) as Agent, (error) => { throw error; }); // prettier-ignore
    writer = registry.claimWriter();
  });

  const keep = (known: () => Promise<readonly KnownHome[]>) => {
    const homes: HomeFolders = {
      folder: nameOf,
      make: (run) => Promise.resolve(run),
      settle: (run) => Promise.resolve(void settled.push(nameOf(run))),
      list: known,
    };
    return keepRunHomes({ homes, registry, factory: { noteHome: (one) => void noted.push(nameOf(one)) }, log: silentLogger });
  }; // prettier-ignore

  it('settles at the start what ended while nobody looked, and knows the living', async () => {
    writer.add(record(agentId('alive'), 2, 'running'));
    writer.add(record(agentId('lost'), 1, 'lost'));
    writer.add(record(agentId('dead'), 1, 'exited'));
    const known = [home('alive', 1), home('alive', 2), home('lost', 1), home('dead', 1), home('gone', 7)];
    await keep(() => Promise.resolve(known));
    assert.deepEqual(settled, ['alive.1', 'dead.1', 'gone.7']);
    assert.deepEqual(noted, ['alive.2', 'lost.1']);
  });

  it('settles a run when it is over, once, and when its agent is removed; nothing after its end', async () => {
    const id = agentId('a');
    writer.add(record(id, 1, 'starting'));
    const kept = await keep(() => Promise.reject(new Error('no disk')));
    for (const lifecycle of ['running', 'lost', 'stopping'] as const) writer.replace(record(id, 1, lifecycle));
    assert.deepEqual(settled, []);
    writer.replace(record(id, 1, 'stopped'));
    assert.deepEqual(settled, ['a.1']);
    writer.replace(record(id, 2, 'starting'));
    writer.replace(record(id, 2, 'backoff'));
    assert.deepEqual(settled, ['a.1', 'a.2']);
    writer.replace(record(id, 2, 'retired'));
    assert.deepEqual(settled, ['a.1', 'a.2', 'a.2']);
    kept.dispose();
    writer.add(record(agentId('b'), 1, 'running'));
    writer.replace(record(agentId('b'), 1, 'exited'));
    assert.equal(settled.length, 3);
  });
});

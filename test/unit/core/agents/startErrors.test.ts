import assert from 'node:assert/strict';
import { AgentError, agentOfError } from '../../../../src/core/agents/agentErrors';
import { DataError } from '../../../../src/core/data/dataErrors';
import { TmuxError } from '../../../../src/core/tmux/tmuxErrors';
import { agentId, aRecord, aSpec } from '../../../support/builders';
import { SupervisedWorld } from '../../../support/supervisedWorld';

const ID = agentId('reviewer');

describe('a start that fails', () => {
  const cases: readonly (readonly [code: string, prepare: (world: SupervisedWorld) => void])[] = [
    ['agent.folderMissing', (world) => world.folders.clear()],
    ['agent.commandNotFound', (world) => world.commands.clear()],
    ['agent.hostUnavailable', (world) => world.host.simulateConnectionLoss()],
    ['agent.endedEarly', ({ host }) => (host.onDidLaunch = () => queueMicrotask(() => host.simulateExit(ID, { code: 1 })))],
    ['agent.launchUnknown', ({ host }) => (host.launch = () => Promise.reject(new TmuxError('tmux.timeout', 'late')))],
    ['tmux.inputTooLarge', ({ host }) => (host.launch = () => Promise.reject(new TmuxError('tmux.inputTooLarge', 'big')))],
    ['data.readOnly', ({ store }) => (store.failure = new DataError('data.readOnly', 'no space'))],
    ['agent.conflict', ({ store }) => void store.records.set(ID, aRecord({ generation: 7 }))],
  ]; // prettier-ignore

  for (const [code, prepare] of cases) {
    it(`says which agent it is about: ${code}`, async () => {
      const world = new SupervisedWorld();
      await world.run(world.supervisor.begin());
      await world.run(world.supervisor.create(aSpec()));
      prepare(world);
      const error = await world.run(world.supervisor.start(ID)).then(() => undefined, (failure: unknown) => failure); // prettier-ignore
      assert.deepEqual([(error as { code?: string }).code, agentOfError(error)], [code, ID]);
      if (AgentError.is(error)) assert.equal(error.agentId, ID);
    });
  }

  it('says which agent it is about when its type is gone, and when its caller canceled it', async () => {
    const world = new SupervisedWorld();
    world.store.records.set(ID, aRecord({ desired: 'stopped', spec: aSpec({ typeId: 'gone' }) }));
    await world.run(world.supervisor.begin());
    const unknown = await world.run(world.supervisor.start(ID)).then(() => undefined, (failure: unknown) => failure); // prettier-ignore
    assert.ok(AgentError.is(unknown, 'agent.unknownType'));
    assert.equal(unknown.agentId, ID);

    await world.run(world.supervisor.respecify(ID, aSpec()));
    const cancel = new AbortController();
    const starting = world.supervisor.start(ID, { signal: cancel.signal });
    starting.catch(() => undefined); // looked at below
    await world.clock.advanceMs(50);
    cancel.abort();
    const canceled = await world.run(starting).then(() => undefined, (failure: unknown) => failure); // prettier-ignore
    assert.deepEqual([canceled, agentOfError(canceled)], [cancel.signal.reason, ID]);
  });
});

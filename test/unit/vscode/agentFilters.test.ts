import { strict as assert } from 'node:assert';
import { isStartable, LIFECYCLES } from '../../../src/core/agents/agentTransitions';
import { canRestart, canStart, canStop } from '../../../src/vscode/commands/agentFilters';
import { anAgentView } from '../../support/fakeEngine';

describe('what commands are offered for', () => {
  it('is started what the engine starts', () => {
    for (const lifecycle of LIFECYCLES)
      assert.equal(canStart(anAgentView({ lifecycle })), isStartable(lifecycle), lifecycle); // prettier-ignore
  });

  it('is stopped and restarted now, too, what waits for its restart; nothing that is managed elsewhere', () => {
    const waiting = anAgentView({ lifecycle: 'backoff' });
    for (const can of [canStart, canRestart, canStop])
      assert.deepEqual([can(waiting), can({ ...waiting, isManagedElsewhere: true })], [true, false]);
  });
});

import assert from 'node:assert/strict';
import { viewOfRecord } from '../../../src/core/agentViews';
import { wordsEvidence } from '../../../src/core/agents/lastWords';
import { SupervisedWorld } from '../../support/supervisedWorld';

describe('the view of an agent', () => {
  it('says why it failed or met an error, and nothing of the kind of one that is well', async () => {
    const { record } = await new SupervisedWorld().runningAgent();
    const evidence = wordsEvidence(['Error: no such module'], 0);
    assert.equal(viewOfRecord({ ...record, lifecycle: 'failed', reason: 'exit_code', evidence }, undefined).trouble, 'Error: no such module'); // prettier-ignore
    const rule = [
      { source: 'screen', detail: 'bottom rule "error line": ■ Error: overloaded', observedAtMs: 0 },
    ] as const;
    assert.equal(
      viewOfRecord({ ...record, activity: 'error', evidence: rule }, undefined).trouble,
      'Error: overloaded',
    );
    assert.equal('trouble' in viewOfRecord({ ...record, activity: 'idle', evidence }, undefined), false);
  });
});

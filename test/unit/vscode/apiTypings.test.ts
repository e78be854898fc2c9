import { strict as assert } from 'node:assert';
import type { CoreOrchestratorApi } from '../../../core-orchestrator';
import type { Api } from '../../../src/vscode/api';

/** `true` when everything that is exported is what the typings promise; else this file does not compile. */
type Promised = Api extends CoreOrchestratorApi ? true : never;
type SnapshotOf<T extends { getAPI(version: 1): { agents: { list(): readonly unknown[] } } }> = ReturnType<
  ReturnType<T['getAPI']>['agents']['list']
>[number];
/** And the snapshot has no field that the typings keep quiet about. */
type Complete = keyof SnapshotOf<Api> extends keyof SnapshotOf<CoreOrchestratorApi> ? true : never;

describe('core-orchestrator.d.ts', () => {
  it('describes what is exported, no less and no more', () => {
    const promised: Promised = true;
    const complete: Complete = true;
    assert.ok(promised && complete);
  });
});

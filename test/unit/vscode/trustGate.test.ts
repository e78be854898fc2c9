import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import type { Engine } from '../../../src/core/engine';
import { gateByTrust } from '../../../src/vscode/trustGate';
import { WindowError } from '../../../src/vscode/windowErrors';
import { anAgentView, aRequest, FakeEngine } from '../../support/fakeEngine';

const id = 'a' as AgentId;
const spec = { name: 'B', typeId: 'demo', folder: '/x' };
const request = aRequest({ agentId: id });
const plan = { agents: [], problems: [] };
const signal = new AbortController().signal;

/** Whatever starts a program or types into one. */
const starting: Readonly<Record<string, (engine: Engine) => unknown>> = {
  startAgent: (engine) => engine.startAgent(spec),
  startExisting: (engine) => engine.startExisting(id),
  restartAgent: (engine) => engine.restartAgent(id),
  resumeAgent: (engine) => engine.resumeAgent(id),
  releaseQuarantine: (engine) => engine.releaseQuarantine(id),
  resumeSession: (engine) => engine.resumeSession(id),
  resumeFleet: (engine) => engine.resumeFleet(() => {}, signal),
  resendPrompt: (engine) => engine.resendPrompt('r'),
  answerRequest: (engine) => engine.answerRequest(id, request.id, { kind: 'allow' }),
  doctor: (engine) => engine.doctor('demo', signal),
  sendPrompt: (engine) => engine.sendPrompt(id, 'x'),
  approveFleet: (engine) => engine.approveFleet(['h']),
  startFleet: (engine) => engine.startFleet(plan, () => {}, signal),
  registerAgentType: (engine) => engine.registerAgentType({}),
  registerValidationRule: (engine) =>
    engine.registerValidationRule({ name: 'a.b/c', kind: 'agent', description: 'x', validate: () => [] }),
  registerTransformation: (engine) =>
    engine.registerTransformation({ name: 'a.b/c', description: 'x', apply: (record) => record }),
  importData: (engine) => engine.importData({ file: '/x.json' }, () => {}, signal),
};

describe('S1 trust gate', () => {
  for (const [name, call] of Object.entries(starting)) {
    it(`S1 ${name} is refused without trust and goes through with it`, async () => {
      const engine = new FakeEngine();
      engine.simulateAgent(anAgentView({ id, request }));
      let isTrusted = false;
      const gated = gateByTrust(engine, () => isTrusted);
      await assert.rejects(
        async () => call(gated),
        (error) => WindowError.is(error, 'window.untrusted'),
      );
      assert.deepEqual(engine.calls, []);
      isTrusted = true;
      await call(gated);
      assert.equal(engine.calls.length, 1);
    });
  }

  it('S1 watching and ending stay possible without trust', async () => {
    const engine = new FakeEngine();
    const gated = gateByTrust(engine, () => false);
    const seen: string[] = [];
    gated.onDidChangeAgent(({ id: changed }) => seen.push(changed));
    engine.simulateAgent(anAgentView({ id }));
    assert.deepEqual([seen, gated.agents.length, gated.agent('a')?.id, gated.status.kind], [['a'], 1, 'a', 'stopped']);
    await gated.stopAgent(id);
    await gated.start();
    assert.deepEqual(engine.calls, ['stopAgent a', 'start']);
  });
});

import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import type { Engine } from '../../../src/core/engine';
import { gateByTrust } from '../../../src/vscode/trustGate';
import { WindowError } from '../../../src/vscode/windowErrors';
import { anAgentView, aRequest, FakeEngine } from '../../support/fakeEngine';

const id = 'a' as AgentId;
const spec = { name: 'B', typeId: 'demo', folder: '/x' };
const fix = { kind: 'reconcile', label: 'x' } as const;
const request = aRequest({ agentId: id });
const plan = { agents: [], problems: [] };
const signal = new AbortController().signal;

type Call = (engine: Engine) => unknown;
const starts = (call: Call) => ({ isRefused: true, call }) as const;
/** Watches, ends, or is about what is kept: it starts no program and types into none. */
const harmless = (call: Call) => ({ isRefused: false, call }) as const;
const fact = undefined;

/** What each member of the engine does without trust; one that is added without its case does not compile. */
const MEMBERS: Readonly<Record<keyof Engine, { readonly isRefused: boolean; readonly call: Call } | undefined>> = {
  startAgent: starts((engine) => engine.startAgent(spec)),
  startExisting: starts((engine) => engine.startExisting(id)),
  restartAgent: starts((engine) => engine.restartAgent(id)),
  resumeAgent: starts((engine) => engine.resumeAgent(id)),
  releaseQuarantine: starts((engine) => engine.releaseQuarantine(id)),
  resumeSession: starts((engine) => engine.resumeSession(id)),
  resumeFleet: starts((engine) => engine.resumeFleet(() => {}, signal)),
  resendPrompt: starts((engine) => engine.resendPrompt('r')),
  answerRequest: starts((engine) => engine.answerRequest(id, request.id, { kind: 'allow' })),
  doctor: starts((engine) => engine.doctor('demo', signal)),
  sendPrompt: starts((engine) => engine.sendPrompt(id, 'x')),
  approveFleet: starts((engine) => engine.approveFleet(['h'])),
  startFleet: starts((engine) => engine.startFleet(plan, () => {}, signal)),
  registerAgentType: starts((engine) => engine.registerAgentType({})),
  registerValidationRule: starts((engine) =>
    engine.registerValidationRule({ name: 'a.b/c', kind: 'agent', description: 'x', validate: () => [] }),
  ),
  registerTransformation: starts((engine) =>
    engine.registerTransformation({ name: 'a.b/c', description: 'x', apply: (record) => record }),
  ),
  importData: starts((engine) => engine.importData({ file: '/x.json' }, () => {}, signal)),

  status: fact,
  agents: fact,
  agentTypes: fact,
  notices: fact,
  onDidChangeStatus: fact,
  onDidChangeAgent: fact,
  onDidChangeAgentTypes: fact,
  onDidChangeNotices: fact,
  onDidChangeReceipt: fact,

  agent: harmless((engine) => engine.agent(id)),
  start: harmless((engine) => engine.start()),
  stop: harmless((engine) => engine.stop()),
  dispose: harmless((engine) => engine.dispose()),
  stopAgent: harmless((engine) => engine.stopAgent(id)),
  pauseAgent: harmless((engine) => engine.pauseAgent(id)),
  renameAgent: harmless((engine) => engine.renameAgent(id, 'B')),
  removeAgent: harmless((engine) => engine.removeAgent(id)),
  stopAll: harmless((engine) => engine.stopAll(() => {}, signal)),
  receipts: harmless((engine) => engine.receipts(id)),
  cancelPrompt: harmless((engine) => engine.cancelPrompt('r')),
  settleDelivery: harmless((engine) => engine.settleDelivery('r', 'lost')),
  explain: harmless((engine) => engine.explain(id)),
  screen: harmless((engine) => engine.screen(id)),
  history: harmless((engine) => engine.history(id)),
  planFleet: harmless((engine) => engine.planFleet('{}', '/x/.vscode/agents.json')),
  exportData: harmless((engine) => engine.exportData({ file: '/x.json', format: 'json' }, () => {}, signal)),
  searchRecords: harmless((engine) => engine.searchRecords({ query: 'x' })),
  checkIntegrity: harmless((engine) => engine.checkIntegrity(() => {}, signal)),
  fixIntegrity: harmless((engine) => engine.fixIntegrity(fix)),
  pipelines: harmless((engine) => engine.pipelines()),
  runPipeline: harmless((engine) => engine.runPipeline({ pipeline: 'p', file: '/x.csv' }, () => {}, signal)),
  removePipeline: harmless((engine) => engine.removePipeline('p')),
  rejected: harmless((engine) => engine.rejected()),
  dataStatus: harmless((engine) => engine.dataStatus()),
  checkData: harmless((engine) => engine.checkData('quick', () => {}, signal)),
  backUpData: harmless((engine) => engine.backUpData(undefined, () => {}, signal)),
  inspectBackup: harmless((engine) => engine.inspectBackup('/x.db', () => {}, signal)),
  restoreData: harmless((engine) => engine.restoreData('/x.db', () => {}, signal)),
  compactData: harmless((engine) => engine.compactData(() => {}, signal)),
  attachCommand: harmless((engine) => engine.attachCommand(id)),
  attachedClients: harmless((engine) => engine.attachedClients()),
  mirror: harmless((engine) => engine.mirror(id, { onData: () => {}, onSize: () => {}, onEnd: () => {} })),
  takeOver: harmless((engine) => engine.takeOver()),
  acceptStoreLoss: harmless((engine) => engine.acceptStoreLoss()),
  validationSchema: harmless((engine) => engine.validationSchema('agent')),
  diagnose: harmless((engine) => engine.diagnose()),
};

describe('S1 trust gate', () => {
  for (const [name, member] of Object.entries(MEMBERS)) {
    if (member?.isRefused !== true) continue;
    const { call } = member;
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

  it('S1 everything else goes through without trust', async () => {
    for (const [name, member] of Object.entries(MEMBERS)) {
      if (!member || member.isRefused) continue;
      const engine = new FakeEngine();
      engine.simulateAgent(anAgentView({ id, request }));
      await assert.doesNotReject(async () => member.call(gateByTrust(engine, () => false)), name);
    }
  });

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

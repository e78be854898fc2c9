import type { GatewayMethod } from '../../src/shared/gatewayMethods';
import { aSpec } from './builders';

const hash = '0'.repeat(64);
const requestId = '01JGFJJZ0000000000000000R1';

/** For each method, parameters that it takes, about `agentId` where it is about one. */
export function rightParams(agentId: string): Readonly<Record<GatewayMethod, Readonly<Record<string, unknown>>>> {
  const one = { agentId };
  return {
    ping: {},
    'hook.report': { event: 'Stop', payload: { a: 1 }, sentAtMs: 1 },
    'self.status': {},
    'engine.status': {},
    'engine.diagnose': {},
    'engine.notices': {},
    'engine.acceptStoreLoss': {},
    'agent.list': {},
    'agent.types': {},
    'agent.get': one,
    'agent.start': { spec: aSpec({ name: 'Newcomer' }) },
    'agent.startExisting': one,
    'agent.resume': one,
    'agent.stop': one,
    'agent.restart': one,
    'agent.pause': one,
    'agent.unpause': one,
    'agent.release': one,
    'agent.rename': { ...one, name: 'Other' },
    'agent.remove': one,
    'agent.prompt': { ...one, text: 'hello' },
    'agent.receipts': one,
    'agent.cancelPrompt': { receiptId: 'receipt-1' },
    'agent.settleDelivery': { receiptId: 'receipt-1', outcome: 'lost' },
    'agent.resendPrompt': { receiptId: 'receipt-1' },
    'agent.approve': { ...one, requestId },
    'agent.deny': { ...one, requestId, reason: 'no' },
    'agent.explain': one,
    'agent.screen': one,
    'agent.history': { ...one, limit: 5 },
    'agent.attachCommand': one,
    'fleet.plan': { text: '{"agents":[]}', fileName: '/project/.vscode/agents.json' },
    'fleet.approve': { hashes: [hash] },
    'fleet.start': {
      plan: {
        agents: [{ spec: aSpec(), hash, isApproved: true, approvalText: 'sh' }],
        problems: [],
      },
    },
    'fleet.stopAll': {},
    'fleet.resume': {},
    'data.export': { file: '/project/export.json', format: 'json' },
    'data.import': { file: '/project/export.json', apply: hash },
    'data.search': { query: 'needle', kinds: ['prompt'], limit: 5, before: 9 },
    'data.status': {},
    'data.pipelines': {},
    'data.pipeline': { pipeline: 'p', file: '/tmp/out.ndjson' },
    'data.removePipeline': { name: 'p' },
    'data.rejected': { name: 'p' },
    'data.integrity': {},
    'data.fix': { kind: 'reconcile' },
    'data.check': { depth: 'full' },
    'data.backup': { file: '/project/copy.db' },
    'data.restore': { backup: '/project/copy.db' },
    'data.compact': {},
    'doctor.run': { typeId: 'demo' },
    watch: {},
  };
}

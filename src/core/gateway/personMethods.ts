import type { AgentId } from '../agents/agent';
import { AgentError } from '../agents/agentErrors';
import { MAX_NAME_LENGTH, requireAgentSpec } from '../agents/agentSpec';
import type { PromptReceipt, SendPromptOptions } from '../agents/delivery/promptDelivery';
import { GATEWAY_LIMITS } from '../../shared/gatewayProtocol';
import type { FleetResult } from '../engine';
import { requireFleetPlan, wireOfResult, wireOfStep } from './fleetWire';
import { listedViews } from './listedViews';
import { forPerson, type Method, type PersonCall } from './methodTable';
import { agentId, anything, flag, integer, limit, listOf, oneOf, optional, text, thingId } from './params';
import { watch } from './watch';

const nothing = {};
const oneAgent = { agentId };
const oneReceipt = { receiptId: thingId };
const whenBlocked = optional(oneOf('refuse', 'queue'));
const prompt = text({ minLength: 0, maxLength: GATEWAY_LIMITS.bodyBytes });
/** Of a window that follows; whoever does not say is `orc`, or speaks its language. */
const via = optional(oneOf('window', 'notification'));
const path = text({ maxLength: 4096, pattern: /^(\/|[A-Za-z]:[\\/])/, expected: 'must be an absolute path' });
const hash = text({ maxLength: 64, pattern: /^[0-9a-f]{64}$/, expected: 'is no hash' });

/** What a person's own callers may do: everything that a window can. */
export const personMethods = {
  'engine.status': forPerson(nothing, (_, { engine, version, workspace }) => ({
    status: engine.status,
    version,
    workspace,
  })),
  'engine.diagnose': forPerson(nothing, (_, { engine }) => engine.diagnose()),
  'engine.notices': forPerson(nothing, (_, { engine }) => engine.notices),
  'engine.acceptStoreLoss': forPerson(nothing, (_, { engine }) => engine.acceptStoreLoss()),

  'agent.list': forPerson(nothing, (_, { engine }) => listedViews(engine.agents)),
  'agent.types': forPerson(nothing, (_, { engine }) => engine.agentTypes),
  'agent.get': forPerson(oneAgent, ({ agentId }, { engine }) => {
    const view = engine.agent(agentId);
    if (!view) throw new AgentError('agent.notFound', `there is no agent ${agentId}`, { agentId });
    return view;
  }),
  'agent.start': forPerson({ spec: anything }, async ({ spec }, { engine, signal }) => ({
    agentId: await engine.startAgent(requireAgentSpec(spec), signal),
  })),
  'agent.startExisting': onAgent((id, { engine, signal }) => engine.startExisting(id, signal)),
  'agent.resume': onAgent((id, { engine, signal }) => engine.resumeSession(id, signal)),
  'agent.stop': onAgent((id, { engine, signal }) => engine.stopAgent(id, signal)),
  'agent.restart': onAgent((id, { engine, signal }) => engine.restartAgent(id, signal)),
  'agent.pause': onAgent((id, { engine }) => engine.pauseAgent(id)),
  'agent.unpause': onAgent((id, { engine }) => engine.resumeAgent(id)),
  'agent.release': onAgent((id, { engine }) => engine.releaseQuarantine(id)),
  'agent.rename': forPerson({ agentId, name: text({ maxLength: MAX_NAME_LENGTH }) }, ({ agentId, name }, { engine }) =>
    engine.renameAgent(agentId, name),
  ),
  'agent.remove': onAgent((id, { engine, signal }) => engine.removeAgent(id, signal)),

  'agent.prompt': forPerson(
    { agentId, text: prompt, whenBlocked, wait: optional(flag) },
    ({ agentId, text, whenBlocked, wait = true }, call) => {
      const options = promptOptions(whenBlocked);
      if (wait) return call.engine.sendPrompt(agentId, text, { ...options, signal: call.signal });
      return firstReceipt(agentId, call, (onBegin) => call.engine.sendPrompt(agentId, text, { ...options, onBegin }));
    },
  ),
  'agent.receipts': forPerson({ agentId, limit }, ({ agentId, limit }, { engine }) => engine.receipts(agentId, limit)),
  'agent.cancelPrompt': forPerson(oneReceipt, ({ receiptId }, { engine }) => engine.cancelPrompt(receiptId)),
  'agent.settleDelivery': forPerson(
    { ...oneReceipt, outcome: oneOf('arrived', 'lost') },
    ({ receiptId, outcome }, { engine }) => engine.settleDelivery(receiptId, outcome),
  ),
  'agent.resendPrompt': forPerson({ ...oneReceipt, whenBlocked }, ({ receiptId, whenBlocked }, { engine, signal }) =>
    engine.resendPrompt(receiptId, { ...promptOptions(whenBlocked), signal }),
  ),
  'agent.approve': forPerson({ agentId, requestId: thingId, via }, ({ agentId, requestId, via }, { engine }) =>
    engine.answerRequest(agentId, requestId, { kind: 'allow' }, via ?? 'orc'),
  ),
  'agent.deny': forPerson(
    { agentId, requestId: thingId, reason: optional(text({ maxLength: 4096 })), via },
    ({ agentId, requestId, reason, via }, { engine }) =>
      engine.answerRequest(agentId, requestId, { kind: 'deny', ...(reason !== undefined && { reason }) }, via ?? 'orc'),
  ),
  'agent.explain': onAgent((id, { engine }) => engine.explain(id)),
  'agent.screen': onAgent(async (id, { engine }) => ({ text: await engine.screen(id) })),
  'agent.history': forPerson({ agentId, limit }, ({ agentId, limit }, { engine }) => engine.history(agentId, limit)),
  'agent.attachCommand': onAgent((id, { engine }) => engine.attachCommand(id)),

  'fleet.plan': forPerson(
    { text: text({ minLength: 0, maxLength: GATEWAY_LIMITS.frameBytes }), fileName: path },
    ({ text, fileName }, { engine }) => engine.planFleet(text, fileName),
    { hasLargeTexts: true },
  ),
  'fleet.approve': forPerson({ hashes: listOf(hash, 200) }, ({ hashes }, { engine }) => engine.approveFleet(hashes)),
  'fleet.start': forPerson(
    { plan: anything },
    async ({ plan }, call) => settled(call.engine.startFleet(requireFleetPlan(plan), steps(call), call.signal)),
    { hasLargeTexts: true },
  ),
  'fleet.stopAll': forPerson(nothing, (_, call) => settled(call.engine.stopAll(steps(call), call.signal))),
  'fleet.resume': forPerson(nothing, (_, call) => settled(call.engine.resumeFleet(steps(call), call.signal))),

  'data.export': forPerson(
    {
      file: path,
      format: oneOf('json', 'ndjson', 'csv', 'markdown', 'sqlite'),
      withSecrets: optional(flag),
      overwrite: optional(flag),
    },
    ({ file, format, withSecrets = false, overwrite = false }, call) =>
      call.engine.exportData({ file, format, withSecrets, overwrite }, steps(call), call.signal),
  ),
  'data.import': forPerson(
    {
      file: path,
      replace: optional(flag),
      apply: optional(hash),
      skipInvalid: optional(flag),
      acceptChanged: optional(flag),
    },
    ({ file, replace = false, apply, skipInvalid = false, acceptChanged = false }, call) =>
      call.engine.importData(
        { file, replace, skipInvalid, acceptChanged, ...(apply !== undefined && { apply }) },
        steps(call),
        call.signal,
      ),
  ),
  'data.search': forPerson(
    {
      query: text({ minLength: 0, maxLength: 1_000 }),
      kinds: optional(listOf(oneOf('prompt', 'agent', 'approval', 'history'), 4)),
      limit,
      before: optional(integer(0, Number.MAX_SAFE_INTEGER)),
    },
    ({ query, kinds, limit, before }, { engine }) =>
      engine.searchRecords({
        query,
        ...(kinds && { kinds }),
        ...(limit !== undefined && { limit }),
        ...(before !== undefined && { before }),
      }),
  ),
  'data.status': forPerson(nothing, (_, { engine }) => engine.dataStatus()),
  'data.pipelines': forPerson(nothing, (_, { engine }) => engine.pipelines()),
  'data.pipeline': forPerson(
    { pipeline: anything, file: path, overwrite: optional(flag) },
    ({ pipeline, file, overwrite = false }, call) =>
      call.engine.runPipeline({ pipeline, file, overwrite }, steps(call), call.signal),
  ),
  'data.removePipeline': forPerson({ name: text({ minLength: 1, maxLength: 100 }) }, ({ name }, { engine }) =>
    engine.removePipeline(name),
  ),
  'data.rejected': forPerson({ name: optional(text({ maxLength: 100 })), limit }, ({ name, limit }, { engine }) =>
    engine.rejected(name, limit),
  ),
  'data.integrity': forPerson(nothing, (_, call) => call.engine.checkIntegrity(steps(call), call.signal)),
  'data.fix': forPerson(
    {
      kind: oneOf('deleteRecord', 'reconcile'),
      recordKind: optional(text({ minLength: 1, maxLength: 64 })),
      id: optional(text({ minLength: 1, maxLength: 200 })),
      version: optional(integer(1, Number.MAX_SAFE_INTEGER)),
    },
    ({ kind, recordKind = '', id = '', version }, { engine }) =>
      engine.fixIntegrity(
        kind === 'reconcile'
          ? { kind, label: '' }
          : { kind, label: '', recordKind, id, ...(version !== undefined && { version }) },
      ),
  ),
  'data.check': forPerson({ depth: optional(oneOf('quick', 'full')) }, ({ depth = 'full' }, call) =>
    call.engine.checkData(depth, steps(call), call.signal),
  ),
  'data.backup': forPerson({ file: optional(path) }, ({ file }, call) =>
    call.engine.backUpData(file, steps(call), call.signal),
  ),
  'data.restore': forPerson({ backup: path }, ({ backup }, call) =>
    call.engine.restoreData(backup, steps(call), call.signal),
  ),
  'data.compact': forPerson(nothing, (_, call) => call.engine.compactData(steps(call), call.signal)),
  'doctor.run': forPerson(
    { typeId: text({ maxLength: 41, pattern: /^[a-z0-9][a-z0-9-]*$/, expected: 'is no agent type' }) },
    ({ typeId }, { engine, signal }) => engine.doctor(typeId, signal),
  ),
  watch: forPerson(nothing, (_, call) => watch(call)),
};

function onAgent(handle: (id: AgentId, call: PersonCall) => unknown): Method {
  return forPerson(oneAgent, ({ agentId }, call) => handle(agentId, call));
}

function promptOptions(whenBlocked: 'refuse' | 'queue' | undefined): SendPromptOptions {
  return whenBlocked === undefined ? {} : { whenBlocked };
}

function steps(call: PersonCall): Parameters<PersonCall['engine']['stopAll']>[0] {
  return (step) => call.progress({ ...wireOfStep(step) });
}

async function settled(work: Promise<FleetResult>): Promise<unknown> {
  return wireOfResult(await work);
}

/**
 * The first receipt of the delivery that `send` begins, or its end when that comes first. The delivery goes on when the
 * caller is gone; how it ends is in the receipts.
 */
function firstReceipt(
  agentId: AgentId,
  { engine, log }: PersonCall,
  send: (onBegin: (receiptId: string) => void) => Promise<PromptReceipt>,
): Promise<PromptReceipt> {
  return new Promise((resolve, reject) => {
    let mine: string | undefined;
    const listening = engine.onDidChangeReceipt((receipt) => receipt.id === mine && resolve(receipt));
    send((receiptId) => (mine = receiptId)).then(
      (receipt) => {
        listening.dispose();
        resolve(receipt);
      },
      (error: unknown) => {
        listening.dispose();
        log.debug('a prompt that nobody waits for did not arrive', { agent: agentId, error });
        reject(error as Error); // of no effect once the receipt was answered
      },
    );
  });
}

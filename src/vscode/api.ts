import * as vscode from 'vscode';
import { type AgentId, type AgentSpec, isAgentId } from '../core/agents/agent';
import type { PromptReceipt } from '../core/agents/delivery/promptDelivery';
import type { OutsideTransformation } from '../core/data/processing/outsideStep';
import type { AgentView, Engine } from '../core/engine';
import type { OutsideKind, OutsideRule, OutsideSchema } from '../core/outsideData';
import { toVscodeEvent } from './events';
import { namingAgent } from './failedStart';
import { WindowError } from './windowErrors';

/** An agent for other extensions: a copy that nothing of ours hangs on. */
type AgentSnapshot = ReturnType<typeof snapshot>;

/** A delivery for other extensions. */
type ReceiptSnapshot = ReturnType<typeof receiptSnapshot>;

interface AgentChangeEvent {
  readonly id: string;
  readonly agent: AgentSnapshot | undefined;
}

export type Api = ReturnType<typeof createApi>;
type ApiV1 = ReturnType<typeof createV1>;

/**
 * What other extensions get; described for them in `core-orchestrator.d.ts` (test/unit/vscode/apiTypings.test.ts compares). Reading is open to all; what acts needs the setting `coreOrchestrator.api.allowWrite`,
 * because VS Code does not tell who calls (S22). Values that go out are copies. What agents ask can be read, but not answered here, whatever
 * the setting says: an approval is a person's, after the complete request was shown (S24).
 */
export function createApi(engine: Engine, isWriteAllowed: () => boolean) {
  const versions: Readonly<Record<number, ApiV1>> = { 1: createV1(engine, isWriteAllowed) };
  return {
    getAPI: (version: 1): ApiV1 => {
      const api = Object.hasOwn(versions, version) ? versions[version] : undefined;
      if (!api) throw new WindowError('api.unknownVersion', String(version));
      return api;
    },
  };
}

function createV1(engine: Engine, isWriteAllowed: () => boolean) {
  const demandWrite = (): void => {
    if (!isWriteAllowed())
      throw new WindowError('api.writeNotAllowed', 'the setting coreOrchestrator.api.allowWrite is off');
  };
  const act = async <T>(work: () => Promise<T>): Promise<T> => {
    demandWrite();
    return work();
  };
  const changes = (listener: (event: AgentChangeEvent) => void): { dispose(): void } =>
    engine.onDidChangeAgent(({ id, view }) => listener(Object.freeze({ id, agent: view && snapshot(view) })));
  const receiptChanges = (listener: (receipt: ReceiptSnapshot) => void): { dispose(): void } =>
    engine.onDidChangeReceipt((receipt) => listener(receiptSnapshot(receipt)));
  return Object.freeze({
    agents: Object.freeze({
      list: (): readonly AgentSnapshot[] => engine.agents.map(snapshot),
      get: (id: string): AgentSnapshot | undefined => {
        const view = engine.agent(id);
        return view && snapshot(view);
      },
      onDidChange: toVscodeEvent(changes),
      start: (request: AgentSpec): Promise<string> => act(() => namingAgent(engine.startAgent(specOf(request)))),
      stop: (id: string) => act(() => engine.stopAgent(known(id))),
      restart: (id: string) => act(() => engine.restartAgent(known(id))),
      remove: (id: string) => act(() => engine.removeAgent(known(id))),
      sendPrompt: (id: string, text: string, options?: { readonly whenBlocked?: 'refuse' | 'queue' }) =>
        act(async () => receiptSnapshot(await engine.sendPrompt(known(id), String(text), sendOptions(options)))),
      cancelPrompt: (receiptId: string) => act(() => engine.cancelPrompt(String(receiptId))),
      receipts: async (id: string): Promise<readonly ReceiptSnapshot[]> =>
        (await engine.receipts(known(id))).map(receiptSnapshot),
      onDidChangeReceipt: toVscodeEvent(receiptChanges),
    }),
    registerAgentType: (manifest: unknown) => {
      demandWrite();
      const registration = engine.registerAgentType(manifest);
      return new vscode.Disposable(() => registration.dispose());
    },
    registerValidationRule: (extensionId: string, rule: GivenRule) => {
      demandWrite();
      const registration = engine.registerValidationRule(ruleOf(ownName(extensionId, rule), rule));
      return new vscode.Disposable(() => registration.dispose());
    },
    exportValidationSchema: (kind: OutsideKind) => structuredClone(engine.validationSchema(kind)),
    registerTransformation: (extensionId: string, transformation: GivenTransformation) => {
      demandWrite();
      const name = ownName(extensionId, transformation);
      const registration = engine.registerTransformation({
        name,
        description: transformation.description,
        apply: (record, parameters) => transformation.apply(record, parameters),
      });
      return new vscode.Disposable(() => registration.dispose());
    },
  });
}

type GivenRule = Omit<OutsideRule, 'validate'> & {
  readonly schema?: unknown;
  readonly validate?: (value: unknown) => readonly {
    readonly path?: string;
    readonly code?: string;
    readonly message: string;
    readonly severity?: 'error' | 'warning';
  }[];
};
type GivenTransformation = OutsideTransformation;

/**
 * `publisher.extension/name`, of an extension that is installed: VS Code does not tell who calls, so that this keeps names apart
 * and says where a rule comes from, and proves nothing.
 */
function ownName(extensionId: unknown, given: unknown): string {
  const name: unknown = typeof given === 'object' && given !== null && 'name' in given ? given.name : undefined;
  if (typeof extensionId !== 'string' || !vscode.extensions.getExtension(extensionId))
    throw new WindowError('api.unknownExtension', 'the first argument is the id of the extension that calls');
  if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(name))
    throw new WindowError('api.invalidName', 'a name has a letter, then letters and digits');
  return `${extensionId.toLowerCase()}/${name}`;
}

function ruleOf(name: string, rule: GivenRule): OutsideRule | OutsideSchema {
  const { kind, description, severity, schema, validate } = rule;
  const common = { name, kind, description, ...(severity && { severity }) };
  // The engine refuses one that has both, or neither.
  if (schema !== undefined) return { ...common, schema, ...(validate && { validate }) };
  return { ...common, ...(validate && { validate: (value: unknown) => validate.call(rule, value) }) } as OutsideRule;
}

function known(id: string): AgentId {
  if (typeof id !== 'string' || !isAgentId(id)) throw new WindowError('window.unknownAgent', 'this is not an agent id');
  return id;
}

/** Anything but a plain `queue` refuses. */
function sendOptions(options: unknown): { readonly whenBlocked: 'refuse' | 'queue' } {
  const isQueued =
    typeof options === 'object' && options !== null && 'whenBlocked' in options && options.whenBlocked === 'queue';
  return { whenBlocked: isQueued ? 'queue' : 'refuse' };
}

/** Only the fields we know, so that a caller cannot slip in others; the engine checks their values. */
function specOf({
  name,
  typeId,
  folder,
  role,
  team,
  firstPrompt,
  args,
  env,
  command,
  restartPolicy,
}: AgentSpec): AgentSpec {
  return {
    name,
    typeId,
    folder,
    ...(role === undefined ? {} : { role }),
    ...(team === undefined ? {} : { team }),
    ...(firstPrompt === undefined ? {} : { firstPrompt }),
    ...(args === undefined ? {} : { args: [...args] }),
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(command === undefined ? {} : { command: [...command] }),
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
  };
}

function snapshot(view: AgentView) {
  return Object.freeze({
    id: view.id,
    name: view.name,
    typeId: view.typeId,
    folder: view.folder,
    role: view.role,
    team: view.team,
    lifecycle: view.lifecycle,
    activity: view.activity,
    needsYou: view.needsYou,
    sinceMs: view.sinceMs,
    exit: view.exit && Object.freeze({ ...view.exit }),
    request: view.request && requestSnapshot(view.request),
    lastReceipt: view.lastReceipt && receiptSnapshot(view.lastReceipt),
    queuedPromptCount: view.queuedPromptCount,
    isResumable: view.isResumable,
    conditions: Object.freeze(view.conditions.map((condition) => Object.freeze({ ...condition }))),
    degraded: Object.freeze([...view.degraded]),
    usage: view.usage && Object.freeze({ ...view.usage }),
    isManagedElsewhere: view.isManagedElsewhere,
  });
}

/** What it is about; the complete request is for the person who answers it. */
function requestSnapshot({ id, kind, tool, title, askedAtMs }: NonNullable<AgentView['request']>) {
  return Object.freeze({ id, kind, tool, title, askedAtMs });
}

function receiptSnapshot(receipt: PromptReceipt) {
  return Object.freeze({
    id: receipt.id,
    agentId: String(receipt.agentId),
    state: receipt.state,
    evidence: receipt.evidence,
    reason: receipt.reason,
    detail: receipt.detail,
    changes: Object.freeze(receipt.changes.map((change) => Object.freeze({ ...change }))),
    excerpt: receipt.excerpt,
    resentAs: receipt.resentAs,
    createdAtMs: receipt.createdAtMs,
    stateAtMs: receipt.stateAtMs,
  });
}

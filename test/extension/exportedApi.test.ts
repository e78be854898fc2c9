import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type {
  AgentSnapshot,
  CoreOrchestratorApiV1,
  PromptReceipt,
  SendPromptOptions,
  StartAgentRequest,
} from '../../core-orchestrator';
import type { AgentId } from '../../src/core/agents/agent';
import { COMMAND_CONSENT } from '../../src/vscode/commands/consentGate';
import { CommandId, SettingKey } from '../../src/vscode/manifest';
import type { TestAccess } from '../../src/vscode/extension';
import { eventually } from '../support/eventually';
import { notRun } from '../support/notRun';
import { readyExtension, removeAll, startDemo } from './support/access';

interface Outcome<T = unknown> {
  readonly result?: T;
  readonly code?: string;
}

/** `fixtures/api-user`: another extension, which calls ours. */
interface ApiUser {
  version(number: number): Promise<Outcome>;
  list(): Promise<Outcome<readonly AgentSnapshot[]>>;
  get(id: string): Promise<Outcome<AgentSnapshot>>;
  tamper(): Promise<Outcome<boolean>>;
  start(request: StartAgentRequest): Promise<Outcome<string>>;
  stop(id: string): Promise<Outcome>;
  restart(id: string): Promise<Outcome>;
  remove(id: string): Promise<Outcome>;
  sendPrompt(id: string, text: string, options?: SendPromptOptions): Promise<Outcome<PromptReceipt>>;
  cancelPrompt(receiptId: string): Promise<Outcome>;
  receipts(id: string): Promise<Outcome<readonly PromptReceipt[]>>;
  names(): readonly string[];
  topNames(): readonly string[];
  watchReceipts(listener: (receipt: PromptReceipt) => void): vscode.Disposable;
  registerAgentType(manifest: unknown): Promise<Outcome<string>>;
  registerValidationRule(): Promise<Outcome<string>>;
  registerTransformation(): Promise<Outcome<string>>;
  watch(listener: (event: { readonly id: string }) => void): vscode.Disposable;
}

const aType = {
  id: 'from-api',
  label: 'From API',
  icon: 'robot',
  command: ['/bin/cat'],
  readiness: { when: 'alive', afterMs: 100 },
  screenRules: [],
  prompt: { canPaste: true },
  quit: [],
};

describe('S22 the exported API, called by a second extension', () => {
  let access: TestAccess;
  let user: ApiUser;
  let folder: string;

  before(async function () {
    access = await readyExtension();
    const extension = vscode.extensions.getExtension<ApiUser>('core-orchestrator-tests.api-user');
    if (!extension) return notRun(this, 'the second extension (test/extension/fixtures/api-user) is not loaded');
    user = await extension.activate();
    folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '/';
  });

  afterEach(async () => {
    await allowWrite(undefined);
    await removeAll(access);
  });

  const allowWrite = (value: boolean | undefined): Thenable<void> =>
    vscode.workspace
      .getConfiguration('coreOrchestrator')
      .update(SettingKey.AllowWrite, value, vscode.ConfigurationTarget.Global);

  /** Each acting call, by its name. */
  const acts = (id: string): Readonly<Record<string, () => Promise<Outcome>>> => ({
    sendPrompt: () => user.sendPrompt(id, 'hello', { whenBlocked: 'queue' }),
    cancelPrompt: () => user.cancelPrompt('01JGFJJZ000000000000000001'),
    restart: () => user.restart(id),
    stop: () => user.stop(id),
    registerAgentType: () => user.registerAgentType(aType),
    registerValidationRule: () => user.registerValidationRule(),
    registerTransformation: () => user.registerTransformation(),
    start: () => user.start({ name: 'From API', typeId: 'demo', folder }),
    remove: () => user.remove(id),
  });

  it('S22 has a test for everything it offers, and no way to answer what an agent asks', () => {
    const reading = ['list', 'get', 'receipts', 'onDidChange', 'onDidChangeReceipt'];
    const acting = Object.keys(acts('x')).filter((name) => !name.startsWith('register'));
    assert.deepEqual([...user.names()].sort(), [...reading, ...acting].sort());
    assert.equal(
      user.names().some((name) => /approve|allow|deny|answer/i.test(name)),
      false,
    );
  });

  it('S22 offers at run time what the typings name, and nothing else', () => {
    // Does not compile when the typings name more or less.
    const agents: Record<keyof CoreOrchestratorApiV1['agents'], true> = {
      ...{ list: true, get: true, onDidChange: true, start: true, stop: true, restart: true, remove: true },
      ...{ sendPrompt: true, cancelPrompt: true, receipts: true, onDidChangeReceipt: true },
    };
    const top: Record<keyof CoreOrchestratorApiV1, true> = {
      ...{ agents: true, registerAgentType: true, registerValidationRule: true, registerTransformation: true },
      exportValidationSchema: true,
    };
    assert.deepEqual([...user.names()].sort(), Object.keys(agents).sort());
    assert.deepEqual([...user.topNames()].sort(), Object.keys(top).sort());
  });

  it('S22 follows a prompt by its receipts', async () => {
    const id = await startDemo(access, 'Follow Me');
    const states: string[] = [];
    const subscription = user.watchReceipts(({ state }) => states.push(state));
    await access.engine.sendPrompt(id, 'say hello');
    subscription.dispose();
    assert.deepEqual([states.includes('typing'), states.at(-1)], [true, 'acknowledged'], states.join(' '));
    const receipts = (await user.receipts(id)).result ?? [];
    assert.deepEqual(
      receipts.map(({ state, excerpt }) => [state, excerpt]),
      [['acknowledged', 'say hello']],
    );
    assert.equal('text' in (receipts[0] ?? {}), false, 'the text itself does not go out');
    assert.equal((await user.get(id)).result?.lastReceipt?.state, 'acknowledged');
  });

  it('S22 reads without being asked: list, get, changes', async () => {
    const changed: string[] = [];
    const subscription = user.watch(({ id }) => changed.push(id));
    const id = await startDemo(access, 'Read Me');
    assert.deepEqual(
      (await user.list()).result?.map(({ name }) => name),
      ['Read Me'],
    );
    assert.equal((await user.get(id)).result?.lifecycle, 'running');
    await eventually('a change was told', () => changed.includes(id));
    subscription.dispose();
    assert.equal((await user.tamper()).result, true, 'what goes out is frozen');
  });

  it('S22 refuses every acting call without the setting, and nothing happens', async () => {
    const id = await startDemo(access, 'Leave Me');
    for (const [name, act] of Object.entries(acts(id)))
      assert.deepEqual(await act(), { code: 'api.writeNotAllowed' }, name);
    assert.deepEqual(
      access.engine.agents.map((agent) => [agent.id, agent.lifecycle, agent.generation]),
      [[id, 'running', 1]],
    );
  });

  it('S22 runs no acting command with what it gives, before the person agrees', async () => {
    const id = await startDemo(access, 'Command Me');
    const ids = Object.entries(COMMAND_CONSENT).flatMap(([command, consent]) =>
      ['acts', 'answers', 'prompts'].includes(consent) ? [command] : [],
    );
    assert.ok(ids.length > 10);
    for (const command of ids) await vscode.commands.executeCommand(command, id, undefined, 'hello'); // dialogs are not shown in tests: nobody agrees
    const view = access.engine.agent(id as AgentId);
    assert.deepEqual([view?.lifecycle, view?.generation, view?.lastReceipt], ['running', 1, undefined]);
    await vscode.commands.executeCommand(CommandId.Doctor, 'demo');
    assert.deepEqual(access.engine.agents.map(({ name }) => name), ['Command Me']); // prettier-ignore
  });

  it('S22 allows every acting call with the setting', async () => {
    const id = await startDemo(access, 'Act on Me');
    await allowWrite(true);
    for (const [name, act] of Object.entries(acts(id))) {
      const outcome = await eventually(name, async () => {
        const result = await act();
        return result.code === 'api.writeNotAllowed' || result.code === 'agent.notRunning' ? undefined : result; // the setting arrives, the restart comes up
      }, { timeoutMs: 15_000, everyMs: 100 }); // prettier-ignore
      // There is no such prompt, which only the engine can know: the call was let through.
      if (name === 'cancelPrompt') assert.match(outcome.code ?? '', /^agent\./);
      else assert.equal(outcome.code, undefined, `${name}: ${outcome.code}`);
      if (name === 'registerValidationRule') assert.equal(outcome.result, 'refused');
    }
    assert.equal(access.engine.agent(id as AgentId), undefined);
    assert.deepEqual(
      access.engine.agents.map(({ name }) => name),
      ['From API'],
    );
  });

  it('S22 answers a wrong version and a wrong id with a code', async () => {
    assert.deepEqual(await user.version(1), { result: 'there' });
    assert.deepEqual(await user.version(2), { code: 'api.unknownVersion' });
    await allowWrite(true);
    const outcome = await eventually('allowed', async () => {
      const result = await user.stop('=x:1.0; kill-server');
      return result.code === 'api.writeNotAllowed' ? undefined : result;
    });
    assert.deepEqual(outcome, { code: 'window.unknownAgent' });
  });
});

import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { AgentId } from '../../src/core/agents/agent';
import { AGENTS_VIEW_ID, CommandId, PROMPT_LANGUAGE_ID, SettingKey } from '../../src/vscode/manifest';
import type { TestAccess } from '../../src/vscode/extension';
import { eventually } from '../support/eventually';
import { becomes, readyExtension, removeAll, startDemo } from './support/access';
import { renderedReport } from './support/reports';

describe('prompts and requests in the window', () => {
  let access: TestAccess;
  const node = (id: AgentId) => access.window.view.tree.agentNode(id);
  const row = (id: AgentId): string => String(access.window.view.tree.getTreeItem(node(id)).description);
  const shown = (): string => vscode.window.activeTextEditor?.document.getText() ?? '';

  before(async () => {
    access = await readyExtension();
    await vscode.commands.executeCommand(`${AGENTS_VIEW_ID}.focus`);
  });

  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await removeAll(access);
  });

  it('shows in the row that a prompt arrived, and in the tooltip by what', async () => {
    const id = await startDemo(access, 'Receiver');
    await vscode.commands.executeCommand(CommandId.SendPrompt, node(id), undefined, 'say hello');
    assert.match(row(id), / · acknowledged by (hook|screen)/);
    const item = access.window.view.tree.resolveTreeItem(new vscode.TreeItem(''), node(id));
    assert.match((item.tooltip as vscode.MarkdownString).value, /acknowledged/); // set by resolveTreeItem
  });

  it('keeps a prompt for an agent that asks something, and takes it back', async () => {
    const id = await startDemo(access, 'Asker');
    await vscode.commands.executeCommand(CommandId.SendPrompt, node(id), undefined, 'ask');
    await becomes(access, id, ({ activity }) => activity === 'awaiting_input');
    await vscode.commands.executeCommand(CommandId.QueuePrompt, node(id), undefined, 'say later');
    await eventually('it is queued', () => access.engine.agent(id)?.queuedPromptCount === 1);
    assert.match(row(id), / · 1 queued/);
    await vscode.commands.executeCommand(CommandId.CancelQueuedPrompt, node(id));
    await eventually('it is taken back', () => access.engine.agent(id)?.queuedPromptCount === 0);
    assert.equal(access.engine.agent(id)?.activity, 'awaiting_input', 'nothing was typed');
  });

  it('sends what was written in an editor, several lines as one prompt, and closes it', async () => {
    const id = await startDemo(access, 'Reader');
    await vscode.commands.executeCommand(CommandId.WritePrompt, node(id));
    const editor = await eventually('the editor', () => vscode.window.activeTextEditor);
    assert.equal(editor.document.languageId, PROMPT_LANGUAGE_ID);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'say one\ntwo'));
    await vscode.commands.executeCommand(CommandId.SendWrittenPrompt);
    await eventually('it is closed', () => vscode.window.activeTextEditor?.document !== editor.document);
    const [receipt] = await access.engine.receipts(id);
    assert.equal(receipt?.state, 'acknowledged');
    assert.equal((await access.engine.receipts(id)).length, 1);
  });

  it('S24 allows a request that was shown, and no other', async () => {
    const id = await startDemo(access, 'Careful', 'approve');
    const { request } = await becomes(access, id, (view) => view.request?.canAllow === true);
    assert.match(row(id), /^needs approval.* · rm -r build/);
    assert.match(request?.detail ?? '', /rm -r build/);
    const other = access.engine.answerRequest(id, '01JGFJJZ000000000000000001', { kind: 'allow' });
    await assert.rejects(other, (error: { code?: string }) => error.code === 'agent.requestGone');
    assert.equal(access.engine.agent(id)?.activity, 'awaiting_approval', 'nothing was answered');
    await vscode.commands.executeCommand(CommandId.DenyRequest, node(id));
    await becomes(access, id, ({ activity }) => activity === 'idle');
    assert.match(await access.engine.screen(id), /Denied/);
    assert.equal(access.engine.agent(id)?.request, undefined);
  });

  it('explains a state with its evidence, as a read-only document', async () => {
    const id = await startDemo(access, 'Explained');
    await vscode.commands.executeCommand(CommandId.ExplainState, node(id));
    assert.match(shown(), /^Why Explained is "idle"\n/);
    assert.match(shown(), /\ndecides: /);
    assert.equal(vscode.window.activeTextEditor?.document.uri.scheme, 'core-orchestrator');
  });

  it('examines the demo agent', async () => {
    const configuration = vscode.workspace.getConfiguration('coreOrchestrator');
    const allowWrite = (value?: boolean): Thenable<void> =>
      configuration.update(SettingKey.AllowWrite, value, vscode.ConfigurationTarget.Global);
    await allowWrite(true); // else the person is asked about the type that the test gives
    try {
      await vscode.commands.executeCommand(CommandId.Doctor, 'demo');
    } finally {
      await allowWrite();
    }
    const report = await renderedReport('Core Orchestrator Doctor');
    assert.match(report, /^# Core Orchestrator: Doctor\n\n## demo\n/);
    assert.doesNotMatch(report, /PROBLEM|Not checked/);
    assert.deepEqual(access.engine.agents, []);
  }).timeout(60_000);

  it('goes to the next agent that waits', async () => {
    const ids = [await startDemo(access, 'Waits One', 'ask'), await startDemo(access, 'Waits Two', 'ask')];
    for (const id of ids) await becomes(access, id, ({ needsYou }) => needsYou === 'input');
    for (const name of ['Waits One', 'Waits Two', 'Waits One']) {
      await vscode.commands.executeCommand(CommandId.GoToNextWaitingAgent);
      await eventually(`the terminal of ${name} is in front`, () => vscode.window.activeTerminal?.name === name);
    }
    for (const terminal of vscode.window.terminals) terminal.dispose();
  });
});

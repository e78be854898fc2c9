import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { CommandId } from '../../src/vscode/manifest';
import type { TestAccess } from '../../src/vscode/extension';
import { eventually } from '../support/eventually';
import { readyExtension, removeAll } from './support/access';

describe('the fleet file', () => {
  let access: TestAccess;
  let file: vscode.Uri;

  before(async () => {
    access = await readyExtension();
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder);
    file = vscode.Uri.joinPath(folder.uri, '.vscode', 'agents.json');
  });

  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.workspace.fs.delete(file, { useTrash: false });
    await removeAll(access);
  });

  const write = (content: unknown): Thenable<void> =>
    vscode.workspace.fs.writeFile(file, new TextEncoder().encode(JSON.stringify(content, undefined, 2)));

  it('shows every mistake at its place and starts nothing', async () => {
    await write({
      version: 1,
      agents: [
        { name: 'A', type: 'no-such-type' },
        { type: 'demo', colour: 'red' },
      ],
    });
    void vscode.commands.executeCommand(CommandId.StartFleet); // ends when its message is answered
    const problems = await eventually('problems', () => {
      const found = vscode.languages.getDiagnostics(file).filter(({ source }) => source === 'Core Orchestrator');
      return found.length > 0 ? found : undefined;
    });
    assert.ok(problems.length >= 2, problems.map(({ message }) => message).join('; '));
    assert.ok(problems.every(({ range }) => range.start.line > 0));
    assert.equal(access.engine.agents.length, 0);
  });

  it('starts nothing that was not approved, and what was approved without asking again', async () => {
    await write({
      version: 1,
      agents: [
        { name: 'Fleet A', type: 'demo' },
        { name: 'Fleet B', type: 'demo' },
      ],
    });
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
    const plan = await access.engine.planFleet(text, file.fsPath);
    assert.deepEqual([plan.problems, plan.agents.map(({ isApproved }) => isApproved)], [[], [false, false]]);
    const refused = access.engine.startFleet(plan, () => {}, new AbortController().signal);
    await assert.rejects(refused, (error: { code?: string }) => error.code === 'agent.notApproved');
    assert.equal(access.engine.agents.length, 0);
    await access.engine.approveFleet(plan.agents.map(({ hash }) => hash));
    await vscode.commands.executeCommand(CommandId.StartFleet);
    assert.deepEqual(access.engine.agents.map(({ name }) => name).sort(), ['Fleet A', 'Fleet B']);
  });

  it('is made from a template that can be started', async () => {
    await vscode.commands.executeCommand(CommandId.CreateFleetFile);
    const editor = await eventually('the file is open', () => vscode.window.activeTextEditor);
    assert.equal(editor.document.uri.fsPath, file.fsPath);
    const plan = await access.engine.planFleet(editor.document.getText(), file.fsPath);
    assert.deepEqual(plan.problems, []);
  });
});

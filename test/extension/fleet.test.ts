import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { CommandId } from '../../src/vscode/manifest';
import type { TestAccess } from '../../src/vscode/extension';
import { eventually } from '../support/eventually';
import { readyExtension, removeAll } from './support/access';

/** More than are started beside each other, so that some are still to come when the first ones run. */
const MANY = 16;

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
    await write({ version: 1, agents: [{ name: 'A', type: 'demo' }] }); // as git does, in no editor
    await eventually('no problem any more', () =>
      vscode.languages.getDiagnostics(file).every(({ source }) => source !== 'Core Orchestrator'),
    );
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

  /** Opens the file with this text; `|` is where the cursor stands. */
  async function openAt(text: string): Promise<readonly [vscode.TextDocument, vscode.Position]> {
    const at = text.indexOf('|');
    const content = text.replace('|', '');
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(content));
    // VS Code keeps the text of the test before for a moment.
    const document = await eventually('the text that was written', async () => {
      const opened = await vscode.workspace.openTextDocument(file);
      return opened.getText() === content ? opened : undefined;
    }, { timeoutMs: 10_000, everyMs: 50 }); // prettier-ignore
    await vscode.window.showTextDocument(document);
    return [document, document.positionAt(at)];
  }

  /** What the person is offered there, once all of `expected` are among it. */
  async function offered(text: string, expected: readonly string[]): Promise<readonly string[]> {
    const [document, position] = await openAt(text);
    return eventually(`completions ${expected.join(', ')}`, async () => {
      const list = await vscode.commands.executeCommand<vscode.CompletionList>(
        'vscode.executeCompletionItemProvider',
        document.uri,
        position,
      );
      const labels = list.items.map(({ label }) =>
        (typeof label === 'string' ? label : label.label).replaceAll('"', ''),
      );
      return expected.every((one) => labels.includes(one)) ? labels : assert.fail(labels.join());
    }, { timeoutMs: 20_000, everyMs: 200 }); // prettier-ignore
  }

  it('is completed by the editor: the fields of an agent', async () => {
    const fields = ['name', 'type', 'folder', 'role', 'team', 'firstPrompt', 'args', 'env', 'command', 'restartPolicy'];
    const labels = await offered('{\n  "agents": [\n    {\n      |\n    }\n  ]\n}\n', fields);
    assert.equal(labels.includes('agents'), false, 'only what belongs there');
  });

  it('is completed by the editor: the type of an agent and how it is restarted', async () => {
    const builtIn = access.engine.agentTypes.map(({ id }) => id);
    assert.ok(builtIn.includes('claude-code') && builtIn.includes('demo'), builtIn.join());
    await offered('{ "agents": [{ "name": "A", "type": "|" }] }', builtIn);
    await offered('{ "agents": [{ "name": "A", "type": "demo", "restartPolicy": "|" }] }', [
      'never',
      'on_failure',
      'always',
    ]);
  });

  it('is checked by the editor while it is written: a wrong field is marked at its place, comments and trailing commas are not', async () => {
    const [document, position] = await openAt(
      '{\n  // the first one\n  "agents": [{ "name": "A", "type": "demo", |"colour": "red" },],\n}',
    );
    const problems = await eventually('a problem', () => {
      const found = vscode.languages.getDiagnostics(document.uri);
      return found.length > 0 ? found : undefined;
    }, { timeoutMs: 20_000 }); // prettier-ignore
    assert.equal(problems.length, 1, problems.map(({ message }) => message).join('; '));
    assert.match(problems[0]?.message ?? '', /colour/);
    assert.ok(problems[0]?.range.contains(position), JSON.stringify(problems[0]?.range));
    assert.equal(access.engine.agents.length, 0);
  });

  it('shows how far the start is; Cancel leaves what was started and starts nothing more', async () => {
    await vscode.commands.executeCommand('notifications.clearAll');
    const names = Array.from({ length: MANY }, (_, index) => `Fleet ${index + 1}`);
    await write({ agents: names.map((name) => ({ name, type: 'demo', env: { DEMO_STARTUP_MS: '1500' } })) });
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
    const plan = await access.engine.planFleet(text, file.fsPath);
    await access.engine.approveFleet(plan.agents.map(({ hash }) => hash));
    let isDone = false;
    const started = vscode.commands.executeCommand(CommandId.StartFleet).then(() => (isDone = true));
    const running = () => access.engine.agents.filter(({ lifecycle }) => lifecycle === 'running').map(({ id }) => id);
    const first = await eventually('the first one runs', () => (running().length > 0 ? running() : undefined), {
      timeoutMs: 20_000,
      everyMs: 20,
    });
    assert.equal(isDone, false, 'it still starts the others');
    await vscode.commands.executeCommand('notification.acceptPrimaryAction'); // the only button of what goes on: Cancel
    await started;
    const left = access.engine.agents.map(({ id }) => id).sort();
    assert.ok(left.length < MANY, `${left.length} of ${MANY}: the rest is not started`);
    for (const id of first) assert.equal(access.engine.agent(id)?.lifecycle, 'running', id);
    const ranThen = running().sort();
    await new Promise((resolve) => setTimeout(resolve, 3_000)); // twice as long as one start takes: nothing comes later
    assert.deepEqual(access.engine.agents.map(({ id }) => id).sort(), left);
    for (const id of ranThen) assert.equal(access.engine.agent(id)?.lifecycle, 'running', id);
  });

  it('is made from a template that can be started', async () => {
    await vscode.commands.executeCommand(CommandId.CreateFleetFile);
    const editor = await eventually('the file is open', () => vscode.window.activeTextEditor);
    assert.equal(editor.document.uri.fsPath, file.fsPath);
    const plan = await access.engine.planFleet(editor.document.getText(), file.fsPath);
    assert.deepEqual(plan.problems, []);
  });

  it('is not written over by the template when its editor was emptied and not saved', async () => {
    const editor = await vscode.window.showTextDocument(file);
    const onDisk = async (): Promise<string> => new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
    const mine = '{ "agents": [] } // mine';
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(mine));
    await eventually('the editor shows it', () => editor.document.getText() === mine || undefined);
    const end = editor.document.positionAt(mine.length);
    await editor.edit((edit) => edit.delete(new vscode.Range(new vscode.Position(0, 0), end)));
    await vscode.commands.executeCommand(CommandId.CreateFleetFile);
    assert.deepEqual([await onDisk(), editor.document.isDirty], [mine, true]);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });
});

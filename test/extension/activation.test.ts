import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { AGENTS_VIEW_ID, CommandId } from '../../src/vscode/manifest';
import { type AgentsTree } from '../../src/vscode/agents/agentsTree';
import { eventually } from '../support/eventually';
import { readyExtension } from './support/access';
import { renderedReport } from './support/reports';

describe('activation', () => {
  it('registers every command of package.json', async () => {
    await readyExtension();
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      Object.values(CommandId).filter((id) => !registered.has(id)),
      [],
    );
  });

  it('shows an empty view without failing', async () => {
    const { window } = await readyExtension();
    await vscode.commands.executeCommand(`${AGENTS_VIEW_ID}.focus`);
    const tree: AgentsTree = window.view.tree;
    await eventually('the view asked for its rows', () => tree.getChildren().length === 0);
  });

  it('shows the set-up report, rendered', async () => {
    await readyExtension();
    await vscode.commands.executeCommand(CommandId.CheckSetup);
    const text = await renderedReport('Core Orchestrator Setup');
    assert.match(text, /^# Core Orchestrator: Setup\n/);
    assert.match(text, /- ok \| Workspace Trust: trusted/);
    assert.match(text, /tmux/);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });
});

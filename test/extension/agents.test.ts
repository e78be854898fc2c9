import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { AgentId } from '../../src/core/agents/agent';
import { AGENTS_VIEW_ID, CommandId, SettingKey } from '../../src/vscode/manifest';
import type { TestAccess } from '../../src/vscode/extension';
import { eventually } from '../support/eventually';
import { becomes, readyExtension, removeAll, startDemo } from './support/access';

describe('agents in the window', () => {
  let access: TestAccess;
  const node = (id: AgentId) => access.window.view.tree.agentNode(id);
  const terminalsOf = (name: string): readonly vscode.Terminal[] =>
    vscode.window.terminals.filter((terminal) => terminal.name === name);

  before(async () => {
    access = await readyExtension();
    await vscode.commands.executeCommand(`${AGENTS_VIEW_ID}.focus`);
  });

  afterEach(async () => {
    for (const terminal of vscode.window.terminals) terminal.dispose();
    await removeAll(access);
    await vscode.workspace
      .getConfiguration('coreOrchestrator')
      .update(SettingKey.GroupBy, undefined, vscode.ConfigurationTarget.Global);
  });

  it('starts an agent through the dialog by its defaults, shows its row, stops it', async () => {
    const started = vscode.commands.executeCommand<AgentId | undefined>(CommandId.StartAgent);
    let id: AgentId | undefined;
    let isDone = false;
    void started.then((result) => {
      id = result;
      isDone = true;
    });
    await eventually(
      'the dialog is through',
      async () => {
        if (!isDone) await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
        return isDone;
      },
      { timeoutMs: 20_000, everyMs: 200 },
    );
    assert.ok(id !== undefined);
    await becomes(access, id, ({ activity }) => activity === 'idle'); // of what is not known to rest, an end is asked about
    const item = access.window.view.tree.getTreeItem(node(id));
    assert.ok(item.id?.startsWith(`agent:${id}:`));
    assert.match(item.contextValue ?? '', /^agent running live attachable/);
    assert.match(item.accessibilityInformation?.label ?? '', /^Agent .+, \w+/);
    await vscode.commands.executeCommand(CommandId.StopAgent, node(id));
    await becomes(access, id, ({ lifecycle }) => lifecycle === 'stopped');
  });

  it('draws one row when one agent changes', async () => {
    const ids = [await startDemo(access, 'One'), await startDemo(access, 'Two'), await startDemo(access, 'Three')];
    const { tree } = access.window.view;
    await quiet(() => tree.drawnRowCount);
    const [first] = ids;
    assert.ok(first !== undefined);
    const before = tree.drawnRowCount;
    await vscode.commands.executeCommand(CommandId.PauseAgent, node(first));
    await becomes(access, first, ({ lifecycle }) => lifecycle === 'paused');
    await quiet(() => tree.drawnRowCount);
    const one = tree.drawnRowCount - before;
    assert.equal(one, 1);
    assert.match(String(tree.getTreeItem(node(first)).description), /^paused/);
    const file = process.env.CORE_DRAWN_ROWS; // bench/window.bench.ts
    if (file === undefined) return;
    const drawn = tree.drawnRowCount;
    await vscode.commands.executeCommand(CommandId.GroupByNone); // draws all anew
    await quiet(() => tree.drawnRowCount);
    writeFileSync(file, `${one} ${tree.drawnRowCount - drawn}`);
  });

  it('acts on all selected rows at once', async () => {
    const ids = [await startDemo(access, 'One'), await startDemo(access, 'Two')];
    const rows = ids.map(node);
    await vscode.commands.executeCommand(CommandId.PauseAgent, rows[0], [
      ...rows,
      access.window.view.tree.groupNode('state:1'),
    ]);
    for (const id of ids) await becomes(access, id, ({ lifecycle }) => lifecycle === 'paused');
  });

  it('groups by what the setting says, at once', async () => {
    await startDemo(access, 'One');
    const { tree } = access.window.view;
    assert.deepEqual(
      tree.getChildren().map((row) => row.kind),
      ['group'],
    );
    await vscode.commands.executeCommand(CommandId.GroupByNone);
    await eventually('a flat list', () => tree.getChildren()[0]?.kind === 'agent');
    const [row] = tree.getChildren();
    assert.equal(row && tree.getParent(row), undefined);
  });

  it('groups by what the settings file of the folder says, as soon as it is written', async () => {
    await startDemo(access, 'One');
    const { tree } = access.window.view;
    const root = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
    assert.ok(root !== undefined);
    const file = path.join(root, '.vscode', 'settings.json');
    const isNew = !existsSync(path.dirname(file));
    const kinds = (): string => tree.getChildren().map(({ kind }) => kind).join(); // prettier-ignore
    assert.equal(kinds(), 'group');
    mkdirSync(path.dirname(file), { recursive: true });
    try {
      const writtenMs = performance.now();
      writeFileSync(file, '{ "coreOrchestrator.agents.groupBy": "none" }\n');
      await eventually('a flat list', () => kinds() === 'agent', { timeoutMs: 10_000 });
      console.log(`      the file is known after ${Math.round(performance.now() - writtenMs)} ms`);
      writeFileSync(file, '{}\n');
      await eventually('groups', () => kinds() === 'group', { timeoutMs: 10_000 });
    } finally {
      rmSync(isNew ? path.dirname(file) : file, { recursive: true, force: true });
    }
  });

  it('groups by team and by folder when the setting says so', async () => {
    const root = vscode.workspace.workspaceFolders?.[0]?.uri;
    assert.ok(root);
    const sub = vscode.Uri.joinPath(root, 'app');
    await vscode.workspace.fs.createDirectory(sub);
    const start = (name: string, folder: vscode.Uri, team?: string): Promise<AgentId> =>
      access.engine.startAgent({
        name,
        typeId: 'demo',
        folder: folder.fsPath,
        ...(team === undefined ? {} : { team }),
      });
    await start('One', root, 'web');
    await start('Two', sub, 'web');
    await start('Three', sub, 'data');
    await start('Four', root);
    const { tree } = access.window.view;
    /** Headings with the names below each, as they are drawn. */
    const drawn = (): string =>
      tree
        .getChildren()
        .map((group) => {
          const names = tree.getChildren(group).map((row) => String(tree.getTreeItem(row).label));
          return `${String(tree.getTreeItem(group).label)}: ${names.join(', ')}`;
        })
        .join('; ');
    const becomesDrawn = (expected: string): Promise<unknown> =>
      eventually(expected, () => drawn() === expected || assert.fail(drawn()));
    const groupBy = (value: string): Thenable<void> =>
      vscode.workspace
        .getConfiguration('coreOrchestrator')
        .update(SettingKey.GroupBy, value, vscode.ConfigurationTarget.Global);
    await groupBy('team');
    await becomesDrawn('data: Three; web: One, Two; No Team: Four');
    await groupBy('folder');
    const base = root.path.split('/').at(-1) ?? '';
    const groups = [`${base}: One, Four`, 'app: Two, Three'].sort((a, b) => a.localeCompare(b));
    await becomesDrawn(groups.join('; '));
    await vscode.workspace.fs.delete(sub, { recursive: true, useTrash: false });
  });

  it('attaches a terminal once, and closing it leaves the agent alone', async () => {
    const id = await startDemo(access, 'Terminal Agent');
    await vscode.commands.executeCommand(CommandId.AttachAgent, node(id));
    await eventually('tmux has the client', async () =>
      [...(await access.engine.attachedClients()).values()].includes(id),
    );
    await vscode.commands.executeCommand(CommandId.AttachAgent, node(id));
    const terminals = terminalsOf('Terminal Agent');
    assert.equal(terminals.length, 1);
    const pid = await terminals[0]?.processId;
    assert.equal(
      (await access.engine.attachedClients()).get(pid ?? -1),
      id,
      'the terminal is recognised by its process',
    );
    terminals[0]?.dispose();
    await eventually('detached', async () => (await access.engine.attachedClients()).size === 0);
    assert.equal(access.engine.agent(id)?.lifecycle, 'running');
    assert.equal(access.window.terminals.count, 0);
  });

  it('keeps the terminal of an agent that is restarted: it shows the next run, where it stood', async () => {
    const clientOf = async (id: AgentId): Promise<number | undefined> =>
      [...(await access.engine.attachedClients())].find(([, agentId]) => agentId === id)?.[0];
    const id = await startDemo(access, 'Restarted');
    for (const command of [CommandId.AttachAgent, CommandId.OpenAgentBeside] as const) {
      await vscode.commands.executeCommand(command, node(id));
      await eventually('attached', async () => terminalsOf('Restarted').length === 1 && (await clientOf(id)));
      const before = await clientOf(id);
      await vscode.commands.executeCommand(CommandId.RestartAgent, node(id));
      await eventually('attached to the next run', async () => ![undefined, before].includes(await clientOf(id)));
      await eventually('one terminal', () => terminalsOf('Restarted').length === 1);
      const isTab = vscode.window.tabGroups.all.some(({ tabs }) =>
        tabs.some(({ input }) => input instanceof vscode.TabInputTerminal),
      );
      assert.equal(isTab, command === CommandId.OpenAgentBeside);
    }
  });

  it('moves the terminal to the side instead of opening a second one', async () => {
    const id = await startDemo(access, 'Side Agent');
    await vscode.commands.executeCommand(CommandId.AttachAgent, node(id));
    await eventually('attached', async () => (await access.engine.attachedClients()).size === 1);
    await vscode.commands.executeCommand(CommandId.OpenAgentBeside, node(id));
    await eventually('only the one in the editor area', () => terminalsOf('Side Agent').length === 1);
    await vscode.commands.executeCommand(CommandId.OpenAgentBeside, node(id));
    assert.equal(terminalsOf('Side Agent').length, 1);
    assert.ok(
      vscode.window.tabGroups.all.some(({ tabs }) =>
        tabs.some(({ input }) => input instanceof vscode.TabInputTerminal),
      ),
    );
  });

  it('mirrors an agent without resizing it or typing into it', async () => {
    const id = await startDemo(access, 'Mirrored');
    const sizes: string[] = [];
    let text = '';
    const observer = access.engine.mirror(id, {
      onData: (data) => (text += data),
      onSize: (columns, rows) => sizes.push(`${columns}x${rows}`),
      onEnd: () => {},
    });
    try {
      await eventually('the size', () => sizes.length > 0);
      await vscode.commands.executeCommand(CommandId.OpenMirror, node(id));
      const terminal = await eventually('the mirror', () => terminalsOf('Mirrored (mirror)')[0]);
      terminal.sendText('NEVERTYPED', false);
      await vscode.commands.executeCommand('workbench.action.toggleSidebarVisibility'); // another size for the mirror
      await vscode.commands.executeCommand('workbench.action.toggleSidebarVisibility');
      await vscode.commands.executeCommand(CommandId.SendPrompt, node(id), undefined, 'say hello');
      await eventually('the agent took the prompt', () => text.includes('say hello'), { timeoutMs: 10_000 });
      assert.equal(new Set(sizes).size, 1, sizes.join(' '));
      assert.equal(text.includes('NEVERTYPED'), false);
    } finally {
      observer.dispose();
    }
  });

  it('keeps the history of an agent as a document', async () => {
    const id = await startDemo(access, 'Historic');
    const text = await eventually('the history has the start', async () => {
      await vscode.commands.executeCommand(CommandId.ShowHistory, node(id));
      const shown = vscode.window.activeTextEditor?.document.getText() ?? '';
      return shown.includes('starting -> running') ? shown : undefined;
    });
    assert.match(text, /^History of Historic\n/);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('S6 shows what agents wrote as text: no links, no HTML, no Markdown', async () => {
    const name = '<b>x</b> [run](command:workbench.action.quit) **bold** $(alert)';
    const id = await startDemo(access, name);
    const { tree } = access.window.view;
    const item = tree.resolveTreeItem(tree.getTreeItem(node(id)), node(id));
    const tooltip = item.tooltip as vscode.MarkdownString; // set by resolveTreeItem
    assert.equal(tooltip.isTrusted, false);
    assert.notEqual(tooltip.supportHtml, true);
    assert.doesNotMatch(tooltip.value, /\]\(command:|<b>|[^\\]\*\*bold/);
    assert.equal(item.label, name);
  });

  it('removes nobody before the person agrees; who is removed has no row', async () => {
    const id = await startDemo(access, 'Short');
    await vscode.commands.executeCommand(CommandId.RemoveAgent, node(id)); // dialogs are not shown in tests: nobody agrees
    assert.equal(access.engine.agent(id)?.lifecycle, 'running');
    await access.engine.removeAgent(id);
    await eventually('it is gone', () => access.engine.agent(id) === undefined);
    assert.deepEqual(access.window.view.tree.getChildren(), []);
  });
});

/** Waits until a number stays the same for 400 ms: four refresh intervals. */
async function quiet(read: () => number): Promise<void> {
  let last = -1;
  await eventually('quiet', () => {
    const now = read();
    const isSame = now === last;
    last = now;
    return isSame;
  }, { everyMs: 400 }); // prettier-ignore
}

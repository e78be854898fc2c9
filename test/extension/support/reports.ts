import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { DOCUMENT_SCHEME } from '../../../src/vscode/manifest';
import { eventually } from '../../support/eventually';

/** The text of a report that is shown rendered, in front. */
export async function renderedReport(name: string): Promise<string> {
  const tab = await eventually(`the report ${name}`, () => {
    const { activeTab } = vscode.window.tabGroups.activeTabGroup;
    return activeTab?.label.includes(name) ? activeTab : undefined;
  });
  assert.ok(tab.input instanceof vscode.TabInputWebview, 'it is rendered');
  const uri = vscode.Uri.from({ scheme: DOCUMENT_SCHEME, path: `/${name}.md` });
  return (await vscode.workspace.openTextDocument(uri)).getText();
}

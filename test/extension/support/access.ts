import * as vscode from 'vscode';
import type { AgentId } from '../../../src/core/agents/agent';
import type { AgentView } from '../../../src/core/engine';
import type { TestAccess } from '../../../src/vscode/extension';
import { EXTENSION_ID } from '../../../src/vscode/manifest';
import { eventually } from '../../support/eventually';

/** Our running extension from the inside, once its engine is ready. */
export async function readyExtension(): Promise<TestAccess> {
  const extension = vscode.extensions.getExtension<{ readonly forTests?: TestAccess }>(EXTENSION_ID);
  const access = (await extension?.activate())?.forTests;
  if (!access) throw new Error(`${EXTENSION_ID} is not there, or not in test mode`);
  const { engine } = access;
  await eventually('the engine has started', () => engine.status.kind === 'ready' || engine.status.kind === 'blocked', {
    timeoutMs: 20_000,
  });
  if (engine.status.kind === 'blocked') throw new Error(`blocked: ${engine.status.code} ${engine.status.detail}`);
  return access;
}

/** Starts a demo agent in the open folder and waits until it is idle. */
export async function startDemo({ engine }: TestAccess, name: string, firstPrompt?: string): Promise<AgentId> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  if (folder === undefined) throw new Error('the suite needs a folder');
  const id = await engine.startAgent({
    name,
    typeId: 'demo',
    folder,
    ...(firstPrompt === undefined ? {} : { firstPrompt }),
  });
  const rests: readonly string[] =
    firstPrompt === undefined ? ['idle'] : ['idle', 'awaiting_input', 'awaiting_approval'];
  await becomes({ engine }, id, (view) => view.lifecycle === 'running' && rests.includes(view.activity));
  return id;
}

export function becomes(
  { engine }: Pick<TestAccess, 'engine'>,
  id: AgentId,
  is: (view: AgentView) => boolean,
): Promise<AgentView> {
  return eventually(
    `agent ${id} (${engine.agent(id)?.lifecycle}, ${engine.agent(id)?.activity})`,
    () => {
      const view = engine.agent(id);
      return view && is(view) ? view : undefined;
    },
    { timeoutMs: 15_000 },
  );
}

/** Ends and forgets every agent of the suite. */
export async function removeAll({ engine }: Pick<TestAccess, 'engine'>): Promise<void> {
  for (const { id } of engine.agents) await engine.removeAgent(id);
}

import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import type { Engine } from '../../core/engine';
import { takesPrompts } from '../agents/agentText';
import type { AgentFilter } from '../commands/agentPicker';
import type { AgentTargets } from '../commands/agentTargets';
import { demandControl } from '../commands/control';
import type { CommandHandlers } from '../commands/registerCommands';
import { CommandId } from '../manifest';
import { WindowError } from '../windowErrors';
import { type PromptDialog, whomOf, type WhenBlocked } from './promptDialog';
import type { PromptEditor } from './promptEditor';
import type { PromptSender } from './promptSender';
import type { ReceiptDesk } from './receiptDesk';

export interface PromptCommandParts {
  readonly engine: Engine;
  readonly targets: AgentTargets;
  readonly sender: PromptSender;
  readonly receipts: ReceiptDesk;
  readonly editor: PromptEditor;
  readonly dialog: PromptDialog;
}

/** Commands that send prompts and look after what became of them. */
export function promptCommands(parts: PromptCommandParts): CommandHandlers {
  const { engine, targets, receipts, editor } = parts;
  const takes = promptFilter(engine);
  return {
    [CommandId.SendPrompt]: (row, rows, text) => sendPrompt(parts, row, rows, text, 'refuse'),
    [CommandId.QueuePrompt]: (row, rows, text) => sendPrompt(parts, row, rows, text, 'queue'),
    [CommandId.WritePrompt]: async (row, rows) => {
      demandControl(engine);
      const ids = await targets.many(CommandId.WritePrompt, takes, row, rows);
      if (ids.length > 0) await editor.open(ids, whomOf(engine, ids), '');
    },
    [CommandId.SendWrittenPrompt]: () => sendWritten(parts),
    [CommandId.SendSelection]: () => sendSelection(parts),
    [CommandId.ShowReceipts]: async (row) => {
      demandControl(engine);
      const id = await targets.one(CommandId.ShowReceipts, () => true, row);
      if (id !== undefined) await receipts.show(id);
    },
    [CommandId.CancelQueuedPrompt]: async (row) => {
      demandControl(engine);
      const id = await targets.one(CommandId.CancelQueuedPrompt, (agent) => agent.queuedPromptCount > 0, row);
      if (id !== undefined) await receipts.cancelQueued(id);
    },
    [CommandId.ResendPrompt]: async (row) => {
      demandControl(engine);
      const id = await targets.one(CommandId.ResendPrompt, takes, row);
      if (id !== undefined) await receipts.resend(id);
    },
  };
}

/** Agents that a prompt can be sent to, now or when they are free. */
function promptFilter(engine: Engine): AgentFilter {
  return (agent) =>
    !agent.isManagedElsewhere &&
    takesPrompts(agent) &&
    engine.agentTypes.some((type) => type.id === agent.typeId && type.canReceivePrompts);
}

async function sendPrompt(
  { engine, targets, sender, dialog }: PromptCommandParts,
  row: unknown,
  rows: readonly unknown[] | undefined,
  given: unknown,
  whenBlocked: WhenBlocked,
): Promise<void> {
  const command = whenBlocked === 'queue' ? CommandId.QueuePrompt : CommandId.SendPrompt;
  demandControl(engine);
  const ids = await targets.many(command, promptFilter(engine), row, rows);
  if (ids.length === 0) return;
  if (typeof given === 'string') {
    if (given.trim() !== '') await sender.sendToAll(ids, given, whenBlocked);
    return;
  }
  await dialog.run(ids, whenBlocked);
}

async function sendWritten(parts: PromptCommandParts): Promise<void> {
  const { engine, sender, editor } = parts;
  demandControl(engine);
  const document = vscode.window.activeTextEditor?.document;
  if (!document || document.getText().trim() === '')
    throw new WindowError('window.nothingToSend', 'the editor is empty');
  const known = editor.agentsOf(document).filter((id) => engine.agent(id) !== undefined);
  const ids = known.length > 0 ? known : await pick(parts, CommandId.SendWrittenPrompt);
  if (ids.length > 0 && (await sender.sendToAll(ids, document.getText()))) await editor.close(document);
}

/** The selection; without one the whole file, after a question: files can be long. */
async function sendSelection(parts: PromptCommandParts): Promise<void> {
  const { engine, sender } = parts;
  demandControl(engine);
  const editor = vscode.window.activeTextEditor;
  if (!editor) throw new WindowError('window.nothingToSend', 'no editor is open');
  const selected = editor.selections
    .map((selection) => editor.document.getText(selection))
    .filter((text) => text !== '')
    .join('\n');
  const text = selected === '' ? editor.document.getText() : selected;
  if (text.trim() === '') throw new WindowError('window.nothingToSend', 'nothing is selected and the file is empty');
  if (selected === '' && !(await confirmFile(editor.document))) return;
  const ids = await pick(parts, CommandId.SendSelection);
  if (ids.length > 0) await sender.sendToAll(ids, text);
}

async function confirmFile(document: vscode.TextDocument): Promise<boolean> {
  const detail = `Nothing is selected, so the whole file is sent as one prompt: ${document.lineCount} lines.`;
  const name = document.uri.path.split('/').at(-1) ?? 'this file';
  const question = `Send all of ${name}?`;
  return (await vscode.window.showInformationMessage(question, { modal: true, detail }, 'Choose Agent…')) !== undefined;
}

function pick({ engine, targets }: PromptCommandParts, command: CommandId): Promise<readonly AgentId[]> {
  return targets.many(command, promptFilter(engine), undefined, undefined);
}

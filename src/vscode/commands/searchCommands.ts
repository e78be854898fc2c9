import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import type { Clock } from '../../core/base/clock';
import { DisposableStore } from '../../core/base/disposable';
import type { AgentView, Engine, FoundKind, FoundRecord } from '../../core/engine';
import { COMMAND_TITLES } from '../commandTitles';
import type { ReportDocuments } from '../documents/reportDocuments';
import { messageFor } from '../errorMessages';
import { CommandId } from '../manifest';
import { withoutIcons } from '../plainText';
import type { Reporter } from '../reporter';
import { demandTrust, type IsTrusted } from '../trustGate';
import { demandControl } from './control';
import { foundDocument, foundText } from './foundText';
import { type FinderState, RecordFinder } from './recordFinder';
import type { CommandHandlers } from './registerCommands';

export interface SearchCommandParts {
  readonly engine: Engine;
  readonly documents: ReportDocuments;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly isTrusted: IsTrusted;
  readonly reveal: (id: AgentId) => Promise<void>;
}

interface FoundItem extends vscode.QuickPickItem {
  readonly record?: FoundRecord;
}

const ICONS: Readonly<Record<FoundKind, string>> = {
  prompt: '$(comment)',
  agent: '$(hubot)',
  approval: '$(verified)',
  history: '$(history)',
};

/** Commands that look through what is kept. */
export function searchCommands(parts: SearchCommandParts): CommandHandlers {
  return { [CommandId.SearchRecords]: () => searchRecords(parts) };
}

async function searchRecords(parts: SearchCommandParts): Promise<void> {
  demandTrust(parts.isTrusted);
  demandControl(parts.engine); // the store is the owner's
  const record = await pick(parts);
  if (record) await open(parts, record);
}

/** The list stays, with what was typed, whatever takes the focus: a person may look at something meanwhile. */
function pick({ engine, clock, reporter, documents }: SearchCommandParts): Promise<FoundRecord | undefined> {
  const title = COMMAND_TITLES[CommandId.SearchRecords];
  const owned = new DisposableStore();
  const input = owned.add(vscode.window.createQuickPick<FoundItem>());
  const finder = owned.add(new RecordFinder(engine, clock, (error) => reporter.failure(title, error)));
  input.title = title;
  input.ignoreFocusOut = true;
  owned.add(documents.leaveFocus()); // what was asked for before is still opening
  input.placeholder = 'Words of a prompt, an agent or an approval; "a phrase"';
  owned.add(input.onDidChangeValue((value) => finder.type(value)));
  owned.add(
    finder.onDidChange((state) => {
      input.busy = state.kind === 'looking';
      if (state.kind !== 'looking') input.items = itemsOf(engine, state);
    }),
  );
  return new Promise((resolve) => {
    const end = (record: FoundRecord | undefined): void => {
      resolve(record);
      owned.dispose();
    };
    owned.add(input.onDidAccept(() => input.selectedItems[0]?.record && end(input.selectedItems[0].record)));
    owned.add(input.onDidHide(() => end(undefined)));
    input.show();
  });
}

function itemsOf(engine: Engine, state: FinderState): readonly FoundItem[] {
  const say = (label: string): FoundItem => ({ label, alwaysShow: true });
  if (state.kind === 'failed') return [say(messageFor(state.error)?.text ?? 'The search was cancelled.')];
  if (state.kind !== 'found') return [];
  const { found, isComplete } = state.answer;
  const items = found.map((record) => item(engine, record));
  if (items.length === 0) items.push(say('Nothing was found.'));
  if (!isComplete) items.push(say('Older records are still being made ready for searching; some may be missing.'));
  return items;
}

/** What the engine found is shown whatever the person typed: the list itself must not filter it again. */
function item(engine: Engine, record: FoundRecord): FoundItem {
  const { label, description, detail } = foundText(record, agentOf(engine, record));
  return {
    label: `${ICONS[record.kind]} ${withoutIcons(label)}`,
    description: withoutIcons(description),
    ...(detail === '' ? {} : { detail: withoutIcons(detail) }),
    alwaysShow: true,
    record,
  };
}

async function open({ engine, documents, reveal }: SearchCommandParts, record: FoundRecord): Promise<void> {
  const agent = agentOf(engine, record);
  if (record.kind === 'agent' && agent) return reveal(agent.id);
  const { fileName, text } = foundDocument(record, agent);
  await documents.show(fileName, text, `${record.kind} ${record.id}`);
}

function agentOf(engine: Engine, { agentId }: FoundRecord): AgentView | undefined {
  return agentId === undefined ? undefined : engine.agent(agentId);
}

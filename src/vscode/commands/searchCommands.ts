import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import type { Clock } from '../../core/base/clock';
import { DisposableStore } from '../../core/base/disposable';
import type { Engine, FoundKind, FoundRecord } from '../../core/engine';
import type { ReportDocuments } from '../documents/reportDocuments';
import { messageFor } from '../errorMessages';
import { CommandId } from '../manifest';
import { withoutIcons } from '../plainText';
import type { Reporter } from '../reporter';
import { demandTrust, type IsTrusted } from '../trustGate';
import { demandControl } from './control';
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

const ICONS: Readonly<Record<FoundKind, string>> = { prompt: '$(comment)', agent: '$(hubot)', approval: '$(verified)' };
const WORDS: Readonly<Record<FoundKind, string>> = { prompt: 'Prompt', agent: 'Agent', approval: 'Approval' };

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

function pick({ engine, clock, reporter }: SearchCommandParts): Promise<FoundRecord | undefined> {
  const owned = new DisposableStore();
  const input = owned.add(vscode.window.createQuickPick<FoundItem>());
  const finder = owned.add(new RecordFinder(engine, clock, (error) => reporter.failure('Search Records', error)));
  input.title = 'Search Records';
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
  const { kind, agentId, about, atMs, snippet } = record;
  const name = agentId === undefined ? about : (engine.agent(agentId)?.name ?? agentId);
  const state = kind === 'prompt' ? `${about}, ` : '';
  return {
    label: `${ICONS[kind]} ${withoutIcons(name)}`,
    description: `${WORDS[kind]}, ${withoutIcons(state)}${new Date(atMs).toLocaleString()}`,
    detail: withoutIcons(snippet.text),
    alwaysShow: true,
    record,
  };
}

async function open({ engine, documents, reveal }: SearchCommandParts, record: FoundRecord): Promise<void> {
  const { kind, id, agentId, text, isTextCut, atMs } = record;
  if (kind === 'agent' && agentId !== undefined && engine.agent(agentId)) return reveal(agentId);
  const rest = isTextCut ? '\n\n(The rest is left out here; Export Data writes all of it.)' : '';
  const head = `${WORDS[kind]}${agentId === undefined ? '' : ` of ${agentId}`}, ${new Date(atMs).toISOString()}`;
  await documents.show(`${WORDS[kind]}.txt`, `${head}\n\n${text}${rest}\n`, `${kind} ${id}`);
}

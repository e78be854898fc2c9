import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import type { Clock } from '../../core/base/clock';
import type { Engine } from '../../core/engine';
import { historyText } from '../documents/historyText';
import type { ReportDocuments } from '../documents/reportDocuments';
import { CommandId } from '../manifest';
import { type AgentTerminals, viewOf } from '../terminals/agentTerminals';
import type { MirrorTerminals } from '../terminals/mirrorTerminals';
import type { AgentFilter } from './agentPicker';
import type { AgentTargets } from './agentTargets';
import { demandControl } from './control';
import type { CommandHandlers } from './registerCommands';
import type { WaitingRound } from './waitingRound';

export interface OpenCommandParts {
  readonly engine: Engine;
  readonly targets: AgentTargets;
  readonly terminals: AgentTerminals;
  readonly mirrors: MirrorTerminals;
  readonly documents: ReportDocuments;
  readonly clock: Clock;
  readonly waiting: WaitingRound;
  readonly reveal: (id: AgentId) => Promise<void>;
}

const isAttachable: AgentFilter = (agent) => agent.isAttachable;
const any: AgentFilter = () => true;

/** Commands that show agents and change nothing. */
export function openCommands(parts: OpenCommandParts): CommandHandlers {
  const { engine, targets, terminals } = parts;
  return {
    [CommandId.AttachAgent]: async (row, rows) => {
      for (const id of await targets.many(CommandId.AttachAgent, isAttachable, row, rows)) await terminals.attach(id);
    },
    [CommandId.OpenAgentBeside]: async (row, rows) => {
      for (const id of await targets.many(CommandId.OpenAgentBeside, isAttachable, row, rows))
        await terminals.attachBeside(id);
    },
    [CommandId.OpenMirror]: async (row, rows) => {
      for (const id of await targets.many(CommandId.OpenMirror, isAttachable, row, rows)) parts.mirrors.open(id);
    },
    [CommandId.GoToAgent]: async () => {
      const id = await targets.one(CommandId.GoToAgent, any, undefined);
      if (id === undefined) return;
      await parts.reveal(id);
      if (engine.agent(id)?.isAttachable) await terminals.attach(id);
    },
    [CommandId.GoToNextWaitingAgent]: async () => {
      const id = parts.waiting.next();
      if (id === undefined) return void vscode.window.showInformationMessage('No agent waits for you.');
      await parts.reveal(id);
      if (engine.agent(id)?.isAttachable) await terminals.attach(id);
    },
    [CommandId.ShowHistory]: async (row) => {
      demandControl(engine); // the store is the owner's
      const id = await targets.one(CommandId.ShowHistory, any, row);
      if (id === undefined) return;
      const changes = await engine.history(id);
      const view = viewOf(engine, id);
      const text = historyText(view, changes, parts.clock.nowMs());
      await parts.documents.show(`History of ${view.name}.txt`, text, `history ${id}`);
    },
  };
}

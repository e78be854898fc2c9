import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import type { AgentView, Engine } from '../../core/engine';
import { isInTheMiddle } from '../agents/agentText';
import { COMMAND_TITLES } from '../commandTitles';
import { AGENTS_VIEW_ID, CommandId } from '../manifest';
import type { WindowPort } from '../notices/windowPort';
import type { Reporter } from '../reporter';
import { viewOf } from '../terminals/agentTerminals';
import { demandTrust, type IsTrusted } from '../trustGate';
import { nameProblem } from './agentName';
import {
  canPause,
  canRestart,
  canResume,
  canStart,
  canStop,
  isManaged,
  isQuarantined,
  isResumable,
} from './agentFilters';
import { confirmRemoval } from './agentRemoval';
import type { AgentTargets } from './agentTargets';
import { demandControl } from './control';
import { lossText, restartText } from './lossText';
import type { CommandHandlers } from './registerCommands';
import type { ResumeDesk } from './resumeDesk';
import type { StartAgentDialog } from './startAgentDialog';

export interface AgentCommandParts {
  readonly engine: Engine;
  readonly targets: AgentTargets;
  readonly reporter: Reporter;
  readonly window: Pick<WindowPort, 'confirm' | 'run'>;
  readonly startDialog: StartAgentDialog;
  readonly isTrusted: IsTrusted;
  readonly resume: ResumeDesk;
  /** Its row, without taking the focus: the start may have taken a while. */
  readonly show: (id: AgentId) => Promise<void>;
}

/** Commands that change agents. */
export function agentCommands(parts: AgentCommandParts): CommandHandlers {
  const { engine, targets } = parts;
  return {
    [CommandId.StartAgent]: () => startAgent(parts),
    [CommandId.StartAgentAgain]: async (row, rows) => {
      demandControl(engine);
      const ids = await targets.many(CommandId.StartAgentAgain, canStart, row, rows);
      await forEach(parts, CommandId.StartAgentAgain, ids, (id) => engine.startExisting(id));
    },
    [CommandId.StopAgent]: async (row, rows) => {
      demandControl(engine);
      const ids = await targets.many(CommandId.StopAgent, canStop, row, rows);
      if (!(await confirm(parts, 'Stop', ids))) return;
      await forEach(parts, CommandId.StopAgent, ids, (id) => engine.stopAgent(id));
    },
    [CommandId.RestartAgent]: async (row, rows) => {
      demandControl(engine);
      const ids = await targets.many(CommandId.RestartAgent, canRestart, row, rows);
      if (!(await confirm(parts, 'Restart', ids))) return;
      await forEach(parts, CommandId.RestartAgent, ids, (id) => engine.restartAgent(id));
    },
    [CommandId.PauseAgent]: async (row, rows) => {
      demandControl(engine);
      const ids = await targets.many(CommandId.PauseAgent, canPause, row, rows);
      await forEach(parts, CommandId.PauseAgent, ids, (id) => engine.pauseAgent(id));
    },
    [CommandId.ResumeAgent]: async (row, rows) => {
      demandControl(engine);
      const ids = await targets.many(CommandId.ResumeAgent, canResume, row, rows);
      await forEach(parts, CommandId.ResumeAgent, ids, (id) => engine.resumeAgent(id));
    },
    [CommandId.ReleaseQuarantine]: async (row, rows) => {
      demandControl(engine);
      const ids = await targets.many(CommandId.ReleaseQuarantine, isQuarantined, row, rows);
      await forEach(parts, CommandId.ReleaseQuarantine, ids, (id) => engine.releaseQuarantine(id));
    },
    [CommandId.ResumeConversation]: async (row, rows) => {
      demandTrust(parts.isTrusted);
      demandControl(engine);
      for (const id of await targets.many(CommandId.ResumeConversation, isResumable, row, rows))
        await parts.resume.resume(id);
    },
    [CommandId.RenameAgent]: (row) => renameAgent(parts, row),
    [CommandId.RemoveAgent]: async (row, rows) => {
      demandControl(engine);
      const ids = await targets.many(CommandId.RemoveAgent, isManaged, row, rows);
      if (!(await confirmRemoval(parts.window, engine, ids))) return;
      await forEach(parts, CommandId.RemoveAgent, ids, (id) => engine.removeAgent(id));
    },
  };
}

async function startAgent({ engine, startDialog, isTrusted, show }: AgentCommandParts): Promise<AgentId | undefined> {
  demandTrust(isTrusted);
  demandControl(engine);
  const spec = await startDialog.run();
  if (!spec) return undefined;
  const id = await vscode.window.withProgress({ location: { viewId: AGENTS_VIEW_ID } }, () => engine.startAgent(spec));
  await show(id);
  return id;
}

async function renameAgent({ engine, targets }: AgentCommandParts, row: unknown): Promise<void> {
  demandControl(engine);
  const id = await targets.one(CommandId.RenameAgent, isManaged, row);
  if (id === undefined) return;
  const present = viewOf(engine, id).name;
  const taken = engine.agents.filter((agent) => agent.id !== id).map((agent) => agent.name);
  const name = await vscode.window.showInputBox({
    title: COMMAND_TITLES[CommandId.RenameAgent],
    value: present,
    prompt: 'The new name. The id, and so the name of its tmux session, stays.',
    validateInput: (text) => nameProblem(text, taken),
  });
  if (name !== undefined && name.trim() !== present) await engine.renameAgent(id, name.trim());
}

/** Asks only when something would be lost: at least one of the agents is in the middle of something. */
async function confirm(
  { engine, window }: AgentCommandParts,
  verb: 'Stop' | 'Restart',
  ids: readonly AgentId[],
): Promise<boolean> {
  const busy = ids
    .map((id) => engine.agent(id))
    .filter((agent): agent is AgentView => agent !== undefined && isInTheMiddle(agent));
  if (busy.length === 0) return true;
  const [first] = busy;
  const question =
    busy.length === 1 && first && ids.length === 1 ? `${verb} ${first.name}?` : `${verb} ${ids.length} agents?`;
  const detail =
    verb === 'Restart' ? `${lossText(busy)}${restartText(ids.map((id) => engine.agent(id)))}` : lossText(busy);
  const button = ids.length === 1 ? `${verb} Agent` : `${verb} Agents`;
  return (await window.confirm(question, detail, ['Keep Running', button])) === button;
}

/** Does it for all at once; one failure does not keep the others from it. The first failure is shown, all are logged. */
async function forEach(
  { reporter }: AgentCommandParts,
  command: CommandId,
  ids: readonly AgentId[],
  act: (id: AgentId) => Promise<void>,
): Promise<void> {
  const what = COMMAND_TITLES[command];
  const work = Promise.allSettled(ids.map(act));
  const results = await vscode.window.withProgress({ location: { viewId: AGENTS_VIEW_ID } }, () => work);
  const failures = results.filter((result) => result.status === 'rejected');
  const [first] = failures;
  if (first)
    reporter.failure(failures.length === 1 ? what : `${what} (${failures.length} of ${ids.length})`, first.reason);
}

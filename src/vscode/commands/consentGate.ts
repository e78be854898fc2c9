import type { AgentId } from '../../core/agents/agent';
import type { Engine } from '../../core/engine';
import { COMMAND_TITLES } from '../commandTitles';
import { CommandId, type CommandTypes } from '../manifest';
import type { WindowPort } from '../notices/windowPort';
import { AgentRow } from './agentRow';
import { idOf } from './agentTargets';

/**
 * What a command does with an agent that somebody names for it. `shows`: changes nothing. `asks`: a person answers a question of its
 * own before anything changes. `acts`: changes something at once. `answers`: answers an agent at once, which no setting leaves to others.
 * `prompts`: acts when it is given a text, asks for one else. `starts`: is given an agent type, whose program it starts.
 */
type WithArguments = 'shows' | 'asks' | 'acts' | 'answers' | 'prompts' | 'starts';
type Consent<Id extends CommandId> = Parameters<CommandTypes[Id]> extends readonly [] ? 'plain' : WithArguments;

/** Each command, so that a new one is thought of. `plain`: takes no arguments, and gets none. */
export const COMMAND_CONSENT: { readonly [Id in CommandId]: Consent<Id> } = {
  [CommandId.StartAgent]: 'plain',
  [CommandId.StartAgentAgain]: 'acts',
  [CommandId.StopAgent]: 'acts',
  [CommandId.RestartAgent]: 'acts',
  [CommandId.PauseAgent]: 'acts',
  [CommandId.ResumeAgent]: 'acts',
  [CommandId.ReleaseQuarantine]: 'acts',
  [CommandId.AttachAgent]: 'shows',
  [CommandId.OpenAgentBeside]: 'shows',
  [CommandId.OpenMirror]: 'shows',
  [CommandId.SendPrompt]: 'prompts',
  [CommandId.QueuePrompt]: 'prompts',
  [CommandId.WritePrompt]: 'acts', // Send Written Prompt then knows whom it is for
  [CommandId.SendWrittenPrompt]: 'plain',
  [CommandId.SendSelection]: 'plain',
  [CommandId.ShowReceipts]: 'shows',
  [CommandId.CancelQueuedPrompt]: 'acts',
  [CommandId.ResendPrompt]: 'acts',
  [CommandId.ReviewRequest]: 'asks',
  [CommandId.ApproveRequest]: 'asks',
  [CommandId.DenyRequest]: 'answers',
  [CommandId.DenyRequestWithReason]: 'answers',
  [CommandId.ResumeConversation]: 'acts',
  [CommandId.ResumeFleet]: 'plain',
  [CommandId.GoToNextWaitingAgent]: 'plain',
  [CommandId.ExplainState]: 'shows',
  [CommandId.Doctor]: 'starts',
  [CommandId.RenameAgent]: 'asks',
  [CommandId.RemoveAgent]: 'asks',
  [CommandId.StartFleet]: 'plain',
  [CommandId.StopAll]: 'plain',
  [CommandId.SearchRecords]: 'plain',
  [CommandId.ExportData]: 'plain',
  [CommandId.ImportData]: 'plain',
  [CommandId.Backup]: 'plain',
  [CommandId.Restore]: 'plain',
  [CommandId.CheckIntegrity]: 'plain',
  [CommandId.Compact]: 'plain',
  [CommandId.GoToAgent]: 'plain',
  [CommandId.ShowHistory]: 'shows',
  [CommandId.ShowLog]: 'plain',
  [CommandId.CheckSetup]: 'plain',
  [CommandId.TakeOver]: 'plain',
  [CommandId.TryAgain]: 'plain',
  [CommandId.AcceptStoreLoss]: 'plain',
  [CommandId.WatchAgents]: 'plain',
  [CommandId.OpenFleetFile]: 'plain',
  [CommandId.CreateFleetFile]: 'plain',
  [CommandId.ResetMutedNotices]: 'plain',
  [CommandId.GroupByState]: 'plain',
  [CommandId.GroupByTeam]: 'plain',
  [CommandId.GroupByFolder]: 'plain',
  [CommandId.GroupByNone]: 'plain',
};

/** A text of more characters or lines is not read in a dialog: it is not sent for others. */
const LONGEST_TEXT = 2_000;
const MOST_LINES = 25;
/** More names than this are not read either. */
const NAMED = 8;
const REFUSE = 'Do Nothing';
const WHO = 'Another extension or a keybinding asks for this; it was not chosen in the Agents view.';

export interface ConsentGateParts {
  readonly engine: Pick<Engine, 'agent'>;
  readonly window: Pick<WindowPort, 'confirm' | 'show'>;
  /** The setting `coreOrchestrator.api.allowWrite`. */
  readonly isWriteAllowed: () => boolean;
}

/**
 * Stands before every command (S22). VS Code does not tell who runs one, but only this window can name an agent by an {@link AgentRow}:
 * where anybody else names one, the person is asked before something changes.
 */
export class ConsentGate {
  constructor(private readonly parts: ConsentGateParts) {}

  /** The arguments that the command may run with; undefined when the person does not want it to run. */
  async admit(command: CommandId, args: readonly unknown[]): Promise<readonly unknown[] | undefined> {
    const consent = COMMAND_CONSENT[command];
    if (consent === 'plain') return [];
    if (consent === 'starts') return this.#admitType(command, args[0]);
    const text = consent === 'prompts' && typeof args[2] === 'string' ? args[2] : undefined;
    const rows = [args[0], ...(Array.isArray(args[1]) ? (args[1] as readonly unknown[]) : [])];
    const named = rows.filter((row) => idOf(row) !== undefined);
    if (named.length > 0 && named.every((row) => AgentRow.is(row))) return args;
    const ids = idOf(args[0]) === undefined ? [] : [...new Set(named.map(idOf))].filter((id) => id !== undefined);
    if (ids.length === 0 && text === undefined) return args.slice(0, args[0] === undefined ? 1 : 0); // the person picks
    const changes = consent === 'acts' || consent === 'answers' || text !== undefined;
    const isFree = !changes || (consent !== 'answers' && this.parts.isWriteAllowed());
    if (!isFree && !(await this.#ask(command, ids, text))) return undefined;
    const own = ids.map((id) => new AgentRow(id));
    return [own[0], own, ...(text === undefined ? [] : [text])];
  }

  async #admitType(command: CommandId, typeId: unknown): Promise<readonly unknown[] | undefined> {
    if (typeof typeId !== 'string') return [];
    if (this.parts.isWriteAllowed()) return [typeId];
    const title = COMMAND_TITLES[command];
    const detail = `${WHO}\n\nThe program of this agent type is started for a moment.`;
    return (await this.parts.window.confirm(`${title}: ${typeId}?`, detail, [REFUSE, title])) === title
      ? [typeId]
      : undefined;
  }

  async #ask(command: CommandId, ids: readonly AgentId[], text: string | undefined): Promise<boolean> {
    const { window } = this.parts;
    const title = COMMAND_TITLES[command];
    if (
      text !== undefined &&
      (text.length > LONGEST_TEXT || text.split(/\r\n|[\r\n\u2028\u2029]/).length > MOST_LINES)
    ) {
      const words = `${title}: another extension or a keybinding gave a text of ${text.length} characters, which is too long to be shown here. Nothing was sent. Paste it into Write Prompt in Editor instead.`;
      await window.show('warning', words, []);
      return false;
    }
    const detail = text === undefined ? WHO : `${WHO}\n\nThe text:\n\n${text}`;
    return (await window.confirm(`${title}: ${this.#names(ids)}?`, detail, [REFUSE, title])) === title;
  }

  #names(ids: readonly AgentId[]): string {
    if (ids.length === 0) return 'to an agent that you choose';
    const named = ids.slice(0, NAMED).map((id) => this.parts.engine.agent(id)?.name ?? id);
    const more = ids.length - named.length;
    return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
  }
}

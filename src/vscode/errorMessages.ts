import { lastLine } from '../core/agentTrouble';
import { AgentError, type AgentErrorCode, agentOfError } from '../core/agents/agentErrors';
import { describeError, OrchestratorError } from '../core/base/errors';
import type { DataErrorCode } from '../core/data/dataErrors';
import type { ExchangeErrorCode } from '../core/data/exchange/exchangeErrors';
import type { ProcessingErrorCode } from '../core/data/processing/processingErrors';
import type { AgentView } from '../core/engine';
import type { EngineErrorCode } from '../core/engineErrors';
import { GatewayError, type GatewayErrorCode } from '../core/gateway/gatewayErrors';
import type { AuthErrorCode } from '../core/services/authentication/authErrors';
import type { TmuxErrorCode } from '../core/tmux/tmuxErrors';
import { exitWords } from './agents/agentText';
import { CommandId } from './manifest';
import { redact } from './redact';
import type { WindowErrorCode } from './windowErrors';

export type MessageSeverity = 'information' | 'warning' | 'error';

/** A button and the command behind it. */
export interface MessageButton {
  readonly title: string;
  readonly command: string;
  /** Its command is about the agent of the failure, and gets its id; without such an agent there is no such button. */
  readonly isAboutAgent?: true;
  readonly args?: readonly unknown[];
}

/** What a person is told about a failure. */
export interface ErrorMessage {
  readonly severity: MessageSeverity;
  /** What failed, why, and what to do next. Plain text. */
  readonly text: string;
  readonly buttons: readonly MessageButton[];
}

/** Every code that can reach a person. `bug`: what nobody expected. */
export type KnownErrorCode =
  | AgentErrorCode
  | AuthErrorCode
  | DataErrorCode
  | EngineErrorCode
  | ExchangeErrorCode
  | GatewayErrorCode
  | ProcessingErrorCode
  | TmuxErrorCode
  | WindowErrorCode
  | 'bug';

export const showLogButton: MessageButton = { title: 'Show Log', command: CommandId.ShowLog };
const checkSetup: MessageButton = { title: 'Check Setup', command: CommandId.CheckSetup };
const tryAgain: MessageButton = { title: 'Try Again', command: CommandId.TryAgain };
const manageTrust: MessageButton = { title: 'Manage Workspace Trust', command: 'workbench.trust.manage' };
const openFolder: MessageButton = { title: 'Open Folder…', command: 'vscode.openFolder' };
const openFleetFile: MessageButton = { title: 'Open File', command: CommandId.OpenFleetFile };

const aboutAgent = (title: string, command: string): MessageButton => ({ title, command, isAboutAgent: true });
const attach = aboutAgent('Attach', CommandId.AttachAgent);
const explain = aboutAgent('Explain', CommandId.ExplainState);
const lastScreen = aboutAgent('Show Last Screen', CommandId.AttachAgent);
const startAgain = aboutAgent('Start Agent Again', CommandId.StartAgentAgain);

const error = (text: string, ...buttons: MessageButton[]): ErrorMessage => ({ severity: 'error', text, buttons });
const warning = (text: string, ...buttons: MessageButton[]): ErrorMessage => ({ severity: 'warning', text, buttons });
const information = (text: string, ...buttons: MessageButton[]): ErrorMessage => ({
  severity: 'information',
  text,
  buttons,
});

/** `Show Log` is added to every warning and error when shown; it is not repeated here. */
export const errorMessages: Readonly<Record<KnownErrorCode, ErrorMessage>> = {
  'agent.unknownType': error('This agent type is not known here. Choose another type, or install what adds it.'),
  'agent.typeInvalid': error(
    'The description of an agent type has mistakes and was not added. Correct what is named here, or tell the author of the extension that adds it.',
  ),
  'agent.notFound': warning('This agent is not there any more. The Agents view shows those that are.'),
  'agent.nameTaken': warning('Another agent has this name. Choose a different one.'),
  'agent.invalidSpec': error(
    'The agent cannot be made from what was given. Correct what is named here, then start it again.',
  ),
  'agent.illegalTransition': warning(
    'The agent cannot do this in its present state. Its row says what it does now: try again when that has changed.',
    explain,
  ),
  'agent.commandNotFound': error(
    'The command of this agent was not found. Install it, or check the PATH of your login shell.',
    checkSetup,
  ),
  'agent.folderMissing': error(
    'The folder of this agent does not exist or cannot be entered. Make it again or mend its permissions, then start the agent again; or start a new agent in another folder.',
  ),
  'agent.notRunning': warning('The agent is not running. Start it first.'),
  'agent.stillRunning': warning('The agent is still running. Stop it first.'),
  'agent.killFailed': error(
    'The agent did not end, not even when it was killed: the processes that are left wait for the system or belong to someone else. End what they wait for, or them; then remove the agent (that ends what is left first) or start it again.',
    explain,
  ),
  'agent.startDeadline': error(
    'The agent was not ready in time, and was ended. Its last screen may say why; the start deadline can be raised in the settings.',
    lastScreen,
    startAgain,
  ),
  'agent.endedEarly': error(
    'The agent ended before it was ready. Its last screen may say why.',
    lastScreen,
    startAgain,
  ),
  'agent.launchUnknown': error(
    'It is not known whether the agent was started. Nothing is started a second time before that is clear. Look at its terminal; Stop Agent makes sure that it has ended.',
    attach,
  ),
  'agent.notAllowed': warning(
    'This cannot be done with this agent now. Its menu in the Agents view shows what can be done; the rest is done in its terminal.',
    attach,
  ),
  'agent.quarantined': warning('The agent failed too often and is quarantined. Release it to start it again.'),
  'agent.paused': warning('The agent is paused. Resume it first.'),
  'agent.dialogOpen': warning(
    'The agent shows a question, and whatever is typed would answer that. Nothing was typed. Answer it, then send the prompt again.',
    attach,
  ),
  'agent.draftInBox': warning(
    'There is text in the agent’s input box. Nothing was typed. Send or clear that in its terminal, then send the prompt again.',
    attach,
  ),
  'agent.inputHidden': warning(
    'The agent’s input box cannot be seen now. Nothing was typed. Close what covers it in its terminal, then send the prompt again.',
    attach,
  ),
  'agent.notReady': warning(
    'The agent is not ready for input now. Nothing was typed. Send the prompt again when its row says that it waits; its terminal shows what it does.',
    attach,
  ),
  'agent.linesWouldSplit': warning(
    'The agent’s program would take each line for itself, since it has not turned bracketed paste on. Nothing was typed. Send the text as one line, or each line as a prompt of its own.',
    attach,
  ),
  'agent.deliveryFailed': error('The prompt did not arrive. Look at the agent’s terminal, then send it again.', attach),
  'agent.deliveryUnknown': warning(
    'It is not known whether the prompt arrived. Nothing is typed again by itself. Look at the agent’s terminal.',
  ),
  'agent.requestGone': warning(
    'It asks something else now. Nothing was answered. Look at what it asks, then answer that.',
  ),
  'agent.cannotAnswer': warning('This can be answered only in the agent’s terminal.', attach),
  'agent.cannotResume': warning(
    'The conversation of this agent cannot be resumed. Nothing was started. It can be started again in a new conversation.',
    startAgain,
  ),
  'agent.fleetInvalid': error('The fleet file has mistakes.', openFleetFile),
  'agent.notApproved': warning(
    'These commands were not approved, so nothing was started. Start the fleet again to be asked again.',
  ),
  'agent.conflict': warning('The agent changed in the meantime. Try again.'),
  'agent.hostUnavailable': error('tmux cannot be reached now. It is tried again by itself.', checkSetup),
  'agent.superseded': information('This was overtaken by a newer request.'),
  'data.closed': warning(
    'The store is closed because this window is ending or another one took over. Go on in the other window, or reload this one.',
  ),
  'data.conflict': warning('Something changed in the meantime. Try again.'),
  'data.invalid': error(
    'What was given or kept is not valid and was not used. If it was written by another version of the extension, update all windows to the same one; else report it with the log.',
    checkSetup,
  ),
  'data.fileUnusable': error('This file cannot be used for a backup. Choose another one, or another folder.'),
  'data.tooLarge': error('This is too large to be kept. Shorten it, or put it into a file and name the file instead.'),
  'data.readOnly': error(
    'Changes cannot be kept: the disk is full or the folder is read-only. It is tried again by itself.',
    checkSetup,
  ),
  'data.busy': warning(
    'More is being written than the disk takes at present. Nothing of this was kept: try again in a moment.',
  ),
  'data.fenced': warning(
    'Another window owns this workspace now. Nothing was changed from here. Try again: it is done through that window.',
  ),
  'data.corrupt': error(
    'A record in the store is damaged and cannot be read. It is kept as it is and was not used; everything else works. This can be a sign of a failing disk: Check Setup names the data folder, copy it before anything else.',
    checkSetup,
  ),
  'data.newerSchema': error('The store was written by a newer version of Core Orchestrator. Update the extension.'),
  'data.engineUnavailable': error('The store cannot be opened with this editor.', checkSetup),
  'data.io': error('The store cannot be read or written.', checkSetup, tryAgain),
  'data.folderUnsafe': error(
    'The data folder is not safe: it belongs to someone else or is open to others.',
    checkSetup,
  ),
  'data.networkFileSystem': error(
    'The data folder is on a network file system, where locks cannot be trusted.',
    checkSetup,
  ),
  'data.socketPathTooLong': error(
    'The path of the runtime folder is too long for a socket. Set a shorter XDG_RUNTIME_DIR or TMPDIR.',
    checkSetup,
  ),
  'exchange.fileExists': warning(
    'There is a file of this name already. Choose another name, or say that it is to be replaced.',
  ),
  'exchange.fileUnusable': error('The file cannot be used. Choose another one, or another folder.'),
  'exchange.fileUnreadable': error(
    'The file is not there or cannot be read. Nothing was imported. Choose another one.',
  ),
  'exchange.moving': warning(
    'The store was changed during every attempt to read it whole, so nothing was written. Try again when the agents do less.',
  ),
  'exchange.notAnExport': error(
    'This file is no export of Core Orchestrator, or it is damaged. Nothing was imported. Choose another file, or export again.',
  ),
  'exchange.unknownFormat': error(
    'Files of this format cannot be imported. Choose an export as NDJSON or JSON; a backup is taken over with Restore from Backup.',
  ),
  'exchange.newer': error(
    'A newer version of Core Orchestrator wrote this file. Nothing was imported. Update the extension.',
  ),
  'exchange.tooLarge': error(
    'There is more in this file than one import takes. Nothing was imported. Do it with a backup, which is restored as a whole.',
  ),
  'exchange.fileChanged': warning(
    'The file has changed since it was looked at. Nothing was imported. Start the import again.',
  ),
  'exchange.notWhole': warning(
    'The file was cut or changed after it was exported. Nothing was imported. Choose one that is whole, or accept it as it is.',
  ),
  'exchange.invalidRecords': warning(
    'Some records in the file are not valid. Nothing was imported. Choose another file, or leave them out.',
  ),
  'processing.unknownStep': error('This pipeline uses a kind of step that is not known here. Install what adds it.'),
  'processing.duplicateStep': error('A kind of step of this name exists already. Choose another name.'),
  'processing.invalidPipeline': error('The pipeline has mistakes and was not used. Correct what is named here.'),
  'processing.unknownPipeline': error('There is no pipeline of this name. Choose one that is kept.'),
  'processing.boundExceeded': error(
    'There is too much for one step of the pipeline to hold. Filter first, or give the step a limit.',
  ),
  'processing.tooManyRejects': error(
    'Too many records were refused, so the run was ended. Correct the pipeline or its records, or allow more refusals.',
  ),
  'engine.following': warning(
    'Another window manages the agents of this workspace and cannot be reached from here. Do it there.',
  ),
  'engine.restricted': warning(
    'This workspace is in Restricted Mode: agents are shown, but nothing is started or sent. Trust the workspace first.',
    manageTrust,
  ),
  'engine.blocked': error('Core Orchestrator cannot work here yet.', checkSetup, tryAgain),
  'engine.starting': information('Core Orchestrator is still starting. Try again in a moment.'),
  'engine.stopped': warning('Core Orchestrator is not running in this window.', tryAgain),
  'gateway.folderUnsafe': error(
    'The folder of the gateway’s socket is not safe: it belongs to someone else or is open to others.',
    checkSetup,
  ),
  'gateway.pathTooLong': error(
    'The path of the runtime folder is too long for a socket. Set a shorter XDG_RUNTIME_DIR or TMPDIR.',
    checkSetup,
  ),
  'gateway.cannotListen': error('The gateway for agents and other windows could not be opened.', checkSetup, tryAgain),
  'gateway.pointerInvalid': warning('The window that manages the agents cannot be found. It is tried again by itself.'),
  'gateway.unreachable': warning('The window that manages the agents does not answer. It is tried again by itself.'),
  'gateway.disconnected': warning(
    'The connection to the window that manages the agents ended. Whether this was done is not known: look at the rows.',
  ),
  'gateway.protocolMismatch': error(
    'The window that manages the agents runs another version of Core Orchestrator. Reload all windows of this workspace.',
  ),
  'gateway.unauthenticated': error('The window that manages the agents did not accept this one.', checkSetup),
  'gateway.notPermitted': warning(
    'This is not permitted from here. Do it in the window that manages the agents, or with `orc` in a shell of your own.',
  ),
  'gateway.invalidRequest': error(
    'The window that manages the agents did not understand this. Reload all windows of this workspace, so that they run the same version.',
  ),
  'gateway.unknownMethod': error(
    'The window that manages the agents does not know this command. Do it there, or reload all windows of this workspace.',
  ),
  'gateway.notFound': warning('This is not there any more. The Agents view shows what is.'),
  'gateway.alreadyExists': warning('This exists already. Choose another name.'),
  'gateway.notPossible': warning(
    'This is not possible now. The rows say what each agent does: try again when that has changed.',
  ),
  'gateway.tooMuch': warning('Too much was asked at once. Try again in a moment.'),
  'gateway.deadline': warning(
    'The window that manages the agents did not answer in time. Look at the rows, then try again.',
  ),
  'gateway.unavailable': warning('The window that manages the agents cannot do this now. Try again in a moment.'),
  'gateway.canceled': information('This was cancelled.'),
  'gateway.internal': error(
    'Something went wrong in the window that manages the agents. Its log says more: show it there, then try again.',
  ),
  'auth.unauthenticated': error(
    'The proof of who asks was not accepted. Where an agent asked, restart it: every start gives it a new one.',
    checkSetup,
  ),
  'auth.keysUnavailable': error('The keys that agents are recognised by cannot be read or written.', checkSetup),
  'auth.invalidClaims': error(
    'A token for an agent could not be made, so it was not started. Start it again; if that fails, too, report it with the log.',
  ),
  'tmux.notInstalled': error('tmux was not found. Install it, then try again.', checkSetup, tryAgain),
  'tmux.tooOld': error('This tmux is too old: 3.3 or newer is needed.', checkSetup, tryAgain),
  'tmux.socketFolderUnsafe': error(
    'The folder of tmux sockets is not safe: it belongs to someone else or is open to others.',
    checkSetup,
  ),
  'tmux.runtimeFolderUnusable': error(
    'The runtime folder cannot be written, so nothing was started. Free some space or repair the folder.',
    checkSetup,
  ),
  'tmux.serverGone': warning('The tmux server has ended. It is started again by itself.'),
  'tmux.noSuchTarget': warning(
    'The terminal of this agent is not there any more. Its row says what became of it: start it again if it has ended.',
  ),
  'tmux.alreadyExists': warning(
    'A terminal of this name exists already. Try again in a moment, or start the agent under another name.',
  ),
  'tmux.inputTooLarge': warning(
    'This text is too long to be typed: at most 64 KB at once. Shorten it, or put it into a file and name the file.',
  ),
  'tmux.invalidArgument': error(
    'tmux was not asked, because a value could have done harm. Correct the agent’s name, folder or command; the log names the value.',
  ),
  'tmux.screenChanged': warning(
    'What the agent shows changed in the moment of the answer, which may have gone to something else. Look at its terminal.',
    attach,
  ),
  'tmux.fenced': warning(
    'Another window owns this workspace now. Nothing was sent to tmux from here. Try again: it is done through that window.',
  ),
  'tmux.timeout': error('tmux did not answer in time.', tryAgain),
  'tmux.rejected': error('tmux refused.', checkSetup),
  'tmux.wouldResize': warning(
    'This agent cannot be shown here without resizing it while no window manages it. Its state is shown in the Agents view; trust this workspace or open the window that manages it to see more.',
  ),
  'window.untrusted': warning(
    'This workspace is in Restricted Mode: agents are shown, but nothing is started or sent. Trust the workspace first.',
    manageTrust,
  ),
  'window.noFolder': warning('Open a folder first: a fleet file belongs to a folder.', openFolder),
  'window.unknownAgent': warning('This agent is not there any more. The Agents view shows those that are.'),
  'window.nothingToSend': information('There is no text to send: select some, or open a file.'),
  'window.terminalFailed': error(
    'The terminal could not be opened. Try again; Check Setup says whether tmux can be reached.',
    checkSetup,
  ),
  'api.unknownVersion': error(
    'This version of the Core Orchestrator API does not exist. Update Core Orchestrator or the extension that asked.',
  ),
  'api.writeNotAllowed': error(
    'Other extensions may not act on agents. The setting "coreOrchestrator.api.allowWrite" allows it.',
  ),
  'api.unknownExtension': error(
    'An extension added a rule or a transformation under an id that is not installed. Update it, or tell its author: the first argument is its own id.',
  ),
  'api.invalidName': error(
    'An extension added a rule or a transformation whose name is not of letters and digits. Update it, or tell its author.',
  ),
  bug: error('Something went wrong that should not have. Try again; if it comes back, report it with the log.'),
};

/** Codes whose own detail says more than our text; it is added in brackets. */
const detailedCodes: ReadonlySet<string> = new Set<KnownErrorCode>([
  'agent.typeInvalid',
  'agent.invalidSpec',
  'agent.commandNotFound',
  'agent.folderMissing',
  'agent.fleetInvalid',
  'agent.killFailed',
  'agent.notAllowed',
  'agent.draftInBox',
  'agent.deliveryFailed',
  'agent.cannotResume',
  'data.corrupt',
  'data.fileUnusable',
  'data.invalid',
  'data.io',
  'exchange.fileUnreadable',
  'exchange.fileUnusable',
  'exchange.newer',
  'exchange.notAnExport',
  'exchange.tooLarge',
  'exchange.unknownFormat',
  'processing.boundExceeded',
  'processing.invalidPipeline',
  'processing.tooManyRejects',
  'tmux.rejected',
  'tmux.runtimeFolderUnusable',
  'tmux.tooOld',
  'window.terminalFailed',
]);
const LONGEST_DETAIL = 300;

/**
 * The message for any thrown value; undefined for a cancellation, which is never shown. `agent`: the one that it is about, where it is
 * known: what it said last tells more than our text.
 */
export function messageFor(thrown: unknown, agent?: AgentView): ErrorMessage | undefined {
  if (isCancellation(thrown)) return undefined;
  if (!(thrown instanceof OrchestratorError)) return errorMessages.bug;
  // A code of the other side that has no error of its own here says more than ours.
  const remote = GatewayError.is(thrown) ? thrown.remoteCode : undefined;
  const message = forAgent(messageForCode(remote !== undefined && isKnown(remote) ? remote : thrown.code), thrown);
  if (agent && AgentError.is(thrown, 'agent.endedEarly')) return { ...message, text: endedEarlyText(agent) };
  const detail = detailedCodes.has(thrown.code) ? detailOf(thrown) : '';
  return detail === '' ? message : { ...message, text: `${message.text} (${detail})` };
}

/** `Planner ended with exit code 3 before it was ready: Error: no such file` */
function endedEarlyText(agent: AgentView): string {
  const how = exitWords(agent.exit);
  const said = lastLine(agent);
  return `${agent.name} ended ${how === '' ? '' : `${how} `}before it was ready${said === '' ? '.' : `: ${said}`}`;
}

function forAgent(message: ErrorMessage, thrown: unknown): ErrorMessage {
  if (!message.buttons.some(({ isAboutAgent }) => isAboutAgent)) return message;
  const agentId = agentOfError(thrown);
  const buttons = message.buttons
    .filter(({ isAboutAgent }) => !isAboutAgent || agentId !== undefined)
    .map((button) => (button.isAboutAgent ? { ...button, args: [agentId] } : button));
  return { ...message, buttons };
}

export function messageForCode(code: string): ErrorMessage {
  return isKnown(code) ? errorMessages[code] : errorMessages.bug;
}

function isKnown(code: string): code is KnownErrorCode {
  return Object.hasOwn(errorMessages, code);
}

/** One line, without the code in front, at most {@link LONGEST_DETAIL} characters. */
export function detailOf(thrown: OrchestratorError): string {
  const text = redact(describeError(thrown)).replace(`${thrown.code}: `, '').replace(/\s+/g, ' ').trim();
  return text.length > LONGEST_DETAIL ? `${text.slice(0, LONGEST_DETAIL)}…` : text;
}

export function isCancellation(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if (GatewayError.is(thrown, 'gateway.canceled')) return true;
  return thrown.name === 'AbortError' || thrown.name === 'Canceled' || thrown.name === 'CancellationError';
}

import * as vscode from 'vscode';
import type { Clock } from '../core/base/clock';
import type { Disposable } from '../core/base/disposable';
import { describeError } from '../core/base/errors';
import type { Logger } from '../core/base/log';
import type { Engine } from '../core/engine';
import { AgentsView } from './agents/agentsView';
import { ApprovalDesk } from './approvals/approvalDesk';
import { approvalCommands } from './approvals/approvalCommands';
import { agentCommands } from './commands/agentCommands';
import { AgentPicker } from './commands/agentPicker';
import { AgentTargets } from './commands/agentTargets';
import { ConsentGate } from './commands/consentGate';
import { demandControl } from './commands/control';
import { dataCommands } from './commands/dataCommands';
import { FileAsker } from './commands/fileAsker';
import { showFileDialog } from './commands/fileDialogs';
import { maintenanceCommands } from './commands/maintenanceCommands';
import { openCommands } from './commands/openCommands';
import { type CommandHandlers, registerCommands } from './commands/registerCommands';
import { reportCommands } from './commands/reportCommands';
import { searchCommands } from './commands/searchCommands';
import { ResumeDesk } from './commands/resumeDesk';
import { StartAgentDialog } from './commands/startAgentDialog';
import { WaitingRound } from './commands/waitingRound';
import { windowCommands } from './commands/windowCommands';
import { ContextKeySetter } from './context';
import { ReportDocuments } from './documents/reportDocuments';
import { fleetCommands } from './fleet/fleetCommands';
import { FleetController } from './fleet/fleetController';
import type { LiveSettings } from './liveSettings';
import { DeliveryPresenter } from './notices/deliveryPresenter';
import { type AnswerShown, NeedsYouPresenter, type ToldElsewhere } from './notices/needsYouPresenter';
import { NoticePresenter } from './notices/noticePresenter';
import { OrderedStarts } from './notices/orderedStarts';
import { ResumePresenter } from './notices/resumePresenter';
import { VscodeWindow } from './notices/vscodeWindow';
import type { Memory } from './notices/windowPort';
import { promptCommands } from './prompts/promptCommands';
import { PromptDialog } from './prompts/promptDialog';
import { PromptEditor } from './prompts/promptEditor';
import { askPrompt } from './prompts/promptInput';
import { PromptSender } from './prompts/promptSender';
import { ReceiptDesk } from './prompts/receiptDesk';
import { Reporter } from './reporter';
import { NotificationLevel } from './settings';
import { AgentTerminals } from './terminals/agentTerminals';
import { MirrorTerminals } from './terminals/mirrorTerminals';
import { registerTerminalProfile } from './terminals/terminalProfile';
import { StatusItem } from './window/statusItem';
import { WorkspaceFacts } from './window/workspaceFacts';

/** One thing that is registered with VS Code. */
export interface Contribution {
  register(): Disposable;
}

export interface ContributionParts {
  /** Already gated by trust. */
  readonly engine: Engine;
  readonly settings: LiveSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly channel: vscode.LogOutputChannel;
  readonly extensionVersion: string;
  readonly globalMemory: Memory;
  /** What is remembered for this workspace. */
  readonly workspaceMemory: Memory;
  /** Starts the engine where agents can run. */
  readonly start: () => Promise<void>;
  /** Asked when the engine is ready for the first time. */
  readonly wasAway: () => boolean;
}

/** Everything of this window, made without any I/O. */
export interface WindowParts {
  readonly view: AgentsView;
  readonly terminals: AgentTerminals;
  readonly facts: WorkspaceFacts;
  readonly reporter: Reporter;
  /** In the order of registration: context keys and the view first, so that nothing stale is seen after a crash. */
  readonly contributions: readonly Contribution[];
}

export function createWindow(parts: ContributionParts): WindowParts {
  const { settings, clock, log } = parts;
  const starts = new OrderedStarts((error) => log.error('listener of starts', { error: describeError(error) }));
  const engine = starts.watching(parts.engine);
  const reporter = new Reporter(engine, log);
  const facts = new WorkspaceFacts(engine, new ContextKeySetter(log), log);
  const view = new AgentsView(engine, clock, settings, log);
  const terminals = new AgentTerminals(engine, settings, log);
  const mirrors = new MirrorTerminals(engine, parts.workspaceMemory, log);
  const documents = new ReportDocuments(log);
  const picker = new AgentPicker(engine, clock);
  const window = new VscodeWindow(log);
  const tell = reporter.failure.bind(reporter);
  const leavesEnded = (): boolean => settings.current.notifications !== NotificationLevel.None; // to the DeliveryPresenter
  const sender = new PromptSender({ engine, window, clock, log, tell, leavesEnded });
  const editor = new PromptEditor();
  const resume = new ResumeDesk({ engine, window, documents, sender });
  const approvals = new ApprovalDesk({ engine, clock, window, documents });
  const passedAtStart = settings.current.passEnvironment; // a change reaches agents after the window is reloaded
  const fleet = new FleetController({
    ...{ engine, documents, reporter, picker, window, log, isTrusted },
    passedVariables: () => [...new Set([...passedAtStart, ...settings.current.passEnvironment])],
    resume,
  });
  const handlers = createHandlers(
    { ...parts, engine },
    {
      view,
      terminals,
      mirrors,
      reporter,
      documents,
      picker,
      window,
      sender,
      editor,
      resume,
      fleet,
      approvals,
    },
  );
  const gate = new ConsentGate({ engine, window, isWriteAllowed: () => settings.current.isApiWriteAllowed });
  const answer: AnswerShown = async (request, given) => {
    try {
      demandControl(engine);
      await approvals.answer(request, given, 'notification');
    } catch (error) {
      reporter.failure('Answer Request', error);
    }
  };
  const level = () => settings.current.notifications;
  const returning = new ResumePresenter(engine, clock, window, level, clock.nowMs());
  const elsewhere: ToldElsewhere = {
    covers: (agent) => returning.covers(agent),
    onDidTell: reporter.onDidTell,
    starts,
  };
  const contributions: readonly Contribution[] = [
    { register: () => facts },
    { register: () => view },
    { register: () => new StatusItem(engine, clock) },
    { register: () => documents },
    { register: () => fleet },
    { register: () => editor },
    { register: () => registerCommands(handlers, gate, log, reporter) },
    { register: () => terminals },
    { register: () => mirrors },
    { register: () => registerTerminalProfile(picker, terminals) },
    { register: () => window },
    { register: () => reporter },
    { register: () => starts },
    { register: () => new NoticePresenter(engine, clock, window, parts.globalMemory, level) },
    { register: () => new DeliveryPresenter(engine, clock, window, sender, resume, level) },
    { register: () => returning },
    {
      register: () => new NeedsYouPresenter(engine, clock, window, level, terminals, parts.wasAway, answer, elsewhere),
    },
  ];
  return { view, terminals, facts, reporter, contributions };
}

const isTrusted = (): boolean => vscode.workspace.isTrusted;
const firstFolder = (): string | undefined =>
  vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath;

interface HandlerParts {
  readonly view: AgentsView;
  readonly terminals: AgentTerminals;
  readonly mirrors: MirrorTerminals;
  readonly reporter: Reporter;
  readonly documents: ReportDocuments;
  readonly picker: AgentPicker;
  readonly window: VscodeWindow;
  readonly sender: PromptSender;
  readonly editor: PromptEditor;
  readonly resume: ResumeDesk;
  readonly fleet: FleetController;
  readonly approvals: ApprovalDesk;
}

/** Every command with what it works on. */
function createHandlers(parts: ContributionParts, own: HandlerParts): CommandHandlers {
  const { engine, settings, clock, channel, extensionVersion, globalMemory, start } = parts;
  const { view, terminals, mirrors, reporter, documents, picker, window, sender, editor, resume, fleet, approvals } =
    own;
  const targets = new AgentTargets(engine, picker);
  const files = new FileAsker(showFileDialog, parts.workspaceMemory, firstFolder);
  const reveal = view.reveal.bind(view);
  const receipts = new ReceiptDesk({ engine, window, documents, sender, clock });
  const dialog = new PromptDialog({ engine, window, sender, write: editor.open.bind(editor), ask: askPrompt });
  return {
    ...agentCommands({
      ...{ engine, targets, reporter, window, isTrusted },
      show: (id) => view.reveal(id, false),
      startDialog: new StartAgentDialog(engine),
      resume,
    }),
    ...promptCommands({ engine, targets, sender, receipts, editor, dialog }),
    ...approvalCommands({ engine, targets, desk: approvals }),
    ...openCommands({
      ...{ engine, targets, terminals, mirrors, documents, clock, reveal },
      waiting: new WaitingRound(engine),
    }),
    ...reportCommands({ engine, targets, documents, clock, isTrusted }),
    ...dataCommands({ engine, reporter, window, documents, files, isTrusted }),
    ...searchCommands({ engine, documents, reporter, clock, isTrusted, reveal }),
    ...maintenanceCommands({ engine, window, documents, clock, files, isTrusted }),
    ...fleetCommands(fleet),
    ...windowCommands({ engine, documents, clock, settings, channel, extensionVersion, globalMemory, start }),
  };
}

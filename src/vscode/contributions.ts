import * as vscode from 'vscode';
import type { Clock } from '../core/base/clock';
import type { Disposable } from '../core/base/disposable';
import type { Logger } from '../core/base/log';
import type { Engine } from '../core/engine';
import { AgentsView } from './agents/agentsView';
import { agentCommands } from './commands/agentCommands';
import { AgentPicker } from './commands/agentPicker';
import { AgentTargets } from './commands/agentTargets';
import { openCommands } from './commands/openCommands';
import { registerCommands } from './commands/registerCommands';
import { StartAgentDialog } from './commands/startAgentDialog';
import { windowCommands } from './commands/windowCommands';
import { ContextKeySetter } from './context';
import { ReportDocuments } from './documents/reportDocuments';
import { fleetCommands } from './fleet/fleetCommands';
import { FleetController } from './fleet/fleetController';
import type { LiveSettings } from './liveSettings';
import { NeedsYouPresenter } from './notices/needsYouPresenter';
import { NoticePresenter } from './notices/noticePresenter';
import { VscodeWindow } from './notices/vscodeWindow';
import type { Memory } from './notices/windowPort';
import { Reporter } from './reporter';
import { AgentTerminals } from './terminals/agentTerminals';
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
  const { engine, settings, clock, log } = parts;
  const isTrusted = (): boolean => vscode.workspace.isTrusted;
  const reporter = new Reporter(log);
  const facts = new WorkspaceFacts(engine, new ContextKeySetter(log), log);
  const view = new AgentsView(engine, clock, settings, log);
  const terminals = new AgentTerminals(engine, settings, log);
  const documents = new ReportDocuments();
  const picker = new AgentPicker(engine, clock);
  const targets = new AgentTargets(engine, picker);
  const fleet = new FleetController({ engine, documents, reporter, isTrusted, log });
  const window = new VscodeWindow(log);
  const level = () => settings.current.notifications;
  const reveal = view.reveal.bind(view);
  const handlers = {
    ...agentCommands({ engine, targets, reporter, startDialog: new StartAgentDialog(engine), isTrusted, reveal }),
    ...openCommands({ engine, targets, terminals, documents, clock, log, reveal }),
    ...fleetCommands(fleet),
    ...windowCommands({
      engine,
      documents,
      settings,
      channel: parts.channel,
      extensionVersion: parts.extensionVersion,
      globalMemory: parts.globalMemory,
      start: parts.start,
    }),
  };
  const contributions: readonly Contribution[] = [
    { register: () => facts },
    { register: () => view },
    { register: () => new StatusItem(engine, clock) },
    { register: () => documents },
    { register: () => fleet },
    { register: () => registerCommands(handlers, log, reporter) },
    { register: () => terminals },
    { register: () => registerTerminalProfile(picker, terminals) },
    { register: () => window },
    { register: () => new NoticePresenter(engine, clock, window, parts.globalMemory, level) },
    { register: () => new NeedsYouPresenter(engine, clock, window, level, () => terminals.watched, parts.wasAway) },
  ];
  return { view, terminals, facts, reporter, contributions };
}

import * as vscode from 'vscode';
import type { Disposable } from '../../core/base/disposable';
import { ignore, type Logger } from '../../core/base/log';
import type { Engine, FleetPlan, FleetProblem, FleetResult, FleetStep } from '../../core/engine';
import { isLive } from '../agents/agentText';
import type { AgentPicker } from '../commands/agentPicker';
import { demandControl } from '../commands/control';
import type { ResumeDesk } from '../commands/resumeDesk';
import type { ReportDocuments } from '../documents/reportDocuments';
import { COMMAND_TITLES } from '../commandTitles';
import { confirmRemoval } from '../commands/agentRemoval';
import { CommandId, FLEET_FILE } from '../manifest';
import type { WindowPort } from '../notices/windowPort';
import { withoutLinks } from '../plainText';
import type { Reporter } from '../reporter';
import { demandTrust, type IsTrusted } from '../trustGate';
import { WindowError } from '../windowErrors';
import { askApproval } from './fleetApproval';
import { leftOut, leftOutText } from './fleetMembers';
import { findFleetFiles, fleetFileOf, fleetFileOnDisk, hasUnsavedChanges, readFleetFile } from './fleetFiles';
import { describeResult, type FleetVerb, problemsText } from './fleetResultText';
import { fleetTemplate } from './fleetTemplate';

export interface FleetControllerParts {
  readonly engine: Engine;
  readonly documents: ReportDocuments;
  readonly reporter: Reporter;
  readonly picker: AgentPicker;
  readonly window: Pick<WindowPort, 'confirm' | 'run'>;
  readonly resume: Pick<ResumeDesk, 'tellFleet'>;
  readonly isTrusted: IsTrusted;
  /** Names of the variables of the editor that agents get. */
  readonly passedVariables: () => readonly string[];
  readonly log: Logger;
}

const REMOVE = 'Remove…';
const OPEN_FILE = 'Open File';
const SHOW_PROBLEMS = 'Show Problems';
const UNSAVED = `${FLEET_FILE} has changes that are not saved; nothing was written. Save or revert it first.`;

/** The fleet file of the workspace: reads, checks, asks for approval, starts; and stops everything. */
export class FleetController implements Disposable {
  readonly #diagnostics = vscode.languages.createDiagnosticCollection('core-orchestrator-fleet');
  readonly #watcher = vscode.workspace.createFileSystemWatcher(`**/${FLEET_FILE}`);
  readonly #subscriptions = [
    this.#watcher,
    this.#watcher.onDidChange((uri) => void this.#checkAgain(uri)), // also by git, by an agent
    this.#watcher.onDidCreate((uri) => void this.#checkAgain(uri)), // VS Code tells a file that was made and soon changed as made
    this.#watcher.onDidDelete((uri) => this.#diagnostics.delete(uri)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#diagnostics.delete(uri)),
    vscode.workspace.onDidSaveTextDocument(({ uri }) => void this.#checkAgain(uri)),
  ];

  constructor(private readonly parts: FleetControllerParts) {}

  async start(): Promise<void> {
    demandTrust(this.parts.isTrusted);
    demandControl(this.parts.engine);
    const uri = await this.#chooseFile(CommandId.StartFleet);
    if (!uri) return;
    const plan = await this.parts.engine.planFleet(await readFleetFile(uri), uri.fsPath);
    this.#diagnostics.set(uri, plan.problems.map(toDiagnostic));
    if (plan.problems.length > 0) {
      void this.#sayProblems(uri, plan.problems);
      return;
    }
    if (!(await this.#approve(plan))) return;
    const result = await this.#withProgress('Starting the fleet', (report, signal) =>
      this.parts.engine.startFleet(plan, report, signal),
    );
    this.#sayResult('started', result);
    void this.#offerRemoval(plan);
  }

  async stopAll(): Promise<void> {
    const { engine } = this.parts;
    demandControl(engine);
    const count = engine.agents.filter((agent) => isLive(agent) || agent.lifecycle === 'backoff').length;
    const detail =
      'Every agent of this workspace is ended. What is not finished will be lost; what was said and done stays in their history.';
    const question = count === 1 ? 'Stop the one agent that runs?' : `Stop all ${count} agents that run?`;
    if ((await this.parts.window.confirm(question, detail, ['Keep Running', 'Stop All'])) !== 'Stop All') return;
    const result = await this.#withProgress('Stopping all agents', (report, signal) => engine.stopAll(report, signal));
    this.#sayResult('stopped', result);
  }

  /** Brings back what should run and does not, each in its own conversation where that is possible. */
  async resume(): Promise<void> {
    demandTrust(this.parts.isTrusted);
    demandControl(this.parts.engine);
    const result = await this.#withProgress('Bringing back the agents', (report, signal) =>
      this.parts.engine.resumeFleet(report, signal),
    );
    this.#log('brought back', result);
    if (result.succeeded.length + result.failed.length === 0) this.#say('brought back', result);
    else void this.parts.resume.tellFleet(result);
  }

  async openFile(): Promise<void> {
    const uri = await this.#chooseFile(CommandId.OpenFleetFile);
    if (uri) await vscode.window.showTextDocument(uri);
  }

  /** Writes a first fleet file to edit; one that says something already, on the disk or unsaved in an editor, is only opened. */
  async createFile(): Promise<void> {
    demandTrust(this.parts.isTrusted);
    const folders = vscode.workspace.workspaceFolders ?? [];
    const folder = folders.length > 1 ? await vscode.window.showWorkspaceFolderPick() : folders[0];
    if (!folder) {
      if (folders.length === 0) throw new WindowError('window.noFolder', 'no folder is open');
      return;
    }
    const uri = fleetFileOf(folder);
    const isUnsaved = hasUnsavedChanges(uri);
    if (!isUnsaved && ((await fleetFileOnDisk(uri)) ?? '').trim() === '')
      await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(fleetTemplate));
    await vscode.window.showTextDocument(uri);
    if (isUnsaved) this.parts.reporter.show('information', UNSAVED, []);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#diagnostics.dispose();
  }

  async #chooseFile(command: CommandId): Promise<vscode.Uri | undefined> {
    if ((vscode.workspace.workspaceFolders ?? []).length === 0)
      throw new WindowError('window.noFolder', 'no folder is open');
    const files = await findFleetFiles(this.parts.log);
    if (files.length === 0) return this.#offerFile();
    if (files.length === 1) return files[0];
    const items = files.map((uri) => ({
      label: vscode.workspace.getWorkspaceFolder(uri)?.name ?? uri.fsPath,
      description: FLEET_FILE,
      uri,
    }));
    const options = { title: COMMAND_TITLES[command], placeHolder: 'Which folder’s fleet?' };
    return (await vscode.window.showQuickPick(items, options))?.uri;
  }

  async #offerFile(): Promise<undefined> {
    const answer = await vscode.window.showInformationMessage(
      `This workspace has no fleet file (${FLEET_FILE}).`,
      'Create Fleet File',
    );
    if (answer !== undefined) await this.createFile();
    return undefined;
  }

  async #approve(plan: FleetPlan): Promise<boolean> {
    const unapproved = plan.agents.filter((entry) => !entry.isApproved);
    if (unapproved.length === 0) return true;
    if (!(await askApproval(unapproved, this.parts.passedVariables(), this.parts.documents))) return false;
    await this.parts.engine.approveFleet(unapproved.map((entry) => entry.hash));
    return true;
  }

  /** Agents that an earlier fleet file started and the present one does not name go on: the person may remove them. Never rejects. */
  async #offerRemoval(plan: FleetPlan): Promise<void> {
    const { engine, reporter, picker, window } = this.parts;
    const title = COMMAND_TITLES[CommandId.RemoveAgent];
    try {
      const left = leftOut(plan, engine.agents);
      if (left.length === 0) return;
      const answer = await vscode.window.showInformationMessage(withoutLinks(leftOutText(left)), REMOVE);
      if (answer === undefined) return;
      const ids = new Set(left.map(({ id }) => id));
      const chosen = await picker.pickMany(title, (agent) => ids.has(agent.id));
      if (!(await confirmRemoval(window, engine, chosen))) return;
      for (const id of chosen) await engine.removeAgent(id);
    } catch (error) {
      reporter.failure(title, error);
    }
  }

  async #sayProblems(uri: vscode.Uri, problems: readonly FleetProblem[]): Promise<void> {
    const [first] = problems;
    const buttons = problems.length > 1 ? [OPEN_FILE, SHOW_PROBLEMS] : [OPEN_FILE];
    const answer = await vscode.window.showErrorMessage(withoutLinks(problemsText(problems)), ...buttons);
    if (answer === undefined || !first) return;
    try {
      if (answer === SHOW_PROBLEMS) await vscode.commands.executeCommand('workbench.actions.view.problems');
      else await vscode.window.showTextDocument(uri, { selection: toDiagnostic(first).range });
    } catch (error) {
      this.parts.reporter.failure(COMMAND_TITLES[CommandId.OpenFleetFile], error);
    }
  }

  /** What was wrong when the fleet was to be started is looked at again with every save, until nothing is. Never rejects. */
  async #checkAgain(uri: vscode.Uri): Promise<void> {
    if (!this.#diagnostics.get(uri)?.length) return;
    try {
      const { problems } = await this.parts.engine.planFleet(await readFleetFile(uri), uri.fsPath);
      this.#diagnostics.set(uri, problems.map(toDiagnostic));
    } catch (error) {
      ignore(this.parts.log, error, 'the fleet file is checked again when the fleet is started');
    }
  }

  #withProgress(
    title: string,
    work: (report: (step: FleetStep) => void, signal: AbortSignal) => Promise<FleetResult>,
  ): Thenable<FleetResult> {
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    return vscode.window.withProgress(options, async (progress, token) => {
      const abort = new AbortController();
      const subscription = token.onCancellationRequested(() => abort.abort());
      let reported = 0;
      try {
        return await work((step) => {
          progress.report({
            message: `${step.done} of ${step.total}`,
            increment: ((step.done - reported) / Math.max(1, step.total)) * 100,
          });
          reported = step.done;
        }, abort.signal);
      } finally {
        subscription.dispose();
      }
    });
  }

  #sayResult(verb: FleetVerb, result: FleetResult): void {
    this.#log(verb, result);
    this.#say(verb, result);
  }

  #log(verb: FleetVerb, result: FleetResult): void {
    for (const { name, error } of result.failed) this.parts.log.error(`not ${verb}`, { name, error });
  }

  #say(verb: FleetVerb, result: FleetResult): void {
    const said = describeResult(verb, result);
    if (said) this.parts.reporter.show(said.severity, said.text, said.buttons);
  }
}

function toDiagnostic(problem: FleetProblem): vscode.Diagnostic {
  const start = new vscode.Position(Math.max(0, problem.line), Math.max(0, problem.column));
  const diagnostic = new vscode.Diagnostic(
    new vscode.Range(start, start.translate(0, 1)),
    [problem.path, problem.message].filter(Boolean).join(': '),
    vscode.DiagnosticSeverity.Error,
  );
  diagnostic.source = 'Core Orchestrator';
  return diagnostic;
}

import * as vscode from 'vscode';
import type { Clock } from '../../core/base/clock';
import type { AgentTypeInfo, DoctorReport, Engine } from '../../core/engine';
import { type DoctorFailure, doctorText } from '../documents/doctorText';
import { explainText } from '../documents/explainText';
import type { ReportDocuments } from '../documents/reportDocuments';
import { COMMAND_TITLES } from '../commandTitles';
import { isCancellation, messageFor } from '../errorMessages';
import { CommandId } from '../manifest';
import { withoutIcons } from '../plainText';
import { viewOf } from '../terminals/agentTerminals';
import { demandTrust, type IsTrusted } from '../trustGate';
import type { AgentTargets } from './agentTargets';
import { demandControl } from './control';
import type { CommandHandlers } from './registerCommands';

export interface ReportCommandParts {
  readonly engine: Engine;
  readonly targets: AgentTargets;
  readonly documents: ReportDocuments;
  readonly clock: Clock;
  readonly isTrusted: IsTrusted;
}

/** Commands that write a report: why a state is what it is, what works with the installed programs. */
export function reportCommands(parts: ReportCommandParts): CommandHandlers {
  const { engine, targets, documents, clock } = parts;
  return {
    [CommandId.ExplainState]: async (row) => {
      demandControl(engine);
      const id = await targets.one(CommandId.ExplainState, () => true, row);
      if (id === undefined) return;
      const explanation = await engine.explain(id);
      const view = viewOf(engine, id);
      const text = explainText(view, explanation, clock.nowMs());
      await documents.show(`State of ${view.name}.txt`, text, `state ${id}`);
    },
    [CommandId.Doctor]: (typeId) => doctor(parts, typeId),
  };
}

/** Starts the program of a type in a folder of its own, looks, ends it. One after the other: each takes seconds and memory. */
async function doctor({ engine, documents, isTrusted }: ReportCommandParts, given: unknown): Promise<void> {
  demandTrust(isTrusted);
  demandControl(engine);
  const types = typeof given === 'string' ? [given] : await pickTypes(engine.agentTypes);
  if (types.length === 0) return;
  const reports: DoctorReport[] = [];
  const failures: DoctorFailure[] = [];
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: COMMAND_TITLES[CommandId.Doctor],
    cancellable: true,
  };
  await vscode.window.withProgress(options, async (progress, token) => {
    const abort = new AbortController();
    const subscription = token.onCancellationRequested(() => abort.abort());
    try {
      for (const typeId of types) {
        if (abort.signal.aborted) break;
        progress.report({ message: `checking ${typeId}`, increment: 100 / types.length });
        await check(engine, typeId, abort.signal, reports, failures);
      }
    } finally {
      subscription.dispose();
    }
  });
  if (reports.length + failures.length > 0)
    await documents.show('Core Orchestrator Doctor.md', doctorText(reports, failures));
}

async function check(
  engine: Engine,
  typeId: string,
  signal: AbortSignal,
  reports: DoctorReport[],
  failures: DoctorFailure[],
): Promise<void> {
  try {
    reports.push(await engine.doctor(typeId, signal));
  } catch (error) {
    if (isCancellation(error)) return;
    failures.push({ typeId, reason: messageFor(error)?.text ?? '' });
  }
}

interface TypeItem extends vscode.QuickPickItem {
  readonly typeIds: readonly string[];
}

/** Types that have a program to check; all of those that are installed, or one. */
async function pickTypes(all: readonly AgentTypeInfo[]): Promise<readonly string[]> {
  const types = all.filter((type) => !type.needsCommand && type.availability !== 'missing');
  const everything: TypeItem = {
    label: 'All Installed Types',
    description: types.map(({ id }) => id).join(', '),
    typeIds: types.map(({ id }) => id),
  };
  const items: TypeItem[] = types.map((type) => ({
    label: withoutIcons(type.label),
    description: type.id,
    iconPath: new vscode.ThemeIcon(type.icon),
    typeIds: [type.id],
  }));
  const options = {
    title: COMMAND_TITLES[CommandId.Doctor],
    placeHolder: 'Which agent type? Its program is started for a moment.',
  };
  return (await vscode.window.showQuickPick([everything, ...items], options))?.typeIds ?? [];
}

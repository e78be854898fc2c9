import * as vscode from 'vscode';
import type { Engine, ExportFormat, ExportRequest } from '../../core/engine';
import { CommandId } from '../manifest';
import type { DocumentsPort, WindowPort } from '../notices/windowPort';
import type { Reporter } from '../reporter';
import { demandTrust, type IsTrusted } from '../trustGate';
import { demandControl } from './control';
import type { FileAsker } from './fileAsker';
import { ImportDesk } from './importDesk';
import type { CommandHandlers } from './registerCommands';
import { runExport } from './runExport';

export interface DataCommandParts {
  readonly engine: Engine;
  readonly reporter: Reporter;
  readonly window: WindowPort;
  readonly documents: DocumentsPort;
  readonly files: FileAsker;
  readonly isTrusted: IsTrusted;
}

interface FormatItem extends vscode.QuickPickItem {
  readonly format: ExportFormat;
  readonly ending: string;
}

const FORMATS: readonly FormatItem[] = [
  { label: 'JSON', description: 'every record, in one list; can be imported', format: 'json', ending: 'json' },
  {
    label: 'NDJSON',
    description: 'every record, one on each line; can be imported',
    format: 'ndjson',
    ending: 'ndjson',
  },
  { label: 'Markdown', description: 'transcripts, for reading', format: 'markdown', ending: 'md' },
  { label: 'CSV', description: 'every record, for a spreadsheet', format: 'csv', ending: 'csv' },
  { label: 'SQLite', description: 'every record, as a database', format: 'sqlite', ending: 'sqlite' },
];
const WITHOUT_SECRETS: vscode.QuickPickItem = {
  label: 'Without Secrets',
  description: 'what looks like a secret, and values of environment variables, are left out',
};
const WITH_SECRETS: vscode.QuickPickItem = { label: 'With Secrets', description: 'everything as it is kept' };

/** Commands about what is kept. */
export function dataCommands(parts: DataCommandParts): CommandHandlers {
  const { engine, window, documents, files, isTrusted } = parts;
  const filters = { Export: ['ndjson', 'jsonl', 'json'] };
  const askForFile = (title: string): Promise<string | undefined> => files.ask({ kind: 'open', title, filters });
  const desk = new ImportDesk({ engine, window, documents, askForFile });
  return {
    [CommandId.ExportData]: () => exportData(parts),
    [CommandId.ImportData]: async () => {
      demandTrust(isTrusted);
      await desk.import();
    },
  };
}

async function exportData({ engine, reporter, window, files, isTrusted }: DataCommandParts): Promise<void> {
  demandTrust(isTrusted);
  demandControl(engine);
  const request = await askForExport(files);
  if (!request) return;
  const report = await runExport({ engine, window }, request);
  if (!report) return;
  const secrets = report.isRedacted ? 'Secrets were left out.' : 'It holds secrets: keep it safe.';
  const count = report.records === 1 ? '1 record' : `${report.records} records`;
  const damaged = report.leftOut > 0 ? ` ${report.leftOut} damaged records are not in it.` : '';
  reporter.show(report.leftOut > 0 ? 'warning' : 'information', `Exported ${count}.${damaged} ${secrets}`, [
    { title: 'Show File', command: 'vscode.open', args: [vscode.Uri.file(report.file)] },
  ]);
}

/** The dialog for the file asks itself before a file is replaced. @throws {ExchangeError} exchange.fileUnusable */
async function askForExport(files: FileAsker): Promise<ExportRequest | undefined> {
  const title = 'Export Data';
  const chosen = await vscode.window.showQuickPick(FORMATS, { title, placeHolder: 'In which format?' });
  if (!chosen) return undefined;
  const secrets = await vscode.window.showQuickPick([WITHOUT_SECRETS, WITH_SECRETS], {
    title,
    placeHolder: 'With secrets, such as tokens in prompts?',
  });
  if (!secrets) return undefined;
  const { format, ending, label } = chosen;
  const file = await files.ask({ kind: 'save', title, filters: { [label]: [ending] }, name: `agents.${ending}` });
  return file === undefined ? undefined : { file, format, withSecrets: secrets === WITH_SECRETS, overwrite: true };
}

import * as vscode from 'vscode';
import type { FleetPlanEntry } from '../../core/engine';
import type { ReportDocuments } from '../documents/reportDocuments';
import { approvalDocument, approvalQuestion, approvalText, fitsDialog } from './approvalText';

const APPROVE = 'Approve and Start';
const NOTHING = 'Start Nothing';
const FILE_NAME = 'Commands to Approve.txt';

/**
 * Shows the person every command completely and asks. What is short stands in the dialog itself; what is long opens as
 * a document that stays readable while the question waits above it.
 * @param passed names of the variables of the editor that agents get by the person's settings
 */
export async function askApproval(
  entries: readonly FleetPlanEntry[],
  passed: readonly string[],
  documents: ReportDocuments,
): Promise<boolean> {
  const question = approvalQuestion(entries);
  const text = approvalText(entries, passed);
  if (fitsDialog(text)) {
    return (
      (await vscode.window.showWarningMessage(question, { modal: true, detail: text }, NOTHING, APPROVE)) === APPROVE
    );
  }
  const items = [
    { label: 'Cancel', description: 'Start nothing' },
    { label: APPROVE, description: 'I have read the document below' },
  ];
  await documents.show(FILE_NAME, approvalDocument(entries, passed, items.length));
  const options = { title: question, placeHolder: 'Read the document before you choose', ignoreFocusOut: true };
  const answer = await vscode.window.showQuickPick(items, options);
  await documents.close(FILE_NAME); // what it says ("nothing has run yet") is over
  return answer?.label === APPROVE;
}

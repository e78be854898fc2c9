import type { FleetPlanEntry } from '../../core/engine';

/** More than this is not read in a dialog: it goes into a document. */
const LONGEST_DIALOG_LINES = 16;
const LONGEST_DIALOG_CHARACTERS = 1200;

/** The complete commands that need approval, nothing left out. */
export function approvalText(entries: readonly FleetPlanEntry[]): string {
  return entries.map((entry) => entry.approvalText).join('\n\n');
}

/** It can be read in one look in a dialog. */
export function fitsDialog(text: string): boolean {
  return text.length <= LONGEST_DIALOG_CHARACTERS && text.split('\n').length <= LONGEST_DIALOG_LINES;
}

export function approvalQuestion(entries: readonly FleetPlanEntry[]): string {
  return entries.length === 1
    ? 'Run this command from the fleet file?'
    : `Run these ${entries.length} commands from the fleet file?`;
}

export function approvalDocument(entries: readonly FleetPlanEntry[]): string {
  const head =
    'These commands come from the fleet file of this workspace. Nothing of them has run yet.\n\nApprove only what you understand: approval holds for exactly this text.\n\n';
  return `${head}\n\n${approvalText(entries)}\n`;
}

import type { FleetPlanEntry } from '../../core/engine';

/** More than this is not read in a dialog: it goes into a document. */
const LONGEST_DIALOG_LINES = 16;
const LONGEST_DIALOG_CHARACTERS = 1200;

/**
 * The complete commands that need approval, nothing left out.
 * @param passed names of the variables of the editor that agents get by the setting `coreOrchestrator.agents.passEnvironment`
 */
export function approvalText(entries: readonly FleetPlanEntry[], passed: readonly string[]): string {
  const commands = entries.map((entry) => entry.approvalText);
  const whose = entries.length === 1 ? 'It gets' : 'Each of them gets';
  const variables =
    passed.length === 0
      ? []
      : [`${whose} these variables of the editor, too, as your settings say: ${passed.join(', ')}`];
  return [...commands, ...variables].join('\n\n');
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

/**
 * Blank lines for the top of a document that is read while a question with so many choices is open: VS Code draws that over the first lines of the
 * editor, which cannot be scrolled from under it. One line per choice, and what the title and the input box take.
 */
export function belowQuestion(choices: number): string {
  return '\n'.repeat(choices + 4);
}

/**
 * @param passed as of {@link approvalText}
 * @param choices how many the question above it has
 */
export function approvalDocument(
  entries: readonly FleetPlanEntry[],
  passed: readonly string[],
  choices: number,
): string {
  const head =
    'These commands come from the fleet file of this workspace. Nothing of them has run yet.\n\nApprove only what you understand: approval holds for exactly this text.\n\n';
  return `${approvalQuestion(entries)}${belowQuestion(choices)}${head}${approvalText(entries, passed)}\n`;
}

import type { PermissionRequest } from '../../core/agents/permissionRequest';
import { revealText } from '../../core/agents/visibleText';
import { subjectLine } from '../../shared/requestTitle';
import { belowQuestion, fitsDialog } from '../fleet/approvalText';

/** One line about what is asked, for rows and notifications. Longer ones are shortened visibly; {@link requestText} is complete. */
export function requestTitle(request: PermissionRequest, longest = 80): string {
  const title = oneLine([request.title, ...subjectOf(request)].join(' '));
  const characters = [...title];
  return characters.length <= longest ? title : `${characters.slice(0, longest - 1).join('')}…`;
}

/** What is asked, in few words for narrow places: of a dialog that only asks whether, first what it is about. `rm -r build`, `Bash: npm test`. */
export function requestSubject(request: PermissionRequest): string {
  const [subject] = subjectOf(request);
  return subject === undefined ? requestTitle(request) : requestTitle({ ...request, title: subject, detail: '' });
}

function subjectOf(request: PermissionRequest): readonly string[] {
  const subject = subjectLine(request);
  return subject === '' ? [] : [subject];
}

/**
 * The complete request for the person who decides (S24): nothing is cut here, every invisible character but a line break is spelled
 * out, and every line is indented, so that nothing of it can pose as our own words.
 */
export function requestText(agentName: string, request: PermissionRequest): string {
  const lines = [`${oneLine(agentName)} ${request.kind === 'question' ? 'asks' : 'wants to do this'}:`, ''];
  if (!request.detail.startsWith(request.title)) lines.push(...indented(request.title), '');
  lines.push(...indented(request.detail));
  if (request.tool !== undefined) lines.push('', `Tool: ${oneLine(request.tool)}`);
  if (request.isCut)
    lines.push(
      '',
      'It tells more than can be kept here. The rest is only in its terminal, where alone it can be allowed.',
    );
  lines.push('', doorWords(request));
  return lines.join('\n');
}

/** It can be allowed from here: never what was cut (S24). */
export function isAllowable(request: PermissionRequest): boolean {
  return request.canAllow && !request.isCut && request.door !== 'none';
}

/** It can be refused from here. */
export function isDeniable(request: PermissionRequest): boolean {
  return request.canDeny && request.door !== 'none';
}

/** It can be answered, or never will be from here; false while a program has told a question and not yet drawn the dialog for it. */
export function isDrawn(request: PermissionRequest): boolean {
  return request.door !== 'keys' || request.dialog !== undefined;
}

/** How an answer from here reaches the agent. */
export function doorWords(request: PermissionRequest): string {
  if (!isDrawn(request)) return 'Its dialog is not drawn yet. It can be answered from here once it is.';
  switch (request.door) {
    case 'hook':
      return 'An answer goes to the program itself. Its own dialog stays usable.';
    case 'keys':
      return 'An answer presses the keys of this dialog, only while this very dialog is on its screen.';
    case 'none':
      return 'It can be answered only in its terminal.';
  }
}

/** All of it can be read in a dialog, and all of it is there. */
export function fitsInDialog(agentName: string, request: PermissionRequest): boolean {
  return !request.isCut && fitsDialog(requestText(agentName, request));
}

/** The document of a long request. @param choices how many the question above it has */
export function requestDocument(agentName: string, request: PermissionRequest, choices: number): string {
  return `${oneLine(agentName)}${belowQuestion(choices)}Nothing of this has been allowed yet. Invisible characters are spelled out.\n\n${requestText(agentName, request)}\n`;
}

function indented(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r]/).map((line) => `    ${reveal(line)}`);
}

/** {@link revealText} without the doubled backslashes: here a command is read, not compared. */
function reveal(line: string): string {
  return revealText(line).replaceAll('\\\\', '\\');
}

function oneLine(text: string): string {
  return reveal(text.replace(/\s+/g, ' ').trim());
}

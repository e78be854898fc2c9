import type { PermissionRequest } from '../../core/agents/permissionRequest';
import type { AgentView } from '../../core/engine';
import { isAllowable, isDeniable, requestTitle } from '../approvals/requestText';
import { withoutLinks } from '../plainText';
import { redact } from '../redact';

export const REVIEW = 'Review…';
export const APPROVE = 'Approve';
export const DENY = 'Deny';
export const GO_TO_AGENT = 'Go to Agent';

/** A notification about one agent's request. */
export interface RequestNotice {
  readonly text: string;
  /** The first is what VS Code's shortcut for a notification presses: it never answers anything. */
  readonly buttons: readonly string[];
}

/** The longest request, in characters, that a notification shows as a whole: about three of its lines. */
const LONGEST_WHOLE_REQUEST = 200;
/** Nothing else may stand for a line break: this sign is outside {@link SEEN_AS_IT_IS}. */
const LINE_BREAK = ' ⏎ ';
/** Printable Latin-1: no character that is invisible, joins others, changes the direction of writing, or means "shortened". */
const SEEN_AS_IT_IS = /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u00ff]+$/;

/** What the notification says, and which answers it offers: to approve only where the whole request stands in it (S24). */
export function requestNotice(agent: AgentView, request: PermissionRequest): RequestNotice {
  const verb = request.kind === 'question' ? 'asks' : 'needs approval';
  const saying = (what: string): string => `${agent.name} ${verb}: ${what}`;
  const whole = wholeRequest(request);
  const isWhole = whole !== undefined && isShownUnchanged(saying(whole));
  const mayAnswer = !agent.isManagedElsewhere;
  const isApprovable = isWhole && mayAnswer && isAllowable(request);
  const deny = mayAnswer && isDeniable(request) ? [DENY] : [];
  return {
    text: saying(isWhole ? whole : requestTitle(request)),
    buttons: isApprovable ? [REVIEW, APPROVE, ...deny] : [REVIEW, ...deny, GO_TO_AGENT],
  };
}

/** All of a request in one line; undefined when a notification could not show it exactly as it is. */
export function wholeRequest(request: PermissionRequest): string | undefined {
  if (request.isCut) return undefined;
  const lines = request.detail.split('\n');
  const [first = ''] = lines;
  const isTitleOfFirst = request.title === first || request.title === `${request.tool}: ${first}`;
  const parts = [request.title, ...(isTitleOfFirst ? lines.slice(1) : lines)];
  if (request.tool !== undefined && !parts[0]?.startsWith(request.tool)) parts.unshift(request.tool);
  const text = parts.join(LINE_BREAK);
  return parts.every(isSeenAsItIs) && text.length <= LONGEST_WHOLE_REQUEST ? text : undefined;
}

/** Notifications show a run of blanks as one, and none at an end. */
function isSeenAsItIs(line: string): boolean {
  return SEEN_AS_IT_IS.test(line) && line.trim() === line && !line.includes('  ');
}

/** The window hides secrets, and takes links apart; what is changed so is not what would be allowed. */
function isShownUnchanged(text: string): boolean {
  return withoutLinks(redact(text)) === text;
}

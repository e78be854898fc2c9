import type { PermissionRequest } from '../agents/permissionRequest';
import type { AgentView } from '../engine';

/**
 * Characters that the texts of requests may have together in one answer: each has up to 32 KiB, and an answer with every agent
 * must stay within {@link MAX_ANSWER_BYTES}. What is over it is left out, the longest first.
 */
const MAX_REQUEST_CHARACTERS = 256 * 1024;

/** Views for one answer. A request whose text is left out is told apart by {@link isLeftOut}; `agent.get` has it. */
export function listedViews(views: readonly AgentView[]): readonly AgentView[] {
  const sizes = views.map(({ request }) => (request ? sizeOf(request) : 0));
  let total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= MAX_REQUEST_CHARACTERS) return views;
  const longestFirst = sizes.map((size, index) => ({ size, index })).sort((a, b) => b.size - a.size);
  const listed = [...views];
  for (const { size, index } of longestFirst) {
    const view = views[index];
    if (total <= MAX_REQUEST_CHARACTERS || !view?.request) break;
    listed[index] = { ...view, request: withoutText(view.request) };
    total -= size;
  }
  return listed;
}

/** Its text was left out of a list. A request that was cut by its program's door always has a beginning. */
export function isLeftOut(request: PermissionRequest | undefined): boolean {
  return request?.isCut === true && request.detail === '';
}

function withoutText(request: PermissionRequest): PermissionRequest {
  const { dialog: _dialog, ...rest } = request;
  return { ...rest, detail: '', isCut: true };
}

function sizeOf({ detail, dialog }: PermissionRequest): number {
  return detail.length + (dialog?.length ?? 0);
}

import type { AgentId } from '../../core/agents/agent';
import type { AgentView } from '../../core/engine';
import { isDrawn } from '../approvals/requestText';
import { MERGE_LIMIT_MS, MERGE_MS } from './mergeTimer';

/**
 * What an agent asks is known a moment after that it asks: its screen has to be read, and a dialog that looks like the one that was
 * answered counts as a new one after two seconds. Without it a message can only say that something is asked.
 */
export const REQUEST_MS = 3_000;
/** Whose terminal was in front for this long may have been looked at or not: VS Code tells neither of a panel that is closed nor of the focus. */
export const WATCHED_MS = 15_000;

interface Told {
  readonly needsYou: AgentView['needsYou'];
  readonly sinceMs: number;
  readonly requestId: string | undefined;
  /** As one name of several: what it asks is no news any more. */
  readonly isListed: boolean;
}

interface Untold {
  readonly view: AgentView;
  /** Monotonic ms at which this need was seen first. */
  readonly firstMs: number;
  /** Monotonic ms at which something about it changed last. */
  readonly lastMs: number;
  /** Whoever looked at the agent has turned to something else since. */
  readonly isLeft: boolean;
}

/** Why a need is not told now although it could be. */
export interface Holding {
  /** The person looks at this agent, as far as can be known. */
  readonly watched: AgentId | undefined;
  /** Such a need is told at all. */
  readonly isLoud: (view: AgentView) => boolean;
}

/**
 * Which needs of agents a person has not been told. It compares what is so with what was told, not one change with the next: whatever
 * comes together, in another order or not at all in between, a need that goes on is told once. Times are monotonic ms but for `sinceMs`.
 */
export class NeedsQueue {
  readonly #told = new Map<AgentId, Told>();
  readonly #untold = new Map<AgentId, Untold>();

  /** Takes what is so now for told. */
  greet(views: readonly AgentView[]): void {
    for (const view of views) {
      this.#untold.delete(view.id);
      this.#markTold(view, true);
    }
  }

  forget(id: AgentId): void {
    this.#told.delete(id);
    this.#untold.delete(id);
  }

  /** What is so of one agent that needs a person. */
  note(view: AgentView, nowMs: number): void {
    const told = this.#told.get(view.id);
    if (told && isSameNeed(told, view)) {
      if (view.request) this.#markTold(view, told.isListed);
      this.#untold.delete(view.id);
      return;
    }
    const untold = this.#untold.get(view.id);
    const isOther = !untold || untold.view.needsYou !== view.needsYou || untold.view.sinceMs !== view.sinceMs;
    const isNews = isOther || untold.view.request?.id !== view.request?.id || isKnown(untold.view) !== isKnown(view);
    this.#untold.set(view.id, {
      view,
      firstMs: isOther ? nowMs : untold.firstMs,
      lastMs: isNews ? nowMs : untold.lastMs,
      isLeft: !isOther && untold.isLeft,
    });
  }

  /** The person has turned from what was in front to something else: whoever waits there is not watched any more. */
  leave(): void {
    for (const [id, untold] of this.#untold) this.#untold.set(id, { ...untold, isLeft: true });
  }

  /** When there is something to tell; undefined: not by itself. */
  dueMs(holding: Holding): number | undefined {
    const { open, held } = this.#sort(holding);
    const heldUntilMs = held.map(({ firstMs }) => firstMs + WATCHED_MS);
    const [first] = open;
    if (!first) return heldUntilMs.length === 0 ? undefined : Math.min(...heldUntilMs);
    if (open.length === 1 && !isKnown(first.view)) return first.firstMs + REQUEST_MS;
    const quietMs = Math.max(...open.map(({ lastMs }) => lastMs)) + MERGE_MS;
    return Math.min(quietMs, Math.min(...open.map(({ firstMs }) => firstMs)) + MERGE_LIMIT_MS, ...heldUntilMs);
  }

  /** What is to be told now, together; it counts as told from here on. */
  take(holding: Holding, nowMs: number): readonly AgentView[] {
    if ((this.dueMs(holding) ?? Infinity) > nowMs) return [];
    const { open, held } = this.#sort(holding);
    const due = [...open, ...held.filter(({ firstMs }) => firstMs + WATCHED_MS <= nowMs)].map(({ view }) => view);
    for (const view of due) {
      this.#untold.delete(view.id);
      this.#markTold(view, due.length > 1);
    }
    return due;
  }

  clear(): void {
    this.#told.clear();
    this.#untold.clear();
  }

  #sort({ watched, isLoud }: Holding): { readonly open: readonly Untold[]; readonly held: readonly Untold[] } {
    const loud = [...this.#untold.values()].filter(({ view }) => isLoud(view));
    const isHeld = ({ view, isLeft }: Untold): boolean => view.id === watched && !isLeft;
    return { open: loud.filter((untold) => !isHeld(untold)), held: loud.filter(isHeld) };
  }

  #markTold({ id, needsYou, sinceMs, request }: AgentView, isListed: boolean): void {
    if (needsYou !== undefined) this.#told.set(id, { needsYou, sinceMs, requestId: request?.id, isListed });
  }
}

/** A question of the same program may follow another without a word between: they differ by their ids. */
function isSameNeed(told: Told, view: AgentView): boolean {
  if (told.needsYou !== view.needsYou) return false;
  if (view.request === undefined) return told.sinceMs === view.sinceMs;
  if (told.requestId === undefined) return told.isListed && told.sinceMs === view.sinceMs;
  return told.requestId === view.request.id;
}

/** All that a message could say is there. */
function isKnown({ needsYou, request }: AgentView): boolean {
  if (needsYou !== 'input' && needsYou !== 'approval') return true;
  return request !== undefined && isDrawn(request);
}

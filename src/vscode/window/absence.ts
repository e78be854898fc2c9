import type { Memory } from '../notices/windowPort';

const LAST_SEEN_KEY = 'coreOrchestrator.lastSeenMs';
/** A window that comes back sooner was only reloaded. */
export const RELOAD_MS = 60_000;

/** Whether VS Code was away before this session. The mark is taken away at once: after a crash there is none. */
export function takeAbsence(memory: Memory, nowMs: number): boolean {
  const lastSeenMs = memory.get(LAST_SEEN_KEY);
  memory.set(LAST_SEEN_KEY, undefined);
  return typeof lastSeenMs !== 'number' || nowMs - lastSeenMs > RELOAD_MS;
}

/** Called when the window ends. */
export function markSeen(memory: Memory, nowMs: number): void {
  memory.set(LAST_SEEN_KEY, nowMs);
}

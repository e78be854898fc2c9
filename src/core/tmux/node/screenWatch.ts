import type { Clock } from '../../base/clock';
import type { Disposable } from '../../base/disposable';

export interface ScreenWatchOptions {
  readonly clock: Clock;
  /** Reads the screen of a pane and tells it. Must not reject. */
  readonly capture: (paneId: string) => Promise<void>;
  /** Output arrived; at most every {@link HEARTBEAT_MS} per pane. */
  readonly onOutput: (paneId: string) => void;
}

/** 120 ms: longer than a program needs between the parts of one redraw, shorter than a person notices. */
export const SETTLE_MS = 120;
/** 1 s: a spinner never rests; its screen is read all the same. */
export const RESTLESS_MS = 1_000;
/** 250 ms: four heartbeats per second. */
export const HEARTBEAT_MS = 250;

interface PaneState {
  /** First output that no capture has seen. */
  dirtySinceMs: number;
  lastOutputMs: number;
  lastHeartbeatMs: number;
  timer: Disposable | undefined;
  isCapturing: boolean;
}

/** Decides when a screen is worth reading: changed and now quiet, or restless for a second. Never polls: no output, no timer. */
export class ScreenWatch implements Disposable {
  readonly #panes = new Map<string, PaneState>();
  #isDisposed = false;

  constructor(private readonly options: ScreenWatchOptions) {}

  /** How many panes wait to be read; the leak check. */
  get pendingCount(): number {
    return [...this.#panes.values()].filter((pane) => pane.timer !== undefined).length;
  }

  noteOutput(paneId: string): void {
    if (this.#isDisposed) return;
    const now = this.options.clock.monotonicMs();
    let pane = this.#panes.get(paneId);
    if (!pane) {
      pane = { dirtySinceMs: now, lastOutputMs: now, lastHeartbeatMs: -Infinity, timer: undefined, isCapturing: false };
      this.#panes.set(paneId, pane);
    }
    pane.lastOutputMs = now;
    if (now - pane.lastHeartbeatMs >= HEARTBEAT_MS) {
      pane.lastHeartbeatMs = now;
      this.options.onOutput(paneId);
    }
    if (pane.timer || pane.isCapturing) return; // the timer looks at lastOutputMs when it fires
    pane.dirtySinceMs = now;
    this.#arm(paneId, pane);
  }

  /** The pane is gone. */
  forget(paneId: string): void {
    this.#panes.get(paneId)?.timer?.dispose();
    this.#panes.delete(paneId);
  }

  clear(): void {
    for (const paneId of [...this.#panes.keys()]) this.forget(paneId);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.clear();
  }

  #arm(paneId: string, pane: PaneState): void {
    const now = this.options.clock.monotonicMs();
    const dueMs = Math.min(pane.lastOutputMs + SETTLE_MS, pane.dirtySinceMs + RESTLESS_MS);
    pane.timer = this.options.clock.setTimer(Math.max(1, dueMs - now), () => this.#due(paneId, pane));
  }

  #due(paneId: string, pane: PaneState): void {
    pane.timer = undefined;
    const now = this.options.clock.monotonicMs();
    if (now - pane.lastOutputMs < SETTLE_MS && now - pane.dirtySinceMs < RESTLESS_MS) return this.#arm(paneId, pane);
    pane.isCapturing = true;
    const askedMs = now;
    void this.options.capture(paneId).finally(() => {
      pane.isCapturing = false;
      if (this.#panes.get(paneId) !== pane || pane.lastOutputMs <= askedMs) return;
      pane.dirtySinceMs = pane.lastOutputMs;
      this.#arm(paneId, pane);
    });
  }
}

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
/** 160 ms: a program that begins to move and does not stop is read this soon, for the spinner that it now draws is news. */
export const FIRST_LOOK_MS = 160;
/** 1 s: a spinner never rests; its screen is read all the same, but rarely. */
export const RESTLESS_MS = 1_000;
/** 80 ms: screens that become due within one such step are read together; a process woken once does not cost twice. */
export const STEP_MS = 80;
/** 250 ms: four heartbeats per second. */
export const HEARTBEAT_MS = 250;

interface PaneState {
  /** First output that no capture has seen. */
  dirtySinceMs: number;
  lastOutputMs: number;
  lastHeartbeatMs: number;
  /** The step in which it will be looked at; undefined while clean. */
  dueMs: number | undefined;
  isCapturing: boolean;
  /** It was still moving when it was read last. */
  isRestless: boolean;
}

/** Decides when a screen is worth reading: changed and now quiet, soon after it began to move, then once per second while it does not rest. Never polls: no output, no timer. */
export class ScreenWatch implements Disposable {
  readonly #panes = new Map<string, PaneState>();
  readonly #steps = new Map<number, Disposable>();
  #isDisposed = false;

  constructor(private readonly options: ScreenWatchOptions) {}

  /** How many panes wait to be read; the leak check. */
  get pendingCount(): number {
    return [...this.#panes.values()].filter((pane) => pane.dueMs !== undefined).length;
  }

  noteOutput(paneId: string): void {
    if (this.#isDisposed) return;
    const now = this.options.clock.monotonicMs();
    let pane = this.#panes.get(paneId);
    if (!pane) {
      pane = {
        dirtySinceMs: now,
        lastOutputMs: now,
        lastHeartbeatMs: -Infinity,
        dueMs: undefined,
        isCapturing: false,
        isRestless: false,
      };
      this.#panes.set(paneId, pane);
    }
    if (pane.dueMs === undefined && now - pane.lastOutputMs >= SETTLE_MS) pane.isRestless = false; // it had come to rest
    pane.lastOutputMs = now;
    if (now - pane.lastHeartbeatMs >= HEARTBEAT_MS) {
      pane.lastHeartbeatMs = now;
      this.options.onOutput(paneId);
    }
    if (pane.dueMs !== undefined || pane.isCapturing) return; // the step looks at lastOutputMs when it comes
    pane.dirtySinceMs = now;
    this.#arm(pane);
  }

  /** How long nothing had come from the pane at `atMs`, 0 when something came since; undefined: nothing ever came. */
  quietMs(paneId: string, atMs: number): number | undefined {
    const pane = this.#panes.get(paneId);
    return pane && Math.max(0, atMs - pane.lastOutputMs);
  }

  /** The pane is gone. */
  forget(paneId: string): void {
    this.#panes.delete(paneId);
  }

  clear(): void {
    this.#panes.clear();
    for (const step of this.#steps.values()) step.dispose();
    this.#steps.clear();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.clear();
  }

  #arm(pane: PaneState): void {
    const dueMs = Math.min(pane.lastOutputMs + SETTLE_MS, pane.dirtySinceMs + patienceMs(pane));
    const stepMs = Math.ceil(dueMs / STEP_MS) * STEP_MS;
    pane.dueMs = stepMs;
    if (this.#steps.has(stepMs)) return;
    const waitMs = Math.max(1, stepMs - this.options.clock.monotonicMs());
    this.#steps.set(
      stepMs,
      this.options.clock.setTimer(waitMs, () => this.#step(stepMs)),
    );
  }

  #step(stepMs: number): void {
    this.#steps.delete(stepMs);
    for (const [paneId, pane] of this.#panes) if (pane.dueMs === stepMs) this.#due(paneId, pane);
  }

  #due(paneId: string, pane: PaneState): void {
    pane.dueMs = undefined;
    const now = this.options.clock.monotonicMs();
    const isMoving = now - pane.lastOutputMs < SETTLE_MS;
    if (isMoving && now - pane.dirtySinceMs < patienceMs(pane)) return this.#arm(pane);
    pane.isRestless = isMoving;
    pane.isCapturing = true;
    void this.options.capture(paneId).finally(() => {
      pane.isCapturing = false;
      if (this.#panes.get(paneId) !== pane || pane.lastOutputMs <= now) return;
      pane.dirtySinceMs = pane.lastOutputMs;
      this.#arm(pane);
    });
  }
}

/** How long a moving screen is left alone. */
function patienceMs({ isRestless }: PaneState): number {
  return isRestless ? RESTLESS_MS : FIRST_LOOK_MS;
}

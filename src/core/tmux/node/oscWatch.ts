import { hostname } from 'node:os';
import type { OscSequence } from '../../agents/agentHost';
import type { Clock } from '../../base/clock';
import type { Disposable } from '../../base/disposable';
import type { HostedEntry } from '../hostedAgents';
import { type FoundOsc, OscScanner } from './oscScanner';

/** Titles, and the sequence by which a program reports its state. */
export const STATE_OSC = 7501;
const WANTED: ReadonlySet<number> = new Set([0, 2, STATE_OSC]);
/** A burst may be this long; after it one per {@link PERIOD_MS}. */
const BURST = 8;
/** 50 ms: 20 per second. A spinner in a title changes 10 times per second. */
const PERIOD_MS = 50;

interface Lane {
  /** What may still be told at once; grows by one per period. */
  tokens: number;
  refilledMs: number;
  waiting: FoundOsc | undefined;
  timer: Disposable | undefined;
}

interface Pane {
  readonly entry: HostedEntry;
  readonly scanner: OscScanner;
  readonly titles: Lane;
  readonly states: Lane;
  /** The title that was told last. */
  title: string | undefined;
  /** Output was missed, at first what came before we listened: the next settled screen tells the title. */
  hasGap: boolean;
}

/** Titles and state reports of all agents' terminals, limited per agent. Costs nothing while nothing comes. */
export class OscWatch implements Disposable {
  readonly #panes = new Map<string, Pane>();

  constructor(
    private readonly clock: Clock,
    private readonly onOsc: (osc: OscSequence) => void,
  ) {}

  push(entry: HostedEntry, escaped: Uint8Array): void {
    this.#pane(entry).scanner.push(escaped);
  }

  /** Output of this terminal was lost. */
  noteGap(entry: HostedEntry): void {
    const pane = this.#pane(entry);
    pane.scanner.reset();
    pane.hasGap = true;
  }

  /** A settled screen shows this title; heeded when the stream cannot have told it. */
  noteTitle(entry: HostedEntry, title: string, isStreamed: boolean): void {
    const pane = this.#pane(entry);
    if ((isStreamed && !pane.hasGap) || title === hostname()) return; // tmux's own, before the program sets one
    this.#found(pane, { code: 2, text: title });
  }

  forget(paneId: string): void {
    const pane = this.#panes.get(paneId);
    pane?.titles.timer?.dispose();
    pane?.states.timer?.dispose();
    this.#panes.delete(paneId);
  }

  clear(): void {
    for (const paneId of [...this.#panes.keys()]) this.forget(paneId);
  }

  dispose(): void {
    this.clear();
  }

  #pane(entry: HostedEntry): Pane {
    const present = this.#panes.get(entry.paneId);
    if (present?.entry === entry) return present;
    this.forget(entry.paneId);
    const scanner = new OscScanner(
      (code) => WANTED.has(code),
      (found) => this.#found(pane, found),
    );
    const pane: Pane = { entry, scanner, titles: this.#lane(), states: this.#lane(), title: undefined, hasGap: true };
    this.#panes.set(entry.paneId, pane);
    return pane;
  }

  #lane(): Lane {
    return { tokens: BURST, refilledMs: this.clock.monotonicMs(), waiting: undefined, timer: undefined };
  }

  #found(pane: Pane, found: FoundOsc): void {
    if (found.code === STATE_OSC) return this.#queue(pane, pane.states, found);
    pane.hasGap = false;
    if (found.text === pane.title && !pane.titles.waiting) return;
    this.#queue(pane, pane.titles, found);
  }

  #queue(pane: Pane, lane: Lane, found: FoundOsc): void {
    const nowMs = this.clock.monotonicMs();
    const periods = Math.floor((nowMs - lane.refilledMs) / PERIOD_MS);
    lane.refilledMs += periods * PERIOD_MS;
    lane.tokens = Math.min(BURST, lane.tokens + periods);
    if (lane.tokens > 0 && !lane.timer) {
      lane.tokens--;
      return this.#tell(pane, found);
    }
    lane.waiting = found;
    lane.timer ??= this.clock.setTimer(PERIOD_MS, () => {
      lane.timer = undefined;
      const { waiting } = lane;
      lane.waiting = undefined;
      if (waiting) this.#queue(pane, lane, waiting);
    });
  }

  #tell(pane: Pane, { code, text }: FoundOsc): void {
    if (code !== STATE_OSC && text === pane.title) return; // there and back while it waited
    if (code !== STATE_OSC) pane.title = text;
    const { agentId, generation } = pane.entry;
    this.onOsc({ agentId, generation, code, text, observedAtMs: this.clock.nowMs() });
  }
}

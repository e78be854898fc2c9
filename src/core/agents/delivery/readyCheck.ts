import { type Clock, sleep } from '../../base/clock';
import { ignore, type Logger } from '../../base/log';
import type { AgentHost, SettledScreen } from '../agentHost';
import type { Agent } from '../baseAgent';
import { answeredAtMs, blockedByRecord, blockedByScreen, type Look, type ScreenJudge } from './deliveryScreen';
import type { BlockedReason } from './promptDelivery';

export type Readiness =
  | { readonly kind: 'free'; readonly look: Look }
  /** `draft`: what is drawn in the box, when that is the reason. Untrusted. */
  | { readonly kind: 'blocked'; readonly reason: BlockedReason; readonly draft?: string };

/** 120 ms: two looks that far apart must agree, so that one half-drawn screen decides nothing. */
export const CONFIRM_MS = 120;
/** 600 ms: a draft must stand so long before it is somebody's: what was submitted may still be drawn, or a redraw be half done. */
export const DRAFT_MS = 600;
/** 300 ms: a program that has just started draws its box before all the rest; it must stand still this long. */
export const NEW_PROCESS_MS = 300;
/** 600 ms: a program draws its input box again before it reads it: what came sooner after a dialog was lost on a loaded machine. */
export const AFTER_DIALOG_MS = 600;
/** 3 s: a dialog that was answered stays on the screen until the program draws again; so long it is waited for. */
export const ANSWERED_MS = 3_000;
/** 3 s: a box that is hidden for a moment (a redraw, a notice) is waited for; a dialog that nobody has answered and a draft are not. */
export const PATIENCE_MS = 3_000;
/** 5 s: a program that tells of its start by a hook may draw an empty box before it takes input; so long it is waited for. */
export const START_HOOK_MS = 5_000;
const SHORTEST_PAUSE_MS = 20;
/** 2 s: an older settled screen of a program that is busy all the time is no first look any more. */
const KEPT_LOOK_MS = 2_000;

/** Finds out whether an agent can be typed into now. The last settled screen counts as the first of the two looks. */
export class ReadyCheck {
  #settled: Look | undefined;
  #generation = 0;
  #isStirred = false;
  #deliveredMs = -Infinity;
  #dialogMs = -Infinity;

  constructor(
    private readonly ports: {
      readonly host: AgentHost;
      readonly clock: Clock;
      readonly log: Logger;
      readonly judge: ScreenJudge;
      /** An earlier prompt waits inside the program, and would be joined with another one. */
      readonly isHolding?: () => boolean;
      /** A turn is being ended: it is waited for however long that takes, which is not for ever. */
      readonly isTurnEnding?: () => boolean;
    },
    private readonly agent: Pick<Agent, 'id' | 'type' | 'record'>,
  ) {}

  /** A screen of the agent has settled: what it means, for who waits. */
  noteSettled(screen: SettledScreen): BlockedReason | undefined {
    const { type, record } = this.agent;
    if (!type || screen.generation !== record.generation) return 'not_ready';
    this.#settled = this.ports.judge.judge(type, screen, this.ports.clock.monotonicMs());
    this.#generation = screen.generation;
    this.#isStirred = false;
    const blocked = blockedByRecord(record) ?? blockedByScreen(this.#settled, type);
    this.#noteDialog(blocked);
    return blocked;
  }

  #noteDialog(blocked: BlockedReason | undefined): void {
    if (blocked === 'dialog_open') this.#dialogMs = this.ports.clock.monotonicMs();
  }

  #hadDialog(): boolean {
    return this.ports.clock.monotonicMs() - this.#dialogMs < AFTER_DIALOG_MS;
  }

  /** Output came since the last settled screen. */
  noteOutput(): void {
    this.#isStirred = true;
  }

  /** A delivery is over: what was seen before it is no look any more, and its text may be drawn for a moment longer. */
  noteDelivered(): void {
    this.#settled = undefined;
    this.#deliveredMs = this.ports.clock.monotonicMs();
  }

  /** `isFirst`: nothing was delivered to this process yet; `isStarting`: the hook that tells of its start has not come. @throws the signal's reason */
  async check(isFirst: boolean, signal: AbortSignal, isStarting = (): boolean => false): Promise<Readiness> {
    const { clock } = this.ports;
    let patientSinceMs = clock.monotonicMs();
    let freeSinceMs: number | undefined;
    let before: Verdict | undefined = isFirst ? undefined : this.#keptVerdict();
    for (;;) {
      const verdict = await this.#look();
      signal.throwIfAborted();
      if (verdict.isFinal) return { kind: 'blocked', reason: verdict.reason ?? 'not_ready' };
      const nowMs = clock.monotonicMs();
      const isDraft = verdict.reason === 'draft_in_box';
      const gapMs = isDraft ? DRAFT_MS : isFirst ? NEW_PROCESS_MS : CONFIRM_MS;
      const isStill = isDraft ? isSameDraft(before?.look, verdict.look) : !isFirst || verdict.look?.isBusy === true || before?.look?.text === verdict.look?.text; // prettier-ignore
      const isSame = before !== undefined && before.reason === verdict.reason && isStill;
      const isConfirmed = isSame && before !== undefined && nowMs - before.atMs >= gapMs;
      if (isConfirmed && verdict.reason === undefined && verdict.look) {
        freeSinceMs ??= nowMs;
        if (!isFirst || !isStarting() || nowMs - freeSinceMs >= START_HOOK_MS)
          return { kind: 'free', look: verdict.look };
        await sleep(clock, CONFIRM_MS, signal);
        continue;
      }
      const isPatient = verdict.isEnding === true || (verdict.reason !== undefined && this.#isPatient(verdict, nowMs));
      if (verdict.isEnding) patientSinceMs = nowMs;
      const isLate = nowMs - patientSinceMs >= (isFirst ? 2 * PATIENCE_MS : PATIENCE_MS);
      if (isLate || (isConfirmed && !isPatient)) {
        if (verdict.reason === undefined && verdict.look && isFirst) return { kind: 'free', look: verdict.look };
        const box = verdict.look?.box;
        return { kind: 'blocked', reason: verdict.reason ?? 'not_ready', ...(isDraft && box?.kind === 'draft' && { draft: box.text }) }; // prettier-ignore
      }
      if (!isSame) before = verdict;
      const restMs = isConfirmed ? gapMs : (before?.atMs ?? nowMs) + gapMs - nowMs;
      await sleep(clock, Math.max(SHORTEST_PAUSE_MS, Math.min(restMs, CONFIRM_MS)), signal);
    }
  }

  #isPatient({ reason, look }: Verdict, nowMs: number): boolean {
    if (reason === 'dialog_open') {
      const answeredMs = answeredAtMs(this.agent.record) ?? -Infinity;
      return Math.abs(this.ports.clock.nowMs() - answeredMs) < ANSWERED_MS;
    }
    if (reason !== 'draft_in_box') return reason !== undefined && PATIENT.has(reason);
    return nowMs - this.#deliveredMs < PATIENCE_MS || (look?.box.kind === 'draft' && look.box.isDoubtful === true);
  }

  /** Only for saying that it is free: what stood in the way then may be gone by now. */
  #keptVerdict(): Verdict | undefined {
    const { type, record } = this.agent;
    const look = this.#settled;
    if (!look || !type || this.#generation !== record.generation) return undefined;
    if (this.#isStirred && this.ports.clock.monotonicMs() - look.atMs > KEPT_LOOK_MS) return undefined;
    if (blockedByScreen(look, type) !== undefined || this.#hadDialog()) return undefined;
    return { look, reason: undefined, atMs: look.atMs, isFinal: false };
  }

  async #look(): Promise<Verdict> {
    const { host, clock, judge, log } = this.ports;
    const { type, id } = this.agent;
    const byRecord = blockedByRecord(this.agent.record);
    const atMs = clock.monotonicMs();
    if (!type) return { look: undefined, reason: 'not_ready', atMs, isFinal: true };
    if (byRecord) return { look: undefined, reason: byRecord, atMs, isFinal: byRecord !== 'dialog_open' };
    try {
      let screen = await host.capture(id);
      if (screen.isInCopyMode) {
        await host.leaveCopyMode(id);
        screen = await host.capture(id);
      }
      const look = judge.judge(type, screen, clock.monotonicMs());
      const blocked = blockedByRecord(this.agent.record) ?? blockedByScreen(look, type);
      this.#noteDialog(blocked);
      const isEnding = blocked === undefined && this.ports.isTurnEnding?.() === true;
      const isHeld = isEnding || this.#hadDialog() || this.ports.isHolding?.() === true;
      const reason = blocked ?? (isHeld ? 'not_ready' : undefined);
      return { look, reason, atMs: look.atMs, isFinal: false, isEnding };
    } catch (error) {
      ignore(log, error, 'the screen cannot be read now; looked at again');
      return { look: undefined, reason: 'not_ready', atMs, isFinal: false };
    }
  }
}

interface Verdict {
  readonly look: Look | undefined;
  readonly reason: BlockedReason | undefined;
  readonly atMs: number;
  /** No second look is needed. */
  readonly isFinal: boolean;
  /** A turn is being ended. */
  readonly isEnding?: boolean;
}

function isSameDraft(one: Look | undefined, other: Look | undefined): boolean {
  return one?.box.kind === 'draft' && other?.box.kind === 'draft' && one.box.text === other.box.text;
}

const PATIENT: ReadonlySet<BlockedReason> = new Set(['input_hidden', 'not_ready', 'wrong_foreground']);

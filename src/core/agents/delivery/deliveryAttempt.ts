import { sleep } from '../../base/clock';
import { describeError } from '../../base/errors';
import { ignore } from '../../base/log';
import type { Activity } from '../agentState';
import type { AgentType } from '../agentType';
import type { Agent } from '../baseAgent';
import {
  ATTEMPT_TIMES,
  type AttemptOptions,
  type AttemptPorts,
  type AttemptResult,
  Pace,
  RunOver,
} from './attemptPorts';
import { type DeliveryChange, step } from './deliveryRecord';
import { blockedByRecord, blockedByScreen, type Look } from './deliveryScreen';
import { isSamePrompt, preparePrompt } from './preparePrompt';
import type { DeliveryReason, DeliveryState, PromptChange, PromptDelivery } from './promptDelivery';
import type { Readiness } from './readyCheck';
import { type Shown, TypedDraft } from './typedDraft';

/** Codes of the host that say that nothing was typed. */
const NOT_TAKEN = ['tmux.inputTooLarge', 'tmux.noSuchTarget', 'tmux.fenced', 'tmux.serverGone', 'tmux.invalidArgument'];

const WOULD_SPLIT =
  'nothing was typed: the program would take each of the lines for itself, since it has not turned bracketed paste on; send them as one line, or each as a prompt of its own';
const LINES_MAY_SPLIT: PromptChange = {
  kind: 'lines_may_split',
  detail: 'it is not known whether the program takes several lines as one text: each may have been entered for itself',
};

/** Of a program whose questions cannot be told from its prompt. */
const INTO_ANYTHING = ' into whatever its terminal showed, a question too';

/** What an agent does that takes a prompt only later. */
const WORKING: ReadonlySet<Activity> = new Set(['busy', 'rate_limited']);

/**
 * One prompt into one free agent: kept as `typing` → pasted once → seen in the box → kept as `submitted` → submit key → evidence.
 * Only the submit key is ever repeated, and only while the same draft is still there. Used once.
 */
export class DeliveryAttempt {
  #delivery: PromptDelivery;
  #hasPasted = false;
  #pastedAtMs = 0;
  /** Monotonic ms; since then every look said that the submit key is to be held back. */
  #heldSinceMs: number | undefined;
  #draft = new TypedDraft('', false);
  #isToldByHook = false;
  /** After the submit key the program told of a prompt in other words. */
  #isOtherTold = false;
  /** It worked when the text came: it may take it much later, and tell only then. */
  #mayQueue = false;
  #keeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly ports: AttemptPorts,
    private readonly agent: Agent,
    private readonly type: AgentType,
    delivery: PromptDelivery,
    private readonly options: AttemptOptions,
  ) {
    this.#delivery = delivery;
  }

  get delivery(): PromptDelivery {
    return this.#delivery;
  }

  /** It worked when the text came: it may hold it back until later. */
  get mayQueue(): boolean {
    return this.#mayQueue;
  }

  /** A hook says that this process accepted `prompt`: true when it is this one. */
  noteHook(prompt: string): boolean {
    if (!this.#hasPasted || this.#isToldByHook) return false;
    if (!isSamePrompt(prompt, this.#delivery.prepared, this.type.alters)) {
      if (this.#delivery.submitCount > 0) this.#isOtherTold = true;
      this.ports.pulse.beat();
      return false;
    }
    this.#isToldByHook = true;
    this.ports.pulse.beat();
    return true;
  }

  /** `ready`: the look that found the agent free. @throws the signal's reason unless it is {@link RunOver}; what the store throws before anything was typed */
  async run(ready: Look, signal: AbortSignal): Promise<AttemptResult> {
    try {
      return await this.#run(ready, signal);
    } catch (error) {
      await this.#keeping.catch((failure: unknown) => ignore(this.ports.log, failure, 'the step after it tells'));
      if (signal.aborted && !(signal.reason instanceof RunOver)) throw error;
      return this.#afterFailure(error, signal.aborted);
    }
  }

  async #run(before: Look, signal: AbortSignal): Promise<AttemptResult> {
    const { host, faults, clock } = this.ports;
    const { prepared, changes: made } = preparePrompt(this.#delivery.text, this.type);
    const hasLines = prepared.includes('\n');
    if (hasLines && (await this.#splitsLines(before, signal))) return this.#end('failed', 'would_split', WOULD_SPLIT);
    const isDoubtful = hasLines && before.bracketsPaste === undefined && !this.type.box;
    const changes = isDoubtful ? [...made, LINES_MAY_SPLIT] : made;
    await this.#keep('typing', { prepared, changes, generation: this.agent.record.generation });
    faults.hit('typing.kept');
    signal.throwIfAborted();
    const ready = await this.#readyStill(signal);
    signal.throwIfAborted();
    if (ready.kind === 'blocked') {
      const { reason } = ready;
      await this.#keep('queued', { reason, generation: this.#delivery.isFirstPrompt ? this.#delivery.generation : 0 });
      return { kind: 'blocked', delivery: this.#delivery, reason };
    }
    if (hasLines && ready.look?.bracketsPaste === false) return this.#end('failed', 'would_split', WOULD_SPLIT);
    this.#mayQueue = before.isBusy || ready.look?.isBusy === true || WORKING.has(this.agent.record.activity);
    this.#draft = new TypedDraft(prepared, this.#mayQueue);
    this.#hasPasted = true;
    try {
      await host.paste(this.agent.id, prepared);
    } catch (error) {
      this.#hasPasted = !NOT_TAKEN.includes(String((error as { readonly code?: unknown }).code));
      throw error;
    }
    this.#pastedAtMs = clock.monotonicMs();
    faults.hit('paste.done');
    return this.type.box ? this.#throughBox(signal) : this.#blindly(signal);
  }

  /**
   * Between the decision and the paste a write to the store went by. One look is enough to go on, and for a dialog; anything else
   * that it shows may be a screen that is half drawn, and is looked at as thoroughly as before.
   */
  async #readyStill(
    signal: AbortSignal,
  ): Promise<{ kind: 'free'; look: Look | undefined } | (Readiness & { kind: 'blocked' })> {
    const look = await this.#look();
    const reason = blockedByRecord(this.agent.record) ?? (look ? blockedByScreen(look, this.type) : 'not_ready');
    if (reason === undefined) return { kind: 'free', look };
    if (reason === 'dialog_open') return { kind: 'blocked', reason };
    return this.options.lookAgain(signal);
  }

  /**
   * Several lines would be taken one by one. One that has just begun, or whose output is heard late, is given a moment: what it has asked
   * for is known only from its output.
   */
  async #splitsLines(before: Look, signal: AbortSignal): Promise<boolean> {
    const { clock, pulse } = this.ports;
    if (before.bracketsPaste !== false) return false;
    const { bracketsMs, firstBracketsMs } = ATTEMPT_TIMES;
    const deadlineMs = clock.monotonicMs() + (this.options.isFirst ? firstBracketsMs : bracketsMs);
    for (;;) {
      const look = await this.#look();
      signal.throwIfAborted();
      if (look && look.bracketsPaste !== false) return false;
      const restMs = deadlineMs - clock.monotonicMs();
      if (restMs <= 0) return true;
      await pulse.wait(Math.min(ATTEMPT_TIMES.slowestLookMs, restMs), signal);
    }
  }

  async #throughBox(signal: AbortSignal): Promise<AttemptResult> {
    const seen = await this.#awaitDraft(signal);
    await this.#keeping;
    if (seen === 'told') return this.#acknowledge('hook');
    if (seen === 'empty')
      return this.#end('failed', 'no_draft', 'the text never came into the input box, which stayed empty');
    if (seen === 'hidden')
      return this.#end('delivery_unknown', 'no_draft', 'the input box was not to be seen after the text was pasted');
    if (this.#draft.isMixed)
      return this.#end(
        'delivery_unknown',
        'draft_mixed',
        'somebody typed into the input box at the same time: the text is there, not submitted',
      );
    this.ports.faults.hit('draft.settled');
    return this.#submit(signal);
  }

  /** Until a draft stands still, and the program had the type's pause after the paste. */
  async #awaitDraft(signal: AbortSignal): Promise<'settled' | 'told' | 'empty' | 'hidden'> {
    const { clock, pulse, faults } = this.ports;
    const { draftMs, settleMs, settleWithHooksMs } = ATTEMPT_TIMES;
    const mustRestMs = this.options.expectsHook ? settleWithHooksMs : settleMs;
    const deadlineMs = this.#pastedAtMs + draftMs;
    const pace = new Pace(clock);
    let sinceMs: number | undefined;
    let wasEmpty = false;
    for (;;) {
      const look = await this.#look();
      signal.throwIfAborted();
      if (this.#isToldByHook) return 'told';
      const nowMs = clock.monotonicMs();
      if (look?.box.kind === 'draft' && !look.isDialog) {
        if (sinceMs === undefined && this.#draft.drawn === '') {
          faults.hit('draft.seen');
          this.#keeping = this.#keep('typed').then(() => faults.hit('typed.kept'));
          this.#keeping.catch((error: unknown) => ignore(this.ports.log, error, 'awaited before the submit key'));
        }
        if (sinceMs === undefined || look.box.text !== this.#draft.drawn) sinceMs = nowMs;
        this.#draft.drawn = look.box.text;
      } else {
        sinceMs = undefined;
        wasEmpty = look?.box.kind === 'empty' && !look.isDialog;
      }
      const dueMs = sinceMs === undefined ? Infinity : Math.max(sinceMs + mustRestMs, this.#pastedAtMs + this.type.prompt.submitDelayMs); // prettier-ignore
      if (nowMs >= dueMs) return 'settled';
      if (nowMs >= deadlineMs) return sinceMs !== undefined ? 'settled' : this.#draft.drawn === '' && wasEmpty ? 'empty' : 'hidden'; // prettier-ignore
      await pulse.wait(Math.min(pace.next(), dueMs - nowMs, deadlineMs - nowMs), signal);
    }
  }

  /** Submit key, then evidence; the key again while the same draft is still there. */
  async #submit(signal: AbortSignal): Promise<AttemptResult> {
    const { clock, pulse } = this.ports;
    const pauses = this.options.isHookCertain ? ATTEMPT_TIMES.pressAgainWithHooksMs : ATTEMPT_TIMES.pressAgainMs;
    const deadlineMs = clock.monotonicMs() + this.#ackMs;
    let pace = new Pace(clock);
    let pressedAtMs = -Infinity;
    let nextPressMs = -Infinity;
    let reactedAtMs: number | undefined;
    let goneSinceMs: number | undefined;
    let shown: Shown = 'ours';
    // Who has yet to read the key would read two, and may take both.
    const againAtMs = (): number =>
      Math.max(nextPressMs, reactedAtMs === undefined ? pressedAtMs + ATTEMPT_TIMES.silentMs : reactedAtMs + ATTEMPT_TIMES.reactedMs); // prettier-ignore
    for (;;) {
      if (shown === 'ours' && !this.#isHeld && clock.monotonicMs() >= againAtMs()) {
        const isPressed = await this.#press(signal);
        const count = this.#delivery.submitCount;
        if (isPressed) [pressedAtMs, reactedAtMs] = [clock.monotonicMs(), undefined];
        nextPressMs = clock.monotonicMs() + (isPressed ? (pauses[count - 1] ?? pauses.at(-1) ?? 0) : 0);
        pace = new Pace(clock);
        if (isPressed) await pulse.wait(pace.next(), signal);
      }
      if (this.#isToldByHook) return this.#acknowledge('hook');
      const look = await this.#look();
      shown = this.#draft.classify(look);
      signal.throwIfAborted();
      if (this.#isToldByHook) return this.#acknowledge('hook');
      const nowMs = clock.monotonicMs();
      if (look && (look.outputAtMs ?? Infinity) > pressedAtMs) reactedAtMs ??= look.outputAtMs ?? pressedAtMs;
      goneSinceMs = this.#delivery.submitCount > 0 && shown === 'gone' ? (goneSinceMs ?? nowMs) : undefined;
      const convincedMs = goneSinceMs === undefined ? Infinity : goneSinceMs + this.#mustBeGoneMs;
      if (nowMs >= convincedMs) return this.#acknowledge('screen');
      if (nowMs >= deadlineMs) return this.#noEvidence(shown);
      const pressMs = shown === 'ours' && !this.#isHeld ? againAtMs() - nowMs : Infinity;
      await pulse.wait(Math.min(pace.next(), Math.max(pressMs, 1), convincedMs - nowMs, deadlineMs - nowMs), signal);
    }
  }

  /** Kept first; pressed only if the screen at that instant still shows this draft and no dialog. */
  async #press(signal: AbortSignal): Promise<boolean> {
    const { host, faults, judge, log } = this.ports;
    const { submitCount } = this.#delivery;
    await this.#keep('submitted', { submitCount: submitCount + 1 });
    faults.hit('submitted.kept');
    signal.throwIfAborted();
    let isPressed = true;
    try {
      isPressed = await host.pressIf(this.agent.id, [this.type.prompt.submitKey], (screen) => {
        const look = judge.judge(this.type, screen, 0);
        if (look.isBusy || WORKING.has(this.agent.record.activity)) this.#mayQueue = true;
        if (look.box.kind === 'none') return !look.isDialog && look.isRightForeground;
        return this.#draft.classify(look) === 'ours' && !(look.isHeld && this.#mayHold);
      });
    } catch (error) {
      ignore(log, error, 'the key may have been pressed: what the screen shows from now on decides');
    }
    if (isPressed) faults.hit('submit.pressed');
    else this.#delivery = { ...this.#delivery, submitCount };
    return isPressed;
  }

  /** No box to look at: one paste, one submit key, and what a hook tells. */
  async #blindly(signal: AbortSignal): Promise<AttemptResult> {
    const { clock, pulse } = this.ports;
    await sleep(clock, this.type.prompt.submitDelayMs, signal);
    const pressByMs = clock.monotonicMs() + ATTEMPT_TIMES.blindPressMs;
    while (!(await this.#press(signal))) {
      if (clock.monotonicMs() >= pressByMs)
        return this.#end(
          'delivery_unknown',
          'not_submitted',
          'the text was pasted, then something else had the terminal',
        );
      await pulse.wait(ATTEMPT_TIMES.slowestLookMs, signal);
    }
    if (!this.options.expectsHook && !this.#isToldByHook)
      return this.#end('delivery_unknown', 'no_evidence_possible', `typed and submitted${showsQuestions(this.type) ? '' : INTO_ANYTHING}; programs of this type do not show whether they took it`); // prettier-ignore
    const deadlineMs = clock.monotonicMs() + this.#ackMs;
    while (!this.#isToldByHook && clock.monotonicMs() < deadlineMs)
      await pulse.wait(deadlineMs - clock.monotonicMs(), signal);
    return this.#isToldByHook ? this.#acknowledge('hook') : this.#noEvidence('unclear');
  }

  /**
   * How long the box must be without the text to convince. Never, where hooks are known to arrive and one must have told of this
   * prompt: a program that runs it as a command of its own empties the box as well.
   */
  get #mustBeGoneMs(): number {
    const { goneMs, goneWithHooksMs } = ATTEMPT_TIMES;
    if (!this.options.expectsHook || this.#isOtherTold) return goneMs;
    return this.options.isHookCertain && !this.#mayQueue ? Infinity : goneWithHooksMs;
  }

  get #isHeld(): boolean {
    return this.#heldSinceMs !== undefined && this.#mayHold;
  }

  get #mayHold(): boolean {
    return this.ports.clock.monotonicMs() - (this.#heldSinceMs ?? Infinity) < ATTEMPT_TIMES.holdMs;
  }

  get #ackMs(): number {
    const { firstAckMs } = this.type.prompt;
    return Math.max(ATTEMPT_TIMES.ackMs, this.options.isFirst ? (firstAckMs ?? 0) : 0);
  }

  async #look(): Promise<Look | undefined> {
    const { host, judge, clock, log } = this.ports;
    try {
      const screen = await host.capture(this.agent.id);
      const look = judge.judge(this.type, screen, clock.monotonicMs());
      this.#heldSinceMs = look.isHeld ? (this.#heldSinceMs ?? look.atMs) : undefined;
      return look;
    } catch (error) {
      ignore(log, error, 'nothing is known of the screen; looked at again');
      return undefined;
    }
  }

  async #acknowledge(evidence: 'hook' | 'screen'): Promise<AttemptResult> {
    this.ports.faults.hit('evidence.seen');
    const how = this.#isOtherTold ? '; the program told of a prompt in other words' : this.#mayQueue ? ' while the program worked' : ''; // prettier-ignore
    const detail =
      evidence === 'hook' ? 'the program told that it accepted this prompt' : `the text left the input box${how}`;
    const cameDuringWork = evidence === 'screen' && this.#mayQueue;
    await this.#keep('acknowledged', { evidence, detail, ...(cameDuringWork && { cameDuringWork }) });
    this.ports.faults.hit('acknowledged.kept');
    return { kind: 'final', delivery: this.#delivery };
  }

  #noEvidence(shown: Shown): Promise<AttemptResult> {
    if (shown === 'ours')
      return this.#end('delivery_unknown', 'not_submitted', 'the text is still in the input box: the submit key did nothing'); // prettier-ignore
    if (shown === 'gone')
      return this.#end('delivery_unknown', 'no_evidence', 'the text left the input box, but the program did not tell that it took a prompt: it may have run it as a command'); // prettier-ignore
    return this.#end('delivery_unknown', 'no_evidence', 'submitted, but nothing shows that the program took it');
  }

  async #end(
    state: 'failed' | 'delivery_unknown',
    reason: DeliveryReason,
    detail: string,
    cause?: unknown,
  ): Promise<AttemptResult> {
    await this.#keep(state, { reason, detail });
    return { kind: 'final', delivery: this.#delivery, ...(cause !== undefined && { cause }) };
  }

  async #afterFailure(error: unknown, isRunOver: boolean): Promise<AttemptResult> {
    if (this.#delivery.state === 'queued') {
      if (!isRunOver) throw error; // `typing` could not be kept: nothing was done
      return { kind: 'blocked', delivery: this.#delivery, reason: 'not_running' };
    }
    if (this.#isToldByHook) return this.#acknowledge('hook');
    if (isRunOver && !this.#hasPasted) {
      await this.#keep('queued', {
        reason: 'not_running',
        generation: this.#delivery.isFirstPrompt ? this.#delivery.generation : 0,
      });
      return { kind: 'blocked', delivery: this.#delivery, reason: 'not_running' };
    }
    if (isRunOver) return this.#end('delivery_unknown', 'ended', 'the agent ended before it was known whether it took the prompt'); // prettier-ignore
    this.ports.log.warn('a prompt could not be delivered', {
      agent: this.agent.id,
      delivery: this.#delivery.id,
      error,
    });
    const why = describeError(error);
    if (!this.#hasPasted) return this.#end('failed', 'not_taken', `nothing was typed: ${why}`, error);
    return this.#end('delivery_unknown', 'interrupted', `interrupted: ${why}`, error);
  }

  async #keep(state: DeliveryState, change: DeliveryChange = {}): Promise<void> {
    const next = step(this.#delivery, state, this.ports.clock.nowMs(), change);
    await this.ports.keep(next);
    this.#delivery = next;
  }
}

/** Whether the type knows when something else than its prompt would take what is typed. */
function showsQuestions({ screenRules }: AgentType): boolean {
  return screenRules.some(
    ({ activity, where }) =>
      activity === 'awaiting_input' || activity === 'awaiting_approval' || where === 'foreground',
  );
}

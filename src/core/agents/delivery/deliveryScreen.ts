import type { AgentRecord } from '../agent';
import type { Evidence } from '../agentState';
import type { SettledScreen } from '../agentHost';
import type { AgentType } from '../agentType';
import { type BoxReading, readBox } from '../inputBox';
import { type CompiledScreen, compileScreen, readScreen } from '../screenReader';
import { requirePattern, screenLines } from '../screenText';
import type { BlockedReason } from './promptDelivery';

/** Above the box and below it. */
const HOLD_LINES = 20;

/** What one look at a screen means for typing into it. */
export interface Look {
  /** Monotonic ms at which it was taken. */
  readonly atMs: number;
  /** Monotonic ms of the newest output before it; undefined: not known. */
  readonly outputAtMs?: number;
  /** `none`: the type does not say where its box is. */
  readonly box: BoxReading | { readonly kind: 'none' };
  readonly isDialog: boolean;
  readonly isBusy: boolean;
  readonly isInCopyMode: boolean;
  /** As in {@link SettledScreen}. */
  readonly bracketsPaste?: boolean;
  /** The submit key would be half taken now (`holdWhile` of the type). */
  readonly isHeld: boolean;
  /** False when the type knows its own foreground program and another one has the terminal. */
  readonly isRightForeground: boolean;
  /** The visible text: whether a new program is still drawing. Untrusted. */
  readonly text: string;
}

/** Judges screens by the rules of their types, compiled once. */
export class ScreenJudge {
  readonly #compiled = new WeakMap<AgentType, CompiledScreen>();
  readonly #holds = new Map<string, RegExp>();

  /** `shellName` stands for the user's shell in the rules of a type. */
  constructor(private readonly shellName: string) {}

  judge(type: AgentType, screen: SettledScreen, atMs: number): Look {
    const { activity } = readScreen(this.#compile(type), screen);
    const knowsForeground = type.screenRules.some((rule) => rule.where === 'foreground' && rule.activity === 'idle');
    return {
      atMs,
      ...(screen.quietMs !== undefined && { outputAtMs: atMs - screen.quietMs }),
      box: type.box ? readBox(type, screen) : { kind: 'none' },
      isDialog: activity === 'awaiting_approval' || activity === 'awaiting_input',
      isBusy: activity === 'busy',
      isInCopyMode: screen.isInCopyMode,
      ...(screen.bracketsPaste !== undefined && { bracketsPaste: screen.bracketsPaste }),
      isHeld: this.#isHeld(type, screen),
      isRightForeground: !knowsForeground || activity === 'idle',
      text: screen.text,
    };
  }

  #isHeld({ prompt }: AgentType, screen: SettledScreen): boolean {
    if (prompt.holdWhile === undefined) return false;
    const pattern = this.#holds.get(prompt.holdWhile) ?? requirePattern(prompt.holdWhile);
    this.#holds.set(prompt.holdWhile, pattern);
    const shown = screenLines(screen.text).filter((line) => line !== '');
    return shown.slice(-HOLD_LINES).some((line) => pattern.test(line));
  }

  #compile(type: AgentType): CompiledScreen {
    const compiled = this.#compiled.get(type) ?? compileScreen(type, this.shellName);
    this.#compiled.set(type, compiled);
    return compiled;
  }
}

/** Why nothing may be typed into what this look shows; undefined when something may. */
export function blockedByScreen(look: Look, type: AgentType): BlockedReason | undefined {
  if (look.isDialog) return 'dialog_open';
  if (look.isInCopyMode) return 'input_hidden';
  if (look.box.kind === 'hidden') return 'input_hidden';
  if (look.box.kind === 'draft') return 'draft_in_box';
  if (!look.isRightForeground) return 'wrong_foreground';
  return look.isBusy && type.prompt.queuesWhileBusy === false ? 'not_ready' : undefined;
}

/**
 * Why nothing may be typed whatever the screen shows. A dialog counts here when something faster than the screen told of it; what
 * only the screen told is looked at anew.
 */
export function blockedByRecord({ lifecycle, desired, activity, evidence }: AgentRecord): BlockedReason | undefined {
  if (lifecycle === 'paused') return 'paused';
  if (lifecycle !== 'running' || desired !== 'running') return 'not_running';
  const isDialog = activity === 'awaiting_approval' || activity === 'awaiting_input';
  const source = evidence.find((one) => !isAnswer(one))?.source;
  return isDialog && source !== 'screen' && source !== 'adoption' ? 'dialog_open' : undefined;
}

/** Epoch ms at which what the agent asked was answered from here, when nothing newer was told; undefined: it was not. */
export function answeredAtMs({ activity, evidence: [newest] }: AgentRecord): number | undefined {
  const isDialog = activity === 'awaiting_approval' || activity === 'awaiting_input';
  return isDialog && newest && isAnswer(newest) ? newest.observedAtMs : undefined;
}

/** An answer says nothing of what is on the screen now. */
function isAnswer({ source }: Evidence): boolean {
  return source === 'person' || source === 'policy';
}

/** The run that a prompt was typed into is over, or is being ended. */
export function isRunOver({ lifecycle, desired, generation }: AgentRecord, typedInto: number): boolean {
  if (generation !== typedInto || desired === 'stopped') return true;
  return lifecycle !== 'running' && lifecycle !== 'paused' && lifecycle !== 'lost';
}

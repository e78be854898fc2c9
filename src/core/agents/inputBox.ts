import type { SettledScreen } from './agentHost';
import type { AgentType } from './agentType';

/** What the program's input box holds, as far as the screen shows it. */
export type BoxReading =
  /** No input box is on the screen: an overlay, a dialog, a program that is still starting, or copy mode. */
  | { readonly kind: 'hidden' }
  | { readonly kind: 'empty' }
  /** `text` is what is drawn: wrapped, cut or collapsed (`[Pasted text #1 +60 lines]`). Only good for "is something there" and "did it change". */
  | { readonly kind: 'draft'; readonly text: string };

/** True when the type says how to find its box; without it nothing can be delivered with evidence from the screen. */
export function hasInputBox(type: Pick<AgentType, 'box'>): boolean {
  return type.box !== undefined;
}

/** Reads the box by the type's rule. Pure; untrusted text in, untrusted text out. */
export function readBox(
  type: Pick<AgentType, 'box'>,
  screen: Pick<SettledScreen, 'text' | 'isInCopyMode'>,
): BoxReading {
  if (!type.box || screen.isInCopyMode) return { kind: 'hidden' };
  throw new TypeError('the box rules are not compiled');
}

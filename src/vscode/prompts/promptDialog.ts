import type { AgentId } from '../../core/agents/agent';
import type { AgentError, AgentErrorCode } from '../../core/agents/agentErrors';
import type { Event } from '../../core/base/event';
import type { AgentView, Engine } from '../../core/engine';
import { COMMAND_TITLES } from '../commandTitles';
import { detailOf, messageFor } from '../errorMessages';
import { CommandId } from '../manifest';
import type { WindowPort } from '../notices/windowPort';
import { isAnswerable, isBlocked, type PromptAttempt, type PromptSender, type RefusedPrompt } from './promptSender';

export type WhenBlocked = 'refuse' | 'queue';

/** What a person wants to send, or that they want to write it in an editor; `hidden`: the box was left. */
export interface PromptInput {
  readonly kind: 'send' | 'queue' | 'editor' | 'hidden';
  readonly text: string;
}

/** What the box says and does at one moment. Plain text. */
export interface PromptBoxState {
  /** Below the text. */
  readonly words: string;
  /** The words say why the text was not taken. */
  readonly isRefusal: boolean;
  /** What Enter does. */
  readonly enter: 'send' | 'queue';
  /** The agent that is in the way: its terminal can be shown, and what it asks. */
  readonly blocked?: { readonly id: AgentId; readonly isReviewable: boolean };
}

export interface PromptQuestion {
  /** `Send Prompt to Reviewer`, `Queue Prompt for 3 agents`. */
  readonly title: string;
  /** Stands in the box, to be sent as it is or typed over. */
  readonly text: string;
  /** Asked again whenever `onDidChange` fires. */
  readonly state: () => PromptBoxState;
  readonly onDidChange: Event<unknown>;
  /** Runs a command about the agent while the box stays. */
  readonly run: (command: string, id: AgentId) => void;
}

export interface PromptDialogParts {
  readonly engine: Engine;
  readonly window: Pick<WindowPort, 'run'>;
  readonly sender: Pick<PromptSender, 'attempt'>;
  /** Opens the text in an editor. */
  readonly write: (ids: readonly AgentId[], whom: string, text: string) => Promise<void>;
  /** The box. The real one is `promptInput.ts`. */
  readonly ask: (question: PromptQuestion) => Promise<PromptInput>;
}

/**
 * The box of Send Prompt. A text is never lost in it: what was refused stands in it again, with the reason and what Enter does about it,
 * for as long as that holds; what was not sent stands in it the next time.
 */
export class PromptDialog {
  /** Texts that nobody else keeps, by whom they are for. */
  readonly #drafts = new Map<string, string>();

  constructor(private readonly parts: PromptDialogParts) {}

  async run(ids: readonly AgentId[], whenBlocked: WhenBlocked): Promise<void> {
    const key = ids.join(' ');
    let open = ids;
    let refused: readonly RefusedPrompt[] = [];
    do {
      const input = await this.#ask(open, this.#drafts.get(key) ?? '', refused, whenBlocked);
      this.#drafts.delete(key);
      const attempt = await this.#do(open, input, whenBlocked);
      if (attempt.isUnkept) this.#drafts.set(key, input.text);
      refused = attempt.refused;
      open = refused.map(({ id }) => id);
    } while (open.length > 0);
  }

  async #do(ids: readonly AgentId[], { kind, text }: PromptInput, whenBlocked: WhenBlocked): Promise<PromptAttempt> {
    const { engine, sender, write } = this.parts;
    const isEmpty = text.trim() === '';
    if (kind === 'editor') await write(ids, whomOf(engine, ids), text);
    else if (kind !== 'hidden' && !isEmpty) return sender.attempt(ids, text, kind === 'queue' ? 'queue' : whenBlocked);
    return { refused: [], isUnkept: kind === 'hidden' && !isEmpty };
  }

  #ask(
    ids: readonly AgentId[],
    text: string,
    refused: readonly RefusedPrompt[],
    whenBlocked: WhenBlocked,
  ): Promise<PromptInput> {
    const { engine, window, ask } = this.parts;
    return ask({
      title: titleFor(whomOf(engine, ids), whenBlocked),
      text,
      state: () => boxState(engine, ids, refused, whenBlocked),
      onDidChange: engine.onDidChangeAgent,
      run: (command, id) => window.run(command, id),
    });
  }
}

function titleFor(whom: string, whenBlocked: WhenBlocked): string {
  if (whenBlocked === 'queue') return `${COMMAND_TITLES[CommandId.QueuePrompt]} for ${whom}`;
  return `${COMMAND_TITLES[CommandId.SendPrompt]} to ${whom}`;
}

/** `Reviewer`, `3 agents`. */
export function whomOf(engine: Engine, ids: readonly AgentId[]): string {
  const [first] = ids;
  return ids.length === 1 && first !== undefined ? nameOf(engine, first) : `${ids.length} agents`;
}

function boxState(
  engine: Engine,
  ids: readonly AgentId[],
  refused: readonly RefusedPrompt[],
  whenBlocked: WhenBlocked,
): PromptBoxState {
  const present = refused.filter((one) => !isOver(one, engine.agent(one.id)));
  const [first] = present;
  if (!first) return { words: hintFor(engine, ids, whenBlocked), isRefusal: false, enter: 'send' };
  const { id, error } = first;
  const others = present.length === 1 ? '' : ` ${present.length - 1} more cannot take it now.`;
  if (!present.every((one) => isBlocked(one.error)) || !isBlocked(error))
    return { words: `${messageFor(error)?.text ?? ''}${others} Enter tries again.`, isRefusal: true, enter: 'send' };
  const reason = REASONS[error.code]?.(nameOf(engine, id), error) ?? '';
  return {
    words: `${reason} Nothing was typed.${others} Press Enter to queue it: it is sent as soon as ${present.length === 1 ? 'the agent is' : 'they are'} free.`,
    isRefusal: true,
    enter: 'queue',
    blocked: { id, isReviewable: isAnswerable(engine.agent(id)) },
  };
}

const REASONS: Readonly<Partial<Record<AgentErrorCode, (name: string, error: AgentError) => string>>> = {
  'agent.dialogOpen': (name) => `${name} shows a question, and the prompt would answer that.`,
  'agent.draftInBox': (name, error) => `${detailOf(error).replace(error.agentId ?? '', () => name)}.`,
  'agent.inputHidden': (name) => `The input box of ${name} cannot be seen now.`,
  'agent.notReady': (name) => `${name} is not ready for input now.`,
  'agent.paused': (name) => `${name} is paused.`,
};

/** What was in the way is known to be gone. Of a draft or a covered box that is found out by trying. */
function isOver({ error }: RefusedPrompt, view: AgentView | undefined): boolean {
  if (!view || !isBlocked(error)) return false;
  if (error.code === 'agent.paused') return view.lifecycle !== 'paused';
  return error.code === 'agent.dialogOpen' && !isAsking(view);
}

function isAsking({ activity }: AgentView): boolean {
  return activity === 'awaiting_approval' || activity === 'awaiting_input';
}

/** Says before anything is written that it will have to wait, and why. */
function hintFor(engine: Engine, ids: readonly AgentId[], whenBlocked: WhenBlocked): string {
  if (whenBlocked === 'queue') return 'It is sent as soon as the agent is free.';
  const [first] = ids;
  const only = ids.length === 1 && first !== undefined ? engine.agent(first) : undefined;
  if (only?.needsYou === 'approval' || only?.needsYou === 'input')
    return 'It shows a question now: the prompt can wait until that is answered (clock button).';
  if (only?.lifecycle === 'paused') return 'It is paused: the prompt can wait until it is resumed (clock button).';
  return 'It is typed into the agent and submitted. Its arrival is shown in the row.';
}

function nameOf(engine: Engine, id: AgentId): string {
  return engine.agent(id)?.name ?? id;
}

import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore, toDisposable } from '../../base/disposable';
import { describeError } from '../../base/errors';
import { Emitter, type Event } from '../../base/event';
import type { Ids } from '../../base/ids';
import { ignore, type Logger } from '../../base/log';
import type { AgentId } from '../agent';
import { requestLine } from '../../../shared/requestTitle';
import { AgentError } from '../agentErrors';
import type { AnswerDoor } from '../answeredRequest';
import type { AgentHost, AgentKey, SettledScreen } from '../agentHost';
import type { AgentRegistry } from '../agentRegistry';
import type { Activity } from '../agentState';
import type { AgentStateManager } from '../agentStateManager';
import { isLive, isObservable } from '../agentTransitions';
import type { AgentType } from '../agentType';
import type { Agent } from '../baseAgent';
import type { AllowRule, PermissionAnswer, PermissionRequest } from '../permissionRequest';
import { cleanText } from '../visibleText';
import type { AnswerLog } from './answerLog';
import type { HookAnswer } from './hookReport';
import { matchingRule } from './permissionRules';
import { dialogOf, dialogText, requestText, shows, showsWhole } from './permissionText';
import { fillValue } from './templates';

export interface PermissionDeskParts {
  readonly registry: AgentRegistry;
  readonly state: AgentStateManager;
  readonly host: Pick<AgentHost, 'pressIf' | 'onDidSettleScreen'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** What a screen shows by the rules of its type. */
  readonly activityOf: (type: AgentType, screen: SettledScreen) => Activity;
  /** Read at each question; empty by default. */
  readonly allowRules: () => readonly AllowRule[];
  /** Where what was asked and answered is kept. */
  readonly answers: Pick<AnswerLog, 'note'>;
}

/** Who gives an answer, and where. */
export interface Answerer {
  readonly actor: string;
  readonly via: AnswerDoor;
}

/** A question as a hook tells it. */
export interface AskedByHook {
  readonly kind: 'permission' | 'question';
  readonly tool?: string;
  readonly input: unknown;
  readonly says: string;
}

export interface RequestChange {
  readonly agentId: AgentId;
  /** What the agent asks now. */
  readonly request: PermissionRequest | undefined;
}

interface Open {
  readonly request: PermissionRequest;
  readonly subject: string | undefined;
  /** The state has said "waits for an answer" since it was opened: from then on its end is the end of the question. */
  readonly isSeen: boolean;
  /** Lets the waiting hook go, with what it prints. */
  readonly release: ((answer: HookAnswer) => void) | undefined;
  /** What a hook told while another dialog was up: it is asked once its own dialog is. */
  readonly pending?: Pick<Open, 'request' | 'subject'>;
  /** The request that it was until its hook told it: of the dialog on the screen, which shows everything that the hook told. */
  readonly before?: PermissionRequest;
  readonly watch: Disposable;
}

const NOTHING: HookAnswer = {};
const BY_RULE: Answerer = { actor: 'policy', via: 'rule' };
/** A question of a hook that no state follows is over by then: it was answered before anybody could see it. */
const UNSEEN_MS = 10_000;
/** How long a dialog that was answered may stay on the screen before it counts as asked again. */
const REDRAW_MS = 2_000;
const DEFAULT_REASON = 'The person declined this.';

/**
 * What each agent asks a person, one question at a time, and the way back: through the program's own hook while it waits, else by keys,
 * and by those only while the very dialog is up that the person saw. Nothing is ever answered by itself, except by a rule that a
 * person wrote. A question is over when the agent does not wait any more, whoever answered.
 */
export class PermissionDesk implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #open = new Map<AgentId, Open>();
  /** Answered a moment ago: this dialog (`undefined`: any) may still be on the screen. */
  readonly #answered = new Map<AgentId, { readonly dialog: string | undefined; readonly timer: Disposable }>();
  readonly #onDidChange: Emitter<RequestChange>;

  constructor(private readonly parts: PermissionDeskParts) {
    const { log, host, state, registry } = parts;
    this.#onDidChange = this.#owned.add(
      new Emitter<RequestChange>((error) => log.error('a listener of requests failed', { error })),
    );
    this.#owned.add(host.onDidSettleScreen((screen) => this.#onScreen(screen)));
    this.#owned.add(state.onDidChangeState(({ agentId }) => this.#onState(agentId)));
    this.#owned.add(
      registry.onDidRemove(({ id }) => {
        this.#close(id);
        this.#forgetAnswer(id);
      }),
    );
  }

  /** One fact per question that came, changed or is over. */
  get onDidChange(): Event<RequestChange> {
    return this.#onDidChange.event;
  }

  request(id: string): PermissionRequest | undefined {
    return this.#open.get(id as AgentId)?.request; // an id that is none finds nothing
  }

  /** A question that a hook tells. Resolves with what the hook prints: at once, unless the program can be answered through it. */
  ask(agent: Agent, asked: AskedByHook, signal: AbortSignal): Promise<HookAnswer> {
    const { type } = agent;
    if (!type || signal.aborted || this.#owned.isDisposed) return Promise.resolve(NOTHING);
    const { hook } = type.approval ?? {};
    const canHold = asked.kind === 'permission' && hook !== undefined && hook.waitMs > 0;
    const { subject, ...text } = requestText(asked.tool, asked.input, asked.says);
    const request: PermissionRequest = {
      ...this.#head(agent, asked.kind, 'hook'),
      ...text,
      ...(asked.tool !== undefined && { tool: cleanText(asked.tool, 100) }),
      ...(canHold
        ? { door: 'hook', canAllow: hook.allow !== undefined && !text.isCut, canDeny: hook.deny !== undefined, canGiveReason: takesReason(hook.deny) }
        : { door: asked.kind === 'permission' && type.approval?.keys ? 'keys' : 'none', canAllow: false, canDeny: false, canGiveReason: false }),
    }; // prettier-ignore
    const rule = matchingRule(
      this.parts.allowRules(),
      type.id,
      { ...request, ...(asked.tool !== undefined && { tool: asked.tool }) },
      subject,
    );
    if (rule && canHold && hook.allow !== undefined) {
      this.#close(agent.id);
      this.#recordRule(agent, rule, request);
      return Promise.resolve({ output: JSON.stringify(hook.allow) });
    }
    this.#forgetAnswer(agent.id);
    const before = this.#shownBefore(agent, request, asked.input);
    return new Promise((resolve) => {
      const watch = new DisposableStore();
      this.#replace(agent, {
        request,
        subject,
        isSeen: isWaiting(agent.record.activity),
        release: canHold ? resolve : undefined,
        ...(before && { before }),
        watch,
      });
      if (!canHold) resolve(NOTHING);
      else this.#hold(agent, request.id, hook.waitMs, signal, watch);
      watch.add(this.parts.clock.setTimer(UNSEEN_MS, () => this.#closeUnseen(agent.id, request.id)));
      if (!canHold) void this.#look(agent);
    });
  }

  /**
   * A person's answer. One to a dialog of which a hook has told since is given to that dialog, if it showed everything that the hook told
   * and is still up: it is the same request. @throws {AgentError} agent.requestGone – another question, or none, is open now: nothing was answered;
   * agent.cannotAnswer – only in the terminal; agent.notFound; and what the host throws
   */
  async answer(id: string, requestId: string, answer: PermissionAnswer, by: Answerer): Promise<void> {
    const agent = this.parts.registry.get(id);
    const open = this.#open.get(agent.id);
    const isBefore = open?.before?.id === requestId;
    if (!open || (open.request.id !== requestId && !isBefore)) throw gone(agent.id);
    const { request } = open;
    const seen = (isBefore && open.before) || request;
    if (!(answer.kind === 'allow' ? seen.canAllow : seen.canDeny)) throw onlyInTerminal(agent.id, seen);
    if (seen.door === 'hook') this.#answerHook(agent, open, answer);
    else await this.#answerKeys(agent, open, answer, by, seen);
    const outcome = answer.kind === 'allow' ? 'allowed' : 'denied';
    this.#record(agent, `${outcome}_by_person`, `${outcome}: ${requestLine(request)}`, by.actor);
    const reason = answer.kind === 'deny' ? answer.reason?.trim() : undefined;
    this.parts.answers.note(seen, { outcome, ...by, ...(reason && { reason }) });
  }

  dispose(): void {
    for (const id of [...this.#open.keys()]) this.#close(id);
    for (const id of [...this.#answered.keys()]) this.#forgetAnswer(id);
    this.#owned.dispose();
  }

  /** What was asked until now, when a hook tells the same: whoever has seen the dialog has seen all of it. */
  #shownBefore(agent: Agent, request: PermissionRequest, input: unknown): PermissionRequest | undefined {
    const before = this.#open.get(agent.id)?.request;
    if (before?.source !== 'screen' || before.dialog === undefined || before.isCut || request.isCut) return undefined;
    if (before.generation !== request.generation || before.kind !== request.kind) return undefined;
    return showsWhole(before.dialog, input) ? before : undefined;
  }

  #answerHook(agent: Agent, open: Open, answer: PermissionAnswer): void {
    const { hook } = agent.type?.approval ?? {};
    const template = answer.kind === 'allow' ? hook?.allow : hook?.deny;
    if (!open.release || template === undefined) throw gone(agent.id);
    const reason = (answer.kind === 'deny' ? answer.reason?.trim() : undefined) || DEFAULT_REASON;
    open.release({ output: JSON.stringify(fillValue(template, { reason })) });
    this.#rememberAnswer(agent, undefined);
    this.#close(agent.id);
  }

  /** `seen`: what the person has seen of the open request. */
  async #answerKeys(
    agent: Agent,
    open: Open,
    answer: PermissionAnswer,
    by: Answerer,
    seen = open.request,
  ): Promise<void> {
    const { type } = agent;
    const keys = keysOf(type, answer.kind);
    const { dialog } = seen;
    if (!type || !keys || dialog === undefined) throw gone(agent.id);
    const isExpected = (screen: SettledScreen): boolean =>
      screen.generation === open.request.generation && !screen.isInCopyMode && this.#dialogOf(type, screen) === dialog;
    let isPressed: boolean;
    try {
      isPressed = await this.parts.host.pressIf(agent.id, keys, isExpected, { guard: 'screen' });
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === 'tmux.screenChanged') {
        const detail = `the screen changed in the moment of the answer to: ${requestLine(seen)}`;
        this.#record(agent, 'answer_uncertain', detail, 'engine');
        this.parts.answers.note(seen, { outcome: 'unknown', ...by });
      }
      void this.#look(agent);
      throw error;
    }
    if (!isPressed) {
      void this.#look(agent);
      throw gone(agent.id);
    }
    this.#rememberAnswer(agent, dialog);
    if (this.#open.get(agent.id)?.request.id === open.request.id) this.#close(agent.id);
  }

  #rememberAnswer(agent: Agent, dialog: string | undefined): void {
    this.#forgetAnswer(agent.id);
    const timer = this.parts.clock.setTimer(REDRAW_MS, () => {
      this.#forgetAnswer(agent.id);
      if (isWaiting(agent.record.activity)) void this.#look(agent);
    });
    this.#answered.set(agent.id, { dialog, timer });
  }

  #forgetAnswer(id: AgentId): void {
    this.#answered.get(id)?.timer.dispose();
    this.#answered.delete(id);
  }

  /** Waits for a person beside the terminal, where the dialog is up too: whoever is first, answers. */
  #hold(agent: Agent, requestId: string, waitMs: number, signal: AbortSignal, watch: DisposableStore): void {
    const letGo = (): void => {
      const open = this.#open.get(agent.id);
      if (open?.request.id !== requestId) return;
      open.release?.(NOTHING);
      const door = keysOf(agent.type, 'allow') || keysOf(agent.type, 'deny') ? 'keys' : 'none';
      const request: PermissionRequest = {
        ...open.request,
        door,
        canAllow: false,
        canDeny: false,
        canGiveReason: false,
      };
      this.#set(agent.id, { ...open, request, release: undefined });
      if (isWaiting(agent.record.activity)) void this.#look(agent);
    };
    signal.addEventListener('abort', letGo, { once: true });
    watch.add(toDisposable(() => signal.removeEventListener('abort', letGo)));
    watch.add(this.parts.clock.setTimer(waitMs, letGo));
  }

  #closeUnseen(id: AgentId, requestId: string): void {
    const open = this.#open.get(id);
    if (open?.request.id === requestId && !open.isSeen) this.#close(id);
  }

  #onState(id: AgentId): void {
    const agent = this.parts.registry.find(id);
    const open = this.#open.get(id);
    if (!agent) return;
    const { record } = agent;
    if (open && (open.request.generation !== record.generation || !isLive(record.lifecycle))) return this.#close(id);
    if (!isObservable(record.lifecycle)) return;
    if (!isWaiting(record.activity)) {
      if (open?.isSeen) this.#closeAnswered(id, open.request);
      return;
    }
    if (open && !open.isSeen) this.#open.set(id, { ...open, isSeen: true });
    if (!open || open.request.door !== 'hook') void this.#look(agent);
  }

  /** The agent goes on. What was not answered from here was answered in its terminal: nobody has seen how. */
  #closeAnswered(id: AgentId, request: PermissionRequest): void {
    if (!this.#answered.has(id))
      this.parts.answers.note(request, { outcome: 'unknown', actor: 'person', via: 'terminal' });
    this.#close(id);
  }

  #onScreen(screen: SettledScreen): void {
    const agent = this.parts.registry.find(screen.agentId);
    if (agent) this.#read(agent, screen);
  }

  async #look(agent: Agent): Promise<void> {
    try {
      const screen = await agent.capture();
      if (!this.#owned.isDisposed) this.#read(agent, screen);
    } catch (error) {
      ignore(this.parts.log, error, 'the terminal is gone');
    }
  }

  /** What a settled screen says about the open question. The dialog of a hook's question is the one that shows what the hook told. */
  #read(agent: Agent, screen: SettledScreen): void {
    const { type, record } = agent;
    if (!type || screen.generation !== record.generation || screen.isInCopyMode) return;
    if (!isObservable(record.lifecycle) || !isWaiting(record.activity)) return;
    const open = this.#open.get(agent.id);
    const dialog = this.#dialogOf(type, screen);
    const kind = record.activity === 'awaiting_approval' ? 'permission' : 'question';
    if (dialog === undefined || open?.request.door === 'hook') return;
    if (open?.request.dialog === dialog && (open.request.source === 'hook' || open.request.kind === kind)) return;
    const answered = this.#answered.get(agent.id);
    if (answered && (answered.dialog ?? dialog) === dialog && !open) return;
    const told = open?.request.source === 'hook' ? open : open?.pending;
    if (open && told && isOf(dialog, told)) return this.#withDialog(agent, open, told, dialog);
    const watch = new DisposableStore();
    const text = dialogText(dialog);
    const request: PermissionRequest = {
      ...this.#head(agent, kind, 'screen'), ...text, ...keyDoor(type, kind, text.isCut), dialog,
    }; // prettier-ignore
    const pending = told && { request: told.request, subject: told.subject };
    this.#replace(agent, {
      request,
      subject: undefined,
      isSeen: true,
      release: undefined,
      watch,
      ...(pending && { pending }),
    });
  }

  /** Only of a screen that shows a dialog by the rules of its type: what begins like one may be something else. */
  #dialogOf(type: AgentType, screen: SettledScreen): string | undefined {
    const isShown = type.screenRules.length === 0 || isWaiting(this.parts.activityOf(type, screen));
    return isShown ? dialogOf(type, screen.text) : undefined;
  }

  #withDialog(agent: Agent, open: Open, told: Pick<Open, 'request' | 'subject'>, dialog: string): void {
    const { type } = agent;
    if (!type) return;
    const request: PermissionRequest = {
      ...told.request,
      ...keyDoor(type, told.request.kind, told.request.isCut),
      dialog,
    };
    const { pending: _pending, ...kept } = open;
    this.#set(agent.id, { ...kept, request, subject: told.subject });
    const rule = matchingRule(this.parts.allowRules(), type.id, request, told.subject);
    if (rule && request.canAllow) void this.#allowByRule(agent, rule, request);
  }

  async #allowByRule(agent: Agent, rule: AllowRule, request: PermissionRequest): Promise<void> {
    const open = this.#open.get(agent.id);
    if (open?.request.id !== request.id) return;
    try {
      await this.#answerKeys(agent, open, { kind: 'allow' }, BY_RULE);
      this.#recordRule(agent, rule, request);
    } catch (error) {
      this.parts.log.info('a rule could not be applied', { agent: agent.id, error: describeError(error) });
    }
  }

  #head(agent: Agent, kind: 'permission' | 'question', source: 'hook' | 'screen') {
    const { ids, clock } = this.parts;
    return { id: ids.next(), agentId: agent.id, generation: agent.record.generation, kind, source, askedAtMs: clock.nowMs() } as const; // prettier-ignore
  }

  #replace(agent: Agent, open: Open): void {
    this.#letGo(agent.id);
    this.#set(agent.id, open);
  }

  #set(id: AgentId, open: Open): void {
    this.#open.set(id, open);
    this.#onDidChange.fire({ agentId: id, request: open.request });
  }

  #close(id: AgentId): void {
    if (this.#letGo(id)) this.#onDidChange.fire({ agentId: id, request: undefined });
  }

  #letGo(id: AgentId): boolean {
    const open = this.#open.get(id);
    if (!open) return false;
    this.#open.delete(id);
    open.watch.dispose();
    open.release?.(NOTHING); // after an answer this says nothing any more
    return true;
  }

  #recordRule(agent: Agent, rule: AllowRule, request: PermissionRequest): void {
    const said = describeRule(rule);
    this.#record(agent, 'allowed_by_rule', `allowed by the rule ${said}: ${requestLine(request)}`, BY_RULE.actor);
    this.parts.answers.note(request, { outcome: 'allowed', ...BY_RULE, rule: said });
  }

  /** A line of the history, whatever the state is by now. */
  #record(agent: Agent, reason: string, detail: string, actor: string): void {
    const { state, clock, log } = this.parts;
    if (actor === 'policy') log.info('nobody was asked', { agent: agent.id, detail: cleanText(detail) });
    const evidence = { source: actor === 'policy' ? 'policy' : 'person', detail: cleanText(detail), observedAtMs: clock.nowMs() } as const; // prettier-ignore
    state
      .transition(agent.id, agent.record.generation, {
        reason,
        actor,
        hasLine: true,
        evidence: [evidence, ...agent.record.evidence].slice(0, 8),
      })
      .catch((error: unknown) => ignore(log, error, 'the agent is gone meanwhile'));
  }
}

function isWaiting(activity: Activity): boolean {
  return activity === 'awaiting_approval' || activity === 'awaiting_input';
}

function keysOf(type: AgentType | undefined, kind: PermissionAnswer['kind']): readonly AgentKey[] | undefined {
  const keys = type?.approval?.keys?.[kind];
  return keys && keys.length > 0 ? keys : undefined;
}

/** Questions are answered in the terminal: keys would choose among answers that nobody here has read. What was cut can only be denied. */
function keyDoor(
  type: AgentType,
  kind: PermissionRequest['kind'],
  isCut: boolean,
): Pick<PermissionRequest, 'door' | 'canAllow' | 'canDeny' | 'canGiveReason'> {
  const canAllow = kind === 'permission' && !isCut && keysOf(type, 'allow') !== undefined;
  const canDeny = kind === 'permission' && keysOf(type, 'deny') !== undefined;
  return { door: canAllow || canDeny ? 'keys' : 'none', canAllow, canDeny, canGiveReason: false };
}

/** The dialog is the one of what a hook told: it shows its command or file. A question is drawn in its own words. */
function isOf(dialog: string, { request, subject }: Pick<Open, 'request' | 'subject'>): boolean {
  if (subject !== undefined && shows(dialog, subject)) return true;
  return request.kind === 'question' && request.dialog === undefined;
}

function takesReason(deny: unknown): boolean {
  return deny !== undefined && JSON.stringify(deny).includes('{reason}');
}

function describeRule({ type, tool, pattern }: AllowRule): string {
  return `${type} / ${tool} / ${pattern}`;
}

function onlyInTerminal(id: AgentId, { isCut, canDeny }: PermissionRequest): AgentError {
  const why =
    isCut && canDeny
      ? `${id} asks for more than is kept here: attach to see all of it and allow it`
      : `${id} can only be answered in its terminal`;
  return new AgentError('agent.cannotAnswer', why, { agentId: id });
}

function gone(id: AgentId): AgentError {
  return new AgentError('agent.requestGone', `${id} asks something else now, or nothing`, { agentId: id });
}

import { type Disposable, DisposableStore } from '../../base/disposable';
import { Emitter, type Event } from '../../base/event';
import { describeError } from '../../base/errors';
import { ignore, type Logger } from '../../base/log';
import type { Clock } from '../../base/clock';
import type { AgentId } from '../agent';
import type { AgentRegistry } from '../agentRegistry';
import type { AgentStateManager, StateUpdate } from '../agentStateManager';
import { isLive } from '../agentTransitions';
import type { HookRule } from '../agentType';
import type { Agent } from '../baseAgent';
import { transcriptPathOf } from '../usage';
import { cleanText } from '../visibleText';
import type { AgentSignal, HookFact } from './agentSignal';
import type { HookAnswer, HookIntake, HookReport } from './hookReport';
import { atPointer, textAt } from './jsonPointer';
import type { PermissionDesk } from './permissionDesk';

export interface HookIntakeParts {
  readonly registry: AgentRegistry;
  readonly state: AgentStateManager;
  /** Takes what a hook says about the activity. */
  readonly observer: { signal(signal: AgentSignal): void };
  readonly desk: Pick<PermissionDesk, 'ask' | 'request'>;
  /** Counts what programs used. */
  readonly usage?: { onHook(agent: Agent, payload: unknown): void };
  readonly clock: Clock;
  readonly log: Logger;
}

/** Ids of conversations become arguments of programs. */
const SESSION_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
const NOTHING: HookAnswer = {};

/** Turns what programs' hooks report into signals, facts and questions, by the `hooks` of their type. */
export class AgentHookIntake implements HookIntake, Disposable {
  readonly #owned = new DisposableStore();
  readonly #onDidReceive: Emitter<HookFact>;
  /** When the newest report of each agent's present generation began, by the hooks' own clocks. */
  readonly #newest = new Map<AgentId, { readonly generation: number; readonly sentAtMs: number }>();

  constructor(private readonly parts: HookIntakeParts) {
    const { log, registry } = parts;
    this.#onDidReceive = this.#owned.add(
      new Emitter<HookFact>((error) => log.error('a listener of hooks failed', { error })),
    );
    this.#owned.add(registry.onDidRemove(({ id }) => this.#newest.delete(id)));
  }

  /** Every report of a present generation that its type knows, also late ones; of a run that is over, those that tell of an accepted prompt. */
  get onDidReceive(): Event<HookFact> {
    return this.#onDidReceive.event;
  }

  async report(report: HookReport, signal: AbortSignal): Promise<HookAnswer> {
    const { registry, log } = this.parts;
    const agent = registry.find(report.agentId);
    if (this.#owned.isDisposed || !agent) return NOTHING;
    const { generation, lifecycle } = agent.record;
    if (report.generation !== generation || !isLive(lifecycle)) {
      log.info('a hook of a run that is over says only which prompt was taken', { agent: agent.id, event: report.event, generation: report.generation, present: generation }); // prettier-ignore
      if (report.generation <= generation) this.#takePrompt(agent, report);
      return NOTHING;
    }
    const rule = findRule(agent.type?.hooks ?? [], report);
    if (!rule) {
      log.debug('a hook that its type does not know', { agent: agent.id, event: report.event });
      return NOTHING;
    }
    try {
      return await this.#take(agent, rule, report, signal);
    } catch (error) {
      log.warn('a hook could not be taken', { agent: agent.id, event: report.event, error: describeError(error) });
      return NOTHING;
    }
  }

  dispose(): void {
    this.#owned.dispose();
  }

  /** Of a run that is over nothing else counts; its deliveries are told of it, and no other. */
  #takePrompt({ id: agentId, type }: Agent, report: HookReport): void {
    const { generation, event, payload, isLate, sentAtMs } = report;
    const prompt = textAt(payload, findRule(type?.hooks ?? [], report)?.promptPath);
    const nowMs = this.parts.clock.nowMs();
    const observedAtMs = isLate ? Math.min(sentAtMs, nowMs) : nowMs;
    if (prompt !== undefined) this.#onDidReceive.fire({ agentId, generation, event, prompt, observedAtMs });
  }

  async #take(agent: Agent, rule: HookRule, report: HookReport, signal: AbortSignal): Promise<HookAnswer> {
    const { observer, desk, clock } = this.parts;
    const nowMs = clock.nowMs();
    const observedAtMs = report.isLate ? Math.min(report.sentAtMs, nowMs) : nowMs;
    const isOvertaken = this.#isOld(report, nowMs);
    // A question is asked for as long as its hook waits for the answer, whatever was told meanwhile.
    const isOld = isOvertaken && (rule.permission === undefined || report.isLate);
    const isBeside = rule.leavesQuestion === true && desk.request(agent.id)?.source === 'hook';
    const activity = isOld || isBeside ? undefined : rule.activity;
    const { payload, event } = report;
    const prompt = textAt(payload, rule.promptPath);
    const sessionId = textAt(payload, rule.sessionIdPath);
    this.#keepSession(
      agent,
      { sessionId, hasTurn: prompt !== undefined, transcriptPath: transcriptPathOf(payload) },
      isOld,
    );
    this.#onDidReceive.fire({
      agentId: agent.id, generation: report.generation, event, observedAtMs,
      ...(prompt !== undefined && { prompt }), ...(sessionId !== undefined && { sessionId }),
      ...(activity && { activity }), ...(!isOld && rule.endsTurn && { endsTurn: true }),
    }); // prettier-ignore
    this.parts.usage?.onHook(agent, payload);
    if (isOld) return NOTHING;
    if (goesOn(rule, payload)) {
      const detail = cleanText(`${event}: work goes on in the background`);
      observer.signal({ agentId: agent.id, generation: report.generation, source: 'hook', activity: 'busy', detail, observedAtMs, isBackground: true }); // prettier-ignore
      return NOTHING;
    }
    if (activity) {
      const detail = cleanText(`${event}: ${rule.says}`);
      observer.signal({ agentId: agent.id, generation: report.generation, source: 'hook', activity, detail, observedAtMs }); // prettier-ignore
    }
    if (!rule.permission || report.isLate) return NOTHING;
    const { kind, toolPath, detailPath } = rule.permission;
    const tool = textAt(payload, toolPath);
    const input = detailPath === undefined ? undefined : atPointer(payload, detailPath);
    return desk.ask(agent, { kind, input, says: rule.says, ...(tool !== undefined && { tool }) }, signal);
  }

  /** Hooks are processes of their own: one may overtake another. An older one still tells what happened, but not what is so now. */
  #isOld({ agentId, generation, sentAtMs }: HookReport, nowMs: number): boolean {
    const newest = this.#newest.get(agentId);
    if (newest?.generation === generation && sentAtMs < newest.sentAtMs) return true;
    this.#newest.set(agentId, { generation, sentAtMs: Math.min(sentAtMs, nowMs) });
    return false;
  }

  #keepSession({ id, record, type }: Agent, { sessionId, hasTurn, transcriptPath }: ToldSession, isOld: boolean): void {
    const isNew = sessionId !== undefined && SESSION_ID.test(sessionId) && sessionId !== record.sessionId;
    const isRead = type?.usage !== undefined && !isOld && transcriptPath !== record.transcriptPath;
    const update: Pick<StateUpdate, 'sessionId' | 'hasSessionTurn' | 'transcriptPath'> = {
      ...(isNew && (!isOld || record.sessionId === undefined) && { sessionId, hasSessionTurn: hasTurn }),
      ...(hasTurn && !record.hasSessionTurn && { hasSessionTurn: true }),
      ...(isRead && transcriptPath !== undefined && { transcriptPath }),
    };
    if (Object.keys(update).length === 0) return;
    this.parts.state
      .transition(id, record.generation, { ...update, actor: 'engine', reason: 'conversation_known' })
      .catch((error: unknown) => ignore(this.parts.log, error, 'the agent is gone meanwhile'));
  }
}

/** What one hook says of the conversation. */
interface ToldSession {
  readonly sessionId: string | undefined;
  /** Something was said in it. */
  readonly hasTurn: boolean;
  readonly transcriptPath: string | undefined;
}

function findRule(rules: readonly HookRule[], { event, payload }: HookReport): HookRule | undefined {
  return rules.find(
    (rule) => rule.event === event && (!rule.when || atPointer(payload, rule.when.path) === rule.when.equals),
  );
}

/** What the event ends is not the end of the work: something runs on in the background. */
function goesOn(rule: HookRule, payload: unknown): boolean {
  const value = rule.unlessPath === undefined ? undefined : atPointer(payload, rule.unlessPath);
  return value === true || (Array.isArray(value) && value.length > 0);
}

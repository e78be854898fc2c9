import type { Activity, ExitCause, Lifecycle } from '../../core/agents/agentState';
import { type AgentView, needsYouOf } from '../../core/engine';
import { ACTIVITY_WORDS, LIFECYCLE_WORDS, stateWords as wordsOfCodes, withTerm } from '../../shared/stateWords';
import { isAllowable, requestSubject, requestTitle } from '../approvals/requestText';
import { isTroubled, queueWords, receiptInRow, unsureWords } from '../prompts/receiptText';
import { troubleWords } from '../../core/agentTrouble';

/** An icon that tells the state by its shape; the colour only repeats it. */
export interface StateIcon {
  /** Codicon id. */
  readonly id: string;
  /** Theme colour id. */
  readonly color: string;
}

// The shared tables know no types of the core: that no word is missing is checked here.
ACTIVITY_WORDS satisfies Readonly<Record<Activity, string>>;
LIFECYCLE_WORDS satisfies Readonly<Record<Lifecycle, string>>;

const activityIcons: Record<Activity, StateIcon> = {
  idle: { id: 'circle-outline', color: 'charts.green' },
  busy: { id: 'circle-filled', color: 'charts.blue' },
  awaiting_input: { id: 'question', color: 'notificationsWarningIcon.foreground' },
  awaiting_approval: { id: 'shield', color: 'notificationsWarningIcon.foreground' },
  rate_limited: { id: 'watch', color: 'charts.orange' },
  error: { id: 'warning', color: 'notificationsErrorIcon.foreground' },
  unknown: { id: 'dash', color: 'disabledForeground' },
};

const lifecycleIcons: Record<Exclude<Lifecycle, 'running'>, StateIcon> = {
  created: { id: 'circle-large-outline', color: 'disabledForeground' },
  starting: { id: 'loading~spin', color: 'charts.blue' },
  paused: { id: 'debug-pause', color: 'charts.purple' },
  stopping: { id: 'loading~spin', color: 'disabledForeground' },
  stopped: { id: 'stop-circle', color: 'disabledForeground' },
  exited: { id: 'pass', color: 'testing.iconPassed' },
  failed: { id: 'error', color: 'testing.iconFailed' },
  lost: { id: 'debug-disconnect', color: 'charts.orange' },
  backoff: { id: 'history', color: 'charts.orange' },
  quarantined: { id: 'circle-slash', color: 'testing.iconFailed' },
  retired: { id: 'archive', color: 'disabledForeground' },
};

/** The part of an agent that its words depend on. */
export type AgentState = Pick<AgentView, 'lifecycle' | 'activity' | 'exit'> & Partial<Pick<AgentView, 'evidence'>>;

/** The state in words: `working`, `needs approval`, `paused, needs input`, `failed with exit code 3`. */
export function stateWords(agent: AgentState): string {
  if (agent.lifecycle === 'failed') return [wordsOfCodes(agent), exitWords(agent.exit)].filter(Boolean).join(' ');
  if (!needsSignIn(agent)) return wordsOfCodes(agent);
  if (agent.lifecycle === 'paused') return `${LIFECYCLE_WORDS.paused}, ${SIGN_IN_WORDS}`;
  return agent.lifecycle === 'running' ? SIGN_IN_WORDS : wordsOfCodes(agent);
}

/** As {@link stateWords}, with the term of the field where it differs: `working (busy)`, `not reachable (lost)`. */
export function stateWithTerm(agent: AgentState): string {
  return withTerm(stateWords(agent), agent);
}

export const SIGN_IN_WORDS = 'sign in needed';
/** As the evidence names a rule of a type for it: such rules are called so. */
const SIGN_IN = /^\S+ rule "sign-in/;

/** Its program asks who the person is: nothing else goes on before. */
export function needsSignIn({ activity, evidence = [] }: Pick<AgentState, 'activity' | 'evidence'>): boolean {
  return (
    activity === 'awaiting_input' && evidence.some(({ source, detail }) => source === 'screen' && SIGN_IN.test(detail))
  );
}

/** `with exit code 3`, `by SIGKILL`; empty when the cause is not known. */
export function exitWords(exit: ExitCause | undefined): string {
  if (exit?.signal !== undefined) return `by ${exit.signal}`;
  return exit?.code === undefined ? '' : `with exit code ${exit.code}`;
}

export function stateIcon(agent: Pick<AgentView, 'lifecycle' | 'activity'>): StateIcon {
  if (agent.lifecycle === 'running') return activityIcons[agent.activity];
  if (agent.lifecycle === 'paused' && needsYouOf('paused', agent.activity)) return activityIcons[agent.activity];
  return lifecycleIcons[agent.lifecycle];
}

/**
 * Behind the name in the view: `working for 3 min`, `needs approval · Bash: npm test · 3 min`, `idle · acknowledged by hook · just now`,
 * `failed with exit code 1 · Error: no such module · 3 min`. A narrow view shows only the beginning: what a person must decide stands first, the time last.
 */
export function description(agent: AgentView, nowMs: number): string {
  const duration = shortDuration(nowMs - agent.sinceMs);
  const state = stateWords(agent);
  const receipt = receiptInRow(agent.lastReceipt, nowMs);
  const queued = agent.queuedPromptCount === 0 ? '' : `${agent.queuedPromptCount} queued`;
  const asked = agent.request ? requestSubject(agent.request) : '';
  const isFirst = isTroubled(agent.lastReceipt) && isLive(agent); // how an agent ended is graver
  const unsure = unsureWords(agent.unsurePromptCount, agent.lastReceipt);
  const parts = isFirst
    ? [receipt, state, queued, asked, unsure]
    : [state, troubleWords(agent), queued, asked, receipt, unsure];
  const said = parts.filter((part) => part !== '');
  if (said.length > 1) return [...said, duration || 'just now'].join(' · ');
  return duration === '' ? `${state}, just now` : `${state} for ${duration}`;
}

/** What a screen reader says for the row: `Agent Reviewer, needs approval, 3 minutes, asks: Bash: npm test`. */
export function sentence(agent: AgentView, nowMs: number): string {
  const parts = [
    `Agent ${agent.name}`,
    stateWords(agent),
    troubleWords(agent),
    longDuration(nowMs - agent.sinceMs) || 'just now',
    agent.request ? `asks: ${requestTitle(agent.request)}` : '',
    receiptInRow(agent.lastReceipt, nowMs),
    unsureWords(agent.unsurePromptCount, agent.lastReceipt),
    queueWords(agent.queuedPromptCount),
  ];
  if (agent.isManagedElsewhere) parts.push('read-only');
  return parts.filter((part) => part !== '').join(', ');
}

/** `3 min`, `2 h`, `4 d`; empty below one minute and for clocks that went back. */
export function shortDuration(durationMs: number): string {
  const { count, unit } = rounded(durationMs);
  return count === 0 ? '' : `${count} ${{ minute: 'min', hour: 'h', day: 'd' }[unit]}`;
}

/** `1 minute`, `2 hours`; empty below one minute. */
export function longDuration(durationMs: number): string {
  const { count, unit } = rounded(durationMs);
  return count === 0 ? '' : `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function rounded(durationMs: number): { readonly count: number; readonly unit: 'minute' | 'hour' | 'day' } {
  const minutes = Math.max(0, Math.floor(durationMs / 60_000));
  if (minutes < 60) return { count: minutes, unit: 'minute' };
  if (minutes < 48 * 60) return { count: Math.floor(minutes / 60), unit: 'hour' };
  return { count: Math.floor(minutes / 1440), unit: 'day' };
}

const livingLifecycles: ReadonlySet<Lifecycle> = new Set<Lifecycle>([
  'starting',
  'running',
  'paused',
  'stopping',
  'lost',
]);
const endedLifecycles: ReadonlySet<Lifecycle> = new Set<Lifecycle>(['created', 'stopped', 'exited', 'failed']);

/** It has a process, as far as is known. */
export function isLive(agent: Pick<AgentView, 'lifecycle'>): boolean {
  return livingLifecycles.has(agent.lifecycle);
}

/** It can be started again without a release. */
export function isEnded(agent: Pick<AgentView, 'lifecycle'>): boolean {
  return endedLifecycles.has(agent.lifecycle);
}

const unfinished: ReadonlySet<Activity> = new Set<Activity>([
  'busy',
  'awaiting_input',
  'awaiting_approval',
  'rate_limited',
  'unknown',
]);

/** Stopping it now would or might lose work: it is in the middle of something, waits for an answer, or what it does is not known. */
export function isInTheMiddle(agent: Pick<AgentView, 'lifecycle' | 'activity'>): boolean {
  if (agent.lifecycle !== 'running' && agent.lifecycle !== 'paused') return false;
  return unfinished.has(agent.activity);
}

/**
 * Space-separated tokens for `viewItem =~ /\btoken\b/`: `agent`, the lifecycle, `live` or `ended`, `attachable`, `prompts` (may be sent
 * one, now or when it is free), `queue` (prompts wait), `needsYou`, `asks` (with `allow`, `deny`, `reason`: what can be answered from
 * here), `resumable`, and `managed` (it can be acted on) or `elsewhere`.
 */
export function contextValue(agent: AgentView, canReceivePrompts: boolean): string {
  const tokens: string[] = ['agent', agent.lifecycle];
  if (isLive(agent)) tokens.push('live');
  if (isEnded(agent)) tokens.push('ended');
  if (agent.isAttachable) tokens.push('attachable');
  if (canReceivePrompts && takesPrompts(agent)) tokens.push('prompts');
  if (agent.queuedPromptCount > 0) tokens.push('queue');
  if (agent.needsYou) tokens.push('needsYou');
  if (agent.request) tokens.push('asks', ...answerTokens(agent.request));
  if (agent.isResumable) tokens.push('resumable');
  tokens.push(agent.isManagedElsewhere ? 'elsewhere' : 'managed');
  return tokens.join(' ');
}

/** A prompt can be typed now or kept until the agent is free. */
export function takesPrompts({ lifecycle }: Pick<AgentView, 'lifecycle'>): boolean {
  return lifecycle === 'running' || lifecycle === 'paused' || lifecycle === 'starting';
}

function answerTokens(request: NonNullable<AgentView['request']>): readonly string[] {
  if (request.door === 'none') return [];
  return [
    ...(isAllowable(request) ? ['allow'] : []),
    ...(request.canDeny ? ['deny'] : []),
    ...(request.canDeny && request.canGiveReason ? ['reason'] : []),
  ];
}

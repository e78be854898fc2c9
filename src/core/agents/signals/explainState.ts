import { LIFECYCLE_WORDS } from '../../../shared/stateWords';
import type { AgentRecord } from '../agent';
import type { Activity, Evidence } from '../agentState';
import { isObservable } from '../agentTransitions';
import { evidenceOf, isContradicted, isScreenFact, type Verdict } from '../activityResolver';
import { pauseEvidence } from '../orderEvidence';
import type { AgentFacts, ScreenFact, SignalFact } from './agentFacts';
import type { ExplainedSignal, StateExplanation } from './stateExplanation';

const ACTIVITY_WORDS: Readonly<Record<Activity, string>> = {
  idle: 'It is idle',
  busy: 'It is busy',
  awaiting_input: 'It waits for an answer',
  awaiting_approval: 'It waits for an approval',
  rate_limited: 'It is held back by a rate limit',
  error: 'Its last turn ended with an error',
  unknown: 'What it does is not known',
};

const SOURCE_WORDS: Readonly<Record<Evidence['source'], string>> = {
  process: 'its process',
  exit_file: 'its exit code',
  pane: 'its terminal',
  hook: 'a hook',
  title: 'its title',
  osc: 'its own report (OSC)',
  status_file: 'its status file',
  screen: 'its screen',
  person: 'a person',
  policy: 'a rule of ours',
  adoption: 'what was found in tmux',
};

/** Which facts lead to the state of an agent, and how. `known` is undefined when nothing was observed of this run. */
export function explainState(
  record: AgentRecord,
  degraded: readonly string[],
  known: { readonly facts: AgentFacts; readonly verdict: Verdict | undefined } | undefined,
): StateExplanation {
  const base = {
    agentId: record.id,
    lifecycle: record.lifecycle,
    activity: record.activity,
    sinceMs: record.sinceMs,
    degraded,
  };
  const isAlive = isObservable(record.lifecycle);
  if (!isAlive || !known?.verdict) {
    const signals = [
      ...record.evidence.map((evidence) => ({ ...evidence, activity: record.activity, weight: 'decides' as const })),
      ...(known && isAlive ? newestFacts(known.facts).map((fact) => explained(fact, undefined, known.facts)) : []),
    ];
    const conclusion = isAlive
      ? `${pauseWords(record)}What it does is not known: nothing clear has been seen yet.`
      : `It is ${LIFECYCLE_WORDS[record.lifecycle]} (${record.reason.replaceAll('_', ' ')}): what happens to the process outranks everything it showed.`;
    return { ...base, conclusion, signals };
  }
  const { facts, verdict } = known;
  const others = newestFacts(facts).filter((fact) => fact !== verdict.by);
  const signals = [verdict.by, ...others].map((fact) => explained(fact, verdict, facts));
  return { ...base, conclusion: pauseWords(record) + conclusionOf(verdict, facts), signals };
}

/** That it is paused, and by whom: what it does stands beside it. Empty for every other state. */
function pauseWords({ lifecycle, evidence }: AgentRecord): string {
  if (lifecycle !== 'paused') return '';
  const paused = pauseEvidence(evidence)[0]?.detail ?? 'paused';
  return `It is ${paused}: nothing is delivered to it until it is resumed. `;
}

function newestFacts({ hooks, titles, oscs, files, screens }: AgentFacts): readonly (SignalFact | ScreenFact)[] {
  return [hooks.at(-1), titles.at(-1), oscs.at(-1), files.at(-1), screens.at(-1)].filter((fact) => fact !== undefined);
}

function explained(fact: SignalFact | ScreenFact, verdict: Verdict | undefined, facts: AgentFacts): ExplainedSignal {
  const activity = isScreenFact(fact) ? fact.reading.activity : fact.activity;
  const { source, detail, observedAtMs } = evidenceOf({ activity, by: fact, why: 'newest' });
  const isOut = !isScreenFact(fact) && fact.source === 'hook' && isContradicted(facts, fact);
  return {
    source,
    activity,
    detail: isOut && fact !== verdict?.by ? `${detail} (the screen has contradicted it since)` : detail,
    observedAtMs,
    weight: weightOf(fact, activity, verdict),
  };
}

function weightOf(
  fact: SignalFact | ScreenFact,
  activity: Activity,
  verdict: Verdict | undefined,
): ExplainedSignal['weight'] {
  if (!verdict) return 'outranked';
  if (fact === verdict.by) return 'decides';
  if (activity === verdict.activity) return 'agrees';
  return fact.atMs < verdict.by.atMs ? 'older' : 'outranked';
}

function conclusionOf(verdict: Verdict, facts: AgentFacts): string {
  const { source, detail } = evidenceOf(verdict);
  return `${ACTIVITY_WORDS[verdict.activity]}: ${SOURCE_WORDS[source]} says so (${detail}); ${reasonInWords(verdict, facts)}.`;
}

function reasonInWords({ why, by }: Verdict, { hooks, titles, oscs, files }: AgentFacts): string {
  switch (why) {
    case 'dialog':
      return 'a dialog on the screen outranks everything but the end of the process';
    case 'blocked':
      return 'that the program is blocked outranks work and rest';
    case 'newest':
      return 'it is the newest of hooks, title, OSC and status file, which outrank the screen';
    case 'confirmed':
      return 'it is the newest of hooks, title, OSC and status file, and a later look at the screen showed neither a dialog nor work';
    case 'lasting':
      return 'an error counts until the next turn begins';
    case 'refined':
      return 'the screen tells more exactly what hooks, title, OSC and status file call work, an error or rest';
    case 'contradicted':
      return 'two later looks at the screen contradict what was said before';
    case 'screen': {
      if (isScreenFact(by) && by.kind === 'overlay')
        return 'something covers its usual screen, and nothing newer says what it does';
      return hooks.length + titles.length + oscs.length + files.length > 0
        ? 'no hook, title, OSC or status file says otherwise now'
        : 'no hook, title, OSC or status file has said anything in this run';
    }
  }
}

import type { AgentChange, AgentRecord, AgentSpec } from './agents/agent';
import { Activity, DesiredState, EvidenceSource, Lifecycle, RestartPolicy } from './agents/agentState';
import type { Approval } from './agents/agentStore';
import { AnswerDoor, type AnsweredRequest, AnswerOutcome } from './agents/answeredRequest';
import { LIFECYCLE_STEPS } from './agents/agentTransitions';
import { parseAgentType } from './agents/agentTypeParser';
import { DeliveryState, PromptChangeKind, type PromptDelivery } from './agents/delivery/promptDelivery';
import type { Clock } from './base/clock';
import { DEAD_LETTER_RULE } from './data/processing/deadLetterStore';
import { readSpec } from './data/processing/pipelineSpec';
import {
  allOf,
  arrayOf,
  members,
  named,
  nothing,
  object,
  optional,
  type OptionalRule,
  text,
  warning,
} from './data/validation/composeRules';
import { DataValidator } from './data/validation/dataValidator';
import { custom, transition } from './data/validation/recordRules';
import { problem, VALID, type ValidationRule } from './data/validation/validationRule';
import { itemCount, length, noControl, oneOfValues, pattern, range, type } from './data/validation/valueRules';

/** One rule for every property of a kept type: a property that is added to the type and not here does not compile. */
type RulesOf<T> = { readonly [K in keyof T]-?: ValidationRule | OptionalRule<unknown> };

/**
 * What a newer version has kept and this one does not know stays as it is and is told: after going back to this version an
 * agent must be stoppable.
 */
const unexpected = named('unexpected', 'a property that this version does not know', warning(nothing));

function kept<T>(properties: RulesOf<T>): ValidationRule {
  return object(properties, { additional: unexpected });
}

const upTo = (max: number, min = 1): ValidationRule => allOf(text, length({ min, max }));
const oneOf = (values: Readonly<Record<string, string>>): ValidationRule => oneOfValues(Object.values(values));
/** Ours, and cut and cleaned where they are made: one that is not is told, and must not keep a state from being kept. */
const words = (max: number): ValidationRule => allOf(text, warning(length({ max })), warning(noControl('lines')));
const count = allOf(type('integer'), range({ min: 0 }));
const timeMs = allOf(type('number'), range({ min: 0, below: 8.64e15 }));
const flag = type('boolean');
const reason = allOf(
  text,
  pattern('^[a-z0-9][a-z0-9_]{0,99}$', 'must be letters, digits and _, as programs read them'),
);
const agentId = allOf(text, pattern('^[a-z0-9][a-z0-9-]{0,40}$', 'must be the id of an agent'));
const actor = upTo(200);

/** A program can have ended before its start time could be read: then that is empty. */
const process = kept({ pid: allOf(type('integer'), range({ min: 1 })), startTime: upTo(200, 0) });
const evidence = allOf(
  arrayOf(kept({ source: oneOf(EvidenceSource), detail: words(8_192), observedAtMs: timeMs })),
  itemCount({ max: 1_000 }),
);
const standing = kept({ lifecycle: oneOf(Lifecycle), activity: oneOf(Activity) });

const environment = allOf(type('object'), members({}, { additional: upTo(32_768, 0) }));
const commandLine = allOf(arrayOf(upTo(32_768, 0)), itemCount({ max: 200 }));
const spec = (): ValidationRule =>
  kept<AgentSpec>({
    name: upTo(200),
    typeId: upTo(41),
    folder: upTo(4_096),
    role: optional(upTo(200)),
    team: optional(upTo(200)),
    firstPrompt: optional(upTo(1_048_576, 0)),
    args: optional(commandLine),
    env: optional(environment),
    command: optional(commandLine),
    restartPolicy: optional(oneOf(RestartPolicy)),
  });

const agent = (): ValidationRule =>
  allOf(
    kept<AgentRecord>({
      id: agentId,
      spec: spec(),
      fleetName: optional(upTo(200)),
      desired: oneOf(DesiredState),
      lifecycle: oneOf(Lifecycle),
      activity: oneOf(Activity),
      generation: count,
      generationFloor: optional(count),
      process: optional(process),
      ending: optional(allOf(arrayOf(process), itemCount({ max: 10_000 }))),
      exit: optional(
        kept({ code: optional(allOf(type('integer'), range({ min: 0, max: 255 }))), signal: optional(upTo(40)) }),
      ),
      reason,
      actor,
      evidence,
      sinceMs: timeMs,
      createdAtMs: timeMs,
      restartsAtMs: allOf(arrayOf(timeMs), itemCount({ max: 10_000 })),
      nextStartAtMs: optional(timeMs),
      sessionId: optional(upTo(200)),
      hasSessionTurn: optional(flag),
      transcriptPath: optional(upTo(4_096)),
      isFirstPromptDone: flag,
    }),
    // Beside a damaged record of the same agent its new one is kept under another id (`dataAgentStore.ts`).
    idOf('id', (id, recordId) => recordId === id || recordId === `${id} (recovered)`),
  );

const agentChange = (): ValidationRule =>
  allOf(
    kept<AgentChange>({
      id: upTo(200),
      agentId,
      generation: count,
      atMs: timeMs,
      from: standing,
      to: standing,
      reason,
      actor,
      evidence,
    }),
    transition({ from: '/from/lifecycle', to: '/to/lifecycle', table: legalSteps() }),
    idOf('id'),
  );

const delivery = (): ValidationRule =>
  allOf(
    kept<PromptDelivery>({
      id: upTo(200),
      agentId,
      generation: count,
      text: upTo(1_048_576, 0),
      prepared: upTo(1_048_576, 0),
      changes: allOf(arrayOf(kept({ kind: oneOf(PromptChangeKind), detail: words(1_000) })), itemCount({ max: 100 })),
      state: oneOf(DeliveryState),
      evidence: optional(oneOfValues(['hook', 'screen', 'person'])),
      reason: optional(reason),
      detail: optional(words(8_192)),
      cameDuringWork: optional(flag),
      submitCount: count,
      createdAtMs: timeMs,
      stateAtMs: timeMs,
      steps: allOf(type('object'), members({}, { additional: timeMs })),
      actor,
      isFirstPrompt: optional(flag),
      resentAs: optional(upTo(200)),
    }),
    idOf('id'),
  );

const approval = (): ValidationRule =>
  allOf(kept<Approval>({ hash: upTo(200), shown: upTo(1_048_576, 0), approvedAtMs: timeMs, actor }), idOf('hash'));

const answer = (): ValidationRule =>
  allOf(
    kept<AnsweredRequest>({
      id: upTo(200),
      agentId,
      generation: count,
      kind: oneOfValues(['permission', 'question']),
      tool: optional(words(200)),
      title: words(1_000),
      shown: upTo(65_536, 0),
      isCut: flag,
      outcome: oneOf(AnswerOutcome),
      via: oneOf(AnswerDoor),
      rule: optional(upTo(10_000)),
      reason: optional(upTo(65_536)),
      actor,
      askedAtMs: timeMs,
      answeredAtMs: timeMs,
    }),
    idOf('id'),
  );

let built: Readonly<Record<string, ValidationRule>> | undefined;

/** What every kept record must be, by its kind. A kind that is not here is not kept (`validatedStore.ts`). */
export function keptRules(): Readonly<Record<string, ValidationRule>> {
  // Not while the module is loaded: a window that only watches never needs them.
  return (built ??= {
    agent: named('agent', 'an agent as it is kept', agent()),
    agentChange: named('agentChange', 'a line of an agent’s history', agentChange()),
    delivery: named('delivery', 'a prompt on its way', delivery()),
    approval: named('approval', 'what a person agreed to', approval()),
    answer: named('answer', 'what an agent asked, and the answer', answer()),
    fleetType: named('fleetType', 'an agent type of a fleet file', allOf(agentType(), idOf('id'))),
    deadLetter: DEAD_LETTER_RULE,
    pipeline: named('pipeline', 'a pipeline of data', allOf(pipeline(), idOf('name'))),
  });
}

/** The rules of every kind, as they are checked on the way in, by an import and by the check of what is kept. */
export function createKeptValidator(clock: Clock): DataValidator {
  const validator = new DataValidator(clock);
  for (const [kind, rule] of Object.entries(keptRules())) validator.register(kind, rule);
  return validator;
}

/** A record is kept under the id that its value says. */
function idOf(
  property: string,
  isSame: (said: string, recordId: string) => boolean = (said, recordId) => said === recordId,
): ValidationRule {
  return custom('idOf', `must be kept under its ${property}`, (value, { recordId }) => {
    if (recordId === undefined || typeof value !== 'object' || value === null) return true;
    const said: unknown = Object.hasOwn(value, property) ? (value as Readonly<Record<string, unknown>>)[property] : '';
    return typeof said !== 'string' || isSame(said, recordId); // what is no text is refused by the rule of the property
  });
}

function legalSteps(): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(LIFECYCLE_STEPS).map(([from, to]) => [from, Object.keys(to)]));
}

function agentType(): ValidationRule {
  const self = { code: 'agentType', description: 'must be a manifest of an agent type' };
  return {
    ...self,
    validate: (value) => {
      const result = parseAgentType(value);
      if (result.ok) return VALID;
      return result.problems.flatMap(({ path, message }) => problem(self, 'agentType', message, pointerOf(path)));
    },
  };
}

function pipeline(): ValidationRule {
  const self = { code: 'pipeline', description: 'must be a pipeline' };
  return {
    ...self,
    validate: (value) =>
      readSpec(value).problems.flatMap(({ path, code, message }) => problem(self, `pipeline.${code}`, message, path)),
  };
}

/** `prompt.submitKey`, `quit[0]["a b"]` as a JSON pointer. */
function pointerOf(place: string): string {
  const parts = place.match(/[^.[\]"]+/g) ?? [];
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

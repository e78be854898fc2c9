import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { AgentChange } from '../../../src/core/agents/agent';
import type { AnsweredRequest } from '../../../src/core/agents/answeredRequest';
import { LIFECYCLE_STEPS, LIFECYCLES } from '../../../src/core/agents/agentTransitions';
import { builtInTypes } from '../../../src/core/agents/builtInTypes';
import { newDelivery, step } from '../../../src/core/agents/delivery/deliveryRecord';
import type { ValidationProblem } from '../../../src/core/data/validation/validationRule';
import { DataError } from '../../../src/core/data/dataErrors';
import type { Collection } from '../../../src/core/data/dataStore';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { ValidatedStore } from '../../../src/core/data/validation/validatedStore';
import { createKeptValidator, keptRules } from '../../../src/core/keptRules';
import { KEPT_COLLECTIONS } from '../../../src/core/ownerIntegrity';
import { agentId, aRecord, aSpec, seededRandom } from '../../support/builders';
import { ManualClock } from '../../support/manualClock';
import { trials } from '../../support/trials';

const evidence = [{ source: 'screen', detail: 'rule "idle"', observedAtMs: 5.25 }] as const;
const change: AgentChange = {
  id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  agentId: agentId('reviewer'),
  generation: 1,
  atMs: 5,
  from: { lifecycle: 'starting', activity: 'unknown' },
  to: { lifecycle: 'running', activity: 'idle' },
  reason: 'ready',
  actor: 'engine',
  evidence,
};
const queued = newDelivery({ id: 'd', agentId: agentId('reviewer'), text: 'go on\n', actor: 'person' }, 5);
const acknowledged = step(
  step(queued, 'typing', 6, { prepared: ' go on', generation: 1, changes: [{ kind: 'trimmed', detail: 'x' }] }),
  'acknowledged',
  7,
  { evidence: 'hook', detail: 'it told' },
);
const full = aRecord({
  spec: aSpec({
    role: 'r',
    team: 't',
    firstPrompt: 'hello',
    args: [''],
    env: { A: '' },
    command: ['x'],
    restartPolicy: 'never',
  }),
  lifecycle: 'backoff',
  generation: 3,
  process: { pid: 1, startTime: '123' },
  ending: [{ pid: 2, startTime: '124' }],
  exit: { code: 137, signal: 'SIGKILL' },
  evidence,
  restartsAtMs: [1, 2],
  nextStartAtMs: 9,
  sessionId: 'abc',
  hasSessionTurn: true,
  transcriptPath: '/home/person/session.jsonl',
});
const answered: AnsweredRequest = {
  ...{ id: 'r1', agentId: agentId('reviewer'), generation: 1, kind: 'permission', title: 'Allow this command?' },
  ...{ shown: 'Allow this command?\nrm -r build', isCut: false, outcome: 'unknown', via: 'terminal' },
  ...{ actor: 'person', askedAtMs: 5, answeredAtMs: 6 },
};
const { command: _command, ...noCommand } = { command: ['x'], ...builtInTypes()[0] };

/** What is kept of each kind, as the product makes it. */
const real: Readonly<Record<string, readonly (readonly [id: string, value: unknown])[]>> = {
  agent: [
    ['reviewer', aRecord()],
    ['reviewer', full],
    ['reviewer', aRecord({ process: { pid: 1, startTime: '' } })],
    ['reviewer (recovered)', aRecord({ lifecycle: 'running', generation: 2 })],
  ],
  agentChange: [[change.id, change]],
  delivery: [
    ['d', queued],
    ['d', acknowledged],
    ['d', step(queued, 'failed', 8, { reason: 'not_running', detail: 'it ended' })],
  ],
  approval: [
    ['a'.repeat(64), { hash: 'a'.repeat(64), shown: 'reviewer\n  command: x', approvedAtMs: 5, actor: 'person' }],
  ],
  answer: [
    ['r1', answered],
    ['r1', { ...answered, tool: 'Bash', outcome: 'denied', via: 'orc', reason: 'no', isCut: true }],
    ['r1', { ...answered, outcome: 'allowed', via: 'rule', rule: 'claude / Bash / ls', actor: 'policy' }],
  ],
  fleetType: builtInTypes().map((type) => [type.id, type]),
  deadLetter: [
    ['01', { run: 'p', atMs: 1, excerpt: '{}', step: 'coerce', stepIndex: 0, code: 'coerce.x', message: 'm' }],
  ],
  pipeline: [['p', { name: 'p', version: 1, steps: [{ use: 'limit', with: { count: 1 } }] }]],
};

/** One thing that is wrong in an otherwise right record, and how it is told. */
const broken: readonly (readonly [kind: string, id: string, value: unknown, ...told: string[]])[] = [
  ['agent', 'other', aRecord(), ' idOf idOf'],
  ['agent', 'reviewer', { ...aRecord(), generation: -1 }, '/generation range range'],
  ['agent', 'reviewer', { ...aRecord(), lifecycle: 'flying', evidence: 'x' }, '/lifecycle enum enum', '/evidence array type'],
  ['agent', 'reviewer', { ...full, exit: { code: 300 } }, '/exit/code range range'],
  ['agent', 'reviewer', { ...full, spec: { ...full.spec, env: { A: 1 } } }, '/spec/env/A type type'],
  ['agent', 'reviewer', { ...full, sinceMs: Number.NaN }, '/sinceMs type type', '/sinceMs range range'],
  ['agent', 'No Id', { ...aRecord(), id: 'No Id' }, '/id pattern pattern'],
  ['agentChange', change.id, { ...change, to: { ...change.to, lifecycle: 'created' } }, '/to/lifecycle transition transition'],
  ['agentChange', change.id, { ...change, reason: 'Because!' }, '/reason pattern pattern'],
  ['agentChange', change.id, { ...change, actor: undefined }, '/actor object required'],
  ['delivery', 'd', { ...queued, submitCount: 1.5 }, '/submitCount type type'],
  ['delivery', 'd', { ...queued, steps: { queued: 'now' } }, '/steps/queued type type'],
  ['delivery', 'd', { ...acknowledged, changes: [{ kind: 'magic', detail: '' }] }, '/changes/0/kind enum enum'],
  ['approval', 'x', { hash: 'y', shown: '', approvedAtMs: 1, actor: 'person' }, ' idOf idOf'],
  ['answer', 'other', answered, ' idOf idOf'],
  ['answer', 'r1', { ...answered, outcome: 'maybe', via: 'post' }, '/outcome enum enum', '/via enum enum'],
  ['answer', 'r1', { ...answered, shown: 'x'.repeat(70_000) }, '/shown length length'],
  ['fleetType', String(noCommand.id), noCommand, '/command agentType agentType'],
  ['pipeline', 'p', { name: 'p', version: 0, steps: [] }, '/version pipeline pipeline.range', '/steps pipeline pipeline.length'],
  ['deadLetter', '1', { run: 'p', atMs: -1 }, '/atMs range range', '/excerpt object required', '/step object required', '/stepIndex object required', '/code object required', '/message object required'],
]; // prettier-ignore

const validator = createKeptValidator(new ManualClock());
const told = (kind: string, id: string, value: unknown): readonly ValidationProblem[] =>
  validator.validate(kind, value, { recordId: id }).problems;

describe('rules of what is kept', () => {
  it('every kind that the source names has rules and is checked; add new ones to keptRules.ts and ownerIntegrity.ts', () => {
    const root = path.resolve('src/core');
    const kinds = readdirSync(root, { recursive: true })
      .map(String)
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [
        ...readFileSync(path.join(root, file), 'utf8').matchAll(/: Collection<[^;{]*?> = \{\s*kind: '([^']+)'/g),
      ])
      .map(([, kind = '']) => kind)
      .sort();
    assert.ok(kinds.includes('agent'), 'the source is read as it is written');
    assert.deepEqual(Object.keys(keptRules()).sort(), kinds);
    assert.deepEqual(KEPT_COLLECTIONS.map(({ kind }) => kind).sort(), kinds);
    assert.deepEqual(Object.keys(real).sort(), kinds);
  });

  for (const [kind, records] of Object.entries(real))
    it(`take what the product keeps: ${kind}`, () => {
      for (const [id, value] of records) assert.deepEqual(told(kind, id, value), [], JSON.stringify(value));
    });

  for (const [kind, id, value, ...problems] of broken)
    it(`refuse ${kind} ${problems.join(', ')}`, () => {
      assert.deepEqual(told(kind, id, value).map(({ path: at, rule, code }) => `${at} ${rule} ${code}`), problems); // prettier-ignore
    });

  it('every legal step of an agent is a line of history, and no other', () => {
    for (const from of LIFECYCLES)
      for (const to of LIFECYCLES) {
        const line = { ...change, from: { ...change.from, lifecycle: from }, to: { ...change.to, lifecycle: to } };
        const isLegal = from === to || LIFECYCLE_STEPS[from][to] !== undefined;
        assert.equal(told('agentChange', change.id, line).length === 0, isLegal, `${from} → ${to}`);
      }
  });

  it('what a newer version added is told and let through, so that going back leaves agents usable', () => {
    const newer = { ...aRecord(), mood: 'good', spec: { ...aSpec(), colour: 'red' } };
    assert.deepEqual(
      told('agent', 'reviewer', newer).map(({ path: at, severity }) => `${at} ${severity}`),
      ['/spec/colour warning', '/mood warning'],
    );
  });

  it('R3 a record with anything in it is refused whole, or kept and served exactly as it was written', async function () {
    this.timeout(1_800_000);
    const rounds = trials(2_000, 100_000, 1_000_000);
    const clock = new ManualClock();
    const validator = createKeptValidator(clock);
    const kinds = KEPT_COLLECTIONS as unknown as readonly Collection<Readonly<Record<string, unknown>>>[]; // their values are anything here
    let [kept, refused] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      const random = seededRandom(round);
      const collection = oneOf(kinds, random);
      const [id, value] = oneOf(real[collection.kind] ?? [], random);
      const own = new MemoryDataStore({ clock });
      const store = new ValidatedStore(own, validator);
      const written = mutated(value, random);
      const recordId = random() < 0.05 ? oneOf(['', 'x', '\ud800', 'y'.repeat(201), '__proto__'], random) : id;
      try {
        await store.tx((tx) => tx.put(collection, recordId, written as Readonly<Record<string, unknown>>)); // mostly none
      } catch (error) {
        if (!DataError.is(error, 'data.invalid') && !DataError.is(error, 'data.tooLarge'))
          throw new Error(`round ${round}`, { cause: error });
        assert.deepEqual([own.health.seq, await store.get(collection, id)], [0, undefined], `round ${round}`);
        refused++;
        continue;
      }
      const asWritten: unknown = JSON.parse(JSON.stringify(collection.parse(written))); // which fills in what an agent type leaves out
      const served = (await store.get(collection, recordId))?.value;
      assert.deepEqual(served, asWritten, `round ${round}`);
      assert.ok(
        validator.validate(collection.kind, served, { recordId }).ok,
        `round ${round}: kept and against a rule`,
      );
      kept++;
    }
    assert.ok(kept > rounds / 50 && refused > rounds / 3, `${kept} kept, ${refused} refused`);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });
});

const oneOf = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)] as T; // never of an empty one

const deep: unknown = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`);
/** What is put somewhere into a record. */
const HOSTILE: readonly unknown[] = [
  ...[null, undefined, true, '', ' ', 0, -0, -1, 1.5, 2 ** 53, 1e308, NaN, Infinity, 10n, [], {}, deep, 'x'.repeat(9_000)],
  ...['\ud800', '\u0000', '\u202e', '\u2028', '=1+1', '__proto__', 'running', 'person', '2026-11-23', [[null]], [1, 'a']],
  ...[{ constructor: { prototype: { polluted: 1 } } }, JSON.parse('{"__proto__":{"polluted":1}}'), new Date(0), () => 1],
  ...[new Map([[1, 2]]), Symbol('s'), 'x'.repeat(1_100_000)],
]; // prettier-ignore

/** A copy with 1 to 4 changes: something else in a place, a property or an element that is gone, or new. */
function mutated(value: unknown, random: () => number): unknown {
  const copy = structuredClone(value) as Record<string, unknown>; // a record is an object
  const changes = 1 + Math.floor(random() * 4);
  for (let change = 0; change < changes; change++) {
    let place: Record<string, unknown> = copy;
    for (;;) {
      const inner = Object.values(place).filter(
        (each) => typeof each === 'object' && each !== null && !HOSTILE.includes(each),
      );
      if (inner.length === 0 || random() < 0.5) break;
      place = oneOf(inner, random) as Record<string, unknown>; // an object or a list
    }
    const names = Object.keys(place);
    const name = names.length > 0 && random() < 0.85 ? oneOf(names, random) : oneOf(['more', '0', '__proto__'], random);
    if (random() < 0.2) Reflect.deleteProperty(place, name);
    else
      Object.defineProperty(place, name, {
        ...{ value: oneOf(HOSTILE, random), enumerable: true, configurable: true, writable: true },
      });
  }
  return copy;
}

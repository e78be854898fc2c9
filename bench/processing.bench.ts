import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SystemClock } from '../src/core/base/clock';
import { registerBuiltInSteps } from '../src/core/data/processing/builtInSteps';
import { DataProcessor } from '../src/core/data/processing/dataProcessor';
import type { JsonObject } from '../src/core/data/processing/dataTransformation';
import { TransformationRegistry } from '../src/core/data/processing/transformationRegistry';
import { createKeptValidator } from '../src/core/keptRules';
import { aRecord, aSpec } from '../test/support/builders';
import { bench, figure, median } from './figure';

const RECORDS = 1_000_000;
/** Between two looks at the heap. */
const LOOK_EVERY = 100_000;
const VALIDATED = 20_000;
const COMMITS = 50;

/** A pipeline as it is kept: plain data. */
const PIPELINE = {
  name: 'bench',
  version: 1,
  steps: [
    { use: 'filter', with: { where: { op: 'ge', path: 'count', value: 0 } } },
    { use: 'redact' },
    { use: 'deduplicate', with: { by: ['id'], window: 1_000 } },
    { use: 'ndjson' },
  ],
};

function* records(): Generator<JsonObject> {
  for (let i = 0; i < RECORDS; i++)
    yield { id: `r${i}`, count: i, agent: { name: 'scout', team: 'red' }, text: 'the build is green again' };
}

/** Bytes that live, after everything else was given back. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)(); // there is one with this flag
  return process.memoryUsage().heapUsed;
}

function sum({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}

/** Records in a second of the processor, and how much more is alive at the worst than after the first part. */
async function process1M(): Promise<{ readonly perSecond: number; readonly growthMb: number }> {
  const registry = new TransformationRegistry();
  registerBuiltInSteps(registry);
  const clock = new SystemClock();
  const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const looks: number[] = [];
  let lookingUs = 0;
  let written = 0;
  let next = LOOK_EVERY;
  const before = process.cpuUsage();
  const result = await new DataProcessor({ clock, breathe }).run({
    source: records(),
    transformation: registry.compile(PIPELINE),
    sink: {
      write: (texts) => {
        written += texts.length;
        if (written < next) return;
        next += LOOK_EVERY;
        const lookedAt = process.cpuUsage();
        looks.push(liveBytes());
        lookingUs += sum(process.cpuUsage(lookedAt));
      },
    },
  });
  const tookUs = sum(process.cpuUsage(before)) - lookingUs;
  if (result.out !== RECORDS || result.rejected !== 0) throw new Error(`${result.out} came out`);
  return { perSecond: RECORDS / (tookUs / 1e6), growthMb: (Math.max(...looks) - (looks[0] ?? 0)) / 1024 / 1024 };
}

/** µs of the processor for one record of an agent. */
function validateUs(): number {
  const validator = createKeptValidator(new SystemClock());
  const evidence = [{ source: 'hook', detail: 'it told that it is done', observedAtMs: 1 }] as const;
  const record = aRecord({
    ...{ spec: aSpec({ env: { A: 'b', C: 'd' }, args: ['--x', 'y'] }), lifecycle: 'running', generation: 3, evidence },
    ...{ process: { pid: 100, startTime: '12345' }, sessionId: 'abc', restartsAtMs: [1, 2, 3] },
  });
  const round = (): number => {
    const before = process.cpuUsage();
    for (let i = 0; i < VALIDATED; i++) validator.requireValid('agent', record, { recordId: 'reviewer' });
    return process.cpuUsage(before).user / VALIDATED;
  };
  round();
  return median([round(), round(), round()]);
}

/** µs for the write and fdatasync of as much as such a record, which every commit costs at least. */
function commitUs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'commit-'));
  const file = openSync(join(folder, 'log'), 'w');
  try {
    const bytes = Buffer.alloc(4_096 + 24, 'x');
    const times = Array.from({ length: COMMITS }, () => {
      const startedMs = performance.now();
      writeSync(file, bytes);
      fdatasyncSync(file);
      return (performance.now() - startedMs) * 1000;
    });
    return median(times);
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}

void bench(async (report) => {
  report(figure('validate.us', validateUs(), 'us', { ratioAtMost: 0.05 }, commitUs()));
  const { perSecond, growthMb } = await process1M();
  report(figure('process.rate', perSecond, '1/s', { atLeast: 50_000 }));
  report(figure('process.memory.mb', growthMb, 'MB', { atMost: 10 }));
});

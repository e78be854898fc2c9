import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Activity } from '../../src/core/agents/agentState';
import type { BoxReading } from '../../src/core/agents/inputBox';
import type { Cli } from './cliSetup';

/** What a person who looks at the screen says of it. */
export interface ExpectedReading {
  readonly activity: Activity;
  /** Reading that is also right: `unknown`, when the person's own text stands in the box of an idle program. Never anything else. */
  readonly alsoRight?: readonly Activity[];
  readonly box: BoxReading['kind'];
  /** Readings of the box that do no harm either. */
  readonly alsoRightBox?: readonly BoxReading['kind'][];
  /** A question that a key press would answer is on the screen. */
  readonly isDialog: boolean;
}

/** A screen of a real program as it was drawn, with what it shows. */
export interface RecordedScreen {
  readonly cli: Cli;
  readonly typeId: string;
  /** Of the program. */
  readonly version: string;
  readonly size: { readonly columns: number; readonly rows: number };
  /** The state that was brought about; unique for program, version and size. */
  readonly name: string;
  /** `tuning`: was looked at while rules were changed. `heldOut`: recorded and labelled before any rule was asked, and none was changed for it. */
  readonly set: 'tuning' | 'heldOut';
  readonly title: string;
  readonly foreground: string;
  readonly cursor: { readonly x: number; readonly y: number };
  readonly isInCopyMode: boolean;
  readonly isDead: boolean;
  readonly expected: ExpectedReading;
  /** As drawn, blanks at the ends cut, empty lines at the bottom left out. */
  readonly lines: readonly string[];
}

/** An absolute path of at least two names. What stands right behind a word, `$` or an arrow is a pattern or a list of keys. */
const ABSOLUTE_PATH = /(?:(?<![\p{L}\w.~@/\\$^↓-])|(?<=file:\/\/))\/(?:root\b|[\w.-]+\/)[\w./@-]*/gu;
/** Folders of every system, the home that `CliHome` makes, a file that a scene speaks of, and the home of nobody. */
const NEUTRAL_PATH = /^\/(?:(?:bin|dev|etc)\/|var\/tmp\/agent-|tmp\/(?:licence\.txt)?$|home\/user(?:\/|$))/;
const NEUTRAL_HOME = '/home/user';

/** The paths in a text that tell on which machine it was recorded. */
export function machinePaths(text: string): readonly string[] {
  return [...text.matchAll(ABSOLUTE_PATH)].map(([path]) => path).filter((path) => !NEUTRAL_PATH.test(path));
}

/** The text with a neutral path, not shorter, in the place of each of `folders`. */
export function withoutFolders(text: string, folders: readonly string[]): string {
  return folders.reduce((rest, folder) => rest.replaceAll(folder, NEUTRAL_HOME.padEnd(folder.length, '/_')), text);
}

export const SCREENS_FOLDER = join(__dirname, '../fixtures/screens');

/** All recorded screens, in the order of their files. */
export function readRecordedScreens(): readonly RecordedScreen[] {
  return recordedFiles().map(({ screen }) => screen);
}

export function recordedFiles(): readonly { readonly file: string; readonly screen: RecordedScreen }[] {
  return readdirSync(SCREENS_FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((name) => join(SCREENS_FOLDER, name))
    .map((file) => ({ file, screen: JSON.parse(readFileSync(file, 'utf8')) as RecordedScreen })); // written by recordScreens.ts
}

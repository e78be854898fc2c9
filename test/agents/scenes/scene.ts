import type { Activity } from '../../../src/core/agents/agentState';
import type { CliSetupOptions } from '../cliSetup';
import type { ExpectedReading, RecordedScreen } from '../recordedScreens';
import type { Director } from './director';

/** One run of a program, from its start to its end, in which screens are recorded. */
export interface Scene {
  readonly name: string;
  readonly setup?: Partial<CliSetupOptions>;
  /** To what its screens belong; see `RecordedScreen.set`. Default `tuning`. */
  readonly set?: RecordedScreen['set'];
  /** There is no model at all. */
  readonly hasNoServer?: boolean;
  play(director: Director): Promise<void>;
}

/** How one program is talked to and what tells its states apart while recording. Looser than the product's own rules. */
export interface Dialect {
  /** Drawn when the empty input box is there. */
  readonly ready: RegExp;
  /** Drawn while it works. */
  readonly working: RegExp;
  /** Drawn while it asks for permission, or asks the person. */
  readonly permission: RegExp;
  readonly question: RegExp;
  /** Empties the box. */
  readonly clear: readonly string[];
  /** Takes an empty special mode (a menu, shell mode) away again. */
  readonly leaveMenu: readonly string[];
  /** Queues what stands in the box while it works, when that is not Enter. */
  readonly queueKey?: string;
  /** Moves to the next answer of a permission dialog, when that is not Down. */
  readonly nextOptionKey?: string;
  /** Changes to the mode in which it can ask the person. */
  readonly questionMode?: readonly string[];
  /** Directives that make and change a file, and that fetch a page. `{workspace}` is replaced. */
  readonly writeTool: string;
  readonly editTool: string;
  readonly webTool?: string;
}

const expected = (activity: Activity, box: ExpectedReading['box'], isDialog = false): ExpectedReading => ({
  activity,
  box,
  isDialog,
});

/** What screens show, in the few kinds that there are. */
export const IDLE = expected('idle', 'empty');
/** Not working, and something stands in the box: nothing may be typed; whether that is called idle is a matter of taste. */
export const DRAFT: ExpectedReading = { ...expected('idle', 'draft'), alsoRight: ['unknown'] };
/** The next line typed would run as a command: the box is not empty, even when nothing stands in it. */
export const SHELL_MODE: ExpectedReading = { ...DRAFT, alsoRightBox: ['hidden'] };
export const WORKING = expected('busy', 'empty');
export const WORKING_DRAFT = expected('busy', 'draft');
export const WORKING_HIDDEN = expected('busy', 'hidden');
export const PERMISSION = expected('awaiting_approval', 'hidden', true);
export const QUESTION = expected('awaiting_input', 'hidden', true);
export const OVERLAY = expected('unknown', 'hidden');
export const FAILED = expected('error', 'empty');
export const LIMITED = expected('rate_limited', 'empty');
/**
 * Says that it tries again because of a rate limit or an overload, or says of no cause why it waits. A program that draws nothing of its
 * retries is `WORKING` meanwhile, whatever the model answered.
 */
export const RETRYING_LIMIT = expected('rate_limited', 'empty');
/** Says that it tries again after another error. */
export const RETRYING = expected('busy', 'empty');
/** A dialog about itself that nobody opened: trust, login, a used-up limit. */
export const OWN_DIALOG = expected('awaiting_input', 'hidden', true);
/** Asks how to sign in: nothing goes on without a person. */
export const SIGN_IN = expected('awaiting_input', 'hidden', true);
/** Nothing can be said: starting, ended. */
export const NOTHING = expected('unknown', 'hidden');

import type { Cli } from '../cliSetup';
import type { ExpectedReading } from '../recordedScreens';
import { DRAFT, IDLE, NOTHING, OVERLAY, OWN_DIALOG, RETRYING, SHELL_MODE, WORKING } from './scene';

/** Where a screen turned out to show something else than what was to be brought about, as seen by a person. `<size>/<name>` before `<name>`. */
export const SHOWN: Readonly<Record<Cli, Readonly<Record<string, ExpectedReading>>>> = {
  claude: {
    // Interrupted before the first word of the answer, it gives the prompt back to the box.
    'interrupted-waiting': DRAFT,
    'error-401-interrupted': DRAFT,
    'error-429-interrupted': DRAFT,
    'error-500-interrupted': DRAFT,
    'error-529-interrupted': DRAFT,
    'refused-interrupted': DRAFT,
    // What came before the connection was cut looks like a whole answer.
    'dropped-final': { ...IDLE, alsoRight: ['error'] },
  },
  codex: {
    '80x24/dropped-final': RETRYING,
  },
  gemini: {
    'usage-limit-final': { ...OWN_DIALOG, alsoRight: ['rate_limited'] },
    'onboarding-1': NOTHING,
    '120x40/onboarding-2': { ...NOTHING, alsoRight: ['busy'] },
    'onboarding-2': OWN_DIALOG,
    // Its frame around the command stays on the screen and looks like the box.
    'overlay-resume': { ...OVERLAY, alsoRightBox: ['draft'] },
    'overlay-auth': { ...OVERLAY, alsoRight: ['awaiting_input'] },
    // Only prints that it wants more words.
    'overlay-permissions': { ...IDLE, alsoRight: ['error'] },
    'shell-mode': SHELL_MODE,
  },
  opencode: {
    // It still worked: the machine was slow.
    '80x24/imitation-printed-dialogs': WORKING,
    // It has no help of its own for this key.
    'draft-question': DRAFT,
    // "esc interrupt" is broken over two lines: it still tries again.
    '80x24/error-400-interrupted': RETRYING,
    '80x24/dropped-final': RETRYING,
    'question-after-enter': WORKING,
    // Interrupted between two tries, it looks like a turn that failed.
    'error-500-interrupted': { ...IDLE, alsoRight: ['error'] },
    'dropped-interrupted': { ...IDLE, alsoRight: ['error'] },
  },
};

import type { Cli } from '../cliSetup';
import type { ExpectedReading } from '../recordedScreens';
import { DRAFT, IDLE } from './scene';

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
  codex: {},
  gemini: {},
  opencode: {
    // It has no help of its own for this key.
    'draft-question': DRAFT,
  },
};

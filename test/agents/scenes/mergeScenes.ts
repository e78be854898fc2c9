import type { Cli } from '../cliSetup';
import type { Director } from './director';
import { type Overlay, overlayScene } from './ownScenes';
import { DRAFT, FAILED, IDLE, PERMISSION, QUESTION, type Dialect, type Scene, WORKING, WORKING_DRAFT } from './scene';

const CONFLICT =
  'Both sides changed the same line of `config.yml`:\n\n```\n<<<<<<< HEAD\nport: 8080\n=======\nport: ${PORT:-3000}\n>>>>>>> feature/port\n```\n\nI would keep the second, because the container sets `PORT`. **Agreed?**';
const PLAN =
  "Voilà comment je procéderais :\n\n1. `git fetch --all`\n2. `git rebase origin/main` – deux conflits à résoudre\n3. relancer les tests d'intégration\n\n| fichier | conflit |\n| --- | --- |\n| config.yml | oui |\n| README.md | oui, sans gravité |";
const NOTES =
  'Merge notes (draft):\n\n  * keep ${PORT:-3000}\n  * README: theirs\n\nsee https://git.example.org/serve/merge/77\nand tell me when it is done';
const DOTS = 'for n in 1 2 3 4 5 6; do printf .; sleep 1; done; echo; echo "6 commits replayed"';
const REBASE = 'git fetch origin && git rebase --autostash --onto origin/main feature/base feature/port';
const CLEAN = "find . -name '*.orig' -newer notes.txt -print -exec rm -v {} + ; touch merged && sleep 5";
const SIDES = {
  question: 'Which side of README.md shall stay?',
  header: 'README',
  options: [
    { label: 'Ours', description: 'With the table of ports' },
    { label: 'Theirs', description: 'Shorter, and translated' },
    { label: 'Both', description: 'One below the other' },
  ],
};

/** What one program needs to do the same as the others. */
interface MergeParts {
  readonly question: string;
  readonly questionShown: RegExp;
  readonly silentMs: number;
  /** A status after which it does not try again. */
  readonly refusedBy: number;
}

const call = (tool: string, question: Readonly<Record<string, unknown>>): string =>
  `[[tool: ${tool} ${JSON.stringify({ questions: [question] })}]]`;

const PARTS: Readonly<Record<Cli, MergeParts>> = {
  claude: { question: call('AskUserQuestion', { ...SIDES, multiSelect: false }), questionShown: /to navigate/, silentMs: 24_000, refusedBy: 405 }, // prettier-ignore
  codex: { question: call('request_user_input', { ...SIDES, id: 'side' }), questionShown: /enter to submit/, silentMs: 8_000, refusedBy: 410 }, // prettier-ignore
  gemini: {
    question: call('ask_user', { ...SIDES, type: 'choice' }),
    questionShown: /Esc to cancel/,
    silentMs: 67_000,
    refusedBy: 410,
  },
  opencode: { question: call('question', SIDES), questionShown: /esc dismiss/, silentMs: 24_000, refusedBy: 401 },
};

/** A merge: recorded to judge the rules anew after those were mended for what was wrong in `reviewScenes`. */
export function mergeScenes(cli: Cli, dialect: Dialect, overlays: readonly Overlay[]): readonly Scene[] {
  const parts = PARTS[cli];
  const scenes: readonly Scene[] = [
    { name: 'merge-talk', play: talk },
    { name: 'merge-tools', setup: { permission: 'all' }, play: (director) => tools(director, parts) },
    { name: 'merge-asked', play: (director) => asked(director, dialect) },
    { name: 'merge-question', play: (director) => question(director, parts) },
    overlayScene(overlays, 'merge-overlays'),
  ];
  return scenes.map((scene) => ({ ...scene, set: 'heldOut' }));
}

/** Esc, and once more where it still works. */
async function interrupt(director: Director): Promise<void> {
  await director.keys('Escape');
  await director.pause(600);
  if (await director.isWorking()) await director.keys('Escape');
  await director.finished();
}

async function talk(director: Director): Promise<void> {
  await director.ready();
  await director.paste(NOTES);
  await director.take('merge-draft-notes', DRAFT);
  await director.clear();
  for (let n = 0; n < 3; n++) await director.keys('BSpace');
  await director.ask(`What is in conflict? [[reply: ${CONFLICT}]]`);
  await director.finished();
  await director.take('merge-answered-conflict', IDLE);
  await director.ask(`Comment procéder ? [[think: 4]][[reply: ${PLAN}]][[slow: 8]]`);
  await director.pause(1900);
  await director.snap('merge-thinking', WORKING);
  await director.pause(4500);
  await director.snap('merge-streaming-table', WORKING);
  await director.type('d’accord, mais garde README.md tel quel');
  await director.snap('merge-typed-beside', WORKING_DRAFT);
  await director.pause(8500);
  await director.take('merge-draft-after-answer', DRAFT);
  await director.clear();
  await director.ask('Tell me all of it. [[reply: There are two sides to it.]][[slow: 25]]');
  await director.pause(3000);
  await interrupt(director);
  await director.take('merge-interrupted', IDLE);
}

async function tools(director: Director, { silentMs, refusedBy }: MergeParts): Promise<void> {
  await director.ready();
  await director.ask(`Replay them. [[bash: ${DOTS}]][[reply: All six.]]`);
  await director.pause(3500);
  await director.snap('merge-replaying', WORKING);
  await director.pause(3500);
  await director.finished();
  await director.take('merge-replayed', IDLE);
  await director.ask('Abort it. [[bash: echo "fatal: no rebase in progress?" >&2; exit 128]][[reply: There is nothing to abort.]]'); // prettier-ignore
  await director.finished();
  await director.take('merge-nothing-to-abort', IDLE);
  await director.ask('Read both. [[read: {workspace}/notes.txt]][[bash: nl -ba notes.txt]][[think: 3]][[reply: They are alike.]][[slow: 3]]'); // prettier-ignore
  await director.pause(3000);
  await director.snap('merge-thinking-after-reading', WORKING);
  await director.pause(3000);
  await director.finished();
  await director.take('merge-read-both', IDLE);
  await director.ask('Wait for the lock. [[bash: sleep 75]]');
  await director.pause(silentMs);
  if (await director.isWorking()) await director.snap('merge-waiting-for-lock', WORKING);
  await interrupt(director);
  await director.take('merge-interrupted-waiting', IDLE);
  await director.ask(`Push it. [[bash: echo pushed]][[error: ${refusedBy}]]`);
  await director.pause(2500);
  await director.finished();
  await director.take('merge-failed', FAILED);
  await director.ask('Is it there? [[reply: Yes: 77 is merged.]]');
  await director.finished();
  await director.take('merge-merged', IDLE);
}

async function asked(director: Director, { permission, nextOptionKey = 'Down' }: Dialect): Promise<void> {
  const ask = async (prompt: string): Promise<void> => {
    await director.ask(prompt);
    await director.until(permission);
  };
  await director.ready();
  await ask(`Rebase it. [[think: 1]][[reply: Two commits are replayed.]][[sudo: ${REBASE}]]`);
  await director.take('merge-asked-rebase', PERMISSION);
  await director.keys(nextOptionKey, nextOptionKey);
  await director.take('merge-asked-rebase-moved', PERMISSION);
  await director.keys('Escape');
  await director.pause(500);
  await director.finished();
  await director.take('merge-refused-rebase', IDLE);
  await director.type('merge, do not rebase');
  await director.take('merge-draft-after-refusal', DRAFT);
  await director.clear();
  await ask(`Clean up. [[sudo: ${CLEAN}]][[reply: Nothing was left.]]`);
  await director.take('merge-asked-clean', PERMISSION);
  await director.keys('Enter');
  await director.pause(2500);
  await director.snap('merge-cleaning', WORKING);
  await director.pause(3500);
  await director.finished();
  await director.take('merge-cleaned', IDLE);
}

async function question(director: Director, { question, questionShown }: MergeParts): Promise<void> {
  await director.ready();
  await director.keys(...(director.dialect.questionMode ?? []));
  await director.ask(`Merge README.md. ${question}[[reply: As you like.]]`);
  await director.until(questionShown);
  await director.pause(1200);
  await director.take('merge-question-side', QUESTION);
  await director.keys('Down', 'Up', 'Down');
  await director.take('merge-question-second', QUESTION);
  await director.keys('Escape');
  await director.pause(500);
  await director.finished();
  await director.take('merge-question-dismissed', IDLE);
}

import type { Cli } from '../cliSetup';
import type { Director } from './director';
import { type Overlay, overlayScene } from './ownScenes';
import {
  DRAFT,
  FAILED,
  IDLE,
  LIMITED,
  PERMISSION,
  QUESTION,
  RETRYING,
  RETRYING_LIMIT,
  type Dialect,
  type Scene,
  WORKING,
  WORKING_DRAFT,
} from './scene';

const GERMAN =
  'Ja, das geht. Die Funktion `ladeDatei` liest die Datei zweimal, einmal für die Größe und einmal für den Inhalt. Ich würde beides zusammenlegen.\n\nDrei Stellen sind betroffen:\n\n- `src/laden.ts`\n- `src/prüfen.ts`\n- der Test dazu\n\nSoll ich es gleich ändern?';
const CODE =
  'This is the smallest version that works:\n\n```ts\nexport function median(values: readonly number[]): number | undefined {\n  const sorted = [...values].sort((a, b) => a - b);\n  return sorted[sorted.length >> 1];\n}\n```\n\nIt copies the values, so the caller keeps its order. ';
const REPORT =
  '## What I found\n\n1. The cache is never emptied, so memory grows by about 4 MB an hour.\n2. Two requests may write the same entry.\n3. `close()` is not awaited on shutdown.\n\n> The second is the one that people see.\n\nI suggest to begin with **the second**: it is small, and a test for it exists already but is skipped.';
const COMMIT = 'git add notes.txt && git commit -m "Correct the second line"';
const SCRIPT =
  'cat > count.sh <<\'END\'\n#!/bin/sh\nfor file in *.txt; do\n  wc -l "$file"\ndone\nEND\nchmod +x count.sh && ./count.sh';

/** A retry comes at once in one program and after seconds in another. */
const RETRY_MS = 1300;

/**
 * An ordinary day, with other words, tools and lengths than the scenes on which the rules were tuned. What is shown is known
 * from what the model and the person did.
 */
export function everydayScenes(cli: Cli, dialect: Dialect, overlays: readonly Overlay[]): readonly Scene[] {
  const scenes: readonly Scene[] = [
    { name: 'day-chat', play: chat },
    { name: 'day-tools', setup: { permission: 'all' }, play: tools },
    { name: 'day-approvals', play: (director) => approvals(director, dialect) },
    { name: 'day-question', play: question },
    { name: 'day-recovery', setup: { retries: 4 }, play: recovery },
    { name: 'day-failures', play: (director) => failures(director, cli) },
    overlayScene(overlays, 'day-overlays'),
  ];
  return scenes.map((scene) => ({ ...scene, set: 'heldOut' }));
}

async function chat(director: Director): Promise<void> {
  await director.ready();
  await director.type('which of these files is the entry point of the program');
  await director.take('day-draft-fresh', DRAFT);
  await director.clear();
  await director.ask(`Können wir das Laden beschleunigen? [[reply: ${GERMAN}]]`);
  await director.finished();
  await director.take('day-answered-german', IDLE);
  await director.paste('Yes please, but leave\n    prüfen.ts\nas it is for now.');
  await director.take('day-draft-reply', DRAFT);
  await director.clear();
  await director.ask(`A median function, please. [[reply: ${CODE}]][[slow: 7]]`);
  await director.pause(2200);
  await director.snap('day-streaming-code', WORKING);
  await director.type('and one for the mean');
  await director.snap('day-streaming-typed-beside', WORKING_DRAFT);
  await director.finished();
  await director.take('day-finished-beside-draft', DRAFT);
  await director.clear();
  await director.ask(`Review the cache. [[think: 3]][[reply: ${REPORT}]]`);
  await director.pause(1300);
  await director.snap('day-thinking', WORKING);
  await director.finished();
  await director.take('day-answered-report', IDLE);
  await director.ask('Now tell me the whole story. [[reply: It began in spring.]][[slow: 25]]');
  await director.pause(2500);
  await director.keys('Escape');
  await director.pause(600);
  await director.keys(...(await stillWorks(director)));
  await director.finished();
  await director.take('day-interrupted-story', IDLE);
}

async function stillWorks(director: Director): Promise<readonly string[]> {
  return (await director.isWorking()) ? ['Escape'] : [];
}

async function tools(director: Director): Promise<void> {
  await director.ready();
  await director.ask(
    'Run the tests. [[read: {workspace}/notes.txt]][[bash: for n in 1 2 3 4 5 6 7; do echo "ok $n - case $n"; sleep 1; done]][[reply: Seven tests, all green.]]',
  );
  await director.pause(3800);
  await director.snap('day-tests-running', WORKING);
  await director.pause(4500);
  await director.finished();
  await director.take('day-tests-finished', IDLE);
  await director.ask(
    'Is it linted? [[bash: echo "notes.txt:2:1 error  unexpected two" >&2; exit 3]][[reply: No: one complaint in line 2.]][[slow: 4]]',
  );
  await director.pause(2600);
  await director.snap('day-speaking-after-failed-command', WORKING);
  await director.finished();
  await director.take('day-command-failed', IDLE);
  await director.ask('List it. [[bash: git log --oneline; ls -la /]][[wait: 4]][[reply: That is all there is.]]');
  await director.pause(2600);
  await director.snap('day-waiting-after-command', WORKING);
  await director.finished();
  await director.take('day-listed', IDLE);
}

async function approvals(director: Director, { permission, nextOptionKey = 'Down' }: Dialect): Promise<void> {
  await director.ready();
  await director.ask(`Commit it. [[reply: I commit the one file that changed.]][[sudo: ${COMMIT}]]`);
  await director.until(permission);
  await director.take('day-asked-commit', PERMISSION);
  await director.keys(nextOptionKey, nextOptionKey);
  await director.take('day-asked-commit-last-answer', PERMISSION);
  await director.keys('Escape');
  await director.finished();
  await director.take('day-refused-commit', IDLE);
  await director.ask(`Count the lines with a script. [[sudo: ${SCRIPT}]][[reply: Three lines.]][[slow: 3]]`);
  await director.until(permission);
  await director.take('day-asked-script', PERMISSION);
  await director.keys('Enter');
  await director.pause(1900);
  await director.finished();
  await director.take('day-approved-script', IDLE);
  await director.ask('Look outside. [[sudo: curl -sS https://registry.example.org/left-pad | head -c 200]]');
  await director.until(permission);
  await director.take('day-asked-network', PERMISSION);
  await director.keys('Escape');
  await director.finished();
  await director.type('use the copy in vendor/ instead');
  await director.take('day-draft-after-refusal', DRAFT);
}

async function question(director: Director): Promise<void> {
  await director.ready();
  await director.keys(...(director.dialect.questionMode ?? []));
  await director.ask(
    'Set up the database. [[ask: There are two ways to store the sessions of this project. Which one do you prefer for the first version?]]',
  );
  await director.until(/Which one do you\s+prefer|prefer for\s+the/);
  await director.pause(1500);
  await director.take('day-question-asked', QUESTION);
  await director.keys('Down', 'Down');
  await director.take('day-question-moved', QUESTION);
}

async function recovery(director: Director): Promise<void> {
  await director.ready();
  await director.ask('Try. [[error: 503 x2]][[reply: Here I am again, sorry for that.]]');
  await director.pause(RETRY_MS);
  if (await director.isWorking()) await director.snap('day-retrying-503', RETRYING);
  await director.finished(60_000);
  await director.take('day-recovered-503', IDLE);
  await director.ask('And again. [[error: 429 x2]][[reply: That took a moment.]]');
  await director.pause(RETRY_MS);
  if (await director.isWorking()) await director.snap('day-retrying-429', RETRYING_LIMIT);
  await director.finished(60_000);
  await director.take('day-recovered-429', IDLE);
}

async function failures(director: Director, cli: Cli): Promise<void> {
  await director.ready();
  await director.ask('Hello there. [[reply: Good morning.]]');
  await director.finished();
  // One program tries again for ever after most refusals.
  const status = cli === 'opencode' ? 401 : 403;
  await director.ask(`What is the plan for today? [[error: ${status}]]`);
  await director.pause(1500);
  await director.finished();
  await director.take(`day-failed-${status}`, FAILED);
  if (cli === 'gemini') return; // what comes of a used-up limit there is a dialog about itself
  await director.ask('And for tomorrow? [[limit]]');
  await director.pause(1500);
  await director.take('day-limit-reached', LIMITED);
}

/** Recorded after rules were mended for what the first look had found. */
export function laterScenes(overlays: readonly Overlay[]): readonly Scene[] {
  const scenes: readonly Scene[] = [
    { name: 'later-failures', play: laterFailures },
    overlayScene(overlays, 'later-overlays'),
  ];
  return scenes.map((scene) => ({ ...scene, set: 'heldOut' }));
}

async function laterFailures(director: Director): Promise<void> {
  await director.ready();
  await director.ask('Which version is this? [[reply: It is 0.4.1, of last Tuesday.]]');
  await director.finished();
  await director.take('later-answered-version', IDLE);
  await director.ask('Write the notes for it. [[reply: I begin with the fixes.]][[limit]]');
  await director.pause(1500);
  await director.take('later-limit-reached', LIMITED);
  await director.ask('Once more. [[error: 403]]');
  await director.pause(1500);
  await director.finished();
  await director.take('later-failed-403', FAILED);
  await director.ask('Now? [[slow: 3]][[reply: The notes are in CHANGES.md.]]');
  await director.pause(1300);
  await director.snap('later-streaming-after-failure', WORKING);
  await director.finished();
  await director.take('later-answered-after-failure', IDLE);
  await director.type('thanks, now the same for 0.4.0');
  await director.take('later-draft', DRAFT);
}

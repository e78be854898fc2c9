import type { Cli } from '../cliSetup';
import type { Director } from './director';
import { type Overlay, overlayScene } from './ownScenes';
import {
  DRAFT,
  FAILED,
  IDLE,
  LIMITED,
  OWN_DIALOG,
  PERMISSION,
  QUESTION,
  RETRYING,
  RETRYING_LIMIT,
  SHELL_MODE,
  type Dialect,
  type Scene,
  WORKING,
  WORKING_DRAFT,
} from './scene';

const ISSUE =
  'The export is wrong since Tuesday:\n\n1. open the list\n2. choose "all years"\n3. press Export\n\nExpected: one row for each month.\nSeen: the header only, and in the log\n\n    TypeError: rows is not iterable (export.js:41)\n\nIt worked in 2.3.';
const TABLE =
  '表にまとめました。\n\n| モジュール | 行数 | 状態 |\n| --- | ---: | --- |\n| parser | 412 | ✅ |\n| writer | 98 | ⚠️ |\n| cli | 37 | ❌ |\n\n`cli` だけテストがありません。';
const AREAS = ['parser', 'writer', 'cache', 'index', 'search', 'export', 'import', 'login', 'mail', 'report'] as const;
const CHANGES = [
  '# Changes\n',
  ...Array.from({ length: 48 }, (_, n) =>
    n % 12 === 0
      ? `\n## 2.${4 - n / 12}\n`
      : `- ${AREAS[(n * 7) % 10] ?? ''}: corrected number ${n * 37} (thanks to all who reported it)`,
  ),
].join('\n');
const PROGRAM = [
  '"""Monthly report."""',
  'import csv',
  'import sys',
  '',
  '',
  'def rows(path):',
  '    with open(path, newline="") as file:',
  '        for row in csv.reader(file):',
  '            if row and not row[0].startswith("#"):',
  '                yield row',
  '',
  '',
  'def main(paths):',
  '    total = 0.0',
  '    for path in paths:',
  '        for name, amount, *_ in rows(path):',
  '            print(f"{name:<20} {float(amount):>10.2f}")',
  '            total += float(amount)',
  '    print("-" * 31)',
  '    print(f"{total:>31.2f}")',
  '',
  '',
  'if __name__ == "__main__":',
  '    main(sys.argv[1:])',
].join('\n');
const BACKUP =
  "tar --create --gzip --file 'Sicherung für März.tgz' notes.txt && ls -l *.tgz | awk '{ print $5, $9 }' && sleep 4 # größer als gestern?";
const ROUNDS = Array.from({ length: 16 }, (_, n) => `echo "round ${n + 1}" >> log.txt`).join('\n');

/** What one program needs to do the same as the others. */
interface WeekParts {
  readonly newFile: string;
  readonly edit: string;
  /** Asks several things at once, or lets several answers be chosen. */
  readonly question: string;
  /** Drawn while that is asked, and not in the prompt. */
  readonly questionShown: RegExp;
}

const OPTIONS = [
  { label: 'Linux', description: 'Debian and Fedora, both architectures' },
  { label: 'macOS', description: 'Signed and notarized, from version 14' },
  { label: 'Windows', description: 'An installer, and a portable archive' },
  { label: 'None yet', description: 'Only the container image' },
];
const TARGETS = { question: 'Where shall the first release run?', header: 'Targets', options: OPTIONS };
const LICENCE = {
  question: 'Under which licence?',
  header: 'Licence',
  options: [
    { label: 'MIT', description: 'Short and well known' },
    { label: 'Apache 2.0', description: 'With a grant of patents' },
    { label: 'GPL 3', description: 'Changes stay free' },
  ],
};
const WRITE_PROGRAM = `[[write: {workspace}/report.py ${PROGRAM}]]`;
const questionCall = (tool: string, ...questions: readonly unknown[]): string =>
  `[[tool: ${tool} ${JSON.stringify({ questions })}]]`;

const PARTS: Readonly<Record<Cli, WeekParts>> = {
  claude: {
    newFile: WRITE_PROGRAM,
    // It edits no file that it has not read, and what it reads here does not count.
    edit: '[[write: {workspace}/docs/numbers.md # Numbers\n\n- first\n- second\n- another]]',
    question: questionCall('AskUserQuestion', { ...TARGETS, multiSelect: true }, { ...LICENCE, multiSelect: false }),
    questionShown: /to navigate/,
  },
  codex: {
    newFile: `[[sudo: cat > report.py <<'PROGRAM'\n${PROGRAM}\nPROGRAM]]`,
    edit: '[[sudo: perl -pi -e "s/^one$/first/; s/^two$/second/" notes.txt]]',
    question: questionCall(
      'request_user_input',
      { ...TARGETS, options: OPTIONS.slice(0, 3), id: 'targets' },
      { ...LICENCE, id: 'licence' },
    ),
    questionShown: /enter to submit/,
  },
  gemini: {
    newFile: WRITE_PROGRAM,
    edit: '[[tool: replace {"file_path":"{workspace}/notes.txt","instruction":"Count in words","old_string":"one\\ntwo","new_string":"first\\nsecond\\nanother"}]]',
    question: questionCall(
      'ask_user',
      { ...TARGETS, type: 'choice', multiSelect: true },
      { ...LICENCE, type: 'choice', multiSelect: false },
    ),
    questionShown: /Esc to cancel/,
  },
  opencode: {
    newFile: WRITE_PROGRAM,
    edit: '[[tool: edit {"filePath":"{workspace}/notes.txt","oldString":"one\\ntwo","newString":"first\\nsecond\\nanother"}]]',
    question: questionCall('question', { ...TARGETS, multiple: true }, LICENCE),
    questionShown: /esc dismiss/,
  },
};

/**
 * Another week: prompts, tools, dialogs, failures and menus that are in no other scene. Written, like `everydayScenes`, without a look at
 * what the rules make of them.
 */
export function weekScenes(cli: Cli, dialect: Dialect, overlays: readonly Overlay[]): readonly Scene[] {
  const parts = PARTS[cli];
  const scenes: readonly Scene[] = [
    { name: 'week-talk', play: talk },
    { name: 'week-work', setup: { permission: 'all' }, play: work },
    { name: 'week-asked', play: (director) => asked(director, dialect, parts) },
    { name: 'week-question', play: (director) => question(director, parts) },
    { name: 'week-trouble', setup: { permission: 'all', retries: 4 }, play: (director) => trouble(director, cli) },
    overlayScene(overlays, 'week-overlays'),
  ];
  return scenes.map((scene) => ({ ...scene, set: 'heldOut' }));
}

/** Recorded in place of those of `weekScenes` for which rules were mended. */
export function afterWeekScenes(cli: Cli): readonly Scene[] {
  return [{ name: 'after-week', set: 'heldOut', play: (director) => afterWeek(director, cli) }];
}

async function talk(director: Director): Promise<void> {
  await director.ready();
  await director.paste(ISSUE);
  await director.take('week-draft-issue', DRAFT);
  await director.clear();
  await director.type('3');
  await director.take('week-draft-digit', DRAFT);
  await director.clear();
  await director.ask(`プロジェクトの概要を表にしてください。 [[reply: ${TABLE}]]`);
  await director.finished();
  await director.take('week-answered-table', IDLE);
  await director.type('and `src/cli.ts:12`, is that one (still) used? 40 % of it?');
  await director.take('week-draft-in-conversation', DRAFT);
  await director.clear();
  await director.ask(`What has changed since 2.0? [[reply: ${CHANGES}]]`);
  await director.finished();
  await director.take('week-answered-changes', IDLE);
  await queueTwo(director);
  await director.ask('Go on with the parser. [[reply: I begin with the tokens.]][[slow: 20]]');
  await director.pause(2000);
  await interrupt(director);
  await director.take('week-interrupted-go-on', IDLE);
  await director.type('/co');
  await director.take('week-menu-commands', DRAFT);
  await director.keys(...director.dialect.leaveMenu, 'BSpace', 'BSpace', 'BSpace');
  await director.type('compare it with @no');
  await director.take('week-menu-files', DRAFT);
  await director.keys(...director.dialect.leaveMenu);
  await director.clear();
  await director.type('!git log -3');
  await director.take('week-shell-command', SHELL_MODE);
}

async function queueTwo(director: Director): Promise<void> {
  const { queueKey = 'Enter' } = director.dialect;
  await director.ask('Explain the cache. [[wait: 5]][[reply: It keeps the last hundred pages. ]][[slow: 7]]');
  await director.pause(3000);
  await director.snap('week-no-word-yet', WORKING);
  await director.pause(3000);
  await director.snap('week-first-words', WORKING);
  await director.type('then write a test for it');
  await director.keys(queueKey);
  await director.pause(300);
  await director.type('and then tell me how long it takes');
  await director.keys(queueKey);
  await director.pause(500);
  await director.snap('week-queued-two', WORKING);
  await director.pause(3500);
  await director.finished();
  await director.take('week-finished-queue', IDLE);
}

/** Esc, and once more where it still works. */
async function interrupt(director: Director): Promise<void> {
  await director.keys('Escape');
  await director.pause(600);
  if (await director.isWorking()) await director.keys('Escape');
  await director.finished();
}

async function work(director: Director): Promise<void> {
  await director.ready();
  await director.ask('Build all of it. [[bash: seq -f "compiled unit %g of 90" 90; sleep 4; echo linked]][[reply: All 90 units are built.]]'); // prettier-ignore
  await director.pause(2800);
  await director.snap('week-building', WORKING);
  await director.pause(2500);
  await director.finished();
  await director.take('week-built', IDLE);
  await director.ask('Look around. [[read: {workspace}/notes.txt]][[read: {workspace}/missing.txt]][[bash: pwd; git status --short]][[reply: One of the two files is not there.]][[slow: 5]]'); // prettier-ignore
  await director.pause(3200);
  await director.snap('week-speaking-after-tools', WORKING);
  await director.finished();
  await director.take('week-looked-around', IDLE);
  await director.ask(`Write it. [[write: {workspace}/report.py ${PROGRAM}]][[think: 4]][[reply: It is in report.py.]]`);
  await director.pause(2600);
  await director.snap('week-thinking-after-write', WORKING);
  await director.finished();
  await director.take('week-written', IDLE);
  await director.ask('Run the server. [[bash: for i in 1 2 3 4 5 6 7 8 9; do echo "GET /$i 200"; sleep 2; done]]');
  await director.pause(3000);
  await director.type('stop it when it is up');
  await director.snap('week-typed-beside-server', WORKING_DRAFT);
  await director.clear();
  if (await director.isWorking()) await interrupt(director);
  await director.take('week-interrupted-server', IDLE);
}

async function asked(
  director: Director,
  { permission, nextOptionKey = 'Down' }: Dialect,
  parts: WeekParts,
): Promise<void> {
  // prettier-ignore
  const ask = async (prompt: string): Promise<void> => {
    await director.ask(prompt);
    await director.until(permission);
  };
  const refuse = async (): Promise<void> => {
    await director.keys('Escape');
    await director.finished();
  };
  await director.ready();
  await ask('Clean up. [[sudo: rm -rf build dist]]');
  await director.take('week-asked-remove', PERMISSION);
  await director.keys(nextOptionKey);
  await director.take('week-asked-remove-moved', PERMISSION);
  await refuse();
  await director.take('week-refused-remove', IDLE);
  await ask(`Back it up. [[sudo: ${BACKUP}]][[reply: Saved.]]`);
  await director.take('week-asked-backup', PERMISSION);
  await director.keys('Enter');
  await director.pause(2000);
  await director.snap('week-approved-backup-running', WORKING);
  await director.pause(2500);
  await director.finished();
  await director.take('week-approved-backup', IDLE);
  await ask(`Make the report. ${parts.newFile}`);
  await director.take('week-asked-new-file', PERMISSION);
  await refuse();
  await director.take('week-refused-new-file', IDLE);
  await ask(`Count in words. [[read: {workspace}/notes.txt]]${parts.edit}`);
  await director.take('week-asked-edit', PERMISSION);
  await director.keys('Enter');
  await director.finished();
  await director.take('week-edited', IDLE);
  await ask(`Log it all. [[lines: 30]][[sudo: ${ROUNDS}]]`);
  await director.take('week-asked-rounds', PERMISSION);
}

async function question(director: Director, { question, questionShown }: WeekParts): Promise<void> {
  await director.ready();
  await director.keys(...(director.dialect.questionMode ?? []));
  await director.ask(`Prepare the release. [[reply: Two things before I begin.]]${question}`);
  await director.until(questionShown);
  await director.pause(1200);
  await director.take('week-question-asked', QUESTION);
  await director.keys('Down', 'Down');
  await director.take('week-question-third', QUESTION);
  await director.keys('Escape');
  await director.finished();
  await director.take('week-question-dismissed', IDLE);
}

/** A status after which it does not try again; one program tries again for ever after most refusals. */
function refusedBy(cli: Cli): number {
  return cli === 'opencode' ? 401 : 404;
}

async function trouble(director: Director, cli: Cli): Promise<void> {
  await director.ready();
  await director.ask('Is it there? [[error: 502 x2]][[reply: It is there again.]]');
  await director.pause(700);
  if (await director.isWorking()) await director.snap('week-retrying-502', RETRYING);
  await director.finished(60_000);
  await director.take('week-recovered-502', IDLE);
  await director.ask('Both steps. [[bash: echo half way]][[error: 529 x2]][[reply: The other half is done.]]');
  await director.pause(1900);
  if (await director.isWorking()) await director.snap('week-retrying-529', RETRYING_LIMIT);
  await director.finished(60_000);
  await director.take('week-recovered-529', IDLE);
  await director.ask(`Look it up. [[reply: I look at the list first.]][[bash: ls]][[error: ${refusedBy(cli)}]]`);
  await director.pause(1800);
  await director.finished();
  await director.take('week-failed-after-tool', FAILED);
  if (cli === 'gemini') await stopTrying(director);
  await director.ask('Without the list, then. [[think: 2]][[reply: Gladly: ]][[slow: 4]]');
  await director.pause(3200);
  await director.snap('week-speaking-after-failure', WORKING);
  await director.finished();
  await director.take('week-answered-after-failure', IDLE);
  if (cli === 'gemini') return; // what comes of a used-up limit there is a dialog about itself
  await director.ask('All of it. [[bash: wc -c notes.txt]][[limit]]');
  await director.pause(2500);
  await director.take('week-limit-after-tool', LIMITED);
}

/** It takes a model that is not found for one that nobody may use, and asks whether to try again. */
async function stopTrying(director: Director): Promise<void> {
  await director.keys('Down');
  await director.take('week-asked-stop-trying', OWN_DIALOG);
  await director.keys('Enter');
  await director.ready();
}

async function afterWeek(director: Director, cli: Cli): Promise<void> {
  await director.ready();
  await director.ask(`Translate the notes into Danish. [[error: ${refusedBy(cli)}]]`);
  await director.pause(1500);
  if (cli === 'gemini') {
    await director.until(/Keep trying/);
    await director.take('after-asked-to-try', OWN_DIALOG);
    await director.keys('Enter');
    await director.pause(2500);
    await director.until(/Keep trying/);
    await director.take('after-asked-once-more', OWN_DIALOG);
    await director.keys('Down', 'Enter');
    await director.ready();
  } else {
    await director.finished();
    await director.take('after-refused', FAILED);
  }
  await director.ask('Never mind. What is in the notes? [[lines: 3]][[reply: That is: one, two, three.]]');
  await director.finished();
  await director.take('after-answered', IDLE);
  await director.type('and how many words is that');
  await director.take('after-draft', DRAFT);
  await director.clear();
  await director.ask('Once again in Danish. [[slow: 2]]');
  await director.finished();
  await director.ask(`And Norwegian? [[error: ${refusedBy(cli)}]]`);
  await director.pause(1500);
  if (cli === 'gemini') return;
  await director.finished();
  await director.take('after-refused-again', FAILED);
}

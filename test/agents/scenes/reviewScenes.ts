import type { Cli } from '../cliSetup';
import type { ExpectedReading } from '../recordedScreens';
import type { Director } from './director';
import { type Overlay, overlayScene } from './ownScenes';
import {
  DRAFT,
  FAILED,
  IDLE,
  OVERLAY,
  PERMISSION,
  QUESTION,
  RETRYING,
  RETRYING_LIMIT,
  type Dialect,
  type Scene,
  WORKING,
  WORKING_DRAFT,
} from './scene';

const FINDINGS =
  'I read the four files of the change. Three remarks:\n\n1. **users.ts:88** – `limit` comes from the query and is never checked; `-1` returns the whole table.\n2. **users.ts:104** – the error is caught and thrown away, so a failed write looks like success.\n3. **routes.ts:12** – nit: the comment still names the old route.\n\nThe first should be settled before it is merged. The other two can wait.';
const SQL =
  "The query becomes:\n\n```sql\nSELECT u.id, u.name, count(o.id) AS orders\n  FROM users AS u\n  LEFT JOIN orders AS o ON o.user_id = u.id AND o.state <> 'cancelled'\n WHERE u.created_at >= now() - INTERVAL '30 days'\n GROUP BY u.id, u.name\nHAVING count(o.id) > 0\n ORDER BY orders DESC\n LIMIT 50;\n```\n\nShall I add an index on `orders.user_id`?";
const CHECKLIST =
  'What is still open:\n\n- [x] input is checked\n- [x] errors are passed on\n- [ ] a test for the limit\n- [ ] the changelog\n\n**Estimate:** half an hour… maybe less. Everything else is *done*. ';
const REMARKS =
  'Thanks! Some answers:\n- users.ts:88: yes, please check it (1 to 100)\n- users.ts:104: log it, and throw\n- routes.ts: leave it';
const LINT =
  "for f in users routes server limits session; do echo \"src/$f.ts\"; printf '  88:7   warning  Unexpected any. Specify a different type   no-explicit-any\\n'; sleep 1; done; echo; echo '✖ 5 problems (0 errors, 5 warnings)'; exit 1";
const BLAME =
  "printf '3f9c2ab1 (Ada   2026-03-02 14:11:09 +0100  88)   const limit = Number(query.limit);\\n3f9c2ab1 (Ada   2026-03-02 14:11:09 +0100  89)   return rows.slice(0, limit);\\n00000000 (Not Committed Yet 2026-11-24  90) }\\n'";
const STATS = 'echo \'{"files":4,"insertions":61,"deletions":17,"review":{"state":"pending","by":["ada","lin"]}}\'';
const MIGRATION =
  "sqlite3 shop.db <<'SQL'\nBEGIN;\nALTER TABLE orders ADD COLUMN note TEXT DEFAULT '';\nCREATE INDEX orders_by_user ON orders (user_id);\nCOMMIT;\nSQL";
const LIMITS = [
  'import { clamp } from "./numbers";',
  '',
  '/** How many rows a page has. */',
  'export function limitOf(query: URLSearchParams, fallback = 25): number {',
  '  const wanted = Number(query.get("limit") ?? fallback);',
  '  if (!Number.isInteger(wanted)) return fallback; // "ten", 1.5',
  '  return clamp(wanted, 1, 100);',
  '}',
].join('\n');
const STORES = {
  question: 'Where shall the review comments be kept?',
  header: 'Store',
  options: [
    { label: 'In the repository', description: 'As notes of git, fetched with the branch' },
    { label: 'In the database', description: 'Beside the users, with a backup every night' },
  ],
};

/** What one program needs to do the same as the others, or has of its own. */
interface ReviewParts {
  readonly newFile: string;
  /** Something else than a command or a file for which it asks, and what is drawn then. */
  readonly other: { readonly call: string; readonly shown: RegExp };
  /** Finds files with a tool of its own. */
  readonly find: string;
  readonly silentMs: number;
  readonly question: { readonly call: string; readonly shown: RegExp };
  /** Leads from the question to a line in which the person answers in other words. */
  readonly ownAnswer: readonly string[];
  /** After an error of the server, and after too many requests. */
  readonly retrying: ExpectedReading;
  readonly limited: ExpectedReading;
  /** A status after which it does not try again. */
  readonly refusedBy: number;
  readonly conversations: {
    readonly clear: string;
    readonly asksWhere?: boolean;
    readonly resume: string;
    readonly search: readonly string[];
  };
}

const WRITE_LIMITS = `[[write: {workspace}/limits.ts ${LIMITS}]]`;
const patch = (...lines: readonly string[]): string =>
  ["apply_patch <<'PATCH'", '*** Begin Patch', ...lines, '*** End Patch', 'PATCH'].join('\n');
const call = (tool: string, input: Readonly<Record<string, unknown>>): string =>
  `[[tool: ${tool} ${JSON.stringify(input)}]]`;

const PARTS: Readonly<Record<Cli, ReviewParts>> = {
  claude: {
    newFile: WRITE_LIMITS,
    other: {
      call: call('WebFetch', {
        url: 'https://docs.example.org/api/limits.html#page',
        prompt: 'How large may a page be, and why?',
      }),
      shown: /Do you want to/,
    },
    find: call('Glob', { pattern: '**/*.txt' }),
    silentMs: 34_000,
    question: { call: call('AskUserQuestion', { questions: [{ ...STORES, multiSelect: false }] }), shown: /to navigate/ }, // prettier-ignore
    ownAnswer: ['Down', 'Down'],
    retrying: RETRYING_LIMIT, // it names no cause
    limited: RETRYING_LIMIT,
    refusedBy: 413,
    conversations: { clear: '/clear', resume: '/resume', search: ['s', 'c'] },
  },
  codex: {
    newFile: `[[sudo: ${patch('*** Add File: limits.ts', ...LIMITS.split('\n').map((line) => `+${line}`))}]]`,
    other: {
      call: `[[bash: ${patch('*** Update File: notes.txt', '@@', ' one', '-two', '+zwei', ' three')}]]`,
      shown: /Would you like to/,
    },
    find: '[[bash: find . -name "*.txt" -not -path "./.git/*"]]',
    silentMs: 34_000,
    question: { call: call('request_user_input', { questions: [{ ...STORES, id: 'store' }] }), shown: /enter to submit/ }, // prettier-ignore
    ownAnswer: ['Tab'],
    retrying: RETRYING,
    limited: RETRYING_LIMIT,
    refusedBy: 451,
    conversations: { clear: '/new', asksWhere: true, resume: '/resume', search: ['s', 'c'] },
  },
  gemini: {
    newFile: WRITE_LIMITS,
    other: { call: call('enter_plan_mode', { reason: 'The change is large' }), shown: /plan mode|Plan Mode/i }, // prettier-ignore
    find: call('glob', { pattern: '**/*.txt' }),
    silentMs: 70_000, // it draws a silent command in another way after a minute
    question: { call: call('ask_user', { questions: [{ ...STORES, type: 'choice' }] }), shown: /Esc to cancel/ },
    ownAnswer: ['Down', 'Down'],
    retrying: WORKING, // it draws nothing of its retries
    limited: WORKING,
    refusedBy: 451,
    conversations: { clear: '/clear', resume: '/resume', search: ['/', 'W', 'h'] },
  },
  opencode: {
    newFile: WRITE_LIMITS,
    other: {
      call: call('webfetch', { url: 'https://docs.example.org/api/limits', format: 'markdown' }),
      shown: /Permission required/,
    },
    find: call('glob', { pattern: '**/*.txt' }),
    silentMs: 34_000,
    question: { call: call('question', { questions: [STORES] }), shown: /esc dismiss/ },
    ownAnswer: ['Down', 'Down', 'Enter'],
    retrying: RETRYING,
    limited: RETRYING_LIMIT,
    refusedBy: 401,
    conversations: { clear: '/new', resume: '/sessions', search: ['t', 'i'] },
  },
};

/**
 * A code review: answers, outputs, dialogs, drafts and menus that are in no other scene. Written, like `everydayScenes`, without a look
 * at what the rules make of them.
 */
export function reviewScenes(cli: Cli, dialect: Dialect, overlays: readonly Overlay[]): readonly Scene[] {
  const parts = PARTS[cli];
  const scenes: readonly Scene[] = [
    { name: 'review-talk', play: talk },
    { name: 'review-commands', setup: { permission: 'all' }, play: (director) => commands(director, parts) },
    { name: 'review-asked', play: (director) => asked(director, dialect, parts) },
    { name: 'review-question', play: (director) => question(director, parts) },
    {
      name: 'review-trouble',
      setup: { permission: 'all', retries: 4 },
      play: (director) => trouble(director, parts),
    },
    { name: 'review-conversations', play: (director) => conversations(director, parts) },
    overlayScene(overlays, 'review-overlays'),
    ...(cli === 'claude' || cli === 'gemini' ? [vimScene(cli)] : []),
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
  await director.type('please review the last commit, mostly users.ts');
  await director.take('review-draft-first', DRAFT);
  await director.clear();
  await director.ask(`Review the change. [[reply: ${FINDINGS}]]`);
  await director.finished();
  await director.take('review-answered-findings', IDLE);
  await director.paste(REMARKS);
  await director.take('review-draft-remarks', DRAFT);
  await director.clear();
  for (let n = 0; n < 4; n++) await director.keys('BSpace');
  await director.ask('Is routes.ts good? [[reply: LGTM]]');
  await director.finished();
  await director.take('review-answered-good', IDLE);
  await director.ask(`And the query? [[think: 6]][[reply: ${SQL}]]`);
  await director.pause(2900);
  await director.snap('review-thinking-about-query', WORKING);
  await director.finished();
  await director.take('review-answered-query', IDLE);
  await director.ask(`What is open? [[reply: ${CHECKLIST}]][[slow: 9]]`);
  await director.pause(2500);
  await director.snap('review-streaming-checklist', WORKING);
  await director.type('no, leave the changelog to me');
  await director.snap('review-typed-beside-checklist', WORKING_DRAFT);
  await director.pause(9000);
  await director.take('review-draft-after-checklist', DRAFT);
  await director.clear();
  await director.ask('Explain line 88 at length. [[reply: It reads the limit of the query.]][[slow: 25]]');
  await director.pause(3500);
  await interrupt(director);
  await director.take('review-interrupted-at-length', IDLE);
  await director.ask('In one sentence. [[reply: Nobody checks `limit`.]]');
  await director.finished();
  await director.take('review-answered-after-interruption', IDLE);
}

async function commands(director: Director, { find, silentMs }: ReviewParts): Promise<void> {
  await director.ready();
  await director.ask(`Lint it. [[reply: I run the linter over the five files.]][[bash: ${LINT}]][[reply: Five warnings, no error.]]`); // prettier-ignore
  await director.pause(3000);
  await director.snap('review-linting', WORKING);
  await director.pause(3000);
  await director.finished();
  await director.take('review-linted', IDLE);
  await director.ask(`Who wrote line 88? [[bash: ${BLAME}]][[bash: ${STATS}]][[reply: Ada did, in March.]]`);
  await director.finished();
  await director.take('review-blamed', IDLE);
  await director.ask(`Are there other notes? ${find}[[wait: 3]][[reply: Only one file.]][[slow: 3]]`);
  await director.pause(2000);
  await director.snap('review-waiting-after-find', WORKING);
  await director.pause(3000);
  await director.finished();
  await director.take('review-found', IDLE);
  await director.ask(`Run the slow tests. [[bash: echo "running 212 tests"; sleep ${silentMs / 1000 + 4}; echo "212 passed"]][[reply: All 212 pass.]]`); // prettier-ignore
  await director.pause(silentMs / 2);
  const { lines } = await director.terminal.look();
  // One program lets a long command go on in the background after some seconds.
  const isOver = /All 212 pass/.test(
    lines
      .slice(-20)
      .join('\n')
      .replace(/.*\[\[reply.*/g, ''),
  );
  if (!isOver) await director.snap('review-silent-for-half', WORKING);
  await director.pause(silentMs / 2);
  if (!isOver) await director.snap('review-silent', WORKING);
  await director.pause(4500);
  await director.finished();
  await director.take('review-tested', IDLE);
  await director.ask('Watch it. [[bash: for n in 1 2 3 4 5 6 7 8; do date -u -d @$n +%T; sleep 3; done]]');
  await director.pause(4000);
  await director.snap('review-watching', WORKING);
  await interrupt(director);
  await director.take('review-interrupted-watching', IDLE);
  await director.ask('Is it formatted? [[bash: true]][[reply: Yes.]]');
  await director.finished();
  await director.take('review-formatted', IDLE);
}

async function asked(
  director: Director,
  { permission, nextOptionKey = 'Down' }: Dialect,
  { newFile, other }: ReviewParts,
): Promise<void> {
  const ask = async (prompt: string, shown = permission): Promise<void> => {
    await director.ask(prompt);
    await director.until(shown);
  };
  const refuse = async (): Promise<void> => {
    await director.keys('Escape');
    await director.pause(500);
    await director.finished();
  };
  await director.ready();
  await ask(`Migrate it. [[reply: This adds the index and one column.]][[sudo: ${MIGRATION}]]`);
  await director.take('review-asked-migration', PERMISSION);
  await director.keys(nextOptionKey);
  await director.take('review-asked-migration-second-answer', PERMISSION);
  await refuse();
  await director.take('review-refused-migration', IDLE);
  await director.paste('only the index, please\nand with IF NOT EXISTS');
  await director.take('review-draft-after-refusal', DRAFT);
  await director.clear();
  await director.keys('BSpace', 'BSpace');
  await ask(
    'Compare them. [[sudo: sort notes.txt > sorted.txt; sleep 5; diff notes.txt sorted.txt]][[reply: They differ.]]',
  );
  await director.take('review-asked-compare', PERMISSION);
  await director.keys('Enter');
  await director.pause(2500);
  await director.snap('review-comparing', WORKING);
  await director.pause(3500);
  await director.finished();
  await director.take('review-compared', IDLE);
  await ask(`Write limits.ts. ${newFile}[[reply: It is there.]]`);
  await director.take('review-asked-new-file', PERMISSION);
  await director.keys('Enter');
  await director.pause(1000);
  await director.finished();
  await director.take('review-wrote-new-file', IDLE);
  await ask(`Go on, then. ${other.call}`, other.shown);
  await director.pause(1200);
  await director.take('review-asked-other', PERMISSION);
  await director.keys(nextOptionKey);
  await director.take('review-asked-other-second-answer', PERMISSION);
  await refuse();
  await director.take('review-refused-other', IDLE);
}

async function question(director: Director, { question, ownAnswer }: ReviewParts): Promise<void> {
  await director.ready();
  await director.keys(...(director.dialect.questionMode ?? []));
  await director.ask(`Keep the comments. ${question.call}[[reply: So be it.]]`);
  await director.until(question.shown);
  await director.pause(1200);
  await director.take('review-question-store', QUESTION);
  await director.keys(...ownAnswer);
  await director.pause(500);
  await director.type('neither, in a file');
  await director.take('review-question-own-answer', QUESTION);
  await director.keys('Enter');
  await director.pause(2500);
  await director.take('review-question-answered', IDLE);
}

async function trouble(director: Director, { retrying, limited, refusedBy }: ReviewParts): Promise<void> {
  await director.ready();
  await director.ask('Is it merged? [[error: 500 x2]][[reply: Not yet.]]');
  await director.pause(900);
  if (await director.isWorking()) await director.snap('review-retrying-500', retrying);
  await director.finished(60_000);
  await director.take('review-recovered-500', IDLE);
  await director.ask('Merge it. [[bash: git status --short]][[error: 429 x2]][[reply: It is merged.]]');
  await director.pause(2000);
  if (await director.isWorking()) await director.snap('review-retrying-429', limited);
  await director.finished(60_000);
  await director.take('review-recovered-429', IDLE);
  await director.ask(`Tell the others. [[think: 2]][[bash: echo told]][[error: ${refusedBy}]]`);
  await director.pause(3500);
  await director.finished();
  await director.take('review-failed', FAILED);
  await director.ask('Shorter. [[wait: 2]][[reply: Merged.]][[slow: 3]]');
  await director.pause(1200);
  await director.snap('review-waiting-after-failure', WORKING);
  await director.pause(2000);
  await director.snap('review-speaking-after-failure', WORKING);
  await director.finished();
  await director.take('review-told', IDLE);
}

async function conversations(director: Director, { conversations }: ReviewParts): Promise<void> {
  const command = async (text: string): Promise<void> => {
    await director.type(text);
    await director.pause(500);
    await director.keys('Enter');
    await director.pause(2500);
  };
  await director.ready();
  await director.ask('Which branch is that? [[reply: review/limits, four commits ahead of main.]]');
  await director.finished();
  await command(conversations.clear);
  if (conversations.asksWhere) {
    await director.keys('Enter');
    await director.pause(2500);
  }
  await director.ask('Another matter. [[lines: 4]]');
  await director.finished();
  await director.take('review-other-conversation', IDLE);
  await command(conversations.resume);
  await director.keys(...conversations.search);
  await director.pause(800);
  await director.take('review-conversation-searched', OVERLAY);
  await director.keys('Enter');
  await director.pause(1500);
  const { lines } = await director.terminal.look();
  // One program leaves the search first.
  if (!/four commits ahead/.test(lines.join('\n'))) await director.keys('Enter');
  await director.pause(2500);
  await director.take('review-resumed', IDLE);
  await director.type('and who is its author?');
  await director.take('review-draft-in-resumed', DRAFT);
  await director.clear();
  await director.ask('Go on there. [[reply: Here I go on.]][[slow: 4]]');
  await director.pause(2200);
  await director.snap('review-speaking-in-resumed', WORKING);
}

/** The keys of vi in the box, as the person has set it. */
function vimScene(cli: Cli): Scene {
  return {
    name: 'review-vim',
    setup: {
      settings:
        cli === 'claude'
          ? { editorMode: 'vim' }
          : { general: { vimMode: true, enableAutoUpdate: false, enableAutoUpdateNotification: false } },
    },
    async play(director) {
      await director.until(/INSERT|NORMAL/, 120_000);
      await director.settled();
      await director.take('review-vim-fresh', IDLE);
      await director.type('rename limitOf to pageSize');
      await director.take('review-vim-draft', DRAFT);
      await director.keys('Escape', 'b', 'b');
      await director.take('review-vim-draft-normal', DRAFT);
      await director.keys('d', 'd');
      await director.take('review-vim-normal', { ...IDLE, alsoRightBox: ['hidden'] });
      await director.keys('i');
      await director.ask('Rename it. [[reply: I rename it everywhere.]][[slow: 9]]');
      await director.pause(2300);
      await director.snap('review-vim-speaking', WORKING);
      await director.pause(8000);
      await director.finished();
      await director.take('review-vim-answered', IDLE);
      await director.ask('Count them. [[sudo: sort notes.txt > counted.txt; sleep 5; wc -l counted.txt]]');
      await director.until(director.dialect.permission);
      await director.take('review-vim-asked', PERMISSION);
      await director.keys('Enter');
      await director.pause(2000);
      await director.snap('review-vim-counting', WORKING);
      await director.pause(3500);
      await director.finished();
      await director.take('review-vim-counted', IDLE);
    },
  };
}

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
  RETRYING,
  RETRYING_LIMIT,
  type Dialect,
  type Scene,
  SHELL_MODE,
  WORKING,
} from './scene';

const TREE =
  'The build reads it in this order:\n\n```\n.\n├── src\n│   ├── main.ts      ← begins here\n│   └── parts\n│       ├── box.ts\n│       └── line.ts\n└── test\n```\n\nand `box.ts` in short:\n\n```js\nconst frame = { top: "┌─┐", side: "│ │", foot: "└─┘" };\nfunction draw(text) {\n  if (!text) { return frame.top; }\n  return `${frame.top}\\n│${text}│\\n${frame.foot}`;\n}\n```';
const PATCH =
  'Here is the patch; it is not applied yet.\n\n```diff\n--- a/src/release.ts\n+++ b/src/release.ts\n@@ -14,7 +14,9 @@ export class Release {\n   readonly version: string;\n-  publish(): void {\n+  async publish(): Promise<void> {\n+    await this.check();\n     this.upload();\n   }\n```\n\n> The tests that call `publish()` have to await it.';
const WAYS =
  'There are three ways on from here:\n\n1. **Release now** and correct the two faults in 3.1.1\n2. **Wait** for the translation (about a week)\n3. **Split it**: the importer now, the rest later\n\n❯ I would take the third.\n\nWhich one shall it be? Type 1, 2 or 3.';
const KEYS =
  'The keys of the release tool:\n\n| key | what it does |\n| --- | --- |\n| Enter | press enter to confirm the version |\n| Esc | esc to cancel, esc to interrupt while it uploads |\n| Tab | moves to the next answer |\n| ? | ? for shortcuts |\n\nWhile it uploads it draws: Uploading… (14s · ↓ 3.1k tokens)';
const ARABIC =
  'تمت إضافة ملاحظات الإصدار إلى الملف `CHANGES.md`:\n\n- إصلاح الخطأ في المستورد 🛠️\n- تسريع البحث بمقدار الضعف ⚡\n\nגם התרגום לעברית מוכן: **גרסה 3.1** ✅\n\n韓国語: 새 버전이 준비되었습니다 🎉';
const COLUMNS = ['module', 'owner', 'opened', 'closed', 'open', 'oldest', 'note'] as const;
const WIDE_TABLE = [
  `| ${COLUMNS.join(' | ')} |`,
  `|${COLUMNS.map(() => ' --- |').join('')}`,
  ...['importer', 'exporter', 'search', 'login', 'mail', 'reports', 'settings'].map(
    (name, n) =>
      `| ${name} | team ${n + 1} | ${n * 13 + 4} | ${n * 11 + 2} | ${n * 2 + 2} | 2026-0${n + 1}-17 | see the list of ${name} |`,
  ),
].join('\n');
const PROGRESS = 'for p in 10 25 40 55 70 85 100; do printf "\\rUploading %3d%% of 48 MB" $p; sleep 1; done; echo done';
const PYTHON =
  'python3 - <<\'PY\'\nimport json, pathlib\n\nversion = {"major": 3, "minor": 1}\nfor path in sorted(pathlib.Path(".").glob("*.txt")):\n    if path.stat().st_size > 0:\n        pathlib.Path("version.json").write_text(json.dumps(version))\nPY';
const NOTES = Array.from({ length: 64 }, (_, n) =>
  n % 9 === 0 ? `\n## Part ${n / 9 + 1}\n` : `${n}. Item ${n * 7} of the release: "checked" by team ${n % 5}`,
).join('\n');
const CODE_DRAFT =
  'why does this\n\n    if (items.length > 0) {\n      return items.map((item) => `> ${item}`);\n    }\n\nnever reach the second line? I expect:\n- one row each\n- no header';

const steps = (key: string, done: string, doing: string, rest: string): readonly Record<string, string>[] => [
  { [key]: 'Check the version', status: done },
  { [key]: 'Write the notes', status: doing },
  { [key]: 'Tag and publish', status: rest },
];
const call = (tool: string, input: Readonly<Record<string, unknown>>): string =>
  `[[tool: ${tool} ${JSON.stringify(input)}]]`;

/** What one program needs to do the same as the others, or has of its own. */
interface ReleaseParts {
  /** Writes down what is to be done. */
  readonly plan: string;
  /** Looks through the files with a tool of its own. */
  readonly search: string;
  /** Starts something that goes on after the turn; undefined where there is no such thing. */
  readonly background?: string;
  /** Asks for something else than a command and a file. */
  readonly outside: string;
  /** Keys in a permission dialog after which it is still open. */
  readonly within: readonly string[];
  readonly compact: string;
  readonly clear: string;
  /** It asks where the new conversation shall run. */
  readonly asksWhere?: boolean;
  /** Opens the list of conversations, and chooses the one of before in it. */
  readonly resume: { readonly open: string; readonly choose: readonly string[] };
  readonly retrying: ExpectedReading;
  /** A status after which it does not try again. */
  readonly refusedBy: number;
  readonly ownCommand: ExpectedReading;
}

const PARTS: Readonly<Record<Cli, ReleaseParts>> = {
  claude: {
    plan: call('TodoWrite', {
      todos: steps('content', 'completed', 'in_progress', 'pending').map((todo) => ({
        ...todo,
        activeForm: 'Writing',
      })),
    }),
    search: call('Grep', { pattern: 't', output_mode: 'content' }),
    background: call('Bash', { command: 'sleep 45', run_in_background: true, description: 'Serve the preview' }),
    outside: call('Read', { file_path: '/etc/hostname' }),
    within: ['Tab', 'u', 's', 'e', 'Space', 'm', 'v'],
    compact: '/compact',
    clear: '/clear',
    resume: { open: '/resume', choose: ['Enter'] },
    retrying: RETRYING_LIMIT, // it names no cause
    refusedBy: 422,
    ownCommand: IDLE,
  },
  codex: {
    plan: call('update_plan', { plan: steps('step', 'completed', 'in_progress', 'pending') }),
    search: '[[bash: grep -n t notes.txt]]',
    background: call('exec_command', { cmd: 'sleep 45', yield_time_ms: 700 }),
    outside: '[[sudo: wget -q -O /tmp/licence.txt https://licences.example.org/mit.txt]]',
    within: ['Down', 'Up'],
    compact: '/compact',
    clear: '/new',
    asksWhere: true,
    resume: { open: '/resume', choose: ['Enter'] },
    retrying: RETRYING,
    refusedBy: 422,
    ownCommand: IDLE,
  },
  gemini: {
    plan: call('write_todos', { todos: steps('description', 'completed', 'in_progress', 'pending') }),
    search: call('grep_search', { pattern: 't' }),
    background: call('run_shell_command', { command: 'sleep 45', is_background: true, description: 'Preview' }),
    outside: call('web_fetch', { prompt: 'Compare https://a.example.org/mit.txt with https://b.example.org/bsd.txt' }),
    within: ['Down', 'Down', 'Up'],
    compact: '/compress',
    clear: '/clear',
    resume: { open: '/resume', choose: ['Enter'] },
    retrying: WORKING, // it draws nothing of its retries
    refusedBy: 413,
    ownCommand: SHELL_MODE,
  },
  opencode: {
    plan: call('todowrite', {
      todos: steps('content', 'completed', 'in_progress', 'pending').map((todo) => ({ ...todo, priority: 'high' })),
    }),
    search: call('grep', { pattern: 't' }),
    outside: '[[read: /etc/hostname]]',
    within: ['Right', 'Enter'],
    compact: '/compact',
    clear: '/new',
    resume: { open: '/sessions', choose: ['Enter'] },
    retrying: RETRYING,
    refusedBy: 401,
    ownCommand: IDLE,
  },
};

/**
 * The days before a release: answers, outputs, dialogs, drafts and menus that are in no other scene. Written, like `everydayScenes`,
 * without a look at what the rules make of them.
 */
export function releaseScenes(cli: Cli, dialect: Dialect, overlays: readonly Overlay[]): readonly Scene[] {
  const parts = PARTS[cli];
  const scenes: readonly Scene[] = [
    { name: 'release-answers', play: answers },
    { name: 'release-tools', setup: { permission: 'all' }, play: (director) => tools(director, parts) },
    { name: 'release-asked', play: (director) => asked(director, dialect, parts) },
    { name: 'release-drafts', play: drafts },
    {
      name: 'release-trouble',
      setup: { permission: 'all', retries: 4 },
      play: (director) => trouble(director, parts),
    },
    { name: 'release-conversations', play: (director) => conversations(director, parts) },
    overlayScene(overlays, 'release-overlays'),
  ];
  return scenes.map((scene) => ({ ...scene, set: 'heldOut' }));
}

async function answers(director: Director): Promise<void> {
  await director.ready();
  for (const [name, prompt, text] of [
    ['tree', 'How is it built?', TREE],
    ['patch', 'Show the patch.', PATCH],
    ['ways', 'How do we go on?', WAYS],
    ['keys', 'Which keys does the tool know?', KEYS],
    ['arabic', 'ما الجديد في الإصدار؟', ARABIC],
    ['wide-table', 'The open reports as a table.', WIDE_TABLE],
  ] as const) {
    await director.ask(`${prompt} [[reply: ${text}]]`);
    await director.pause(3500); // what is said may look like work
    await director.take(`release-answered-${name}`, IDLE);
  }
}

/** Esc, and once more where it still works. */
async function interrupt(director: Director): Promise<void> {
  await director.keys('Escape');
  await director.pause(600);
  if (await director.isWorking()) await director.keys('Escape');
  await director.finished();
}

async function tools(director: Director, { plan, search, background, ownCommand }: ReleaseParts): Promise<void> {
  await director.ready();
  await director.ask(`Upload it. [[bash: ${PROGRESS}]][[reply: 48 MB are up.]]`);
  await director.pause(2500);
  await director.snap('release-uploading', WORKING);
  await director.pause(4000);
  await director.finished();
  await director.take('release-uploaded', IDLE);
  await director.ask('What differs? [[bash: sed s/two/zwei/ notes.txt | diff -u notes.txt -]][[bash: seq -s " | " 300; ls -la / | cat -A]][[reply: Only the second line.]]'); // prettier-ignore
  await director.finished();
  await director.take('release-compared', IDLE);
  await director.ask(`Plan it. ${plan}[[reply: I write the notes.]][[slow: 5]]`);
  await director.pause(2600);
  await director.snap('release-speaking-beside-plan', WORKING);
  await director.finished();
  await director.take('release-planned', IDLE);
  await director.ask(`Where is a t? ${search}[[reply: In two lines.]]`);
  await director.finished();
  await director.take('release-searched', IDLE);
  await director.ask('Make it. [[bash: echo "make: Entering directory"; sleep 40]]');
  await director.pause(2500);
  await director.snap('release-making', WORKING);
  await interrupt(director);
  await director.take('release-interrupted-making', IDLE);
  if (background !== undefined) {
    await director.ask(`Serve a preview. ${background}[[reply: The preview is at port 8080.]]`);
    await director.pause(1500);
    await director.finished();
    await director.take('release-preview-served', IDLE);
  }
  await director.type('!wc -l notes.txt');
  await director.keys('Enter');
  await director.pause(2500);
  await director.take('release-own-command', ownCommand);
}

async function asked(
  director: Director,
  { permission, nextOptionKey = 'Down' }: Dialect,
  { outside, within }: ReleaseParts,
): Promise<void> {
  const ask = async (prompt: string): Promise<void> => {
    await director.ask(prompt);
    await director.until(permission);
  };
  const refuse = async (): Promise<void> => {
    await director.keys('Escape');
    await director.pause(500);
    await director.finished();
  };
  await director.ready();
  await ask(`Push it. [[reply: ${WAYS}]][[sudo: git push --force-with-lease origin main --tags]]`);
  await director.take('release-asked-push', PERMISSION);
  await refuse();
  await director.take('release-refused-push', IDLE);
  await ask(`Write the version. [[sudo: ${PYTHON}]][[reply: It is 3.1.]]`);
  await director.take('release-asked-python', PERMISSION);
  await director.keys(nextOptionKey, nextOptionKey);
  await director.take('release-asked-python-last-answer', PERMISSION);
  await refuse();
  await ask(
    "Move them. [[sudo: mkdir -p 'リリース ノート/三月' && mv notes.txt 'リリース ノート/三月/覚え書き 📝.txt']]",
  );
  await director.take('release-asked-japanese', PERMISSION);
  await director.keys('Enter');
  await director.pause(1500);
  await director.finished();
  await director.take('release-moved', IDLE);
  await ask(
    director.dialect.writeTool.startsWith('[[write')
      ? `Write all notes. [[write: {workspace}/notes.md ${NOTES}]]`
      : `Write all notes. [[sudo: cat > notes.md <<'END'\n${NOTES}\nEND]]`,
  );
  await director.take('release-asked-notes', PERMISSION);
  await refuse();
  await ask(`Look there. ${outside}`);
  await director.take('release-asked-outside', PERMISSION);
  await director.keys(...within);
  await director.take('release-asked-within', PERMISSION);
}

async function drafts(director: Director): Promise<void> {
  await director.ready();
  await director.ask('Good morning. [[reply: Good morning! The release is due on Friday.]]');
  await director.finished();
  for (const [name, text] of [
    ['code', CODE_DRAFT],
    ['yes', 'y'],
    ['quotation', '> esc to interrupt\nis what it says. Where does that come from?'],
    ['hebrew', 'תרגם את ההערות ל־日本語 ואל תשנה את `notes.txt` 🙏'],
  ] as const) {
    await director.paste(text);
    await director.take(`release-draft-${name}`, DRAFT);
    await director.clear();
    if (name === 'code' || name === 'quotation') for (let n = 0; n < 12; n++) await director.keys('BSpace');
  }
  await director.type('publish it on friday');
  await director.keys('Left', 'Left', 'Left', 'Left', 'Left', 'Left');
  await director.take('release-draft-cursor-within', DRAFT);
  await director.clear();
  await director.pause(2500); // a second key that empties an empty box would end it
  await director.type('/zzz');
  await director.take('release-draft-no-command', DRAFT);
  for (let n = 0; n < 4; n++) await director.keys('BSpace');
  await director.type('ask @zzzz');
  await director.take('release-draft-no-file', DRAFT);
  for (let n = 0; n < 9; n++) await director.keys('BSpace');
  await director.keys('Up');
  await director.take('release-draft-recalled', DRAFT);
}

async function trouble(director: Director, { retrying, refusedBy }: ReleaseParts): Promise<void> {
  await director.ready();
  await director.ask('Is it published? [[error: 504 x2]][[reply: Since this morning.]]');
  await director.pause(800);
  if (await director.isWorking()) await director.snap('release-retrying-504', retrying);
  await director.finished(60_000);
  await director.take('release-recovered-504', IDLE);
  await director.ask(`Announce it. [[bash: ls]][[error: ${refusedBy}]]`);
  await director.pause(1800);
  await director.finished();
  await director.take('release-refused-request', FAILED);
  await director.ask('In fewer words. [[think: 2]][[reply: 3.1 is here.]][[slow: 4]]');
  await director.pause(3200);
  await director.snap('release-speaking-again', WORKING);
  await director.finished();
  await director.take('release-announced', IDLE);
}

async function conversations(
  director: Director,
  { compact, clear, asksWhere = false, resume }: ReleaseParts,
): Promise<void> {
  const command = async (text: string): Promise<void> => {
    await director.type(text);
    await director.pause(500);
    await director.keys('Enter');
    await director.pause(2500);
  };
  await director.ready();
  for (const question of ['What was in 2.9?', 'And in 3.0?']) {
    await director.ask(`${question} [[lines: 9]]`);
    await director.finished();
  }
  await director.terminal.tmux('copy-mode', '-u', '-t', '=cli:');
  await director.take('release-scrolled-back', OVERLAY);
  await director.terminal.tmux('send-keys', '-t', '=cli:', '-X', 'cancel');
  await director.take('release-scrolled-to-the-end', IDLE);
  await command(compact);
  await director.finished();
  await director.take('release-compacted', IDLE);
  await director.ask('And in 3.1? [[reply: The importer, mostly.]][[slow: 4]]');
  await director.pause(2000);
  await director.snap('release-speaking-after-compaction', WORKING);
  await director.finished();
  await director.take('release-answered-after-compaction', IDLE);
  await command(clear);
  if (asksWhere) {
    await director.take('release-asked-where', OVERLAY);
    await director.keys('Enter');
    await director.pause(2500);
  }
  await director.take('release-cleared', IDLE);
  await command(resume.open);
  await director.take('release-choosing-conversation', OVERLAY);
  await director.keys(...resume.choose);
  await director.pause(2500);
  await director.take('release-resumed', IDLE);
}

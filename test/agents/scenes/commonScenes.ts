import type { Director } from './director';
import {
  DRAFT,
  FAILED,
  IDLE,
  LIMITED,
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

const LONG_TEXT = Array.from({ length: 60 }, (_, line) => `${line + 1}: a line of a long text`).join('\n');
const WRAPPED = 'Look at every file of the project and tell me which of them are not used by any other file. '.repeat(
  4,
);
/** A quotation looks like work to the patterns here: the end of such a turn is waited for by time. */
const QUOTED_MS = 3000;
const COMMAND = 'mkdir -p made && sleep 4 && echo built';
const LONG_COMMAND = `mkdir -p made && cd made && ${Array.from({ length: 14 }, (_, n) => `printf 'part ${n} of a long command' > part-${n}.txt`).join(' && ')}`;

/** Scenes that every program plays. */
export function commonScenes(dialect: Dialect): readonly Scene[] {
  return [
    { name: 'drafts', play: drafts },
    { name: 'menus', play: menus },
    { name: 'answers', play: answers },
    { name: 'working', play: working },
    { name: 'commands', play: commands },
    { name: 'files', play: (director) => files(director, dialect) },
    { name: 'question', play: question },
    ...[400, 401, 500].map((status) => errorScene(status, FAILED, RETRYING)),
    ...[429, 529].map((status) => errorScene(status, FAILED, RETRYING_LIMIT)),
    {
      name: 'dropped',
      setup: { retries: 4 },
      play: (director) => failing(director, 'dropped', '[[drop]]', FAILED, RETRYING),
    },
    { name: 'limit', play: (director) => failing(director, 'usage-limit', '[[limit]]', LIMITED, LIMITED) },
    {
      name: 'refused',
      hasNoServer: true,
      play: (director) => failing(director, 'refused', 'Hello?', FAILED, RETRYING),
    },
    { name: 'bypass', setup: { permission: 'all' }, play: bypass },
    { name: 'edits', setup: { permission: 'edits' }, play: edits },
    { name: 'resize', play: resize },
  ];
}

async function drafts(director: Director): Promise<void> {
  await director.ready();
  await director.take('idle-fresh', IDLE);
  await director.type('Tell me about the project');
  await director.take('draft-short', DRAFT);
  await director.clear();
  await director.take('draft-cleared', IDLE);
  await director.type('Größe ändern: 日本語のテスト 🚀 done');
  await director.take('draft-unicode', DRAFT);
  await director.clear();
  await director.paste('first line\n\nthird line, the second is empty');
  await director.take('draft-multi-line', DRAFT);
  await director.clear();
  await director.type(WRAPPED);
  await director.take('draft-wrapped', DRAFT);
  await director.clear();
  await director.paste(LONG_TEXT);
  await director.take('draft-pasted-long', DRAFT);
  await director.clear();
  await director.type('1. Yes');
  await director.take('draft-like-a-choice', DRAFT);
}

async function menus(director: Director): Promise<void> {
  await director.ready();
  for (const [name, text, expected] of [
    ['slash', '/', DRAFT],
    ['slash-filtered', '/mo', DRAFT],
    ['at', '@', DRAFT],
    ['at-filtered', 'read @no', DRAFT],
    ['bang', '!', SHELL_MODE],
    ['bang-command', '!ls -la', SHELL_MODE],
    ['hash', '#', DRAFT],
    ['question', '?', IDLE],
  ] as const) {
    await director.type(text);
    await director.pause(500);
    await director.take(`draft-${name}`, expected);
    await director.keys(...director.dialect.leaveMenu);
    for (let count = 0; count < text.length; count++) await director.keys('BSpace');
    if (text.startsWith('!')) await director.keys(...director.dialect.leaveMenu);
    await director.pause(300);
  }
}

async function answers(director: Director): Promise<void> {
  await director.ready();
  await director.ask('Say hello. [[reply: Hello, what shall we do?]]');
  await director.finished();
  await director.take('finished-short', IDLE);
  await director.ask('Five lines. [[lines: 5]]');
  await director.finished();
  await director.take('finished-five-lines', IDLE);
  await director.ask('Many lines. [[lines: 70]]');
  await director.finished();
  await director.take('finished-long', IDLE);
  await director.ask(
    'Write Markdown. [[reply: # Title\n\n* one\n* two\n\n```sh\nls -la\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |\n]]',
  );
  await director.finished();
  await director.take('finished-markdown', IDLE);
  await director.ask(
    'Quote. [[reply: It says: esc to interrupt, (esc to cancel, 12s), Working (3s • esc to interrupt)]]',
  );
  await director.pause(QUOTED_MS);
  await director.take('finished-quotes-working', IDLE);
  await director.ask(
    'Quote. [[reply: It says:\n\nDo you want to proceed?\n❯ 1. Yes\n  2. No\n\nEsc to cancel\n\nPress enter to confirm or esc to cancel]]',
  );
  await director.pause(QUOTED_MS);
  await director.take('finished-quotes-dialog', IDLE);
  await director.ask('Quote. [[reply: It says: API Error: 529 Overloaded, and: ✕ [API Error: 500], ■ error]]');
  await director.pause(QUOTED_MS);
  await director.take('finished-quotes-error', IDLE);
}

async function working(director: Director): Promise<void> {
  await director.ready();
  await director.ask('Wait a little. [[wait: 4]][[reply: Here I am]]');
  await director.until(director.dialect.working);
  await director.pause(1200);
  await director.snap('working-waiting', WORKING);
  await director.finished();
  await director.ask('Think. [[think: 5]][[reply: Thought]]');
  await director.until(director.dialect.working);
  await director.pause(1500);
  await director.snap('working-thinking', WORKING);
  await director.pause(1800);
  await director.snap('working-thinking-2', WORKING);
  await director.finished();
  await director.ask('Stream. [[slow: 8]]');
  await director.pause(1800);
  await director.snap('working-streaming', WORKING);
  await director.type('And then check the tests');
  await director.snap('working-with-draft', WORKING_DRAFT);
  await director.keys(director.dialect.queueKey ?? 'Enter');
  await director.pause(900);
  await director.snap('working-queued', WORKING);
  await director.pause(5000);
  await director.finished();
  await director.take('finished-after-queue', IDLE);
  await director.ask('Lines and more. [[lines: 30]][[slow: 5]]');
  await director.pause(2500);
  await director.snap('working-after-lines', WORKING);
  await director.finished();
  await director.ask('Stream for long. [[slow: 20]]');
  await director.pause(2500);
  await interrupt(director, 'streaming');
  await director.take('interrupted-streaming', IDLE);
  await director.ask('Never answer. [[hang]]');
  await director.pause(2500);
  await interrupt(director);
  await director.take('interrupted-waiting', IDLE);
}

/** Esc until it stops: one program asks for a second press. */
async function interrupt(director: Director, name?: string): Promise<void> {
  await director.keys('Escape');
  await director.pause(700);
  const { lines } = await director.terminal.look();
  if (/again to interrupt/.test(lines.join('\n'))) {
    if (name !== undefined) await director.snap(`interrupt-again-${name}`, WORKING);
    await director.keys('Escape');
  }
  await director.finished();
}

async function commands(director: Director): Promise<void> {
  const { permission } = director.dialect;
  await director.ready();
  await director.ask(`Build it. [[sudo: ${COMMAND}]]`);
  await director.until(permission);
  await director.take('permission-command', PERMISSION);
  await director.keys('Enter');
  await director.pause(1800);
  await director.snap('tool-running', WORKING);
  await director.pause(3000);
  await director.finished();
  await director.take('finished-after-tool', IDLE);
  await director.ask('Do it once more. [[sudo: mkdir -p made/again && echo built]]');
  await director.until(permission);
  await director.keys(director.dialect.nextOptionKey ?? 'Down');
  await director.take('permission-second-option', PERMISSION);
  await director.keys('Escape');
  await director.pause(500);
  await director.finished();
  await director.take('denied-command', IDLE);
  await director.ask(`A long one. [[reply: First I say something about it.]][[sudo: ${LONG_COMMAND}]]`);
  await director.until(permission);
  await director.take('permission-long-command', PERMISSION);
  await director.keys('Escape');
  await director.finished();
  await director.ask('Interrupt it. [[sudo: mkdir -p made/twice && sleep 30]]');
  await director.until(permission);
  await director.keys('Enter');
  await director.pause(2500);
  await director.snap('tool-running-long', WORKING);
  await interrupt(director, 'tool');
  await director.take('interrupted-tool', IDLE);
}

async function files(director: Director, { permission, webTool, writeTool, editTool }: Dialect): Promise<void> {
  await director.ready();
  await director.ask(`Write. ${writeTool}`);
  await director.until(permission);
  await director.take('permission-write', PERMISSION);
  await director.keys('Escape');
  await director.finished();
  await director.take('denied-write', IDLE);
  await director.ask(`Write it then. ${writeTool}`);
  await director.until(permission);
  await director.keys('Enter');
  await director.finished();
  await director.take('finished-after-write', IDLE);
  await director.ask(`Edit. [[read: {workspace}/notes.txt]]${editTool}`);
  await director.until(permission);
  await director.take('permission-edit', PERMISSION);
  await director.keys('Enter');
  await director.finished();
  await director.take('finished-after-edit', IDLE);
  if (webTool === undefined) return;
  await director.ask(`Fetch. ${webTool}`);
  await director.until(permission);
  await director.take('permission-web', PERMISSION);
  await director.keys('Escape');
  await director.finished();
  await director.take('denied-web', IDLE);
}

async function question(director: Director): Promise<void> {
  await director.ready();
  await director.keys(...(director.dialect.questionMode ?? []));
  await director.ask('Ask me. [[ask: Which colour shall the door have?]]');
  await director.until(director.dialect.question);
  await director.take('question', QUESTION);
  await director.keys('Down');
  await director.take('question-second-option', QUESTION);
  await director.keys('Enter');
  await director.pause(600);
  await director.take('question-after-enter', IDLE);
}

function errorScene(status: number, final: Parameters<Director['take']>[1], early: typeof final): Scene {
  return {
    name: `error-${status}`,
    setup: { retries: 4 },
    play: (director) => failing(director, `error-${status}`, `Fail. [[error: ${status}]]`, final, early),
  };
}

async function failing(
  director: Director,
  name: string,
  prompt: string,
  final: Parameters<Director['take']>[1],
  early: typeof final,
): Promise<void> {
  await director.ready();
  await director.ask(prompt);
  await director.pause(900);
  for (const moment of ['early', 'later']) {
    if (!(await director.isWorking())) return director.take(`${name}-final`, final);
    await director.snap(`${name}-${moment}`, early);
    await director.pause(3500);
  }
  const isOver = await director.finished(6_000).then(
    () => true,
    () => false, // it goes on trying
  );
  if (isOver) return director.take(`${name}-final`, final);
  await interrupt(director);
  await director.take(`${name}-interrupted`, IDLE);
}

async function bypass(director: Director): Promise<void> {
  await director.ready();
  await director.take('bypass-idle', IDLE);
  await director.ask('Do it. [[bash: mkdir -p made && sleep 3 && echo built]][[slow: 4]]');
  await director.pause(1800);
  await director.snap('bypass-tool-running', WORKING);
  await director.pause(3500);
  await director.snap('bypass-streaming', WORKING);
  await director.finished();
  await director.take('bypass-finished', IDLE);
  await director.type('The next thing');
  await director.take('bypass-draft', DRAFT);
}

async function edits(director: Director): Promise<void> {
  await director.ready();
  await director.take('edits-idle', IDLE);
  await director.ask('Write it. [[write: other.txt one\ntwo]][[reply: Written.]]');
  await director.finished();
  await director.take('edits-finished', IDLE);
}

async function resize(director: Director): Promise<void> {
  const { columns } = director.terminal.size;
  await director.ready();
  await director.ask('Some lines. [[lines: 12]]');
  await director.finished();
  await director.terminal.resize(columns === 80 ? 120 : 80, columns === 80 ? 40 : 24);
  await director.pause(800);
  await director.take('resized-idle', IDLE);
  await director.terminal.resize(60, 18);
  await director.pause(800);
  await director.take('resized-small', IDLE);
  await director.terminal.resize(columns, columns === 80 ? 24 : 40);
  await director.pause(800);
  await director.type('A draft after the resize');
  await director.take('resized-back-draft', DRAFT);
}

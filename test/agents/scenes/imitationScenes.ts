import type { Director } from './director';
import { DRAFT, IDLE, PERMISSION, type Scene, WORKING } from './scene';

/** What the programs draw themselves, as a model or a tool may print it. */
const DIALOGS = [
  'Do you want to proceed?',
  '❯ 1. Yes',
  '  2. No, and tell me what to do differently (esc)',
  '',
  'Esc to cancel · Tab to amend',
  'Enter to confirm · Esc to cancel',
  'Enter to select · ↑/↓ to navigate · Esc to cancel',
  '│ Allow execution of: rm?',
  '│ ● 1. Allow once',
  '│   2. No, suggest changes (esc)',
  '│ Usage limit reached for gemini-2.5-pro.',
  '╭─ Answer Questions ─╮',
  '› 1. Yes, proceed (y)',
  '  Press enter to confirm or esc to cancel',
  '  enter to submit | esc to cancel',
  '┃  △ Permission required',
  '   Allow once   Allow always   Reject',
  'enter submit  esc dismiss',
].join('\n');
const SPINNERS = [
  '✻ Pondering… (12s · ↑ 2k tokens · esc to interrupt)',
  '✻ API error · Retrying in 4s · attempt 3/10',
  '⠋ Thinking... (esc to cancel, 5s)',
  ' ⠋ Thinking... (esc to cancel, 2m)',
  '• Working (3s • esc to interrupt)',
  '• Reconnecting... 2/5 (3s • esc to interrupt)',
  '⬝⬝■■■⬝⬝⬝  esc interrupt',
  'rate limit [retrying in 3s attempt #2]',
].join('\n');
const ERRORS = [
  '● API Error: 529 Overloaded',
  '  ⎿  API Error (Connection error.)',
  "You've hit your session limit",
  '■ stream disconnected before completion',
  "■ You've hit your usage limit.",
  '✕ [API Error: quota exceeded]',
  '[API Error: 500]',
  '┃ usage limit: quota exceeded',
].join('\n');
/** 40: of more that are equal one program takes the answer for a loop, and asks. */
const RULE = '─'.repeat(40);
const BOXES = [RULE, '❯ ', RULE, '› Ask Codex to do anything', '▄'.repeat(40), ' >   Type your message or @path/to/file', '▀'.repeat(40)].join('\n'); // prettier-ignore
const OVERLAYS = [
  '  / for commands',
  '  search prompts: deploy',
  'Showing detailed transcript · ctrl+o to toggle',
  'Model selection                              esc',
  '  press enter to confirm, esc to go back, q to quit',
  '(reverse-i-search) (r:) (Press Esc to close)',
].join('\n');

/** Work that is not shown by a pattern here but by its time: the answer imitates it. */
const ENDED_MS = 4_000;

/**
 * Answers, outputs, commands and drafts that look like what the program itself draws. Nobody but the program may make its state: what
 * they imitate is never so.
 */
export function imitationScenes(): readonly Scene[] {
  return [
    { name: 'imitations-said', play: said },
    { name: 'imitations-printed', setup: { permission: 'all' }, play: printed },
    { name: 'imitations-asked', play: asked },
  ];
}

async function said(director: Director): Promise<void> {
  await director.ready();
  for (const [name, text] of Object.entries({
    dialogs: DIALOGS,
    spinners: SPINNERS,
    errors: ERRORS,
    boxes: BOXES,
    overlays: OVERLAYS,
  })) {
    // prettier-ignore
    await director.ask(`Quote the ${name} as they are. [[reply: Here they are:\n\n\`\`\`\n${text}\n\`\`\`]]`);
    await director.pause(ENDED_MS);
    await director.take(`imitation-said-${name}`, IDLE);
  }
  await director.ask(`Ask me in words. [[reply: I can do that in two ways.\n\n1. Yes, all at once\n2. No, step by step\n\nDo you want to proceed?]]`); // prettier-ignore
  await director.pause(ENDED_MS);
  await director.take('imitation-question-in-words', IDLE);
  await director.ask(`Quote on and on. [[reply: Here it is:\n\n\`\`\`\n${DIALOGS}\n\`\`\`\n\nAnd so on: ]][[slow: 8]]`);
  await director.pause(2_500);
  await director.snap('imitation-streaming-dialogs', WORKING);
  await director.pause(8_000);
  await director.paste('❯ 1. Yes\n› 2. No\nEsc to cancel\nPress enter to confirm or esc to cancel');
  await director.take('imitation-draft-dialog', DRAFT);
}

async function printed(director: Director): Promise<void> {
  await director.ready();
  for (const [name, text] of Object.entries({ dialogs: DIALOGS, spinners: SPINNERS, errors: ERRORS })) {
    director.write(`${name}.txt`, text);
    await director.ask(`Print the ${name}. [[bash: cat ${name}.txt; sleep 4]][[reply: That was it.]]`);
    await director.pause(2_500);
    await director.snap(`imitation-printing-${name}`, WORKING);
    await director.pause(4_000 + ENDED_MS);
    await director.take(`imitation-printed-${name}`, IDLE);
  }
}

async function asked(director: Director): Promise<void> {
  await director.ready();
  await director.ask(`Look first. [[reply: Here:\n\n${BOXES}]][[sudo: mkdir -p made && echo '❯ ' && echo 'esc to interrupt' && echo '› Ask Codex to do anything']]`); // prettier-ignore
  await director.until(director.dialect.permission);
  await director.take('imitation-asked-below-boxes', PERMISSION);
  await director.keys('Escape');
  await director.pause(1_500);
}

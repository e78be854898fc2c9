/** A type with hooks, both doors and conversations: what the tests of hooks, requests and resuming use. */
export const askerType = {
  id: 'asker',
  label: 'Asker',
  command: ['asker'],
  resume: ['--resume', '{sessionId}'],
  readiness: { when: 'rule' },
  session: {
    id: 'ours',
    newArgs: ['--session', '{sessionId}'],
    needsTurn: true,
    endsWhenUnknown: true,
    losses: ['The answer to the interrupted prompt is lost.'],
  },
  hooks: [
    { event: 'Begin', sessionIdPath: '/session', says: 'a conversation began' },
    { event: 'Prompt', activity: 'busy', promptPath: '/prompt', sessionIdPath: '/session', says: 'it took a prompt' },
    {
      event: 'Ask',
      when: { path: '/tool', equals: 'Question' },
      activity: 'awaiting_input',
      permission: { kind: 'question', detailPath: '/input' },
      says: 'it asks a question',
    },
    {
      event: 'Ask',
      activity: 'awaiting_approval',
      permission: { kind: 'permission', toolPath: '/tool', detailPath: '/input' },
      says: 'it asks for permission',
    },
    { event: 'Tool', activity: 'busy', leavesQuestion: true, says: 'it uses a tool' },
    { event: 'Stop', activity: 'idle', unlessPath: '/background', says: 'its turn has ended' },
  ],
  approval: {
    hook: { allow: { ok: true }, deny: { ok: false, message: '{reason}' }, waitMs: 3_600_000 },
    keys: { allow: ['1'], deny: ['Escape'] },
    dialogTop: '^Allow',
  },
  screenRules: [
    { id: 'dialog', activity: 'awaiting_approval', where: 'bottom', pattern: '^  Enter to confirm$' },
    { id: 'works', activity: 'busy', where: 'bottom', pattern: '^Working' },
    { id: 'empty box', activity: 'idle', where: 'bottom', pattern: '^> $|^>$' },
  ],
  prompt: { canPaste: true },
  usage: 'claude',
} as const;

/** The same, answered by keys only: its hook is let go at once. */
export const keyAskerType = {
  ...askerType,
  id: 'key-asker',
  approval: { ...askerType.approval, hook: { waitMs: 0 } },
} as const;

/** The dialog of the types above for one command. */
export function askingScreen(command: string, selected = 1): string {
  const mark = (line: number): string => (line === selected ? '❯' : ' ');
  return `some output\n\nAllow this command?\n\n  ${command}\n\n${mark(1)} 1. Yes\n${mark(2)} 2. No\n  Enter to confirm`;
}

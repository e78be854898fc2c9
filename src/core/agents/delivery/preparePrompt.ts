import type { AgentType, InputAlterations } from '../agentType';
import type { PromptChange, PromptChangeKind } from './promptDelivery';

/** What is typed in place of what was given, and why it differs. */
export interface PreparedPrompt {
  readonly prepared: string;
  readonly changes: readonly PromptChange[];
}

/** The facts of a type that decide how a text is prepared. */
export interface PromptFacts {
  readonly prompt: Pick<AgentType['prompt'], 'leadingSpace' | 'leadingGuard' | 'trailingSpace'>;
  readonly alters?: InputAlterations;
}

/**
 * An escape sequence as a whole, so that `ESC[201~` does not leave `[201~` behind (ECMA-48 5.4 and 5.6): CSI, then strings that
 * end with BEL or ST (one that never ends loses only its introducer: the text behind it was meant to be read), then the short ones.
 */
const ESCAPE_SEQUENCE =
  // eslint-disable-next-line no-control-regex -- escape sequences are control characters
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[PX\]^_]|[\u0090\u0098\u009d-\u009f])[^\u001b\u0007\u009c]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-~]/gu;
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const MENTION = /@\S+/gu;
const SPACES = [
  'one space', 'two spaces', 'three spaces', 'four spaces', 'five spaces', 'six spaces', 'seven spaces', 'eight spaces',
] as const; // prettier-ignore

/** The cleaning that every text gets, in order. Each step leaves what the later ones rely on. */
const CLEANING: readonly {
  readonly kind: PromptChangeKind;
  readonly detail: string;
  readonly apply: (text: string) => string;
}[] = [
  { kind: 'line_endings', detail: 'line ends became \\n', apply: (text) => text.replace(/\r\n?/g, '\n') },
  {
    kind: 'escape_sequences',
    detail: 'terminal escape sequences were removed',
    apply: removeSequences,
  },
  {
    kind: 'control_characters',
    detail: 'control characters were removed',
    apply: (text) => text.replace(CONTROL, '').replace(LONE_SURROGATE, '\ufffd'),
  },
  { kind: 'normalised', detail: 'characters were composed (Unicode NFC)', apply: (text) => text.normalize('NFC') },
  { kind: 'trimmed', detail: 'blanks around the text were removed', apply: (text) => text.trim() },
];

/**
 * The text as it is typed (S4): LF only, no escape sequence, no control character but \n and \t, NFC, no blanks around it, and
 * one space (or the type's own guard) where the program would otherwise take the text for a command or a completion. Never throws; preparing what was
 * prepared changes nothing. What the program itself is known to alter (`alters` of its type) is declared, not done.
 */
export function preparePrompt(text: string, type: PromptFacts): PreparedPrompt {
  const changes: PromptChange[] = [];
  let present = text;
  for (const { kind, detail, apply } of CLEANING) {
    const next = apply(present);
    if (next !== present) changes.push({ kind, detail });
    present = next;
  }
  const { leadingSpace = '', leadingGuard = ' ', trailingSpace = '' } = type.prompt;
  const [first = ''] = present;
  if (first !== '' && leadingSpace.includes(first)) {
    present = leadingGuard + present;
    changes.push({
      kind: leadingGuard === ' ' ? 'leading_space' : 'leading_guard',
      detail: `${nameOf(leadingGuard)} before the first character, so that "${first}" is text and no command`,
    });
  }
  const last = trailingTrigger(present, trailingSpace);
  if (last !== undefined) {
    present += ' ';
    changes.push({
      kind: 'trailing_space',
      detail: `a space after the last word, so that "${last}" does not keep the submit key from submitting`,
    });
  }
  return { prepared: present, changes: [...changes, ...alterations(present, type.alters ?? {})] };
}

/** What a prompt is when everything that programs add, drop and wrap is left out: for comparing, never for typing. */
export function comparablePrompt(text: string): string {
  return text.normalize('NFC').replace(/[\s\p{Cf}\p{Cc}]+/gu, '');
}

/**
 * Whether what a program says it accepted is this prompt, but for what programs add, drop and wrap. One that resolves mentions
 * tells each `@name` as a path that holds the name, and the contents of the files behind the text, under a heading of its own; anything
 * else that differs makes it another prompt.
 */
export function isSamePrompt(told: string, prepared: string, { resolvesMentions }: InputAlterations = {}): boolean {
  if (comparablePrompt(told) === comparablePrompt(prepared)) return true;
  if (!resolvesMentions || !prepared.includes('@')) return false;
  const [toldText = ''] = told.split(`\n${resolvesMentions.contentsHeading}`);
  if (masked(toldText) !== masked(prepared)) return false;
  const toldMentions = toldText.match(MENTION) ?? [];
  return (prepared.match(MENTION) ?? []).every((mention, index) => {
    const name = comparablePrompt(mention.slice(1)).toLowerCase();
    return comparablePrompt(toldMentions[index] ?? '')
      .toLowerCase()
      .includes(name);
  });
}

function masked(text: string): string {
  return comparablePrompt(text.replace(MENTION, '@'));
}

function nameOf(guard: string): string {
  if (guard === ' ') return 'a space';
  const points = [...guard].map((one) => `U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`);
  return `the invisible ${points.join(' ')}`;
}

/** Removing one sequence can join the halves of another. */
function removeSequences(text: string): string {
  let present = text;
  for (;;) {
    const next = present.replace(ESCAPE_SEQUENCE, '');
    if (next === present) return next;
    present = next;
  }
}

/** The character that makes the program treat the end of the text as unfinished: a completion, a continued line. */
function trailingTrigger(text: string, trailingSpace: string): string | undefined {
  if (trailingSpace === '') return undefined;
  if (text.endsWith('\\')) return '\\';
  const [first = ''] = /\S+$/u.exec(text)?.[0] ?? '';
  return first !== '' && trailingSpace.includes(first) ? first : undefined;
}

/** The program shows a placeholder instead of this text. */
function isCollapsed(text: string, { collapses }: InputAlterations): boolean {
  if (!collapses) return false;
  return text.length > collapses.overCharacters || text.split('\n').length > collapses.overLines;
}

/** What the program will do to this text by itself, as its type declares. */
function alterations(text: string, alters: InputAlterations): readonly PromptChange[] {
  const { tabSpaces, trims, padsCollapsed, dropsZeroWidth = '', resolvesMentions } = alters;
  const isPlaceholder = isCollapsed(text, alters);
  const unless = trims === 'unlessCollapsed' && isPlaceholder ? ', if it takes it while it works' : '';
  const known: readonly (PromptChange & { readonly applies: boolean })[] = [
    {
      kind: 'tabs',
      detail: `the program itself turns tabs into ${SPACES[(tabSpaces ?? 1) - 1] ?? 'spaces'}`,
      applies: tabSpaces !== undefined && text.includes('\t'),
    },
    {
      kind: 'trimmed',
      detail: `the program itself drops blanks around the text${unless}`,
      applies: trims !== undefined && text !== text.trim(),
    },
    {
      kind: 'padded',
      detail: 'the program itself adds a space behind a long text',
      applies: padsCollapsed === true && isPlaceholder,
    },
    {
      kind: 'zero_width',
      detail: 'the program itself drops characters without width',
      applies: [...dropsZeroWidth].some((character) => text.includes(character)),
    },
    {
      kind: 'mentions',
      detail: 'the program itself replaces @names by the paths it finds, and adds the files',
      applies: resolvesMentions !== undefined && text.search(MENTION) >= 0,
    },
  ];
  return known.filter(({ applies }) => applies).map(({ kind, detail }) => ({ kind, detail }));
}

import type { AgentSpec } from './agent';
import type { AgentStore } from './agentStore';
import type { AgentType, ApprovalDoor } from './agentType';
import { revealText } from './visibleText';

/** Lower-case hex of SHA-256 over UTF-8. Given by the composition root. */
export type Sha256 = (text: string) => string;

/**
 * Everything that decides what would run, in one canonical text: each byte of it changes the hash (S1). Placeholders of the type
 * (`{execPath}`) stay as they are: they stand for our own program, whose path changes with every update.
 */
export function approvalContent(spec: AgentSpec, type: AgentType): string {
  return JSON.stringify([
    'core-orchestrator/approval/2',
    ['command', type.command],
    ['ownCommand', spec.command ?? null],
    ['args', spec.args ?? []],
    ['env', sorted(type.env), sorted(spec.env)],
    ['folder', spec.folder],
    ['firstPrompt', spec.firstPrompt ?? null],
    ['resume', type.resume ?? null],
    ['quit', type.quit],
    ['inject', type.inject ?? null],
    ['newSession', type.session?.newArgs ?? null],
    ['answers', type.approval ?? null],
    ['check', type.doctor?.versionArgs ?? null, type.doctor?.args ?? null],
  ]);
}

/** What identifies an approval. */
export function approvalHash(sha256: Sha256, spec: AgentSpec, type: AgentType): string {
  return sha256(approvalContent(spec, type));
}

/** Whether a person agreed to exactly this before. @throws what the store throws */
export async function isApproved(store: Pick<AgentStore, 'getApproval'>, hash: string): Promise<boolean> {
  return (await store.getApproval(hash)) !== undefined;
}

/**
 * The complete text for the person who decides (S24): nothing is cut, every character that is not visible is spelled
 * out, so one line can never pose as two. `argv` is the command as it would run (`AgentFactory.argv`).
 */
export function approvalText(spec: AgentSpec, type: AgentType, argv: readonly string[]): string {
  const lines = [
    `${revealText(spec.name)} (${revealText(type.label)})`,
    `  command: ${argv.map(quoted).join(' ')}`,
    `  folder: ${quoted(spec.folder)}`,
    ...[...sorted(type.env), ...sorted(spec.env)].map(
      ([name, value]) => `  environment: ${revealText(name)}=${quoted(value)}`,
    ),
    ...(type.resume ? [`  to resume, adds: ${type.resume.map(quoted).join(' ')}`] : []),
    ...type.quit.map(
      (step) =>
        `  to end it: ${'text' in step ? `types ${quoted(step.text)}` : 'keys' in step ? `presses ${step.keys.join(' ')}` : `sends ${step.signal}`}`,
    ),
    ...injectionLines(type),
    ...(spec.firstPrompt === undefined ? [] : [`  first prompt: ${quoted(spec.firstPrompt)}`]),
  ];
  return lines.join('\n');
}

/** Everything that a type adds to a launch, and the answers it gives to the program's questions by a person's order. */
function injectionLines({ inject, session, approval, doctor }: AgentType): readonly string[] {
  const value = (what: unknown): string => quoted(typeof what === 'string' ? what : JSON.stringify(what));
  const entries = (of: Readonly<Record<string, unknown>> | undefined) =>
    Object.entries(of ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...(inject?.args?.length ? [`  adds arguments: ${inject.args.map(value).join(' ')}`] : []),
    ...entries(inject?.env).map(([name, template]) => `  adds environment: ${revealText(name)}=${value(template)}`),
    ...entries(inject?.files).map(([name, template]) => `  writes the file ${revealText(name)}: ${value(template)}`),
    ...(inject?.home ? [`  starts with a settings folder of its own: ${value(inject.home)}`] : []),
    ...(session?.newArgs ? [`  for a new conversation, adds: ${session.newArgs.map(quoted).join(' ')}`] : []),
    ...(doctor?.versionArgs ? [`  to tell its version: ${doctor.versionArgs.map(quoted).join(' ')}`] : []),
    ...(doctor?.args ? [`  when it is checked, adds: ${doctor.args.map(value).join(' ')}`] : []),
    ...(approval ? answerLines(approval, value) : []),
  ];
}

/** What is sent when a request is approved or denied, and how that request is found on the screen. */
function answerLines({ hook, keys, dialogTop }: ApprovalDoor, value: (what: unknown) => string): readonly string[] {
  const sent = <T>({ allow, deny }: { readonly allow?: T; readonly deny?: T }, show: (what: T) => string): string =>
    [
      ...(allow === undefined ? [] : [`${show(allow)} to approve`]),
      ...(deny === undefined ? [] : [`${show(deny)} to deny`]),
    ].join(', ');
  const byHook = sent(hook ?? {}, value);
  const byKeys = sent(keys ?? {}, (pressed) => pressed.join(' '));
  const ways = [
    ...(byHook === ''
      ? []
      : [`sends its hook ${byHook}, which waits up to ${Math.ceil((hook?.waitMs ?? 0) / 60_000)} min`]),
    ...(byKeys === '' ? [] : [`presses ${byKeys}`]),
    ...(dialogTop === undefined ? [] : [`its question begins with a line that matches ${value(dialogTop)}`]),
  ];
  return ways.length === 0 ? [] : [`  when you or a rule of yours answers what it asks: ${ways.join('; ')}`];
}

function sorted(env: Readonly<Record<string, string>> | undefined): readonly (readonly [string, string])[] {
  return Object.entries(env ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** One argument as it would be typed in a shell, with everything invisible spelled out. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./{}-]+$/.test(text) ? text : `'${revealText(text).replaceAll("'", "'\\''")}'`;
}

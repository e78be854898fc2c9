import type { Directive } from './script';

export interface ToolCall {
  /** As it was declared; `namespace::name` where the protocol has namespaces. */
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>> | string;
}

const SHELLS = ['Bash', 'bash', 'run_shell_command', 'exec_command', 'shell_command', 'shell', 'local_shell'];
const WRITERS = ['Write', 'write_file', 'write', 'apply_patch'];
const READERS = ['Read', 'read_file', 'read'];
const ASKERS = ['AskUserQuestion', 'ask_user', 'question', 'request_user_input'];

/** The call that a directive means, in the words of the tool that this program declared; undefined when it has none. */
export function toolCall(directive: Directive, declared: readonly string[]): ToolCall | undefined {
  const { name: kind, argument } = directive;
  switch (kind) {
    case 'bash':
    case 'sudo':
      return named(SHELLS, declared, (name) => shellInput(name, argument, kind === 'sudo'));
    case 'write':
      return named(WRITERS, declared, (name) => writeInput(name, argument));
    case 'read':
      return named(READERS, declared, () => ({ file_path: argument, filePath: argument }));
    case 'ask':
      return named(ASKERS, declared, (name) => ({ questions: [question(name, argument)] }));
    case 'tool': {
      const [, wanted = '', json = ''] = /^(\S+)\s*([\s\S]*)$/.exec(argument) ?? [];
      return named([wanted], declared, () => (json === '' ? {} : (JSON.parse(json) as Record<string, unknown>))); // written by a test
    }
    default:
      return undefined;
  }
}

function named(
  wanted: readonly string[],
  declared: readonly string[],
  input: (name: string) => ToolCall['input'],
): ToolCall | undefined {
  for (const name of wanted) {
    const found = declared.find((one) => one === name) ?? declared.find((one) => endsWithName(one, name));
    if (found !== undefined) return { name: found, input: input(name) };
  }
  return undefined;
}

function endsWithName(declared: string, name: string): boolean {
  return declared.endsWith(name) && /(__|::|[._-])$/.test(declared.slice(0, -name.length));
}

function shellInput(tool: string, command: string, leavesSandbox: boolean): Record<string, unknown> {
  const escalation = leavesSandbox
    ? { sandbox_permissions: 'require_escalated', justification: 'The test asks for this.' }
    : {};
  if (tool === 'exec_command') return { cmd: command, ...escalation };
  if (tool === 'shell') return { command: ['bash', '-c', command], ...escalation };
  return { command, description: 'A scripted command' };
}

function writeInput(tool: string, argument: string): ToolCall['input'] {
  const [, path = '', content = ''] = /^(\S+)\s*([\s\S]*)$/.exec(argument) ?? [];
  if (tool === 'apply_patch') {
    const added = content.split('\n').map((line) => `+${line}`);
    return ['*** Begin Patch', `*** Add File: ${path}`, ...added, '*** End Patch', ''].join('\n');
  }
  return tool === 'write' ? { filePath: path, content } : { file_path: path, content };
}

function question(tool: string, argument: string): Record<string, unknown> {
  const asked = {
    question: argument,
    header: 'Colour',
    options: [
      { label: 'Green', description: 'Like grass' },
      { label: 'Yellow', description: 'Like the sun' },
    ],
  };
  if (tool === 'AskUserQuestion') return { ...asked, multiSelect: false };
  if (tool === 'ask_user') return { ...asked, type: 'choice', multiSelect: false };
  if (tool === 'request_user_input') return { ...asked, id: 'colour' };
  return asked;
}

import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree, stripComments } from 'jsonc-parser';
import type { AgentSpec } from './agent';
import { AgentError, type Problem } from './agentErrors';
import { nameKey, parseAgentSpec, SPEC_PROPERTIES } from './agentSpec';
import type { AgentType } from './agentType';
import { parseAgentType } from './agentTypeParser';
import { syntaxProblems } from './fleetSyntax';
import { isJsonObject, join, JsonReader, type JsonObject } from './jsonReader';

/** A problem with its place in the file. */
export interface FleetFileProblem extends Problem {
  /** Zero-based, as editors count. */
  readonly line: number;
  readonly column: number;
}

/** What `.vscode/agents.json` asks for. With problems, `agents` and `types` hold only what is right; nothing of it should be started then. */
export interface FleetFile {
  readonly agents: readonly AgentSpec[];
  /** Types that the file brings along. Not to be registered before the agents that use them were approved. */
  readonly types: readonly AgentType[];
  readonly problems: readonly FleetFileProblem[];
}

export interface FleetFileContext {
  /** Absolute folder that relative folders are seen from and must stay inside. */
  readonly workspaceFolder: string;
  /** Ids that agents may use besides the file's own types; a type of the file must not take one of them. */
  readonly knownTypes: readonly string[];
}

/** 1 MiB: no fleet is that large, and everything in it is read by a person. */
const MAX_LENGTH = 1_048_576;
const MAX_AGENTS = 200;
const NEEDED = 'the file needs an object { } with "agents", a list [ ]';
const EMPTY = `the file is empty: ${NEEDED}; Create Fleet File writes a first one`;
const NO_AGENTS = `the file has no agents: ${NEEDED}`;
const LIST = `the file is a list [ ], which belongs into "agents": write { "agents": [ … ] }`;
const NO_OBJECT = `the file is no object: ${NEEDED}`;
/** As an agent's spec, but for the name of its type. */
const AGENT_PROPERTIES = SPEC_PROPERTIES.map((key) => (key === 'typeId' ? 'type' : key));

/** Reads the fleet file (JSON with comments) and reports everything that is wrong with it. Never throws, starts nothing. */
export function parseFleetFile(text: string, context: FleetFileContext): FleetFile {
  if (text.length > MAX_LENGTH)
    return { agents: [], types: [], problems: [{ path: '', message: 'is larger than 1 MiB', line: 0, column: 0 }] };
  const errors: ParseError[] = [];
  if (isBlank(text)) {
    const message = text.trim() === '' ? EMPTY : NO_AGENTS;
    return { agents: [], types: [], problems: [{ path: '', message, line: 0, column: 0 }] };
  }
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false, allowEmptyContent: false });
  const syntax = syntaxProblems(text, errors).map(({ message, offset }) => ({
    path: '',
    message,
    ...position(text, offset),
  }));
  if (!root || syntax.length > 0) return { agents: [], types: [], problems: syntax };
  const reader = new FleetReader(context);
  reader.read(getNodeValue(root));
  const problems = reader.json.problems.map((problem) => ({
    ...problem,
    ...position(text, nodeAt(root, problem.path).offset),
  }));
  return { agents: reader.agents, types: reader.types, problems };
}

/** The same for callers without another way to report. @throws {AgentError} agent.fleetInvalid, with all problems */
export function requireFleetFile(text: string, context: FleetFileContext): FleetFile {
  const file = parseFleetFile(text, context);
  const first = file.problems[0];
  if (!first) return file;
  throw new AgentError(
    'agent.fleetInvalid',
    `line ${first.line + 1}, column ${first.column + 1}: ${first.path === '' ? '' : `${first.path} `}${first.message}`,
    {
      problems: file.problems,
    },
  );
}

class FleetReader {
  readonly json = new JsonReader();
  readonly agents: AgentSpec[] = [];
  readonly types: AgentType[] = [];

  constructor(private readonly context: FleetFileContext) {}

  read(value: unknown): undefined {
    if (!isJsonObject(value)) return this.json.report('', Array.isArray(value) ? LIST : NO_OBJECT);
    const object = value;
    this.json.onlyKnown(object, '', ['$schema', 'version', 'agents', 'types']);
    if (object['version'] !== undefined && object['version'] !== 1) this.json.report('version', 'must be 1');
    this.json.array(object['types'] ?? [], 'types', 50, (item, path) => this.#type(item, path));
    if (object['agents'] === undefined) this.json.report('', `has no "agents": ${NEEDED}`);
    else this.json.array(object['agents'], 'agents', MAX_AGENTS, (item, path) => this.#agent(item, path));
  }

  #type(item: unknown, path: string): undefined {
    const result = parseAgentType(item, path);
    if (!result.ok) this.json.problems.push(...result.problems);
    else if (this.#typeIds().includes(result.type.id))
      this.json.report(join(path, 'id'), `"${result.type.id}" is in use`);
    else this.types.push(result.type);
  }

  #agent(item: unknown, path: string): undefined {
    const object = this.json.object(item, path);
    if (!object) return;
    this.json.onlyKnown(object, path, AGENT_PROPERTIES);
    const folder = this.#folder(object, path);
    const typeId = this.json.string(object['type'], join(path, 'type'), { maxLength: 41 });
    const rest = Object.fromEntries(
      AGENT_PROPERTIES.filter((key) => key !== 'type' && key !== 'folder' && object[key] !== undefined).map((key) => [
        key,
        object[key],
      ]),
    );
    const result = parseAgentSpec({ ...rest, typeId: typeId ?? 'x', folder: folder ?? '/' }, path);
    if (!result.ok) {
      this.json.problems.push(...result.problems);
      return;
    }
    if (typeId === undefined || folder === undefined) return;
    const { spec } = result;
    if (!this.#typeIds().includes(typeId) && !this.#isBroken(typeId))
      this.json.report(join(path, 'type'), `no agent type "${typeId}"; there are: ${this.#typeIds().join(', ')}`);
    if (this.agents.some((other) => nameKey(other.name) === nameKey(spec.name)))
      this.json.report(join(path, 'name'), `"${spec.name}" is used twice`);
    if (typeId === 'command' && spec.command === undefined)
      this.json.report(path, 'must have "command" (type "command")');
    this.agents.push(spec);
  }

  /** Relative folders stay inside the workspace; absolute ones are allowed, since the approval names them. */
  #folder(object: JsonObject, path: string): string | undefined {
    const at = join(path, 'folder');
    if (object['folder'] === undefined) return this.context.workspaceFolder;
    const folder = this.json.string(object['folder'], at, { maxLength: 4096 });
    if (folder === undefined) return undefined;
    if (folder.startsWith('/')) return normalise(folder) ?? this.json.report(at, 'must be a folder');
    if (folder.startsWith('~'))
      return this.json.report(at, 'must be absolute or relative to the workspace; "~" is not expanded');
    const inside = normalise(`/${folder.replaceAll('\\', '/')}`);
    if (inside === undefined || folder.includes('\\'))
      return this.json.report(at, 'must stay inside the workspace and use "/"');
    return inside === '/'
      ? this.context.workspaceFolder
      : `${this.context.workspaceFolder.replace(/\/$/, '')}${inside}`;
  }

  #typeIds(): readonly string[] {
    return [...this.context.knownTypes, ...this.types.map((type) => type.id)];
  }

  /** A type of the file with problems is not there, but its agents are not to blame. */
  #isBroken(typeId: string): boolean {
    return this.json.problems.some((problem) => problem.path.startsWith('types[')) && typeId !== '';
  }
}

/** Resolves `.` and `..` of an absolute path; undefined when it leads above the root. */
function normalise(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return `/${parts.join('/')}`;
}

/** Nothing but blanks and comments. */
function isBlank(text: string): boolean {
  return stripComments(text).trim() === '';
}

/** The node of a problem's path, or the nearest one above that exists. */
function nodeAt(root: Node, path: string): Node {
  const segments = [...path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map((match) =>
    match[1] !== undefined ? Number(match[1]) : (match[2] ?? match[3] ?? ''),
  );
  for (let length = segments.length; length > 0; length--) {
    const node = findNodeAtLocation(root, segments.slice(0, length));
    if (node)
      return node.parent?.type === 'property' && length === segments.length
        ? (node.parent.children?.[0] ?? node)
        : node;
  }
  return root;
}

function position(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length - 1;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) };
}

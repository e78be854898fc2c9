import * as vscode from 'vscode';
import type { AgentSpec } from '../../core/agents/agent';
import type { AgentTypeInfo, Engine } from '../../core/engine';
import { withoutIcons } from '../plainText';
import { askChoice, askText, Back, Cancel, type StepEnd } from './multiStepInput';
import { freeName, nameProblem } from './agentName';
import { showVector, splitCommandLine } from './splitCommandLine';

const TITLE = 'Start Agent';

/** What was answered so far; going back keeps it. */
interface Draft {
  type?: AgentTypeInfo;
  commandLine?: string;
  name?: string;
  folder?: string;
  firstPrompt?: string;
}

type Step = (
  draft: Draft,
  place: { readonly step: number; readonly totalSteps?: number },
) => Promise<StepEnd | undefined>;

/** Type, command line (only for the type that needs one), name, folder, first prompt. Starts nothing itself. */
export class StartAgentDialog {
  constructor(private readonly engine: Engine) {}

  /** Undefined when cancelled. */
  async run(): Promise<AgentSpec | undefined> {
    const draft: Draft = {};
    for (let index = 0; ;) {
      const steps = this.#steps(draft);
      const step = steps[index];
      if (!step) return specOf(draft);
      // How many questions there are depends on the type: nothing is promised before it is chosen.
      const end = await step(draft, { step: index + 1, ...(index === 0 ? {} : { totalSteps: steps.length }) });
      if (end === Cancel) return undefined;
      index += end === Back ? -1 : 1;
    }
  }

  #steps(draft: Draft): readonly Step[] {
    const steps: Step[] = [this.#askType];
    if (draft.type?.needsCommand) steps.push(this.#askCommand);
    steps.push(this.#askName, this.#askFolder);
    if (draft.type?.canReceivePrompts ?? true) steps.push(this.#askFirstPrompt);
    return steps;
  }

  #askType: Step = async (draft, place) => {
    const types = [...this.engine.agentTypes].sort(
      (a, b) => availabilityOrder[a.availability] - availabilityOrder[b.availability],
    );
    const items = types.map((type) => ({
      label: withoutIcons(type.label),
      description: withoutIcons(type.description),
      ...(isMissing(type) ? { detail: withoutIcons(`Not found. ${type.installHint}`) } : {}),
      iconPath: new vscode.ThemeIcon(type.icon),
      type,
    }));
    const active = items.find((item) => item.type.id === draft.type?.id);
    const answer = await askChoice({ ...place, title: TITLE, items, placeholder: 'What kind of agent?', active });
    if (answer === Back || answer === Cancel) return answer;
    if (answer.type.id !== draft.type?.id) delete draft.name;
    draft.type = answer.type;
    return undefined;
  };

  #askCommand: Step = async (draft, place) => {
    const answer = await askText({
      ...place,
      title: TITLE,
      prompt:
        'The program and its arguments. No shell is involved: variables, pipes and wildcards are ordinary characters.',
      placeholder: 'python3 "my agent.py" --verbose',
      value: draft.commandLine ?? '',
      check: (text) => {
        const split = splitCommandLine(text);
        if (!split.ok) return { severity: 'error', message: split.problem };
        return { severity: 'info', message: `Runs: ${showVector(split.argv)}` };
      },
    });
    if (answer === Back || answer === Cancel) return answer;
    draft.commandLine = answer;
    return undefined;
  };

  #askName: Step = async (draft, place) => {
    const taken = this.engine.agents.map((agent) => agent.name);
    const answer = await askText({
      ...place,
      title: TITLE,
      prompt: 'What is the agent called?',
      value: draft.name ?? freeName(draft.type?.label ?? 'Agent', taken),
      check: (text) => {
        const problem = nameProblem(text, taken);
        return problem === undefined ? undefined : { severity: 'error', message: problem };
      },
    });
    if (answer === Back || answer === Cancel) return answer;
    draft.name = answer.trim();
    return undefined;
  };

  #askFolder: Step = async (draft, place) => {
    const items = folderItems(this.engine);
    const active = items.find((item) => item.folder !== undefined && item.folder === draft.folder);
    for (;;) {
      const answer = await askChoice({ ...place, title: TITLE, items, placeholder: 'Where does it work?', active });
      if (answer === Back || answer === Cancel) return answer;
      const folder = answer.folder ?? (await browse());
      if (folder === undefined) continue; // the file dialog was cancelled: ask again
      draft.folder = folder;
      return undefined;
    }
  };

  #askFirstPrompt: Step = async (draft, place) => {
    const answer = await askText({
      ...place,
      title: TITLE,
      prompt:
        'First prompt, sent when the agent is ready, and again when it is restarted. Leave it empty to send nothing.',
      placeholder: 'Review the last commit',
      value: draft.firstPrompt ?? '',
      check: () => undefined,
    });
    if (answer === Back || answer === Cancel) return answer;
    draft.firstPrompt = answer;
    return undefined;
  };
}

/** What surely works comes first; the order within stays. */
const availabilityOrder: Record<AgentTypeInfo['availability'], number> = { installed: 0, unknown: 1, missing: 2 };

function isMissing(type: AgentTypeInfo): boolean {
  return type.availability === 'missing';
}

function specOf(draft: Draft): AgentSpec | undefined {
  const { type, name, folder } = draft;
  if (!type || name === undefined || folder === undefined) return undefined; // every path through the steps sets them
  const split = type.needsCommand ? splitCommandLine(draft.commandLine ?? '') : undefined;
  const firstPrompt = type.canReceivePrompts ? (draft.firstPrompt ?? '').trim() : '';
  return {
    name,
    typeId: type.id,
    folder,
    ...(split?.ok ? { command: split.argv } : {}),
    ...(firstPrompt === '' ? {} : { firstPrompt }),
  };
}

interface FolderItem extends vscode.QuickPickItem {
  /** Undefined: browse. */
  readonly folder?: string;
}

function folderItems(engine: Engine): readonly FolderItem[] {
  const workspace = (vscode.workspace.workspaceFolders ?? [])
    .filter((folder) => folder.uri.scheme === 'file')
    .map((folder) => ({ label: folder.name, folder: folder.uri.fsPath }));
  const known = new Set(workspace.map(({ folder }) => folder));
  const used = [...new Set(engine.agents.map((agent) => agent.folder))]
    .filter((folder) => !known.has(folder))
    .map((folder) => ({ label: folder.split('/').at(-1) || folder, folder }));
  return [
    ...[...workspace, ...used].map(({ label, folder }) => ({
      label: withoutIcons(label),
      description: withoutIcons(folder),
      iconPath: vscode.ThemeIcon.Folder,
      folder,
    })),
    { label: 'Browse…', iconPath: new vscode.ThemeIcon('folder-opened') },
  ];
}

async function browse(): Promise<string | undefined> {
  const picked = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: 'Use This Folder',
    title: TITLE,
  });
  return picked?.[0]?.fsPath;
}

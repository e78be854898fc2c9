import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import { type Disposable, DisposableStore } from '../../core/base/disposable';
import { Emitter } from '../../core/base/event';
import { ignore, type Logger } from '../../core/base/log';
import type { AgentView, AgentViewChange, Engine, EngineStatus } from '../../core/engine';
import type { LiveSettings } from '../liveSettings';
import { TerminalPlace } from '../settings';
import { WindowError } from '../windowErrors';
import { isOnlyLooking } from '../commands/control';
import { type Attachment, attachmentOf, terminalName } from './attachment';
import { TerminalReturns } from './terminalReturns';

/** Where a terminal stood. */
interface Place {
  /** Undefined: in the panel. */
  readonly column?: vscode.ViewColumn;
  /** In the editor area, behind something else. */
  readonly isCovered: boolean;
  /** It was the one that is looked at. */
  readonly wasInFront: boolean;
}

/**
 * Terminals that look at agents: at most one per agent in this window. VS Code runs the tmux client, so a terminal
 * outlives the extension host and comes back after a reload; it is then recognised by the client's process id. Closing
 * one detaches: the agent does not notice.
 */
export class AgentTerminals implements Disposable {
  readonly #terminals = new Map<AgentId, vscode.Terminal>();
  readonly #editorTerminals = new WeakSet<vscode.Terminal>();
  /** Opened while this window only looked. */
  readonly #readOnlyTerminals = new WeakSet<vscode.Terminal>();
  /** Generation of the run that each shows. */
  readonly #generations = new WeakMap<vscode.Terminal, number>();
  readonly #returns = new TerminalReturns<Place>();
  /** Where terminals stood when their agents changed last: of one that has ended VS Code does not tell it. */
  readonly #places = new Map<AgentId, Place>();
  readonly #store = new DisposableStore();
  readonly #onDidLeave: Emitter<void>;
  /** The person has turned to another terminal, or to a text editor. */
  readonly onDidLeave;

  constructor(
    private readonly engine: Engine,
    private readonly settings: LiveSettings,
    private readonly log: Logger,
  ) {
    this.#onDidLeave = this.#store.add(new Emitter<void>((error) => log.error('listener of terminals', { error })));
    this.onDidLeave = this.#onDidLeave.event;
    const leave = (): void => this.#onDidLeave.fire();
    this.#store.add(vscode.window.onDidChangeActiveTerminal(leave));
    this.#store.add(vscode.window.onDidChangeActiveTextEditor((editor) => editor && leave()));
    this.#store.add(vscode.window.onDidChangeTextEditorSelection(({ kind }) => kind !== undefined && leave()));
    this.#store.add(vscode.window.onDidCloseTerminal((terminal) => this.#onDidClose(terminal)));
    this.#store.add(engine.onDidChangeAgent((change) => this.#onAgent(change)));
    this.#store.add(vscode.window.onDidOpenTerminal(() => void this.adopt()));
    this.#store.add(
      engine.onDidChangeStatus((status) => {
        if (canAdopt.has(status.kind)) void this.adopt();
      }),
    );
  }

  /** Shows the agent's terminal, opening one where the setting says when there is none. @throws {WindowError} window.unknownAgent; {TmuxError} */
  async attach(id: AgentId): Promise<vscode.Terminal> {
    const terminal = (await this.#existing(id)) ?? (await this.#create(id, this.settings.current.terminalPlace));
    terminal.show();
    return terminal;
  }

  /** Shows the agent in the editor area, beside what is there. A terminal in the panel moves: it is attached anew. */
  async attachBeside(id: AgentId): Promise<vscode.Terminal> {
    const existing = await this.#existing(id);
    if (existing && (this.#editorTerminals.has(existing) || editorColumnOf(existing) !== undefined)) {
      existing.show();
      return existing;
    }
    const terminal = await this.#create(id, TerminalPlace.Beside);
    terminal.show();
    existing?.dispose();
    return terminal;
  }

  /** What a terminal that attaches to the agent is made from. @throws {WindowError} window.unknownAgent; {TmuxError} */
  async options(id: AgentId): Promise<vscode.TerminalOptions> {
    return optionsOf(viewOf(this.engine, id), await attachmentOf(this.engine, id));
  }

  /** The agent that the person looks at now in a terminal, if any. */
  get watched(): AgentId | undefined {
    const active = vscode.window.activeTerminal;
    return [...this.#terminals].find(([, terminal]) => terminal === active)?.[0];
  }

  /** How many agents have a terminal in this window. */
  get count(): number {
    return this.#terminals.size;
  }

  /** Recognises terminals that are attached already: after a reload or crash, or opened from the profile. Never rejects. */
  async adopt(): Promise<void> {
    if (!canAdopt.has(this.engine.status.kind)) return;
    try {
      const clients = await this.engine.attachedClients();
      for (const terminal of vscode.window.terminals) {
        const id = clients.get((await terminal.processId) ?? -1);
        if (id === undefined || this.#terminals.has(id) || !isOpen(terminal)) continue;
        this.#set(id, terminal);
        if (isOnlyLooking(this.engine.status)) this.#readOnlyTerminals.add(terminal);
      }
    } catch (error) {
      ignore(this.log, error, 'terminals are recognised at the next chance');
    }
  }

  dispose(): void {
    this.#store.dispose();
    this.#terminals.clear();
  }

  async #existing(id: AgentId): Promise<vscode.Terminal | undefined> {
    if (!this.#terminals.has(id)) await this.adopt();
    const terminal = this.#terminals.get(id);
    if (!terminal || !this.#readOnlyTerminals.has(terminal) || isOnlyLooking(this.engine.status)) return terminal;
    if ((await attachmentOf(this.engine, id)).isReadOnly) return terminal;
    this.#forget(terminal); // this window may act on the agent by now: attach anew, so that the person can type
    terminal.dispose();
    return undefined;
  }

  async #create(id: AgentId, place: TerminalPlace, column?: vscode.ViewColumn): Promise<vscode.Terminal> {
    const view = viewOf(this.engine, id);
    const attachment = await attachmentOf(this.engine, id);
    const present = this.#terminals.get(id);
    if (present && place !== TerminalPlace.Beside) return present; // opened while we asked
    const location = column === undefined ? locationOf(place) : { viewColumn: column, preserveFocus: true };
    const terminal = vscode.window.createTerminal({ ...optionsOf(view, attachment), location });
    if (attachment.isReadOnly) this.#readOnlyTerminals.add(terminal);
    if (place !== TerminalPlace.Panel) this.#editorTerminals.add(terminal);
    this.#set(id, terminal);
    return terminal;
  }

  #set(id: AgentId, terminal: vscode.Terminal): void {
    this.#terminals.set(id, terminal);
    this.#generations.set(terminal, this.engine.agent(id)?.generation ?? 0);
    this.#returns.forget(id);
  }

  #onAgent({ id, view, previous }: AgentViewChange): void {
    if (!view) {
      this.#returns.forget(id);
      this.#places.delete(id);
      return;
    }
    if (view.lifecycle === previous?.lifecycle && view.pid === previous.pid) return;
    const terminal = this.#terminals.get(id);
    if (terminal) this.#places.set(id, placeOf(terminal));
    void this.#bringBack(view);
  }

  /** Ended by itself, it comes back for the agent's next run, where it stood. */
  #onDidClose(terminal: vscode.Terminal): void {
    const [id] = [...this.#terminals].find(([, known]) => known === terminal) ?? [];
    this.#forget(terminal);
    const view = id === undefined ? undefined : this.engine.agent(id);
    // A terminal that somebody closes has no code; VS Code (1.139) says `User` as the reason of every one in the editor area.
    if (!view || terminal.exitStatus?.code !== 0) return;
    const place = this.#places.get(view.id) ?? placeOf(terminal);
    this.#returns.note(view, this.#generations.get(terminal) ?? view.generation, place);
    void this.#bringBack(view);
  }

  async #bringBack(view: AgentView): Promise<void> {
    const place = this.#returns.take(view);
    if (!place || this.#terminals.has(view.id)) return;
    try {
      const where = place.column === undefined ? TerminalPlace.Panel : TerminalPlace.Editor;
      const terminal = await this.#create(view.id, where, place.column);
      if (place.wasInFront) terminal.show(true);
    } catch (error) {
      ignore(this.log, error, 'a terminal that went with a run is not brought back');
    }
  }

  #forget(closed: vscode.Terminal): void {
    for (const [id, terminal] of this.#terminals) if (terminal === closed) this.#terminals.delete(id);
  }
}

/** While the engine sees tmux. */
const canAdopt: ReadonlySet<EngineStatus['kind']> = new Set<EngineStatus['kind']>(['ready', 'following', 'restricted']);

function isOpen(terminal: vscode.Terminal): boolean {
  return terminal.exitStatus === undefined;
}

/**
 * The column of one that stands in the editor area, also of one that VS Code brought back after a reload: tabs do not name their terminal,
 * but are labelled with its name. A person who renames a tab gets a new terminal once.
 */
export function editorColumnOf(terminal: vscode.Terminal): vscode.ViewColumn | undefined {
  return tabOf(terminal)?.group.viewColumn;
}

function tabOf(terminal: vscode.Terminal): vscode.Tab | undefined {
  const isIts = ({ input, label }: vscode.Tab): boolean =>
    input instanceof vscode.TabInputTerminal && label === terminal.name;
  return vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).find(isIts);
}

function placeOf(terminal: vscode.Terminal): Place {
  const tab = tabOf(terminal);
  const isCovered = tab !== undefined && !tab.isActive;
  return {
    ...(tab && { column: tab.group.viewColumn }),
    isCovered,
    wasInFront: terminal === vscode.window.activeTerminal,
  };
}

function optionsOf(view: AgentView, { program, args, isReadOnly }: Attachment): vscode.TerminalOptions {
  return {
    name: terminalName(view.name, isReadOnly),
    shellPath: program,
    shellArgs: [...args],
    iconPath: new vscode.ThemeIcon(view.typeIcon || 'robot'),
    env: { TMUX: null, TMUX_PANE: null }, // else tmux thinks it runs inside itself
  };
}

function locationOf(place: TerminalPlace): vscode.TerminalLocation | vscode.TerminalEditorLocationOptions {
  if (place === TerminalPlace.Panel) return vscode.TerminalLocation.Panel;
  return { viewColumn: place === TerminalPlace.Beside ? besideColumn() : vscode.ViewColumn.Active };
}

/** Beside the active editor; where nothing is open, there is nothing to stand beside. */
export function besideColumn(): vscode.ViewColumn {
  const isEmpty = vscode.window.tabGroups.activeTabGroup.tabs.length === 0;
  return isEmpty ? vscode.ViewColumn.Active : vscode.ViewColumn.Beside;
}

/** @throws {WindowError} window.unknownAgent */
export function viewOf(engine: Engine, id: AgentId): AgentView {
  const view = engine.agent(id);
  if (!view) throw new WindowError('window.unknownAgent', id);
  return view;
}

import * as vscode from 'vscode';
import type { Disposable } from '../../core/base/disposable';
import type { AgentPicker } from '../commands/agentPicker';
import { COMMAND_TITLES } from '../commandTitles';
import { CommandId, TERMINAL_PROFILE_ID } from '../manifest';
import type { AgentTerminals } from './agentTerminals';

/** "Agent (tmux)" in the list of terminal profiles: picks an agent, attaches to it. */
export function registerTerminalProfile(picker: AgentPicker, terminals: AgentTerminals): Disposable {
  return vscode.window.registerTerminalProfileProvider(TERMINAL_PROFILE_ID, {
    provideTerminalProfile: async () => {
      const id = await picker.pickOne(COMMAND_TITLES[CommandId.AttachAgent], (agent) => agent.isAttachable);
      if (id === undefined) return undefined;
      const options = await terminals.options(id);
      showOnce(options.name);
      return new vscode.TerminalProfile(options);
    },
  });
}

/** VS Code (1.139) makes the terminal of a contributed profile without opening the panel it lies in. */
function showOnce(name: string | undefined): void {
  const opening = vscode.window.onDidOpenTerminal((terminal) => {
    opening.dispose();
    if (terminal.name === name) terminal.show();
  });
}

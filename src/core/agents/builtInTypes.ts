import type { AgentType } from './agentType';
import { requireAgentType } from './agentTypeParser';
import aider from './types/aider.json';
import claudeCode from './types/claude-code.json';
import codex from './types/codex.json';
import command from './types/command.json';
import copilot from './types/copilot.json';
import cursorAgent from './types/cursor-agent.json';
import demo from './types/demo.json';
import gemini from './types/gemini.json';
import opencode from './types/opencode.json';
import shell from './types/shell.json';

/** The manifests that ship with the product, in the order in which people see them. They pass the same checks as foreign ones. */
export function builtInTypes(): readonly AgentType[] {
  return [claudeCode, codex, gemini, opencode, aider, copilot, cursorAgent, shell, command, demo].map(requireAgentType);
}

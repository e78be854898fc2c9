import { isAgentId, type AgentId } from '../agents/agent';
import type { ExitCause } from '../agents/agentState';

/** The name of the file in which a launch script leaves its agent's exit code. */
export function exitFileName(agentId: AgentId, generation: number): string {
  return `${agentId}.${generation}`;
}

/** Undefined for temporary and foreign files. */
export function parseExitFileName(
  name: string,
): { readonly agentId: AgentId; readonly generation: number } | undefined {
  const match = /^([^.]+)\.(\d{1,15})$/.exec(name);
  const agentId = match?.[1] ?? '';
  return isAgentId(agentId) ? { agentId, generation: Number(match?.[2]) } : undefined;
}

/** Undefined while the file is not complete (it ends with a line break). */
export function parseExitFile(
  content: string,
  signalName: (signal: number) => string | undefined,
): ExitCause | undefined {
  const match = /^(\d{1,3})\n$/.exec(content);
  return match ? causeOfCode(Number(match[1]), signalName) : undefined;
}

/**
 * A shell reports death by signal n as 128+n (POSIX, 2.8.2), so a program that itself exits with such a code cannot be told
 * from one that was killed; a number that is no signal stays a code.
 */
export function causeOfCode(code: number, signalName: (signal: number) => string | undefined): ExitCause {
  const signal = code > 128 ? signalName(code - 128) : undefined;
  return signal === undefined ? { code } : { signal };
}

/**
 * The cause a dead pane shows. tmux has it only once it has seen the process end; before, both are empty: undefined, never 0.
 * `deadSignal` is a number or a name without SIG (tmux 3.3a: a number).
 */
export function causeOfPane(
  deadStatus: string,
  deadSignal: string,
  signalName: (signal: number) => string | undefined,
): ExitCause | undefined {
  if (/^\d+$/.test(deadSignal)) return { signal: signalName(Number(deadSignal)) ?? `SIG${deadSignal}` };
  if (/^[A-Za-z][A-Za-z0-9+-]*$/.test(deadSignal))
    return { signal: `SIG${deadSignal.toUpperCase().replace(/^SIG/, '')}` };
  return /^\d+$/.test(deadStatus) ? causeOfCode(Number(deadStatus), signalName) : undefined;
}

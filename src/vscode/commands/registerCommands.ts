import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../core/base/disposable';
import type { Logger } from '../../core/base/log';
import type { CommandId, CommandTypes } from '../manifest';
import type { Reporter } from '../reporter';
import { markLostRow } from './agentTargets';
import type { ConsentGate } from './consentGate';

/** Handlers by command id. Each: reads its arguments, calls the engine once, tells the result. */
export type CommandHandlers = Partial<CommandTypes>;

/**
 * Registers each handler behind the gate, which decides about what it is given. What it throws is logged and shown, and never reaches
 * VS Code as a rejection.
 */
export function registerCommands(
  handlers: CommandHandlers,
  gate: ConsentGate,
  log: Logger,
  reporter: Reporter,
): Disposable {
  const store = new DisposableStore();
  for (const [id, handler] of Object.entries(handlers)) {
    store.add(vscode.commands.registerCommand(id, runner(id as CommandId, handler as AnyHandler, gate, log, reporter))); // VS Code passes what it likes: every handler checks its arguments
  }
  return store;
}

type AnyHandler = (...args: unknown[]) => Promise<unknown>;

function runner(id: CommandId, handler: AnyHandler, gate: ConsentGate, log: Logger, reporter: Reporter): AnyHandler {
  return async (...args) => {
    log.debug('command', { id });
    try {
      const admitted = await gate.admit(id, args);
      return admitted && (await handler(...markLostRow(admitted)));
    } catch (error) {
      reporter.failure(titleOf(id), error);
      return undefined;
    }
  };
}

/** `coreOrchestrator.stopAgent` → `stop agent`. */
function titleOf(id: string): string {
  return id
    .slice(id.indexOf('.') + 1)
    .replace(/([A-Z])/g, ' $1')
    .toLowerCase();
}

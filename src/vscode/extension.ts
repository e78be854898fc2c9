import * as vscode from 'vscode';
import { SystemClock } from '../core/base/clock';
import { describeError } from '../core/base/errors';
import type { Logger } from '../core/base/log';
import type { Engine } from '../core/engine';
import { type Api, createApi } from './api';
import { composeEngine } from './compose';
import { createWindow, type WindowParts } from './contributions';
import { LiveSettings } from './liveSettings';
import { ChannelLogger } from './log';
import type { Memory } from './notices/windowPort';
import { gateByTrust } from './trustGate';
import { markSeen, takeAbsence } from './window/absence';

/** What `deactivate` needs of `activate`: VS Code calls both as plain functions. */
let session: { readonly engine: Engine; readonly end: () => void } | undefined;

/** For our own suite in the extension host only; undefined for everybody else. */
export interface TestAccess {
  readonly engine: Engine;
  readonly window: WindowParts;
  /** How long `activate` took. */
  readonly activationMs: number;
}

/** Registers everything and returns; the engine starts afterwards. */
export function activate(context: vscode.ExtensionContext): Api & { readonly forTests?: TestAccess } {
  const channel = vscode.window.createOutputChannel('Core Orchestrator', { log: true });
  const log = new ChannelLogger(channel);
  const clock = new SystemClock();
  const startedMs = clock.monotonicMs();
  const settings = new LiveSettings((error) => log.error('settings listener', { error: describeError(error) }));
  const engine = composeEngine(context, log, () => settings.current);
  const gated = gateByTrust(engine, () => vscode.workspace.isTrusted);
  const memory = memoryOn(context.workspaceState, log);
  const window = createWindow({
    engine: gated,
    settings,
    clock,
    log,
    channel,
    extensionVersion: String((context.extension.packageJSON as { version?: unknown }).version), // package.json has it: VS Code would not load us else
    globalMemory: memoryOn(context.globalState, log),
    wasAway: takeAbsence(memory, clock.nowMs()),
  });
  context.subscriptions.push(channel, settings, engine);
  for (const contribution of window.contributions) context.subscriptions.push(contribution.register());
  session = { engine, end: () => markSeen(memory, clock.nowMs()) };
  startWhenTrusted(context, engine, window, log);
  const api = createApi(gated, () => settings.current.isApiWriteAllowed);
  if (context.extensionMode !== vscode.ExtensionMode.Test) return api;
  return { ...api, forTests: { engine: gated, window, activationMs: clock.monotonicMs() - startedMs } };
}

/** Leaves the agents running. Well under the 5 s that VS Code gives. */
export async function deactivate(): Promise<void> {
  const ending = session;
  session = undefined;
  ending?.end();
  await ending?.engine.stop();
}

/**
 * In Restricted Mode no process is started and no file written by itself: the engine waits for trust, or for a person
 * who asks to watch (S1).
 */
function startWhenTrusted(context: vscode.ExtensionContext, engine: Engine, { facts }: WindowParts, log: Logger): void {
  const start = (): void => {
    setImmediate(() => {
      void facts.lookForFleetFile();
      if (process.platform !== 'win32')
        engine.start().catch((error: unknown) => log.error('start', { error: describeError(error) }));
    });
  };
  if (vscode.workspace.isTrusted) start();
  context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(start));
}

function memoryOn(memento: vscode.Memento, log: Logger): Memory {
  return {
    get: (key) => memento.get(key),
    set: (key, value) => {
      memento
        .update(key, value)
        .then(undefined, (error: unknown) => log.debug('not remembered', { key, error: describeError(error) }));
    },
  };
}

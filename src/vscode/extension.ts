import * as vscode from 'vscode';
import { SystemClock } from '../core/base/clock';
import { describeError } from '../core/base/errors';
import type { Logger } from '../core/base/log';
import type { Engine } from '../core/engine';
import { keepSettingsTypes } from './agents/settingsTypes';
import { type Api, createApi } from './api';
import { composeEngine, composeHostKeeper } from './compose';
import { createWindow, type WindowParts } from './contributions';
import { LiveSettings } from './liveSettings';
import { ChannelLogger } from './log';
import type { Memory } from './notices/windowPort';
import { gateByTrust } from './trustGate';
import { AbsenceMark } from './window/absence';
import { canRunAgents, windowStorageFolder } from './window/workplace';

/** What `deactivate` needs of `activate`: VS Code calls both as plain functions. */
let session: { readonly engine: Engine; readonly leave: () => Promise<void> } | undefined;

/** For our own suite in the extension host only; undefined for everybody else. */
export interface TestAccess {
  readonly engine: Engine;
  readonly window: WindowParts;
}

/** Registers everything and returns; the engine starts afterwards. */
export function activate(context: vscode.ExtensionContext): Api & { readonly forTests?: TestAccess } {
  const channel = vscode.window.createOutputChannel('Core Orchestrator', { log: true });
  const log = new ChannelLogger(channel);
  log.info('activating');
  const clock = new SystemClock();
  const settings = new LiveSettings((error) => log.error('settings listener', { error: describeError(error) }));
  const engine = composeEngine(context, log, () => settings.current);
  const gated = gateByTrust(engine, () => vscode.workspace.isTrusted);
  const absence = new AbsenceMark(windowStorageFolder(context.globalStorageUri.fsPath, workspaceUri()), log);
  const window = createWindow({
    engine: gated,
    settings,
    clock,
    log,
    channel,
    extensionVersion: String((context.extension.packageJSON as { version?: unknown }).version), // package.json has it: VS Code would not load us else
    globalMemory: memoryOn(context.globalState, log),
    workspaceMemory: memoryOn(context.workspaceState, log),
    start: () => startHere(engine),
    wasAway: () => absence.wasAway,
  });
  context.subscriptions.push(channel, settings, engine);
  for (const contribution of window.contributions) context.subscriptions.push(contribution.register());
  context.subscriptions.push(keepSettingsTypes(engine, settings, window.reporter, log));
  session = { engine, leave: async () => (mayWrite() ? absence.leave(clock.nowMs()) : undefined) };
  const keepHost = composeHostKeeper(context, log);
  startWhenTrusted(context, engine, window, () => absence.take(clock.nowMs()));
  context.subscriptions.push(
    settings.onDidChange((changed) => void (mayWrite() && keepHost(changed))),
    engine.onDidChangeStatus(({ kind }) => {
      // While it follows, too: what manages the agents may be the host, which makes way for a window.
      if ((kind === 'ready' || kind === 'following') && mayWrite()) void keepHost(settings.current);
    }),
  );
  const api = createApi(gated, () => settings.current.isApiWriteAllowed);
  if (context.extensionMode !== vscode.ExtensionMode.Test) return api;
  return { ...api, forTests: { engine: gated, window } };
}

/** Leaves the agents running. Well under the 5 s that VS Code gives. */
export async function deactivate(): Promise<void> {
  const ending = session;
  session = undefined;
  await Promise.all([ending?.leave(), ending?.engine.stop()]);
}

/**
 * In Restricted Mode no process is started and no file written by itself: the engine waits for trust, or for a person
 * who asks to watch (S1).
 */
function startWhenTrusted(
  context: vscode.ExtensionContext,
  engine: Engine,
  { facts }: WindowParts,
  prepare: () => Promise<void>,
): void {
  const begin = async (): Promise<void> => {
    await Promise.all([facts.lookForFleetFile(), mayWrite() ? prepare() : undefined]);
    await startHere(engine);
  };
  const start = (): void => void setImmediate(() => void begin());
  if (vscode.workspace.isTrusted) start();
  context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(start),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      if (engine.status.kind === 'stopped' && mayWrite()) start(); // a first real folder beside virtual ones
    }),
  );
}

/** Does nothing where agents cannot run. Never rejects. */
async function startHere(engine: Engine): Promise<void> {
  if (canRunHere()) await engine.start();
}

function canRunHere(): boolean {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return canRunAgents({ platform: process.platform, folderSchemes: folders.map((folder) => folder.uri.scheme) });
}

/** In Restricted Mode, and where nothing can run, nothing is written (S1). */
function mayWrite(): boolean {
  return vscode.workspace.isTrusted && canRunHere();
}

function workspaceUri(): string | undefined {
  const { workspaceFile, workspaceFolders } = vscode.workspace;
  return (workspaceFile ?? workspaceFolders?.[0]?.uri)?.toString();
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

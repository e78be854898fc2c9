import { posix } from 'node:path';
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../core/base/disposable';
import type { Logger } from '../../core/base/log';
import type { Engine } from '../../core/engine';
import { hasStoreLoss } from '../../core/storeDiagnosis';
import { isEnded, isLive } from '../agents/agentText';
import { canAct } from '../commands/control';
import { mayRestore } from '../commands/maintenanceDesk';
import { welcomeState } from '../agents/welcomeState';
import type { ContextKeySetter } from '../context';
import { FLEET_FILE } from '../manifest';
import { findFleetFiles } from '../fleet/fleetFiles';
import { isVirtualWorkspace } from './workplace';

/**
 * The fleet file and its folder: when a folder comes or goes together with what is in it, VS Code reports only the
 * folder.
 */
const FLEET_FILE_PATHS = `**/{${posix.dirname(FLEET_FILE)},${FLEET_FILE}}`;

/** Keeps the context keys true, which choose the welcome text and enable commands. Sets every key at once when made. */
export class WorkspaceFacts implements Disposable {
  readonly #store = new DisposableStore();
  #hasFleetFile = false;

  constructor(
    private readonly engine: Engine,
    private readonly keys: ContextKeySetter,
    private readonly log: Logger,
  ) {
    this.#update();
    this.#store.add(engine.onDidChangeAgent(() => this.#update()));
    this.#store.add(engine.onDidChangeStatus(() => this.#update()));
    this.#store.add(engine.onDidChangeNotices(() => this.#update()));
    this.#store.add(vscode.workspace.onDidGrantWorkspaceTrust(() => this.#update()));
    this.#store.add(vscode.workspace.onDidChangeWorkspaceFolders(() => void this.lookForFleetFile()));
    const watcher = this.#store.add(vscode.workspace.createFileSystemWatcher(FLEET_FILE_PATHS, false, true, false));
    this.#store.add(watcher.onDidCreate(() => void this.lookForFleetFile()));
    this.#store.add(watcher.onDidDelete(() => void this.lookForFleetFile()));
  }

  /** Reads from the disk, so it is not called while activating. Never rejects. */
  async lookForFleetFile(): Promise<void> {
    this.#hasFleetFile = (await findFleetFiles(this.log)).length > 0;
    if (!this.#store.isDisposed) this.#update();
  }

  dispose(): void {
    this.#store.dispose();
  }

  #update(): void {
    const { status, agents } = this.engine;
    const folders = vscode.workspace.workspaceFolders ?? [];
    this.keys.set(
      'coreOrchestrator.welcome',
      welcomeState({
        status,
        isWindows: process.platform === 'win32',
        isVirtualWorkspace: isVirtualWorkspace(folders.map((folder) => folder.uri.scheme)),
        isTrusted: vscode.workspace.isTrusted,
        hasFolder: folders.length > 0,
        hasFleetFile: this.#hasFleetFile,
      }),
    );
    this.keys.set('coreOrchestrator.hasAgents', agents.length > 0);
    this.keys.set('coreOrchestrator.canAct', canAct(status));
    this.keys.set('coreOrchestrator.canRestore', mayRestore(status));
    const isWaiting = agents.some((agent) => agent.needsYou !== undefined);
    this.keys.set('coreOrchestrator.hasWaitingAgents', isWaiting);
    this.keys.set('coreOrchestrator.hasLiveAgents', agents.some(isLive));
    this.keys.set(
      'coreOrchestrator.hasAttachableAgents',
      agents.some(({ isAttachable }) => isAttachable),
    );
    this.keys.set('coreOrchestrator.hasEndedAgents', agents.some(isEnded));
    this.keys.set('coreOrchestrator.hasBackoffAgents', agents.some(({ lifecycle }) => lifecycle === 'backoff')); // prettier-ignore
    this.keys.set(
      'coreOrchestrator.hasPausedAgents',
      agents.some(({ lifecycle }) => lifecycle === 'paused'),
    );
    this.keys.set('coreOrchestrator.hasQuarantinedAgents', agents.some(({ lifecycle }) => lifecycle === 'quarantined')); // prettier-ignore
    this.keys.set(
      'coreOrchestrator.hasResumableAgents',
      agents.some(({ isResumable }) => isResumable),
    );
    this.keys.set(
      'coreOrchestrator.hasRequests',
      agents.some(({ request }) => request !== undefined),
    );
    this.keys.set('coreOrchestrator.hasFleetFile', this.#hasFleetFile);
    this.keys.set('coreOrchestrator.hasStoreLoss', hasStoreLoss(this.engine.notices));
    this.keys.set('coreOrchestrator.canTakeOver', status.kind === 'following' && !status.isOwnerResponding);
  }
}

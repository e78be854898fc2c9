import type { AgentHost } from './agents/agentHost';
import type { PromptReceipt } from './agents/delivery/promptDelivery';
import type { AgentTypes } from './agentTypes';
import type { Disposable } from './base/disposable';
import { describeError } from './base/errors';
import type { Ownership, OwnerState } from './data/workspaceLock';
import type { Engine, EngineStatus } from './engine';
import type { EngineCalls } from './engineCalls';
import { type EngineParts, loadParts } from './engineParts';
import { FollowerSession } from './followerSession';
import type { NoticeBoard } from './monitoring/noticeBoard';
import type { OrchestratorPorts } from './orchestrator';
import { OwnerLink } from './ownerLink';
import type { OwnerSession as Session, SessionEnd } from './ownerSession';
import type { OutsideData } from './outsideData';
import type { ViewBoard } from './viewBoard';
import type { Workspace } from './workspace';

export interface EngineRunPorts extends OrchestratorPorts {
  readonly board: ViewBoard;
  readonly notices: NoticeBoard;
  readonly types: AgentTypes;
  readonly outside: OutsideData;
  /** The engine that runs: what the gateway hands calls to. */
  readonly engine: Engine;
  readonly onStatus: (status: EngineStatus) => void;
  readonly onReceipt: (receipt: PromptReceipt) => void;
  /** The owner's types came, changed or went. */
  readonly onTypes: () => void;
  readonly onWorkspace: (workspace: Workspace) => void;
  /** It cannot go on until a person acts. */
  readonly onBlocked: (error: unknown) => void;
}

/**
 * One run of the engine, from its start to its stop: decides with the other windows who owns the workspace, and is then the
 * owner's session or the follower's, one after the other.
 */
export class EngineRun implements Disposable {
  readonly #abort = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #owner: Session | undefined;
  #follower: FollowerSession | undefined;
  /** Who owns it, while that is somebody else. */
  #followed: OwnerState | undefined;
  #parts: EngineParts | undefined;
  #isDisposed = false;

  constructor(private readonly ports: EngineRunPorts) {}

  begin(): void {
    const { signal } = this.#abort;
    this.#done = this.#work(signal).catch((error: unknown) => {
      if (!signal.aborted) this.ports.onBlocked(error);
    });
  }

  /** Resolves when it has ended, whatever ended it; never rejects. */
  get done(): Promise<void> {
    return this.#done;
  }

  get owner(): Pick<Session, 'reopen'> | undefined {
    return this.#owner;
  }

  /** To the owner, while following. */
  get link(): OwnerLink | undefined {
    return this.#follower?.link;
  }

  /** The owner's own, or the owner's gateway while following. */
  get calls(): EngineCalls | undefined {
    return this.#owner?.calls ?? this.#follower?.calls;
  }

  get host(): AgentHost | undefined {
    return this.#owner?.host ?? this.#follower?.host;
  }

  /** Asks it to end politely. */
  abort(reason: Error): void {
    this.#abort.abort(reason);
  }

  /** Lets go of everything at once; agents keep running. */
  dispose(): void {
    this.#isDisposed = true;
    this.#owner?.dispose();
    this.#follower?.dispose();
    this.#owner = this.#follower = undefined;
  }

  /** Follows, owns, and follows again, until aborted. Rejects with what blocks the engine. */
  async #work(signal: AbortSignal): Promise<void> {
    const workspace = await this.ports.openWorkspace(signal);
    this.#parts = await loadParts();
    this.ports.onWorkspace(workspace);
    if (!this.ports.settings().isTrusted) return this.#watchOnly(workspace, signal);
    while (!signal.aborted) {
      const ownership = await this.#acquire(workspace, signal);
      if (!ownership) return;
      try {
        await this.#ownUntilLost(workspace, ownership, signal);
      } finally {
        ownership.release();
      }
    }
  }

  async #acquire(workspace: Workspace, signal: AbortSignal): Promise<Ownership | undefined> {
    try {
      return await workspace.lock.acquire((owner) => this.#follow(workspace, owner, signal), signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      this.#follower?.dispose();
      this.#follower = undefined;
      this.#followed = undefined;
    }
  }

  #follow(workspace: Workspace, owner: OwnerState, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#showFollowing(owner);
    if (this.#follower) this.#follower.ownerChanged();
    else
      this.#watch(
        workspace,
        signal,
        this.#createLink(workspace, () => this.#showFollowing()),
      );
  }

  #showFollowing(owner?: OwnerState): void {
    if (owner) this.#followed = owner;
    if (!this.#followed) return;
    const isOwnerResponding = this.#followed.kind === 'responding';
    const isConnected = isOwnerResponding && this.link?.remote !== undefined;
    this.#setStatus({ kind: 'following', ownerPid: this.#followed.pid, isOwnerResponding, isConnected });
  }

  #createLink(workspace: Workspace, onChange: () => void): OwnerLink {
    const { board, notices, onReceipt, onTypes, clock, log } = this.ports;
    return new OwnerLink({
      connect: async (signal) => {
        const client = await workspace.connectGateway(signal);
        const { RemoteEngine } = this.#parts ?? (await loadParts());
        return client && RemoteEngine.follow(client, log, signal);
      },
      board,
      notices,
      onReceipt,
      onTypes,
      onChange: () => {
        onChange();
        this.#follower?.ownerChanged();
      },
      clock,
      log,
    });
  }

  #watch(workspace: Workspace, signal: AbortSignal, link?: OwnerLink): void {
    if (this.#follower || signal.aborted) return;
    const { board, clock, log } = this.ports;
    const host = workspace.createHost('observer', () => false);
    this.#follower = new FollowerSession({ host, board, clock, log, ...(link && { link }) });
    this.#follower.start(signal).catch((error: unknown) => {
      if (!signal.aborted) log.warn('agents in tmux cannot be watched', { error: describeError(error) });
    });
  }

  /** Restricted Mode: what runs already is shown; nothing is started, typed or written. Ends with `signal`. */
  async #watchOnly(workspace: Workspace, signal: AbortSignal): Promise<void> {
    this.#setStatus({ kind: 'restricted' });
    this.#watch(workspace, signal);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#follower?.dispose();
    this.#follower = undefined;
  }

  /** Sessions of one ownership: one follows another when a person asks for it. */
  async #ownUntilLost(workspace: Workspace, ownership: Ownership, signal: AbortSignal): Promise<void> {
    let isLossAccepted = false;
    for (;;) {
      const end = await this.#own(workspace, ownership, isLossAccepted, signal);
      if (end.kind !== 'reopen') return;
      isLossAccepted = end.isLossAccepted;
    }
  }

  async #own(
    workspace: Workspace,
    ownership: Ownership,
    isLossAccepted: boolean,
    signal: AbortSignal,
  ): Promise<SessionEnd> {
    const { clock, ids, log, random, settings, board, notices, types, outside, engine, onReceipt } = this.ports;
    const { OwnerSession } = this.#parts ?? (await loadParts());
    const session: Session = new OwnerSession({
      workspace, ownership, isLossAccepted, clock, ids, log, random, settings,
      board, notices, types, outside, engine, onReceipt,
      onStatus: (status) => this.#setStatus(status),
    }); // prettier-ignore
    this.#owner = session;
    try {
      return await session.run(signal);
    } catch (error) {
      // Whoever lost the workspace while it was getting ready follows like everybody else.
      if (!signal.aborted && !ownership.isStillMine()) return { kind: 'lost' };
      throw error;
    } finally {
      await session.close();
      if (this.#owner === session) this.#owner = undefined;
    }
  }

  #setStatus(status: EngineStatus): void {
    if (!this.#isDisposed) this.ports.onStatus(status);
  }
}

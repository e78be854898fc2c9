import type { AgentRegistry } from './agents/agentRegistry';
import type { HookIntake, HookReport } from './agents/signals/hookReport';
import { AgentAccess } from './agentAccess';
import type { Clock } from './base/clock';
import { type Disposable, DisposableStore } from './base/disposable';
import { describeError } from './base/errors';
import type { Logger } from './base/log';
import type { Ownership } from './data/workspaceLock';
import type { Engine } from './engine';
import { Gateway } from './gateway/gateway';
import type { AlertSink } from './monitoring/alertSink';
import type { Workspace } from './workspace';

export interface OwnerDoorPorts {
  readonly workspace: Workspace;
  readonly ownership: Ownership;
  readonly registry: AgentRegistry;
  readonly hooks: HookIntake;
  readonly engine: Engine;
  readonly notices: AlertSink;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Fingerprint of the notice that neither hooks nor `orc` can reach the engine. */
export const GATEWAY_CLOSED = 'gateway.closed';

/**
 * Lets agents' hooks, `orc` and other windows in, as long as this owner is in charge. An owner without it works on: the activity of
 * agents then comes from their screens only, and a notice says so.
 */
export class OwnerDoor implements Disposable {
  readonly #owned = new DisposableStore();

  private constructor() {}

  /** Never rejects. */
  static async open(ports: OwnerDoorPorts): Promise<OwnerDoor> {
    const door = new OwnerDoor();
    try {
      await door.#open(ports);
      ports.notices.resolve(GATEWAY_CLOSED);
    } catch (error) {
      ports.log.error('the gateway cannot be opened', { error: describeError(error) });
      ports.notices.raise({
        fingerprint: GATEWAY_CLOSED,
        level: 'error',
        title: 'Hooks and orc cannot reach Core Orchestrator',
        detail: `${describeError(error)} What agents do is read from their screens only, and other windows can only look.`,
        atMs: ports.clock.nowMs(),
      });
    }
    return door;
  }

  async #open({ workspace, ownership, registry, hooks, engine, clock, log }: OwnerDoorPorts): Promise<void> {
    const access = this.#owned.add(await workspace.openAccess(ownership));
    const { tokens, tokenFiles, isPersonKey, listener } = access;
    const authenticator = this.#owned.add(
      new AgentAccess({ registry, tokens, tokenFiles, isPersonKey, epoch: ownership.epoch, log }),
    );
    const { version, path } = workspace;
    this.#owned.add(new Gateway({ listener, authenticator, engine, hooks, version, workspace: path, clock, log }));
    // What comes from the spool is late, so that it never overrules what is known by now.
    const deliver = (report: HookReport) => hooks.report({ ...report, isLate: true }, AbortSignal.abort());
    this.#owned.add(await workspace.readHookSpool((left) => tokens.verifyLeft(left), deliver));
  }

  dispose(): void {
    this.#owned.dispose();
  }
}

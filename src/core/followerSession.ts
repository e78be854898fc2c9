import type { AgentId } from './agents/agent';
import type { AgentHost, HostedAgent } from './agents/agentHost';
import { viewOfHosted } from './agentViews';
import type { Clock } from './base/clock';
import { type Disposable, DisposableStore } from './base/disposable';
import { describeError } from './base/errors';
import type { Logger } from './base/log';
import type { EngineCalls } from './engineCalls';
import type { OwnerLink } from './ownerLink';
import type { ViewBoard } from './viewBoard';

export interface FollowerPorts {
  /** In observer mode: never starts a server, never changes anything. */
  readonly host: AgentHost;
  readonly board: ViewBoard;
  readonly clock: Clock;
  readonly log: Logger;
  /** The connection to the owner; undefined: only looking (Restricted Mode). */
  readonly link?: OwnerLink;
}

/**
 * What a window does while another one owns the workspace. Connected to the owner's gateway it shows what the owner shows, and acts
 * through it. Without, it looks at tmux, and only looks: rows are known by id, generation and liveness.
 */
export class FollowerSession implements Disposable {
  readonly #owned = new DisposableStore();
  /** Since when an agent has looked as it does: `generation liveness` → epoch ms. */
  readonly #since = new Map<AgentId, { readonly key: string; readonly sinceMs: number }>();
  #isReading = false;
  #isStale = false;

  constructor(private readonly ports: FollowerPorts) {}

  get host(): AgentHost {
    return this.ports.host;
  }

  /** What can be done from here: through the owner. */
  get calls(): EngineCalls | undefined {
    return this.ports.link?.remote;
  }

  get link(): OwnerLink | undefined {
    return this.ports.link;
  }

  /** The owner is (or may be) another one now, or the connection came or went. */
  ownerChanged(): void {
    this.ports.link?.connectSoon();
    this.#refresh();
  }

  async start(signal: AbortSignal): Promise<void> {
    const { host, link } = this.ports;
    link?.connectSoon();
    this.#owned.add(host.onDidChangeStatus(() => this.#refresh()));
    this.#owned.add(host.onDidChangeHosted(() => this.#refresh()));
    this.#owned.add(host.onDidExit(() => this.#refresh()));
    await host.start(signal);
    this.#refresh();
  }

  /** One listing at a time; facts that arrive meanwhile cause one more. */
  #refresh(): void {
    this.#isStale = true;
    if (this.#isReading || this.#owned.isDisposed) return;
    this.#isReading = true;
    void this.#read().finally(() => {
      this.#isReading = false;
      if (this.#isStale) this.#refresh();
    });
  }

  async #read(): Promise<void> {
    this.#isStale = false;
    const { host, board, log, link } = this.ports;
    if (link?.remote) return;
    if (host.status.kind !== 'ready') return board.replaceAll([]);
    try {
      const hosted = await host.list();
      if (!this.#owned.isDisposed && !link?.remote)
        board.replaceAll(hosted.map((agent) => viewOfHosted(agent, this.#sinceOf(agent))));
    } catch (error) {
      log.debug('the list of agents could not be read; it is read again at the next change', {
        error: describeError(error),
      });
    }
  }

  #sinceOf(agent: HostedAgent): number {
    const key = `${agent.generation} ${agent.liveness.kind}`;
    const known = this.#since.get(agent.agentId);
    if (known?.key === key) return known.sinceMs;
    const sinceMs = this.ports.clock.nowMs();
    this.#since.set(agent.agentId, { key, sinceMs });
    return sinceMs;
  }

  /** Leaves at once; the observer holds nothing that must be written. */
  dispose(): void {
    this.#owned.dispose();
    this.ports.link?.dispose();
    this.ports.host.dispose();
  }
}

import type { AgentId } from './agents/agent';
import type { AgentExit, AgentHost, HostStatus } from './agents/agentHost';
import type { AgentRegistry } from './agents/agentRegistry';
import type { Lifecycle } from './agents/agentState';
import type { Clock } from './base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from './base/disposable';
import { TMUX_ENDED } from './engine';
import { AlertLevel, type AlertSink } from './monitoring/alertSink';

export interface ServerLossPorts {
  readonly host: Pick<AgentHost, 'status' | 'onDidChangeStatus' | 'onDidExit'>;
  readonly registry: Pick<AgentRegistry, 'find'>;
  readonly notices: AlertSink;
  readonly clock: Clock;
}

/** The last death is told within this after the server is back; what follows from it is decided then, too. */
const TOLD_AFTER_MS = 2_000;
/** More names than this are not read. */
const NAMED = 5;
/** Of an agent that its restart policy starts again. */
const RETURNING: ReadonlySet<Lifecycle> = new Set<Lifecycle>(['backoff', 'starting', 'running']);

/** Tells once that tmux has ended, and with it the runs of agents: what each of them does next is in its row. */
export class ServerLossNotice implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #timer = this.#owned.add(new MutableDisposable<Disposable>());
  /** Since the server was lost; undefined while nothing of that is to be told. */
  #ended: Set<AgentId> | undefined;

  constructor(private readonly ports: ServerLossPorts) {
    const { host } = ports;
    this.#owned.add(host.onDidChangeStatus((status) => this.#onStatus(status)));
    this.#owned.add(host.onDidExit((exit) => this.#onExit(exit)));
  }

  dispose(): void {
    this.#owned.dispose();
  }

  #onStatus({ kind }: HostStatus): void {
    if (kind === 'lost') this.#ended ??= new Set();
    else if (kind === 'ready' && this.#ended) this.#tellSoon();
  }

  /** Nobody saw how it ended: its terminal went with the server. What ended by itself left its cause. */
  #onExit({ agentId, cause }: AgentExit): void {
    if (!this.#ended || cause.code !== undefined || cause.signal !== undefined) return;
    this.#ended.add(agentId);
    if (this.ports.host.status.kind === 'ready') this.#tellSoon();
  }

  #tellSoon(): void {
    this.#timer.value = this.ports.clock.setTimer(TOLD_AFTER_MS, () => this.#tell());
  }

  #tell(): void {
    const { registry, host, notices, clock } = this.ports;
    if (host.status.kind !== 'ready') return; // lost again: together with what follows
    const records = [...(this.#ended ?? [])].flatMap((id) => registry.find(id)?.record ?? []);
    this.#ended = undefined;
    const wanted = records.filter(({ desired }) => desired !== 'stopped'); // the others were to end
    if (wanted.length === 0) return;
    const returning = wanted.filter(({ lifecycle }) => RETURNING.has(lifecycle)).length;
    const names = wanted.slice(0, NAMED).map(({ spec }) => spec.name);
    const more = wanted.length > NAMED ? ` and ${wanted.length - NAMED} more` : '';
    const again = returning === 0 ? 'none is' : returning === 1 ? '1 is' : `${returning} are`;
    notices.raise({
      fingerprint: TMUX_ENDED,
      level: AlertLevel.Error,
      title: `tmux ended unexpectedly: ${wanted.length === 1 ? '1 agent' : `${wanted.length} agents`} lost ${wanted.length === 1 ? 'its' : 'their'} run; ${again} started again by ${wanted.length === 1 ? 'its' : 'their'} restart policy`,
      detail: `${names.join(', ')}${more}. Where a conversation cannot be resumed, a new one begins with its first prompt.`,
      atMs: clock.nowMs(),
    });
  }
}

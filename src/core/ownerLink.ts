import type { Clock } from './base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from './base/disposable';
import { describeError } from './base/errors';
import type { Logger } from './base/log';
import type { AgentTypeInfo, NoticeChange } from './engine';
import type { PromptReceipt } from './agents/delivery/promptDelivery';
import type { RemoteEngine } from './gateway/remoteEngine';
import type { AlertSink } from './monitoring/alertSink';
import type { ViewBoard } from './viewBoard';

export interface OwnerLinkPorts {
  /** Undefined: nobody answers at the gateway. */
  readonly connect: (signal: AbortSignal) => Promise<RemoteEngine | undefined>;
  readonly board: ViewBoard;
  readonly notices: AlertSink;
  readonly onReceipt: (receipt: PromptReceipt) => void;
  readonly onTypes: () => void;
  /** Connected or not, after each change. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An owner that is just starting has no gateway yet; an older version never has one. */
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 15_000;

/** The connection of a following window to its owner: while it holds, the window shows what the owner shows and acts through it. */
export class OwnerLink implements Disposable {
  readonly #abort = new AbortController();
  readonly #connection = new MutableDisposable<DisposableStore>();
  readonly #retry = new MutableDisposable<Disposable>();
  /** Raised here on behalf of the owner. */
  readonly #raised = new Set<string>();
  #remote: RemoteEngine | undefined;
  #isConnecting = false;
  #delayMs = FIRST_RETRY_MS;

  constructor(private readonly ports: OwnerLinkPorts) {}

  /** The owner's engine, while connected. */
  get remote(): RemoteEngine | undefined {
    return this.#remote;
  }

  get types(): readonly AgentTypeInfo[] | undefined {
    return this.#remote?.agentTypes;
  }

  /** Tries now, and again until connected. Also when another owner is known: the waiting begins anew. */
  connectSoon(): void {
    if (this.#abort.signal.aborted || this.#remote || this.#isConnecting) return;
    this.#delayMs = FIRST_RETRY_MS;
    void this.#connect();
  }

  async #connect(): Promise<void> {
    this.#isConnecting = true;
    const { signal } = this.#abort;
    let remote: RemoteEngine | undefined;
    try {
      remote = await this.ports.connect(signal);
    } catch (error) {
      if (!signal.aborted)
        this.ports.log.debug('the owner cannot be reached; it is tried again', { error: describeError(error) });
    } finally {
      this.#isConnecting = false;
    }
    if (signal.aborted) return remote?.dispose();
    if (remote) this.#onConnected(remote);
    else this.#connectLater();
  }

  #connectLater(): void {
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, LONGEST_RETRY_MS);
    this.#retry.value = this.ports.clock.setTimer(delayMs, () => {
      if (!this.#remote && !this.#isConnecting) void this.#connect();
    });
  }

  #onConnected(remote: RemoteEngine): void {
    const { board, onReceipt, onTypes, onChange } = this.ports;
    const owned = new DisposableStore();
    owned.add(remote);
    owned.add(
      remote.onDidChangeAgent(({ id, view, previous }) => {
        if (view) board.put(view);
        else board.remove(previous?.id ?? id);
      }),
    );
    owned.add(remote.onDidChangeNotices((change) => this.#onNotice(change)));
    owned.add(remote.onDidChangeReceipt(onReceipt));
    owned.add(remote.onDidChangeAgentTypes(onTypes));
    owned.add(remote.onDidChangeStatus(onChange));
    owned.add(remote.onDidClose(() => this.#onClosed()));
    this.#remote = remote;
    this.#delayMs = FIRST_RETRY_MS;
    this.#connection.value = owned;
    board.replaceAll(remote.agents);
    for (const notice of [...remote.notices].reverse()) this.#onNotice({ kind: 'raised', notice });
    onTypes();
    onChange();
  }

  #onNotice({ kind, notice }: NoticeChange): void {
    const { fingerprint } = notice;
    if (kind === 'raised') {
      this.#raised.add(fingerprint);
      this.ports.notices.raise(notice);
    } else if (this.#raised.delete(fingerprint)) {
      this.ports.notices.resolve(fingerprint);
    }
  }

  #onClosed(): void {
    if (!this.#remote) return;
    this.#letGo();
    this.ports.onTypes();
    this.ports.onChange();
    this.#connectLater();
  }

  #letGo(): void {
    this.#remote = undefined;
    this.#connection.value = undefined;
    for (const fingerprint of this.#raised) this.ports.notices.resolve(fingerprint);
    this.#raised.clear();
  }

  dispose(): void {
    this.#abort.abort(new Error('the window does not follow any more'));
    this.#retry.dispose();
    this.#letGo();
    this.#connection.dispose();
  }
}

import { AGENT_ID_PATTERN, type AgentId, type ProcessIdentity } from '../../src/core/agents/agent';
import {
  AGENT_KEYS,
  type AgentExit,
  type AgentHost,
  type AgentKey,
  type AgentOutput,
  type HostedAgent,
  type HostStatus,
  type LaunchSpec,
  type OscSequence,
  type SettledScreen,
} from '../../src/core/agents/agentHost';
import type { ExitCause, Liveness } from '../../src/core/agents/agentState';
import type { Clock } from '../../src/core/base/clock';
import { Emitter } from '../../src/core/base/event';
import { cleanPasteText } from '../../src/core/tmux/pasteText';
import { TmuxError } from '../../src/core/tmux/tmuxErrors';

/** What a simulated terminal shows. */
export interface FakeScreen {
  readonly text: string;
  readonly title: string;
  readonly foreground: string;
  readonly cursor: { readonly x: number; readonly y: number };
  readonly isInCopyMode: boolean;
  readonly bracketsPaste?: boolean;
}

/** One call that reached the fake, in order; `detail` is the spec, the cleaned text or the keys. */
export interface FakeCall {
  readonly method: FakeMethod;
  readonly agentId?: AgentId;
  readonly detail?: unknown;
}

export type FakeMethod =
  | 'start'
  | 'list'
  | 'launch'
  | 'probe'
  | 'capture'
  | 'paste'
  | 'press'
  | 'pressIf'
  | 'leaveCopyMode'
  | 'discard'
  | 'attachedClients'
  | 'stop';

interface FakeTerminal {
  readonly spec: LaunchSpec;
  readonly process: ProcessIdentity;
  liveness: Liveness;
  screen: FakeScreen;
}

type MirrorSink = Parameters<AgentHost['mirror']>[1];

const OUTPUT_PERIOD_MS = 250;
const emptyScreen: FakeScreen = {
  text: '',
  title: '',
  foreground: 'fake',
  cursor: { x: 0, y: 0 },
  isInCopyMode: false,
};

/**
 * An AgentHost without tmux and without real time. Held to the same contract as the real one
 * (`test/contract/agentHost.contract.ts`); everything that the world would do is a `simulate…` method.
 */
export class FakeAgentHost implements AgentHost {
  /** Every call in order, also failed and hanging ones. */
  readonly calls: FakeCall[] = [];
  /** Errors thrown by listeners. */
  readonly listenerFailures: unknown[] = [];
  readonly #terminals = new Map<AgentId, FakeTerminal>();
  /** What is known of agents whose terminal vanished with the server; some outlive it (they ignored SIGHUP). */
  readonly #orphans = new Map<AgentId, FakeTerminal>();
  readonly #failures = new Map<FakeMethod, Error[]>();
  readonly #hangs = new Map<FakeMethod, Promise<void>>();
  readonly #mirrors = new Map<AgentId, Set<MirrorSink>>();
  readonly #lastOutputMs = new Map<AgentId, number>();
  readonly #clients = new Map<number, AgentId>();
  readonly #onFailure = (error: unknown): void => void this.listenerFailures.push(error);
  readonly #onDidChangeStatus = new Emitter<HostStatus>(this.#onFailure);
  readonly #onDidExit = new Emitter<AgentExit>(this.#onFailure);
  readonly #onDidSettleScreen = new Emitter<SettledScreen>(this.#onFailure);
  readonly #onDidOsc = new Emitter<OscSequence>(this.#onFailure);
  readonly #onDidOutput = new Emitter<AgentOutput>(this.#onFailure);
  readonly #onDidChangeHosted = new Emitter<void>(this.#onFailure);
  readonly #emitters: readonly { readonly listenerCount: number; dispose(): void }[] = [
    this.#onDidChangeStatus,
    this.#onDidExit,
    this.#onDidSettleScreen,
    this.#onDidOsc,
    this.#onDidOutput,
    this.#onDidChangeHosted,
  ];
  #status: HostStatus = { kind: 'stopped' };
  #statusAtStart: HostStatus = { kind: 'ready', version: '3.3a' };
  #nextPid = 1000;
  #isDisposed = false;

  readonly onDidChangeStatus = this.#onDidChangeStatus.event;
  readonly onDidExit = this.#onDidExit.event;
  readonly onDidSettleScreen = this.#onDidSettleScreen.event;
  readonly onDidOsc = this.#onDidOsc.event;
  readonly onDidOutput = this.#onDidOutput.event;
  readonly onDidChangeHosted = this.#onDidChangeHosted.event;

  constructor(private readonly clock: Clock) {}

  get status(): HostStatus {
    return this.#status;
  }

  /** Listeners of all events together: the leak check. */
  get listenerCount(): number {
    return this.#emitters.reduce((sum, emitter) => sum + emitter.listenerCount, 0);
  }

  launchFolder(agentId: AgentId, generation: number): string {
    if (!AGENT_ID_PATTERN.test(agentId)) throw new TmuxError('tmux.invalidArgument', 'target');
    return `/run/fake/launch/${agentId}.${generation}`;
  }

  async start(signal?: AbortSignal): Promise<void> {
    await this.#enter({ method: 'start' }, signal);
    if (this.#isDisposed || this.#status.kind !== 'stopped') return;
    this.#setStatus(this.#statusAtStart);
  }

  async list(): Promise<readonly HostedAgent[]> {
    await this.#enter({ method: 'list' });
    this.#requireReady('list-panes');
    return [...this.#terminals.values()].map(({ spec, process, liveness, screen }) => ({
      agentId: spec.agentId,
      generation: spec.generation,
      process,
      liveness,
      foreground: screen.foreground,
      title: screen.title,
    }));
  }

  async launch(spec: LaunchSpec, signal?: AbortSignal): Promise<ProcessIdentity> {
    await this.#enter({ method: 'launch', agentId: spec.agentId, detail: spec }, signal);
    this.#requireReady('new-session');
    requireValid(spec);
    if (this.#terminals.has(spec.agentId)) throw new TmuxError('tmux.alreadyExists', 'new-session');
    const pid = this.#nextPid++;
    const process = { pid, startTime: String(pid * 10) };
    this.#orphans.delete(spec.agentId);
    this.#terminals.set(spec.agentId, { spec, process, liveness: { kind: 'alive' }, screen: emptyScreen });
    this.#onDidChangeHosted.fire();
    return process;
  }

  async probe(agentId: AgentId): Promise<Liveness> {
    try {
      await this.#enter({ method: 'probe', agentId });
    } catch (error) {
      return { kind: 'unknown', reason: String(error) };
    }
    return (
      (this.#terminals.get(agentId) ?? this.#orphans.get(agentId))?.liveness ?? {
        kind: 'unknown',
        reason: 'no terminal of this agent',
      }
    );
  }

  async capture(agentId: AgentId): Promise<SettledScreen> {
    await this.#enter({ method: 'capture', agentId });
    return this.#screenOf(this.#require(agentId, 'capture-pane'));
  }

  async paste(agentId: AgentId, text: string): Promise<void> {
    const clean = cleanPasteText(text);
    await this.#enter({ method: 'paste', agentId, detail: clean });
    this.#requireAlive(agentId, 'paste-buffer');
  }

  async press(agentId: AgentId, keys: readonly AgentKey[]): Promise<void> {
    await this.#enter({ method: 'press', agentId, detail: [...keys] });
    if (keys.some((key) => !AGENT_KEYS.includes(key))) throw new TmuxError('tmux.invalidArgument', 'send-keys');
    this.#requireAlive(agentId, 'send-keys');
  }

  async pressIf(
    agentId: AgentId,
    keys: readonly AgentKey[],
    isExpected: (screen: SettledScreen) => boolean,
  ): Promise<boolean> {
    await this.#enter({ method: 'pressIf', agentId, detail: [...keys] });
    if (keys.some((key) => !AGENT_KEYS.includes(key))) throw new TmuxError('tmux.invalidArgument', 'send-keys');
    this.#requireAlive(agentId, 'send-keys');
    if (!isExpected(this.#screenOf(this.#require(agentId, 'capture-pane')))) return false;
    this.setScreen(agentId, { isInCopyMode: false });
    this.calls.push({ method: 'press', agentId, detail: [...keys] });
    return true;
  }

  async leaveCopyMode(agentId: AgentId): Promise<void> {
    await this.#enter({ method: 'leaveCopyMode', agentId });
    this.#requireAlive(agentId, 'send-keys');
    this.setScreen(agentId, { isInCopyMode: false });
  }

  async discard(agentId: AgentId): Promise<void> {
    await this.#enter({ method: 'discard', agentId });
    this.#requireReady('kill-window');
    this.#orphans.delete(agentId);
    if (!this.#terminals.delete(agentId)) return;
    this.#endMirrors(agentId);
    this.#onDidChangeHosted.fire();
  }

  mirror(agentId: AgentId, sink: MirrorSink): { dispose(): void } {
    const sinks = this.#mirrors.get(agentId) ?? new Set();
    this.#mirrors.set(agentId, sinks.add(sink));
    const terminal = this.#terminals.get(agentId);
    queueMicrotask(() => {
      if (!sinks.has(sink)) return;
      if (!terminal) {
        sinks.delete(sink);
        return sink.onEnd();
      }
      sink.onSize(terminal.spec.columns ?? 120, terminal.spec.rows ?? 40);
      sink.onData(terminal.screen.text.replaceAll('\n', '\r\n'));
    });
    return { dispose: () => void sinks.delete(sink) };
  }

  attachCommand(agentId: AgentId): { readonly program: string; readonly args: readonly string[] } {
    return { program: '/usr/bin/tmux', args: ['-L', 'fake', 'attach-session', '-t', `=${agentId}:`] };
  }

  async attachedClients(): Promise<ReadonlyMap<number, AgentId>> {
    await this.#enter({ method: 'attachedClients' });
    this.#requireReady('list-clients');
    return new Map(this.#clients);
  }

  async stop(): Promise<void> {
    await this.#enter({ method: 'stop' });
    for (const agentId of this.#mirrors.keys()) this.#endMirrors(agentId);
    this.#setStatus({ kind: 'stopped' });
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#status = { kind: 'stopped' };
    this.#mirrors.clear();
    for (const emitter of this.#emitters) emitter.dispose();
  }

  /** The next call of `method` rejects with `error` (for `probe`: answers unknown). Calls queue up. */
  failNext(method: FakeMethod, error: Error = new TmuxError('tmux.timeout', method)): void {
    this.#failures.set(method, [...(this.#failures.get(method) ?? []), error]);
  }

  /** Calls of `method` do not settle until the returned function is called (or their signal is aborted). */
  hang(method: FakeMethod): () => void {
    let release = (): void => {};
    this.#hangs.set(method, new Promise((resolve) => (release = resolve)));
    return () => {
      this.#hangs.delete(method);
      release();
    };
  }

  /** `start()` will end in this status: `blocked` for a missing tmux. */
  simulateStatusAtStart(status: HostStatus): void {
    this.#statusAtStart = status;
  }

  /** The process of an agent ends; the terminal stays, as a dead pane does. */
  simulateExit(agentId: AgentId, cause: ExitCause = {}, source: AgentExit['source'] = 'exit_file'): void {
    const terminal = this.#terminals.get(agentId) ?? this.#orphans.get(agentId);
    if (!terminal || terminal.liveness.kind === 'dead') return;
    terminal.liveness = { kind: 'dead', cause };
    this.#onDidExit.fire({
      agentId,
      generation: terminal.spec.generation,
      cause,
      source,
      observedAtMs: this.clock.nowMs(),
    });
    this.#onDidChangeHosted.fire();
  }

  /** An exit of a generation that is long gone, as a late file event would bring it (R19). */
  simulateStaleExit(agentId: AgentId, generation: number, cause: ExitCause = {}): void {
    this.#onDidExit.fire({ agentId, generation, cause, source: 'exit_file', observedAtMs: this.clock.nowMs() });
  }

  /** The screen changes and settles at once: `onDidOutput` (throttled), then `onDidSettleScreen`. */
  simulateScreen(agentId: AgentId, screen: Partial<FakeScreen>): void {
    this.setScreen(agentId, screen);
    this.#fireOutput(agentId);
    this.#onDidSettleScreen.fire(this.#screenOf(this.#require(agentId, 'capture-pane')));
  }

  /** The screen changes without an event: what the next `capture` reads. */
  setScreen(agentId: AgentId, screen: Partial<FakeScreen>): void {
    const terminal = this.#require(agentId, 'capture-pane');
    terminal.screen = { ...terminal.screen, ...screen };
  }

  /** Raw output: reaches mirrors, and `onDidOutput` at most 4 times per second. */
  simulateOutput(agentId: AgentId, data: string): void {
    for (const sink of this.#mirrors.get(agentId) ?? []) sink.onData(data);
    this.#fireOutput(agentId);
  }

  /** The program writes an OSC. A title (0, 2) is also what the next capture reads, and is told only when it is another. */
  simulateOsc(agentId: AgentId, code: number, text: string): void {
    const { spec, screen } = this.#require(agentId, 'capture-pane');
    const isTitle = code === 0 || code === 2;
    if (isTitle && screen.title === text) return;
    if (isTitle) this.setScreen(agentId, { title: text });
    this.#onDidOsc.fire({ agentId, generation: spec.generation, code, text, observedAtMs: this.clock.nowMs() });
  }

  /** A terminal that some earlier program of ours made is found in tmux: what adoption starts from. */
  simulateHosted(spec: LaunchSpec, liveness: Liveness = { kind: 'alive' }): ProcessIdentity {
    const pid = this.#nextPid++;
    const process = { pid, startTime: String(pid * 10) };
    this.#terminals.set(spec.agentId, { spec, process, liveness, screen: emptyScreen });
    this.#onDidChangeHosted.fire();
    return process;
  }

  /** The server dies. Processes are hung up and end, cause unknown, except those of `survivors`, which live on without a terminal. */
  simulateServerLoss(reason = 'the tmux server is gone', survivors: readonly AgentId[] = []): void {
    this.#setStatus({ kind: 'lost', reason });
    for (const [agentId, terminal] of [...this.#terminals]) {
      if (!survivors.includes(agentId)) this.simulateExit(agentId, {}, 'process');
      this.#terminals.delete(agentId);
      this.#orphans.set(agentId, terminal);
      this.#endMirrors(agentId);
    }
    this.#onDidChangeHosted.fire();
  }

  /** A new, empty server answers. */
  simulateServerReturn(): void {
    this.#setStatus({ kind: 'ready', version: '3.3a' });
  }

  /** The connection is interrupted, the server and all terminals live on. */
  simulateConnectionLoss(reason = 'no answer'): void {
    this.#setStatus({ kind: 'lost', reason });
  }

  /** Any status, at once. */
  simulateStatus(status: HostStatus): void {
    this.#setStatus(status);
  }

  /** A terminal with process id `pid` attaches to `agentId`; undefined: it detaches. */
  simulateClient(pid: number, agentId: AgentId | undefined): void {
    if (agentId === undefined) this.#clients.delete(pid);
    else this.#clients.set(pid, agentId);
  }

  /** Everything pasted for an agent so far, cleaned. */
  pastedTexts(agentId: AgentId): readonly string[] {
    return this.calls
      .filter((call) => call.method === 'paste' && call.agentId === agentId)
      .map((call) => String(call.detail));
  }

  /** Every key pressed for an agent so far. */
  pressedKeys(agentId: AgentId): readonly AgentKey[] {
    return this.calls
      .filter((call) => call.method === 'press' && call.agentId === agentId)
      .flatMap((call) => call.detail as AgentKey[]); // recorded by press
  }

  /** Specs launched so far, in order. */
  launchedSpecs(agentId?: AgentId): readonly LaunchSpec[] {
    return this.calls
      .filter((call) => call.method === 'launch' && (!agentId || call.agentId === agentId))
      .map((call) => call.detail as LaunchSpec); // recorded by launch
  }

  async #enter(call: FakeCall, signal?: AbortSignal): Promise<void> {
    this.calls.push(call);
    const hang = this.#hangs.get(call.method);
    if (hang) await (signal ? Promise.race([hang, rejectOnAbort(signal)]) : hang);
    else await Promise.resolve();
    signal?.throwIfAborted();
    const failure = this.#failures.get(call.method)?.shift();
    if (failure) throw failure;
  }

  #setStatus(status: HostStatus): void {
    if (this.#isDisposed) return;
    this.#status = status;
    this.#onDidChangeStatus.fire(status);
  }

  #requireReady(command: string): void {
    if (this.#status.kind !== 'ready') throw new TmuxError('tmux.serverGone', command);
  }

  #require(agentId: AgentId, command: string): FakeTerminal {
    this.#requireReady(command);
    const terminal = this.#terminals.get(agentId);
    if (!terminal) throw new TmuxError('tmux.noSuchTarget', command);
    return terminal;
  }

  #requireAlive(agentId: AgentId, command: string): void {
    if (this.#require(agentId, command).liveness.kind === 'dead')
      throw new TmuxError('tmux.noSuchTarget', command, { detail: 'the process has ended' });
  }

  #screenOf(terminal: FakeTerminal): SettledScreen {
    return {
      agentId: terminal.spec.agentId,
      generation: terminal.spec.generation,
      ...terminal.screen,
      observedAtMs: this.clock.nowMs(),
    };
  }

  #fireOutput(agentId: AgentId): void {
    const terminal = this.#require(agentId, 'capture-pane');
    const now = this.clock.monotonicMs();
    if (now - (this.#lastOutputMs.get(agentId) ?? -OUTPUT_PERIOD_MS) < OUTPUT_PERIOD_MS) return;
    this.#lastOutputMs.set(agentId, now);
    this.#onDidOutput.fire({ agentId, generation: terminal.spec.generation, observedAtMs: this.clock.nowMs() });
  }

  #endMirrors(agentId: AgentId): void {
    const sinks = this.#mirrors.get(agentId);
    this.#mirrors.delete(agentId);
    for (const sink of sinks ?? []) sink.onEnd();
  }
}

function requireValid(spec: LaunchSpec): void {
  const texts = [spec.folder, ...spec.argv, ...Object.entries(spec.env).flat()];
  const paths = Object.keys(spec.files ?? {});
  const isPath = (path: string): boolean =>
    /^[A-Za-z0-9._-]{1,60}(\/[A-Za-z0-9._-]{1,60}){0,3}$/.test(path) && !/(^|\/)\.\.?(\/|$)|^launch\.sh/.test(path);
  if (!paths.every(isPath)) throw new TmuxError('tmux.invalidArgument', 'launch');
  if (!AGENT_ID_PATTERN.test(spec.agentId) || spec.argv.length === 0 || texts.some((text) => text.includes('\0'))) {
    throw new TmuxError('tmux.invalidArgument', 'new-session');
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

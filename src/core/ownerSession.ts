import { AgentFactory } from './agents/agentFactory';
import type { AgentHost, HostStatus } from './agents/agentHost';
import type { LaunchTools } from './agents/launchTools';
import { AgentSupervisor } from './agents/agentSupervisor';
import { Doctor } from './agents/doctor';
import type { AgentTypes } from './agentTypes';
import type { PromptReceipt } from './agents/delivery/promptDelivery';
import type { Clock } from './base/clock';
import { DisposableStore, type Disposable } from './base/disposable';
import { describeError } from './base/errors';
import type { Ids } from './base/ids';
import { ignore, type Logger } from './base/log';
import { DamagedRecords } from './damagedRecords';
import { DataAgentStore } from './dataAgentStore';
import { DataDeliveryStore } from './dataDeliveryStore';
import type { DataStore, StoreHealth } from './data/dataStore';
import type { DataValidator } from './data/validation/dataValidator';
import { ValidatedStore, type WriteFinding } from './data/validation/validatedStore';
import type { Ownership } from './data/workspaceLock';
import { type Engine, type EngineStatus, STORE_LOSS, STORE_RESTORED } from './engine';
import type { EngineCalls } from './engineCalls';
import type { EngineSettings } from './engineSettings';
import { FleetRunner } from './fleetRunner';
import { FleetTypes } from './fleetTypes';
import { createKeptValidator } from './keptRules';
import { InvalidRecords } from './invalidRecords';
import type { AlertSink } from './monitoring/alertSink';
import type { NoticeBoard } from './monitoring/noticeBoard';
import { OwnerCalls, type OwnerCallsPorts } from './ownerCalls';
import { OwnerDoor } from './ownerDoor';
import { createExporter } from './ownerExport';
import { createImporter } from './ownerImport';
import { IntegrityNotice } from './integrityNotice';
import { createOwnerIntegrity, KEPT_COLLECTIONS, type OwnerIntegrityPorts } from './ownerIntegrity';
import { OwnerMaintenance } from './ownerMaintenance';
import type { OutsideData } from './outsideData';
import { createPipelines } from './ownerPipelines';
import { OwnerViews } from './ownerViews';
import { TmuxError, type TmuxErrorCode } from './tmux/tmuxErrors';
import { keepRetention } from './recordRetention';
import { RecordSearch } from './recordSearch';
import { keepRunHomes } from './runHomes';
import { ServerLossNotice } from './serverLossNotice';
import { settleRestore } from './settleRestore';
import type { ViewBoard } from './viewBoard';
import type { OpenedStore, Workspace } from './workspace';

export interface OwnerPorts {
  readonly workspace: Workspace;
  readonly ownership: Ownership;
  /** A person decided to go on without changes that are missing from the store. */
  readonly isLossAccepted: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly random: () => number;
  readonly settings: () => EngineSettings;
  readonly board: ViewBoard;
  readonly notices: NoticeBoard;
  readonly types: AgentTypes;
  /** What other extensions add. */
  readonly outside: OutsideData;
  readonly onStatus: (status: EngineStatus) => void;
  readonly onReceipt: (receipt: PromptReceipt) => void;
  /** The engine that this session is a part of: what the gateway hands calls to. */
  readonly engine: Engine;
}

/** Why a session ended: somebody took over, the engine stops, or a person wants the store opened again. */
export type SessionEnd =
  | { readonly kind: 'lost' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'reopen'; readonly isLossAccepted: boolean };

/** How often an owner without work looks whether it still is the owner: one directory listing. */
const OWNERSHIP_CHECK_MS = 5_000;
const STORE_READ_ONLY = 'store.readOnly';

/**
 * One period of ownership: store, tmux and supervisor from the moment the workspace is ours until the engine stops or
 * somebody else takes the workspace over. Whoever takes over has a higher epoch, which refuses our writes and commands.
 */
export class OwnerSession implements Disposable {
  readonly #owned = new DisposableStore();
  #store: DataStore | undefined;
  #host: AgentHost | undefined;
  #supervisor: AgentSupervisor | undefined;
  #calls: EngineCalls | undefined;
  #isReady = false;
  #hasTmuxRun = false;
  #end: ((end: SessionEnd | Error) => void) | undefined;
  /** Notices of this session end with it: what is still so is raised again by the next. */
  readonly #raised = new Set<string>();

  constructor(private readonly ports: OwnerPorts) {}

  /** Undefined until the agents of an earlier owner are adopted. */
  get calls(): EngineCalls | undefined {
    return this.#isReady ? this.#calls : undefined;
  }

  get host(): AgentHost | undefined {
    return this.#host;
  }

  /** Ends this session in favour of another one under the same ownership. */
  reopen(how: { readonly isLossAccepted: boolean }): void {
    this.#end?.({ kind: 'reopen', ...how });
  }

  /** Resolves when the session is over; rejects with what makes work impossible. */
  async run(signal: AbortSignal): Promise<SessionEnd> {
    const { ports } = this;
    ports.onStatus({ kind: 'starting' });
    const ended = new Promise<SessionEnd | Error>((resolve) => (this.#end = resolve));
    const onAbort = (): void => this.#end?.({ kind: 'stopped' });
    signal.addEventListener('abort', onAbort, { once: true });
    this.#owned.add({ dispose: () => signal.removeEventListener('abort', onAbort) });
    if (signal.aborted) return { kind: 'stopped' };

    const opened = await this.#openStore();
    const host = await this.#startHost(signal);
    if (signal.aborted) return { kind: 'stopped' };
    await this.#supervise(host, opened, signal);
    if (!signal.aborted) this.#watchOwnership();

    const end = await ended;
    if (end instanceof Error) throw end;
    if (end.kind === 'lost') ports.log.warn('another window took over', { epoch: ports.ownership.epoch });
    return end;
  }

  async #openStore(): Promise<OpenedStore> {
    const { workspace, ownership, isLossAccepted, clock } = this.ports;
    const opened = await workspace.openStore(ownership, { acceptMissingChanges: isLossAccepted });
    const { store, warnings } = opened;
    this.#store = this.#owned.add(store);
    for (const warning of warnings) this.#sink.raise({ level: 'critical', ...warning, atMs: clock.nowMs() });
    this.#owned.add(store.onDidChangeHealth((health) => this.#onStoreHealth(health)));
    this.#onStoreHealth(store.health);
    return opened;
  }

  async #startHost(signal: AbortSignal): Promise<AgentHost> {
    const host = this.ports.workspace.createHost('owner', () => this.#isStillMine());
    this.#host = this.#owned.add(host);
    this.#owned.add(host.onDidChangeStatus((status) => this.#onHostStatus(status)));
    await host.start(signal);
    if (host.status.kind === 'blocked') throw blockedError(host.status);
    return host;
  }

  async #supervise(host: AgentHost, opened: OpenedStore, signal: AbortSignal): Promise<void> {
    const { workspace, ownership, board, types, clock, ids, log, random, settings, engine, onReceipt, outside } =
      this.ports;
    const notices = this.#sink;
    const { validator, store: dataStore } = this.#validated(opened.store);
    const damage = new DamagedRecords({ notices, clock, log });
    const store = new DataAgentStore(dataStore, damage);
    const deliveries = new DataDeliveryStore(dataStore, damage);
    const tools = await this.#installTools();
    const factory = this.#makeFactory(tools);
    const { processes, checks, environment, usageReader, statusFiles, faultPoints } = workspace;
    const optional = { ...(faultPoints && { faultPoints }), ...(statusFiles && { statusFiles }) };
    const supervisor = this.#owned.add(
      new AgentSupervisor(
        {
          host,
          store,
          deliveries,
          processes,
          checks,
          environment,
          factory,
          notices,
          clock,
          ids,
          log,
          random,
          usageReader,
          ...optional,
        },
        () => ({
          startDeadlineMs: settings().startDeadlineMs,
          restart: settings().restart,
          allowRules: settings().allowRules ?? [],
          recoveredFolder: settings().recoveredFolder,
          isAutomaticStartAllowed: () => settings().isTrusted,
        }),
      ),
    );
    this.#supervisor = supervisor;
    this.#owned.add(new ServerLossNotice({ host, registry: supervisor.registry, notices, clock }));
    const fleetTypes = this.#owned.add(new FleetTypes(dataStore, types, damage));
    await fleetTypes.load(log);
    const fleet = new FleetRunner({
      supervisor, store, factory, clock, sha256: workspace.sha256,
      adoptType: (type) => fleetTypes.adopt(type), isFleetType: (id) => fleetTypes.has(id),
    }); // prettier-ignore
    if (opened.restored) {
      const ports = { store, deliveries, fleetTypes, host, clock, ids, log };
      this.#tellMore(opened, await settleRestore(ports, opened.restored));
    }
    await supervisor.begin(signal);
    this.#owned.add(await keepRunHomes({ homes: workspace.homes, registry: supervisor.registry, factory, log }));
    this.#owned.add(new OwnerViews(supervisor, board, factory));
    this.#owned.add(supervisor.onDidChangeReceipt(onReceipt));
    const doctor = new Doctor({
      supervisor,
      factory,
      host,
      environment,
      checks,
      trial: workspace.trial,
      workspaceFolder: () => settings().recoveredFolder,
      clock,
      ids,
      log,
    });
    this.#calls = new OwnerCalls({
      search: this.#lookAfterRecords(opened),
      supervisor,
      fleet,
      doctor: (typeId, ended) => doctor.examine(typeId, ended),
      exportData: createExporter({ store: dataStore, workspace, clock, log }),
      importData: createImporter({ store: dataStore, validator, supervisor, workspace, clock, ids }),
      ...this.#lookAfterStore(opened, { store: dataStore, validator, host, supervisor }),
      pipelines: createPipelines({
        store: dataStore,
        registry: outside.transformations,
        validator,
        workspace,
        clock,
        ids,
        log,
      }),
    });
    const { hooks, registry } = supervisor;
    this.#owned.add(await OwnerDoor.open({ workspace, ownership, registry, hooks, engine, notices, clock, log }));
    if (signal.aborted) return;
    this.#isReady = true;
    this.#showStatus();
    types
      .lookFor(environment, checks, signal)
      .catch((error: unknown) => ignore(log, error, 'the engine stops; types are looked for at the next start'));
  }

  /** The notice of a restore, with what was found when it was settled. */
  #tellMore({ warnings }: OpenedStore, sentences: readonly string[]): void {
    const told = warnings.find(({ fingerprint }) => fingerprint === STORE_RESTORED);
    if (!told || sentences.length === 0) return;
    const detail = [told.detail, ...sentences].join(' ');
    this.#sink.raise({ level: 'critical', ...told, detail, atMs: this.ports.clock.nowMs() });
  }

  /** The store as everything that writes uses it: what comes in is checked. */
  #validated(store: DataStore): { readonly validator: DataValidator; readonly store: DataStore } {
    const { workspace, clock, log, outside } = this.ports;
    const validator = createKeptValidator(clock);
    this.#owned.add(outside.supply(validator));
    const invalid = new InvalidRecords({ notices: this.#sink, clock, log });
    const options = {
      collections: KEPT_COLLECTIONS,
      breathe: () => workspace.breathe(),
      onFindings: (findings: readonly WriteFinding[]) => invalid.note(findings),
    };
    return { validator, store: new ValidatedStore(store, validator, options) };
  }

  #makeFactory(tools: LaunchTools | undefined): AgentFactory {
    const { workspace, types, log } = this.ports;
    const facts = {
      shell: workspace.shell,
      execPath: workspace.execPath,
      demoAgent: workspace.demoAgent,
      workspaceId: workspace.id,
      homes: workspace.homes,
      sha256: (text: string) => workspace.sha256(text),
      ...(tools && { tools }),
    };
    const onFailure = (error: unknown): void => log.error('a listener failed', { error });
    const factory = this.#owned.add(new AgentFactory(facts, types.builtIn, onFailure));
    this.#owned.add(types.supply(factory));
    return factory;
  }

  /** Its file, and whether what is in it fits together, when a person asks and by itself. */
  #lookAfterStore(
    opened: OpenedStore,
    {
      supervisor,
      ...parts
    }: Pick<OwnerIntegrityPorts, 'store' | 'validator' | 'host'> & { supervisor: AgentSupervisor },
  ): Pick<OwnerCallsPorts, 'maintenance' | 'integrity' | 'onDidCheckIntegrity'> {
    const { workspace, clock, log } = this.ports;
    const notices = this.#sink;
    const integrity = createOwnerIntegrity({
      ...parts,
      ...(opened.durable && { checkFile: (options) => maintenance.checkFile(options) }),
      ...{ reconcile: () => supervisor.reconcile(), breathe: () => workspace.breathe() },
    });
    const findings = new IntegrityNotice(notices, clock);
    const checkBesideFile = async (ended: AbortSignal): Promise<boolean> =>
      findings.tell(await integrity.checkBesideFile({ signal: ended }));
    const reopen = (): void => this.reopen({ isLossAccepted: false });
    const maintenance = this.#owned.add(
      new OwnerMaintenance({ opened, workspace, notices, reopen, checkBesideFile, clock, log }),
    );
    return { maintenance, integrity, onDidCheckIntegrity: (report) => findings.seen(report) };
  }

  /** Old records leave the store; what is in it is made ready for searching. */
  #lookAfterRecords({ store, archive }: OpenedStore): RecordSearch {
    const { workspace, engine, settings, clock, log } = this.ports;
    this.#owned.add(
      keepRetention({
        ...{ store, archive, settings: () => settings().retention, clock, log },
        isLiving: (id) => engine.agent(id) !== undefined,
        breathe: () => workspace.breathe(),
      }),
    );
    const search = new RecordSearch(store);
    search.prepare().catch((error: unknown) => ignore(log, error, 'it is tried again by the next search'));
    return search;
  }

  /** Without them agents start without hooks, and say so. */
  async #installTools(): Promise<LaunchTools | undefined> {
    try {
      return await this.ports.workspace.installTools();
    } catch (error) {
      this.ports.log.error('orc and hooks cannot be installed', { error: describeError(error) });
      return undefined;
    }
  }

  #onHostStatus(status: HostStatus): void {
    if (status.kind === 'ready') this.#hasTmuxRun = true;
    if (status.kind === 'blocked' && this.#isStillMine()) this.#end?.(blockedError(status));
    else if (this.#isReady) this.#showStatus();
  }

  #onStoreHealth(health: StoreHealth): void {
    const { notices, clock } = this.ports;
    if (!this.#isStillMine()) return;
    const isLoss = notices.notices.some(({ fingerprint }) => fingerprint === STORE_LOSS); // says more, and what to do
    if (health.isReadOnly && !isLoss) {
      const detail = `${health.reason ?? 'Writing failed.'} Agents keep running; nothing new is started or kept until writing works again. Free space is noticed by itself; for anything else use Try Again.`;
      this.#sink.raise({
        fingerprint: STORE_READ_ONLY,
        level: 'critical',
        title: 'Core Orchestrator cannot write its store',
        detail,
        atMs: clock.nowMs(),
      });
    } else {
      this.#sink.resolve(STORE_READ_ONLY);
    }
    if (this.#isReady) this.#showStatus();
  }

  #showStatus(): void {
    const status = this.#host?.status;
    if (!status || status.kind === 'stopped' || status.kind === 'blocked') return;
    this.ports.onStatus({
      kind: 'ready',
      epoch: this.ports.ownership.epoch,
      tmuxVersion: status.kind === 'ready' ? status.version : '',
      isTmuxLost: status.kind === 'lost',
      ...(status.kind === 'lost' && { tmuxLoss: { reason: status.reason, hasRun: this.#hasTmuxRun } }),
      isReadOnly: this.#store?.health.isReadOnly ?? false,
    });
  }

  /** Asked before every batch of tmux commands; the first `false` ends this session. */
  #isStillMine(): boolean {
    const isMine = this.ports.ownership.isStillMine();
    if (!isMine) this.#end?.({ kind: 'lost' });
    return isMine;
  }

  #watchOwnership(): void {
    const { clock } = this.ports;
    let timer = clock.setTimer(OWNERSHIP_CHECK_MS, () => check());
    const check = (): void => {
      if (this.#isStillMine()) timer = clock.setTimer(OWNERSHIP_CHECK_MS, check);
    };
    this.#owned.add({ dispose: () => timer.dispose() });
  }

  readonly #sink: AlertSink = {
    raise: (notice) => {
      this.#raised.add(notice.fingerprint);
      this.ports.notices.raise(notice);
    },
    resolve: (fingerprint) => {
      this.#raised.delete(fingerprint);
      this.ports.notices.resolve(fingerprint);
    },
  };

  /** Polite end in reverse order: what was acknowledged is written, agents keep running. Never rejects. */
  async close(): Promise<void> {
    const { log } = this.ports;
    this.#isReady = false;
    const steps: readonly (() => Promise<void> | undefined)[] = [
      () => this.#supervisor?.detach(),
      () => this.#host?.stop(),
      () => this.#store?.close(),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        ignore(log, error, 'the session ends; what could not be written is reconciled at the next start');
      }
    }
    this.dispose();
  }

  dispose(): void {
    this.#isReady = false;
    for (const fingerprint of this.#raised) this.ports.notices.resolve(fingerprint);
    this.#raised.clear();
    try {
      this.#owned.dispose();
    } catch (error) {
      this.ports.log.warn('a part of the engine did not end cleanly', { error: describeError(error) });
    }
  }
}

/** The host says `blocked` with the code of what blocks it. */
function blockedError(status: HostStatus & { readonly kind: 'blocked' }): TmuxError {
  return new TmuxError(status.code as TmuxErrorCode, 'start', { detail: status.detail }); // hosts block with TmuxErrorCodes only
}

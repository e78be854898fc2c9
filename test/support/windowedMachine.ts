import { NodeExportFiles } from '../../src/core/data/node/nodeExportFiles';
import { nodeImportFiles } from '../../src/core/data/node/nodeImportFiles';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { AgentHost } from '../../src/core/agents/agentHost';
import { DEFAULT_RESTART_SETTINGS } from '../../src/core/agents/restartBudget';
import { silentLogger } from '../../src/core/base/log';
import { MemoryDataStore } from '../../src/core/data/memoryDataStore';
import type { StoreKeeper } from '../../src/core/data/storeCare';
import { STORE_LOSS } from '../../src/core/engine';
import { GatewayClient } from '../../src/core/gateway/gatewayClient';
import '../../src/core/gateway/remoteEngine'; // loaded when they are needed: here at once, time stands still while files are read
import { Orchestrator } from '../../src/core/orchestrator';
import '../../src/core/ownerSession';
import type { OpenedStore, Workspace } from '../../src/core/workspace';
import { FakeWorkspace, FakeWorkspaceLock } from './fakeWorkspaceLock';
import { MemoryListener } from './gatewayPair';
import { LinkedHost, SupervisedWorld } from './supervisedWorld';

/** One machine in memory, on a clock of its own: a workspace folder, its processes and its tmux server, and as many windows as a test opens. */
export class WindowedMachine {
  readonly world = new SupervisedWorld();
  readonly folder = new FakeWorkspace();
  readonly store = new MemoryDataStore({ clock: this.world.clock });
  openError: Error | undefined;
  storeKeeper: StoreKeeper | undefined;
  /** The store as one on a file. */
  durable: OpenedStore['durable'];
  /** Acknowledged changes are missing: read-only until a person accepts it. */
  isLossy = false;
  onOpenStore = (): void => undefined;
  isTrusted = true;
  hosts: AgentHost[] = [];
  private readonly windows: Orchestrator[] = [];
  /** Windows that follow reach the owner's gateway. */
  isGatewayReachable = false;
  accessError: Error | undefined;
  private listener: MemoryListener | undefined;

  window(pid: number): Orchestrator {
    const { clock, ids } = this.world;
    const window = new Orchestrator({
      clock,
      ids,
      log: silentLogger,
      random: () => 0.5,
      settings: () => ({
        isTrusted: this.isTrusted,
        startDeadlineMs: 60_000,
        restart: DEFAULT_RESTART_SETTINGS,
        recoveredFolder: '/project',
      }),
      openWorkspace: () => Promise.resolve(this.workspace(pid)),
    });
    this.windows.push(window);
    return window;
  }

  run<T>(work: Promise<T>): Promise<T> {
    return this.world.run(work);
  }

  async settle(): Promise<void> {
    await this.world.clock.advanceMs(20);
    await this.until(() => this.windows.every(({ status }) => status.kind !== 'starting'));
  }

  /** Modules are loaded on the way, which takes no time of the clock but some of the day. */
  async until(probe: () => boolean): Promise<void> {
    for (let i = 0; i < 1_000 && !probe(); i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await this.world.clock.advanceMs(0);
    }
    for (let i = 0; i < 10; i++) await this.world.clock.advanceMs(0);
  }

  private workspace(pid: number): Workspace {
    const { processes, checks, environment } = this.world.ports();
    return {
      id: 'w1',
      lock: new FakeWorkspaceLock(this.folder, pid),
      processes,
      environment,
      checks,
      shell: '/bin/bash',
      execPath: '/usr/bin/node',
      demoAgent: '/demo.js',
      openStore: (_, { acceptMissingChanges }) => {
        if (this.openError) return Promise.reject(this.openError);
        try {
          this.onOpenStore();
        } catch (error) {
          return Promise.reject(error as Error); // thrown by a test
        }
        if (acceptMissingChanges) this.isLossy = false;
        this.store.simulateReadOnly(this.isLossy ? 'Changes are missing.' : undefined);
        const loss = { fingerprint: STORE_LOSS, title: 'Part of the store is missing', detail: 'Decide.' };
        const durable = this.durable && { durable: this.durable };
        return Promise.resolve({ store: keepOpen(this.store), ...durable, warnings: this.isLossy ? [loss] : [] });
      },
      createHost: (mode) => {
        const host =
          mode === 'owner' ? keepAlive(this.world.host) : new LinkedHost(this.world.clock, this.world.processes);
        this.hosts.push(host);
        return host;
      },
      ...(this.storeKeeper && { storeKeeper: this.storeKeeper }),
      path: '/project',
      version: '1.2.3',
      homes: {
        folder: ({ agentId, generation }) => `/homes/${agentId}.${generation}`,
        make: (run) => Promise.resolve(run),
        settle: () => Promise.resolve(),
        list: () => Promise.resolve([]),
      },
      trial: {
        run: () => Promise.resolve({ code: 0, output: '1.2.3' }),
        makeFolder: () => Promise.resolve({ path: '/trial', remove: () => Promise.resolve() }),
      },
      usageReader: { read: () => Promise.resolve({ lines: [], nextOffset: 0, isReset: false, unreadBytes: 0 }) },
      installTools: () => ({ folder: '/tools', orc: '/tools/orc', pointerFile: '/data/gateway.json' }),
      openAccess: () => {
        if (this.accessError) return Promise.reject(this.accessError);
        const listener = (this.listener = new MemoryListener());
        const verify = (): never => assert.fail('no agent calls');
        const tokens = {
          issue: () => '',
          verify,
          verifyLeft: verify,
          isCurrent: verify,
          revoke: () => {},
          revokeId: () => {},
          revokeBefore: () => {},
        };
        const nothing = (): Promise<void> => Promise.resolve();
        const tokenFiles = { provide: nothing, remove: nothing, dispose: () => {} };
        const isPersonKey = (key: string): boolean => key === 'the key';
        return Promise.resolve({ tokens, tokenFiles, isPersonKey, listener, dispose: () => listener.dispose() });
      },
      exportFiles: new NodeExportFiles({ workerFile: '', wasmFile: '' }),
      importFiles: nodeImportFiles,
      breathe: () => Promise.resolve(),
      readHookSpool: () => Promise.resolve({ dispose: () => undefined }),
      connectGateway: (signal) => {
        const listener = this.isGatewayReachable ? this.listener : undefined;
        if (!listener || listener.isDisposed) return Promise.resolve(undefined);
        const ports = { clock: this.world.clock, log: silentLogger };
        return GatewayClient.open(
          listener.connect().connection,
          { client: 'a window', personKey: 'the key' },
          ports,
          signal,
        );
      },
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
      diagnose: () => Promise.resolve([]),
    };
  }
}

/** The tmux server and the store outlive the sessions that use them. */
function keepAlive(host: LinkedHost): AgentHost {
  return new Proxy(host, {
    get: (target, key) => (key === 'dispose' || key === 'stop' ? async () => undefined : bound(target, key)),
  });
}
function keepOpen(store: MemoryDataStore): MemoryDataStore {
  return new Proxy(store, {
    get: (target, key) => (key === 'dispose' || key === 'close' ? async () => undefined : bound(target, key)),
  });
}
function bound(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}

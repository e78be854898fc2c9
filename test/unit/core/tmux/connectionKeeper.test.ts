import assert from 'node:assert/strict';
import type { HostStatus } from '../../../../src/core/agents/agentHost';
import { type Logger, silentLogger } from '../../../../src/core/base/log';
import { ConnectionKeeper } from '../../../../src/core/tmux/node/connectionKeeper';
import type { TmuxConnection } from '../../../../src/core/tmux/node/tmuxConnection';
import { TmuxError } from '../../../../src/core/tmux/tmuxErrors';
import { ManualClock } from '../../../support/manualClock';

describe('ConnectionKeeper', () => {
  it('says why tmux cannot be started, in the status and once in the log, and goes on trying', async () => {
    const clock = new ManualClock();
    const warnings: unknown[] = [];
    const log: Logger = { ...silentLogger, warn: (message, fields) => warnings.push([message, fields]) };
    const statuses: HostStatus[] = [];
    let attempts = 0;
    const keeper = new ConnectionKeeper({
      clock,
      log,
      open: () => {
        attempts += 1;
        return Promise.reject(
          new TmuxError('tmux.serverGone', 'attach', { detail: 'open terminal failed:\n no pty ' }),
        );
      },
      onConnected: () => Promise.resolve(),
      onDisconnected: () => undefined,
      onAbandoned: () => undefined,
      onStatus: (status) => statuses.push(status),
    });
    await keeper.start();
    await clock.advanceMs(20_000);
    assert.ok(attempts > 3, `${attempts} attempts`);
    assert.deepEqual(statuses[0], { kind: 'lost', reason: 'open terminal failed: no pty' });
    assert.deepEqual(warnings, [['tmux: not reachable', { reason: 'open terminal failed: no pty' }]]);
    keeper.stop();
    await clock.advanceMs(0);
  });

  it('is not stopped by a tmux that is missing while it is replaced; one that never was there blocks', async () => {
    const clock = new ManualClock();
    const statuses: HostStatus[] = [];
    const missing = new TmuxError('tmux.notInstalled', '-V', { detail: 'tmux was not found' });
    let isThere = true;
    let lose: (reason: string) => void = () => undefined;
    const keeper = new ConnectionKeeper({
      clock,
      log: silentLogger,
      open: () => {
        if (!isThere) return Promise.reject(missing);
        const connection = { dispose: () => undefined } as unknown as TmuxConnection;
        return Promise.resolve({ connection, version: '3.5a', lost: new Promise((resolve) => (lose = resolve)) });
      },
      onConnected: () => Promise.resolve(),
      onDisconnected: () => undefined,
      onAbandoned: () => undefined,
      onStatus: (status) => statuses.push(status),
    });
    await keeper.start();
    isThere = false;
    lose('server exited');
    await clock.advanceMs(20_000);
    assert.deepEqual(keeper.status, { kind: 'lost', reason: 'tmux was not found' });
    isThere = true;
    await clock.advanceMs(5_000);
    assert.deepEqual(keeper.status, { kind: 'ready', version: '3.5a' });
    keeper.stop();
    isThere = false;
    await keeper.start();
    assert.equal(keeper.status.kind, 'blocked');
  });
});

import path from 'node:path';
import { SystemClock } from '../../src/core/base/clock';
import { silentLogger } from '../../src/core/base/log';
import type { GatewayConnection } from '../../src/core/gateway/gatewayPorts';
import { connectSocket } from '../../src/core/gateway/node/connectGateway';
import { UnixGatewayListener } from '../../src/core/gateway/node/unixGatewayListener';
import { MemoryConnection } from '../support/gatewayPair';
import { temporaryFolder } from '../support/storeWorker';
import { gatewayConnectionContract } from './gatewayConnection.contract';

gatewayConnectionContract('in memory', async () => {
  const [caller, gateway] = MemoryConnection.pair();
  return { caller, gateway };
});

describe('over a socket', () => {
  const clock = new SystemClock();
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  });

  gatewayConnectionContract('over a unix socket', async () => {
    const { folder, remove } = temporaryFolder();
    const socket = path.join(folder, 'run', 'gateway.sock');
    const listener = await UnixGatewayListener.listen({ paths: [socket], clock, log: silentLogger });
    cleanups.push(() => (listener.dispose(), remove()));
    const accepted = new Promise<GatewayConnection>((resolve) => listener.onDidConnect(resolve));
    const caller = await connectSocket({ socket }, { clock, log: silentLogger });
    return { caller, gateway: await accepted };
  });
});

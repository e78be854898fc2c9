/**
 * A gateway before a fake engine in a process of its own (started by supportProcess.ts, with a channel): what its callers cost it can be measured.
 *   node gatewayProcess.ts <socket>
 * Answers each message with one: `begin` → a new measure; `end` → what was measured since.
 */
import { SystemClock } from '../../src/core/base/clock';
import { silentLogger } from '../../src/core/base/log';
import { UnixGatewayListener } from '../../src/core/gateway/node/unixGatewayListener';
import { GatewayWorld } from './gatewayWorld';

export interface GatewayCost {
  /** Highest resident memory since `begin`, less what it was then. */
  readonly growthBytes: number;
  readonly cpuMs: number;
  readonly connectionCount: number;
}

const SAMPLE_MS = 20;

async function main(socket: string): Promise<void> {
  const clock = new SystemClock();
  const listener = await UnixGatewayListener.listen({ paths: [socket], clock, log: silentLogger });
  const world = new GatewayWorld(listener, clock);
  let beginBytes = 0;
  let peakBytes = 0;
  let cpu = process.cpuUsage();
  setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), SAMPLE_MS);
  process.on('message', (message) => {
    if (message === 'begin') {
      globalThis.gc?.();
      cpu = process.cpuUsage();
      beginBytes = peakBytes = process.memoryUsage.rss();
      return process.send?.('begun');
    }
    const { user, system } = process.cpuUsage(cpu);
    const cost: GatewayCost = {
      growthBytes: peakBytes - beginBytes,
      cpuMs: (user + system) / 1000,
      connectionCount: world.gateway.connectionCount,
    };
    return process.send?.(cost);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');
}

void main(process.argv[2] ?? '');

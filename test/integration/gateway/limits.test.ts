// Runs alone: how long honest callers wait during an attack is measured.
import assert from 'node:assert/strict';
import path from 'node:path';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { connectSocket } from '../../../src/core/gateway/node/connectGateway';
import { GATEWAY_LIMITS } from '../../../src/shared/gatewayProtocol';
import type { GatewayCost } from '../../support/gatewayProcess';
import { RawCaller } from '../../support/gatewayWorld';
import { notRun } from '../../support/notRun';
import { temporaryFolder } from '../../support/storeWorker';
import { SupportProcess } from '../../support/supportProcess';
import { trials } from '../../support/trials';

const clock = new SystemClock();
/** What a caller that does no harm does, so often. Within the rate of an agent. */
const PING_EVERY_MS = 100;
const MAX_P99_MS = 200;
/** Above this for a gateway that nobody attacks, the machine is busy with something else. */
const BUSY_MACHINE_MS = 50;
/** With all else that the process does meanwhile, the good caller's requests too; 0.35 ms where it was measured. */
const MAX_CPU_PER_SILENT_CONNECTION_MS = 1.5;
const MAX_GROWTH_BYTES = 50 * 1024 * 1024;

describe('the gateway under attack', () => {
  let socket: string;
  /** Of a gateway that nobody attacks: what the machine does to everybody at that time. */
  let calmSocket: string;
  let remove: () => void;
  let gateway: SupportProcess;
  const children: SupportProcess[] = [];

  const start = (program: string, args: readonly string[], execArgv: readonly string[] = []): SupportProcess => {
    const child = SupportProcess.start(program, args, execArgv);
    children.push(child);
    return child;
  };
  const connect = async (path: string): Promise<RawCaller> => {
    const caller = new RawCaller(await connectSocket({ socket: path }, { clock, log: silentLogger }));
    await caller.hello({ token: 'tester:1' });
    return caller;
  };

  /** Times of a good caller's requests for as long as `until` is open, in order of size: on a connection it has, and on new ones. */
  const measure = async (path: string, until: Promise<unknown>): Promise<number[]> => {
    let isOver = false;
    void until.then(() => (isOver = true));
    const times: number[] = [];
    const standing = await connect(path);
    for (let turn = 0; !isOver; turn++) {
      const begin = performance.now();
      const isNew = turn % 5 === 4;
      const caller = isNew ? await connect(path) : standing;
      const { error } = await caller.call('self.status');
      times.push(performance.now() - begin);
      assert.equal(error, undefined);
      if (isNew) caller.connection.dispose();
      await new Promise((resolve) => setTimeout(resolve, PING_EVERY_MS));
    }
    standing.connection.dispose();
    return times.sort((a, b) => a - b);
  };
  const p99Of = (times: readonly number[]): number => times[Math.floor(times.length * 0.99)] ?? Infinity;

  const attackOnce = async (attack: string, attackMs: number) => {
    assert.equal(await gateway.ask('begin'), 'begun');
    const ended = start('gatewayAttacker.ts', [socket, attack, String(attackMs)]).next();
    const [times, calmTimes] = await Promise.all([measure(socket, ended), measure(calmSocket, ended)]);
    const { growthBytes, cpuMs, connectionCount } = (await gateway.ask('end')) as GatewayCost;
    const [p99, calmP99, count] = [p99Of(times), p99Of(calmTimes), Number(await ended)];
    const facts = [
      `p99 ${p99.toFixed(1)} ms of ${times.length} (${calmP99.toFixed(1)} ms without attack)`,
      `growth ${(growthBytes / 2 ** 20).toFixed(1)} MiB, CPU ${cpuMs.toFixed(0)} ms in ${attackMs} ms`,
      `attacker ${count}, connections ${connectionCount}`,
    ].join(', ');
    return { p99, calmP99, growthBytes, cpuMs, connectionCount, count, facts };
  };

  before(async () => {
    const { folder, remove: removeFolder } = temporaryFolder();
    remove = removeFolder;
    socket = path.join(folder, 'run', 'gateway.sock');
    calmSocket = path.join(folder, 'calm', 'gateway.sock');
    gateway = start('gatewayProcess.ts', [socket], ['--expose-gc']);
    assert.equal(await gateway.next(), 'ready');
    assert.equal(await start('gatewayProcess.ts', [calmSocket]).next(), 'ready');
    // What an engine that has worked for a while has: its code compiled, its heap grown to usual traffic.
    const caller = await connect(socket);
    for (let at = 0; at < 30; at++) {
      const payload = 'x'.repeat(100_000);
      await caller.call('hook.report', { event: 'Stop', payload, sentAtMs: 1 });
      await new Promise((resolve) => setTimeout(resolve, PING_EVERY_MS));
    }
    caller.connection.dispose();
  });
  after(async () => {
    for (const child of children) await child.end();
    remove();
  });

  for (const [attack, what] of [
    ['flood', 'a flood of requests'],
    ['slowLoris', 'callers that send a byte now and then'],
    ['hugeFrame', 'lines of a gigabyte'],
    ['deepJson', 'JSON that nests a million times'],
    ['fullFrames', 'the largest frames that are allowed'],
    ['halfOpen', '500 connections that say nothing'],
  ] as const) {
    it(`S17 ${what}: memory grows by less than 50 MB, and others’ p99 by less than 200 ms`, async function () {
      const attackMs = trials(3, 20, 120) * 1000;
      this.timeout(3 * attackMs + 90_000);
      // Where the machine itself keeps everybody waiting, a time says nothing about the gateway: it is taken again.
      for (let round = 1; ; round++) {
        const { p99, calmP99, growthBytes, cpuMs, connectionCount, count, facts } = await attackOnce(attack, attackMs);
        process.stdout.write(`      ${facts}\n`);
        assert.ok(growthBytes < MAX_GROWTH_BYTES, facts);
        assert.ok(connectionCount <= GATEWAY_LIMITS.connections, facts);
        assert.ok(count > 0, 'the attacker did nothing');
        // What the gateway itself does for a connection, whatever else keeps the machine busy.
        if (attack === 'halfOpen') assert.ok(cpuMs / count < MAX_CPU_PER_SILENT_CONNECTION_MS, facts);
        if (p99 < MAX_P99_MS + calmP99) return;
        assert.ok(calmP99 > BUSY_MACHINE_MS, facts);
        if (round === 3) notRun(this, `memory stays; the machine is too busy to judge times: ${facts}`);
      }
    });
  }
});

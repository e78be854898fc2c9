/**
 * A caller that means harm, in a process of its own (started by supportProcess.ts, with a channel).
 *   node gatewayAttacker.ts <socket> <attack> <milliseconds>
 * Sends one message at the end: how often it did what it does.
 */
import net from 'node:net';
import { GATEWAY_PROTOCOL } from '../../src/shared/gatewayProtocol';

const [socketPath = '', attack = '', duration = '0'] = process.argv.slice(2);
const endAt = performance.now() + Number(duration);
const isOver = (): boolean => performance.now() >= endAt;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const hello = `${JSON.stringify({ jsonrpc: '2.0', id: 'hello', method: 'hello', params: { protocol: GATEWAY_PROTOCOL, client: 'attacker', token: 'reviewer:2' } })}\n`;

/** At the end all are closed, also those whose other side does not read. */
const open = new Set<net.Socket>();
setTimeout(() => open.forEach((socket) => socket.destroy()), Number(duration));

function connect(): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath);
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => undefined); // being cut off is what is expected
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      reject(new Error('closed'));
    });
    socket.resume();
  });
}

/** Resolves with false once the other side has closed. */
function write(socket: net.Socket, data: string | Buffer): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onClose = (): void => resolve(false);
    socket.once('close', onClose);
    socket.write(data, (error) => {
      socket.off('close', onClose);
      resolve(!error);
    });
  });
}

/** On `count` connections beside each other, again and again until the time is over. */
async function repeat(count: number, once: () => Promise<number>): Promise<number> {
  const lanes = Array.from({ length: count }, async () => {
    let done = 0;
    while (!isOver()) done += await once().catch(() => pause(5).then(() => 0));
    return done;
  });
  return (await Promise.all(lanes)).reduce((sum, one) => sum + one, 0);
}

const attacks: Readonly<Record<string, () => Promise<number>>> = {
  /** As many requests as fit. */
  flood: () =>
    repeat(16, async () => {
      const socket = await connect();
      const requests = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'self.status', params: {} })}\n`.repeat(500);
      let sent = 0;
      for (await write(socket, hello); !isOver() && (await write(socket, requests));) sent += 500;
      socket.destroy();
      return sent;
    }),
  /** A byte now and then, with and without hello. */
  slowLoris: () =>
    repeat(40, async () => {
      const socket = await connect();
      if (Math.random() < 0.5) await write(socket, hello);
      let sent = 0;
      while (!isOver() && (await write(socket, '{'))) {
        sent++;
        await pause(50);
      }
      socket.destroy();
      return sent;
    }),
  /** A line of a gigabyte, as far as it is taken; then the next. Counts megabytes. */
  hugeFrame: () =>
    repeat(8, async () => {
      const socket = await connect();
      const part = Buffer.alloc(1024 * 1024, 0x78);
      let sent = 0;
      await write(socket, Math.random() < 0.5 ? hello : '"');
      for (; sent < 1024 && !isOver() && (await write(socket, part));) sent++;
      socket.destroy();
      return sent;
    }),
  /** JSON that nests a million times, within the size of a frame. */
  deepJson: () =>
    repeat(8, async () => {
      const socket = await connect();
      const deep = `${'['.repeat(1_000_000)}\n`;
      let sent = 0;
      for (await write(socket, hello); !isOver() && (await write(socket, deep));) sent++;
      socket.destroy();
      return sent;
    }),
  /** The largest frames that are allowed, as reports. */
  fullFrames: () =>
    repeat(8, async () => {
      const socket = await connect();
      const params = { event: 'a', payload: 'x'.repeat(1_000_000), sentAtMs: 1 };
      const frame = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hook.report', params })}\n`;
      let sent = 0;
      for (await write(socket, hello); !isOver() && (await write(socket, frame));) sent++;
      socket.destroy();
      return sent;
    }),
  /** 500 connections that say nothing, opened again when they are closed. */
  halfOpen: () =>
    repeat(500, async () => {
      await pause(Math.random() * 500); // not all in one instant
      const socket = await connect();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      await Promise.race([closed, pause(Math.max(0, endAt - performance.now()))]);
      socket.destroy();
      await pause(1_000);
      return 1;
    }),
};

void attacks[attack]?.().then((count) => process.send?.(count, undefined, {}, () => process.exit(0)));

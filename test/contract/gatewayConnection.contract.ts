import assert from 'node:assert/strict';
import type { GatewayConnection } from '../../src/core/gateway/gatewayPorts';
import { eventually } from '../support/eventually';

/** Both ends of one connection. */
export type OpenConnection = () => Promise<{ readonly caller: GatewayConnection; readonly gateway: GatewayConnection }>;

const turns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

/** What every implementation of GatewayConnection does. */
export function gatewayConnectionContract(name: string, open: OpenConnection): void {
  describe(`a connection of the gateway (${name})`, () => {
    let caller: GatewayConnection;
    let gateway: GatewayConnection;
    let received: string[];
    let closes: number;

    beforeEach(async () => {
      ({ caller, gateway } = await open());
      [received, closes] = [[], 0];
      gateway.onDidReceive((line) => received.push(line));
      gateway.onDidClose(() => closes++);
    });
    afterEach(() => {
      caller.dispose();
      gateway.dispose();
    });

    it('carries lines both ways, whole and in order', async () => {
      const back: string[] = [];
      caller.onDidReceive((line) => back.push(line));
      for (const line of ['one', '', 'zwei €', '{"a":"\\n"}']) {
        caller.send(line);
        gateway.send(line);
      }
      await eventually('all lines', () => (received.length === 4 && back.length === 4) || undefined);
      assert.deepEqual([received, back], [['one', '', 'zwei €', '{"a":"\\n"}'], received]);
    });

    it('gives nothing while it is paused, and then everything', async () => {
      gateway.pause();
      for (const line of ['one', 'two']) caller.send(line);
      await turns();
      assert.deepEqual(received, []);
      gateway.resume();
      await eventually('both lines', () => received.length === 2 || undefined);
    });

    it('may be paused by the line that it gives', async () => {
      const pausing = gateway.onDidReceive(() => gateway.pause());
      for (const line of ['one', 'two', 'three']) caller.send(line);
      await eventually('the first', () => received.length === 1 || undefined);
      await turns();
      assert.deepEqual(received, ['one']);
      pausing.dispose();
      gateway.resume();
      await eventually('the rest', () => received.length === 3 || undefined);
    });

    it('tells how much waits for an other end that does not read', async () => {
      caller.pause();
      const line = 'x'.repeat(1024 * 1024);
      let waiting = 0;
      for (let count = 0; count < 6; count++) waiting = gateway.send(line);
      assert.ok(waiting > 4 * 1024 * 1024, String(waiting));
    });

    it('tells its end once, whoever ends it', async () => {
      caller.dispose();
      await eventually('the end', () => closes === 1 || undefined);
      gateway.dispose();
      await turns();
      assert.equal(closes, 1);
      assert.equal(gateway.send('late'), 0);
    });

    it('gives nothing more once it was disposed', async () => {
      for (const line of ['one', 'two']) caller.send(line);
      gateway.onDidReceive(() => gateway.dispose());
      await eventually('the end', () => closes === 1 || undefined);
      assert.deepEqual(received, ['one']);
    });

    it('ended politely, it delivers what was sent before', async () => {
      const back: string[] = [];
      let isClosed = false;
      caller.onDidReceive((line) => back.push(line));
      caller.onDidClose(() => (isClosed = true));
      gateway.send('last words');
      gateway.end();
      gateway.send('too late');
      await eventually('the end', () => isClosed || undefined);
      assert.deepEqual(back, ['last words']);
    });
  });
}

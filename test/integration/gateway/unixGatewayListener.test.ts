import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { GatewayError, type GatewayErrorCode } from '../../../src/core/gateway/gatewayErrors';
import { connectSocket } from '../../../src/core/gateway/node/connectGateway';
import type { SocketConnection } from '../../../src/core/gateway/node/socketConnection';
import { UnixGatewayListener } from '../../../src/core/gateway/node/unixGatewayListener';
import { GATEWAY_LIMITS } from '../../../src/shared/gatewayProtocol';
import { eventually } from '../../support/eventually';
import { ManualClock } from '../../support/manualClock';
import { notRun } from '../../support/notRun';
import { temporaryFolder } from '../../support/storeWorker';

const log = silentLogger;
const clock = new SystemClock();
const failsWith = (code: GatewayErrorCode) => (error: unknown) =>
  GatewayError.is(error, code) || assert.fail(String(error));

describe('the socket of the gateway', () => {
  let folder: string;
  let socketPath: string;
  let remove: () => void;
  const owned: { dispose(): void }[] = [];
  const listen = async (...paths: [string, ...string[]]): Promise<UnixGatewayListener> => {
    const listener = await UnixGatewayListener.listen({ paths, clock, log });
    owned.push(listener);
    // An echo: whatever arrives is sent back.
    listener.onDidConnect((connection) => connection.onDidReceive((line) => connection.send(line)));
    return listener;
  };
  const connect = async (socket = socketPath): Promise<SocketConnection> => {
    const connection = await connectSocket({ socket }, { clock, log });
    owned.push(connection);
    return connection;
  };
  const echoes = async (connection: SocketConnection, line: string): Promise<void> => {
    const back = new Promise<string>((resolve) => connection.onDidReceive(resolve));
    connection.send(line);
    assert.equal(await back, line);
  };

  beforeEach(() => {
    ({ folder, remove } = temporaryFolder());
    socketPath = path.join(folder, 'run', 'gateway.sock');
  });
  afterEach(() => {
    for (const one of owned.splice(0)) one.dispose();
    remove();
  });

  it('S8 lies in a folder that only its owner can enter, and is the owner’s alone itself', async () => {
    const umask = process.umask();
    const listener = await listen(socketPath);
    assert.equal(fs.statSync(path.dirname(socketPath)).mode & 0o777, 0o700);
    assert.equal(fs.statSync(socketPath).mode & 0o777, 0o600);
    assert.equal(process.umask(), umask);
    assert.equal(listener.path, socketPath);
    await echoes(await connect(), 'hello');
  });

  it('S8 another user of the machine cannot reach it', async function () {
    if (process.getuid?.() !== 0) notRun(this, 'only an administrator can become another user');
    await listen(socketPath);
    const program = `require('net').connect(process.argv[1]).on('connect', () => process.exit(0)).on('error', (e) => { console.log(e.code); process.exit(1); })`;
    const attempt = (uid: number): Promise<string> =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, ['-e', program, socketPath], { uid, gid: uid, cwd: '/', env: {} });
        let out = '';
        child.stdout.on('data', (chunk) => (out += String(chunk)));
        child.on('error', reject);
        child.on('close', (code) => resolve(`${code} ${out}`.trim()));
      });
    fs.chmodSync(folder, 0o755); // what keeps them out is the folder of the socket alone
    assert.equal(await attempt(0), '0');
    assert.equal(await attempt(65534), '1 EACCES');
    fs.chmodSync(socketPath, 0o777);
    assert.equal(await attempt(65534), '1 EACCES');
  });

  it('S8 a folder that is open to others, a link, a file or somebody else’s is refused', async () => {
    const place = path.dirname(socketPath);
    fs.mkdirSync(place, { mode: 0o755 });
    await assert.rejects(listen(socketPath), failsWith('gateway.folderUnsafe'));
    fs.renameSync(place, path.join(folder, 'elsewhere'));
    fs.chmodSync(path.join(folder, 'elsewhere'), 0o700);
    fs.symlinkSync(path.join(folder, 'elsewhere'), place);
    await assert.rejects(listen(socketPath), failsWith('gateway.folderUnsafe'));
    await assert.rejects(connectSocket({ socket: socketPath }, { clock, log }), failsWith('gateway.unreachable'));
    fs.unlinkSync(place);
    fs.writeFileSync(place, '');
    await assert.rejects(listen(socketPath), failsWith('gateway.folderUnsafe'));
    fs.unlinkSync(place);
    if (process.getuid?.() !== 0) return;
    fs.mkdirSync(place, { mode: 0o700 });
    fs.chownSync(place, 65534, 65534);
    await assert.rejects(listen(socketPath), failsWith('gateway.folderUnsafe'));
  });

  it('a path that is too long is refused before anything is made', async () => {
    const long = path.join(folder, 'run', 'x'.repeat(120));
    await assert.rejects(listen(long), failsWith('gateway.pathTooLong'));
    await assert.rejects(connect(long), failsWith('gateway.pathTooLong'));
    assert.equal(fs.existsSync(path.join(folder, 'run')), false);
  });

  it('what is no socket of ours is never removed', async () => {
    fs.mkdirSync(path.dirname(socketPath), { mode: 0o700 });
    fs.writeFileSync(socketPath, 'precious');
    await assert.rejects(listen(socketPath), failsWith('gateway.folderUnsafe'));
    assert.equal(fs.readFileSync(socketPath, 'utf8'), 'precious');
    fs.renameSync(socketPath, `${socketPath}.kept`);
    fs.symlinkSync(`${socketPath}.kept`, socketPath);
    await assert.rejects(listen(socketPath), failsWith('gateway.folderUnsafe'));
    assert.equal(fs.lstatSync(socketPath).isSymbolicLink(), true);
    assert.deepEqual(fs.readdirSync(path.dirname(socketPath)).sort(), ['gateway.sock', 'gateway.sock.kept']);
  });

  it('what an owner that was killed left behind is replaced', async () => {
    fs.mkdirSync(path.dirname(socketPath), { mode: 0o700 });
    const program = `require('net').createServer().listen(process.argv[1], () => console.log('ready'))`;
    const child = spawn(process.execPath, ['-e', program, socketPath], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    assert.equal(fs.lstatSync(socketPath).isSocket(), true);
    await assert.rejects(connect(), failsWith('gateway.unreachable'));
    await listen(socketPath);
    await echoes(await connect(), 'again');
  });

  it('a successor’s socket stays when the one before it ends', async () => {
    const before = await listen(socketPath);
    await listen(socketPath);
    before.dispose();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await echoes(await connect(), 'still here');
  });

  it('nothing is left when it ends', async () => {
    (await listen(socketPath)).dispose();
    await eventually('an empty folder', () => fs.readdirSync(path.dirname(socketPath)).length === 0 || undefined);
  });

  it('is there again after its folder vanished, and open connections go on', async () => {
    const place = path.dirname(socketPath);
    await listen(socketPath);
    const open = await connect();
    for (let round = 0; round < 10; round++) {
      fs.renameSync(place, path.join(folder, `gone${round}`));
      await eventually('the socket', () => fs.lstatSync(socketPath).isSocket(), { timeoutMs: 10_000 });
      await echoes(await connect(), `round ${round}`);
      await echoes(open, `open ${round}`);
    }
    fs.unlinkSync(socketPath);
    await eventually('the socket', () => fs.lstatSync(socketPath).isSocket(), { timeoutMs: 10_000 });
    fs.rmSync(place, { recursive: true, force: true, maxRetries: 20 });
    await eventually('the socket', () => fs.lstatSync(socketPath).isSocket(), { timeoutMs: 10_000 });
    assert.equal(fs.statSync(place).mode & 0o777, 0o700);
    await echoes(await connect(), 'the end');
  }).timeout(120_000);

  it('is there again without a watch, by the check that is made now and then', async () => {
    const manual = new ManualClock();
    const listener = await UnixGatewayListener.listen({ paths: [socketPath], clock: manual, log });
    owned.push(listener);
    const inode = fs.lstatSync(socketPath).ino;
    fs.unlinkSync(socketPath);
    await manual.advanceMs(60_000);
    await eventually('another socket', () => fs.lstatSync(socketPath).ino !== inode || undefined);
    await listener.ensure();
    const again = fs.lstatSync(socketPath).ino;
    await listener.ensure();
    assert.equal(fs.lstatSync(socketPath).ino, again);
  });

  it('moves to the next place when the folder cannot be made again, and says so', async function () {
    if (process.getuid?.() === 0) fs.mkdirSync(path.join(folder, 'session'));
    const first = path.join(folder, 'session', 'run', 'gateway.sock');
    const listener = await listen(first, socketPath);
    const moved: string[] = [];
    listener.onDidMove((to) => moved.push(to));
    // A file where the parent was: even an administrator cannot make the folder.
    fs.renameSync(path.join(folder, 'session'), path.join(folder, 'gone'));
    fs.writeFileSync(path.join(folder, 'session'), '');
    await listener.ensure();
    assert.deepEqual([listener.path, moved], [socketPath, [socketPath]]);
    await echoes(await connect(), 'moved');
  });

  describe('its connections', () => {
    it('S17 end at a line that is too long, or no UTF-8, without a word', async () => {
      await listen(socketPath);
      const closes = async (bytes: Uint8Array): Promise<string> => {
        const socket = net.connect(socketPath);
        let received = '';
        socket.on('data', (chunk) => (received += String(chunk)));
        socket.on('error', () => undefined); // a reset is one way to be cut off
        socket.write(bytes);
        await new Promise((resolve) => socket.once('close', resolve));
        return received;
      };
      assert.equal(await closes(Buffer.alloc(GATEWAY_LIMITS.frameBytes + 1, 65)), '');
      assert.equal(await closes(Buffer.from([0xff, 0xfe, 10])), '');
      assert.equal(await closes(Buffer.from([0x68, 0x69, 10, 0xc0, 10])), 'hi\n');
    });

    it('carry the longest line whole, in order', async () => {
      await listen(socketPath);
      const connection = await connect();
      const lines = ['x'.repeat(GATEWAY_LIMITS.frameBytes - 1), '€'.repeat(300_000), ''];
      const back: string[] = [];
      connection.onDidReceive((line) => back.push(line));
      for (const line of lines) connection.send(line);
      await eventually('all lines', () => back.length === lines.length || undefined);
      assert.ok(back.every((line, at) => line === lines[at]));
    });

    it('give no line while they are paused', async () => {
      const listener = await UnixGatewayListener.listen({ paths: [socketPath], clock, log });
      owned.push(listener);
      const lines: string[] = [];
      let resume = (): void => undefined;
      listener.onDidConnect((connection) => {
        resume = () => connection.resume();
        connection.onDidReceive((line) => {
          lines.push(line);
          if (line === 'stop') connection.pause();
        });
      });
      (await connect()).send('one\nstop\ntwo\nthree');
      await eventually('the pause', () => lines.length === 2 || undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual(lines, ['one', 'stop']);
      resume();
      await eventually('the rest', () => lines.length === 4 || undefined);
      assert.deepEqual(lines, ['one', 'stop', 'two', 'three']);
    });

    it('S17 are not read while their other end does not read', async () => {
      const listener = await UnixGatewayListener.listen({ paths: [socketPath], clock, log });
      owned.push(listener);
      let taken = 0;
      const answer = 'x'.repeat(10_000);
      listener.onDidConnect((connection) =>
        connection.onDidReceive(() => {
          taken++;
          connection.send(answer);
        }),
      );
      const socket = net.connect(socketPath);
      owned.push({ dispose: () => socket.destroy() });
      socket.on('error', () => undefined); // it is cut off at the end of the test
      socket.pause();
      socket.write('a\n'.repeat(20_000));
      await eventually('the first', () => taken > 0 || undefined);
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.ok(taken < 2_000, `${taken} requests were taken of a caller that does not read`);
      socket.resume();
      await eventually('all', () => taken === 20_000 || undefined, { timeoutMs: 20_000 });
    });

    it('end politely: what is queued arrives first', async () => {
      const listener = await UnixGatewayListener.listen({ paths: [socketPath], clock, log });
      owned.push(listener);
      listener.onDidConnect((connection) => {
        connection.send('last words');
        connection.end();
      });
      const connection = await connect();
      const got: string[] = [];
      connection.onDidReceive((line) => got.push(line));
      await new Promise<void>((resolve) => connection.onDidClose(resolve));
      assert.deepEqual(got, ['last words']);
    });
  });
});

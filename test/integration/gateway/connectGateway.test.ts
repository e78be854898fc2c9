import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { AgentError } from '../../../src/core/agents/agentErrors';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { GatewayError, type GatewayErrorCode } from '../../../src/core/gateway/gatewayErrors';
import { connectGateway } from '../../../src/core/gateway/node/connectGateway';
import { readPointerFile, writePointerFile } from '../../../src/core/gateway/node/pointerFile';
import { UnixGatewayListener } from '../../../src/core/gateway/node/unixGatewayListener';
import { RemoteEngine } from '../../../src/core/gateway/remoteEngine';
import { GATEWAY_PROTOCOL, type GatewayPointer } from '../../../src/shared/gatewayProtocol';
import { agentId } from '../../support/builders';
import { eventually } from '../../support/eventually';
import { anAgentView } from '../../support/fakeEngine';
import { GatewayWorld, PERSON_KEY } from '../../support/gatewayWorld';
import { notRun } from '../../support/notRun';
import { temporaryFolder } from '../../support/storeWorker';
import { SupportProcess } from '../../support/supportProcess';

const log = silentLogger;
const clock = new SystemClock();
const failsWith = (code: GatewayErrorCode) => (error: unknown) =>
  GatewayError.is(error, code) || assert.fail(String(error));

describe('the way to the gateway', () => {
  let folder: string;
  let pointerFile: string;
  let pointer: GatewayPointer;
  let world: GatewayWorld<UnixGatewayListener>;
  let remove: () => void;
  const connect = (file = pointerFile): ReturnType<typeof connectGateway> =>
    connectGateway({ pointerFile: file, client: 'window', clock, log });

  beforeEach(async () => {
    ({ folder, remove } = temporaryFolder());
    const socket = path.join(folder, 'run', 'gateway.sock');
    world = new GatewayWorld(await UnixGatewayListener.listen({ paths: [socket], clock, log }), clock);
    pointerFile = path.join(folder, 'gateway.json');
    const personKeyFile = path.join(folder, 'person.key');
    fs.writeFileSync(personKeyFile, `${PERSON_KEY}\n`, { mode: 0o600 });
    pointer = {
      protocol: GATEWAY_PROTOCOL,
      version: '1.2.3',
      socket,
      tokenFolder: path.join(folder, 'tokens'),
      personKeyFile,
      spoolFolder: path.join(folder, 'spool'),
      workspace: '/project',
      ownerPid: process.pid,
    };
    await writePointerFile(pointerFile, pointer);
  });
  afterEach(() => {
    world.dispose();
    remove();
  });

  it('leads from the pointer to the owner’s agents', async () => {
    const remote = await RemoteEngine.follow(await connect(), log);
    assert.deepEqual(remote.agents, world.engine.agents);
    world.engine.simulateAgent(anAgentView({ generation: 2, activity: 'busy' }));
    await eventually('the change', () => remote.agent('reviewer')?.activity === 'busy' || undefined);
    world.engine.failWith(new AgentError('agent.paused', 'it is paused'));
    await assert.rejects(remote.stopAgent(agentId('reviewer')), (error) => AgentError.is(error, 'agent.paused'));
    let isClosed = false;
    remote.onDidClose(() => (isClosed = true));
    world.gateway.dispose();
    await eventually('the close', () => isClosed || undefined);
    await assert.rejects(connect(), failsWith('gateway.unreachable'));
  });

  it('the pointer is written whole, for its owner only, and read back', async () => {
    assert.equal(fs.statSync(pointerFile).mode & 0o777, 0o600);
    assert.deepEqual(await readPointerFile(pointerFile), pointer);
    await writePointerFile(pointerFile, { ...pointer, ownerPid: 7 });
    assert.equal((await readPointerFile(pointerFile)).ownerPid, 7);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['gateway.json', 'person.key', 'run']);
  });

  it('a pointer that is read while it is rewritten is always whole', async () => {
    let isWriting = true;
    const writing = (async () => {
      for (let pid = 1; pid <= 100; pid++) await writePointerFile(pointerFile, { ...pointer, ownerPid: pid });
      isWriting = false;
    })();
    while (isWriting) assert.ok((await readPointerFile(pointerFile)).ownerPid > 0);
    await writing;
  });

  it('S8 a pointer or key that others could have written or read is not followed', async () => {
    const refused = async (spoil: () => void, mend: () => void): Promise<void> => {
      spoil();
      await assert.rejects(connect(), failsWith('gateway.pointerInvalid'));
      mend();
    };
    for (const file of [pointerFile, pointer.personKeyFile]) {
      await refused(() => fs.chmodSync(file, 0o644), () => fs.chmodSync(file, 0o600)); // prettier-ignore
      await refused(() => fs.chmodSync(file, 0o620), () => fs.chmodSync(file, 0o600)); // prettier-ignore
      const moved = `${file}.moved`;
      await refused(
        () => (fs.renameSync(file, moved), fs.symlinkSync(moved, file)),
        () => fs.renameSync(moved, file),
      );
      await refused(
        () => (fs.renameSync(file, moved), fs.mkdirSync(file)),
        () => (fs.rmdirSync(file), fs.renameSync(moved, file)),
      );
      if (process.getuid?.() !== 0) continue;
      await refused(() => fs.chownSync(file, 65534, 65534), () => fs.chownSync(file, 0, 0)); // prettier-ignore
    }
    (await connect()).dispose();
    fs.chmodSync(path.dirname(pointer.socket), 0o755);
    await assert.rejects(connect(), failsWith('gateway.unreachable'));
  });

  it('what is missing, broken, huge or of another kind is a typed error', async () => {
    const contents = [
      '',
      '{',
      'null',
      '[]',
      '{}',
      JSON.stringify({ ...pointer, socket: 'relative' }),
      'x'.repeat(20_000),
    ];
    for (const text of contents) {
      fs.writeFileSync(pointerFile, text);
      await assert.rejects(connect(), failsWith('gateway.pointerInvalid'), text.slice(0, 40));
    }
    fs.writeFileSync(pointerFile, JSON.stringify({ ...pointer, socket: `/${'x'.repeat(110)}` }));
    await assert.rejects(connect(), failsWith('gateway.pathTooLong'));
    fs.unlinkSync(pointerFile);
    await assert.rejects(connect(), failsWith('gateway.pointerInvalid'));
    fs.chmodSync(folder, 0o755);
    await assert.rejects(writePointerFile(pointerFile, pointer), failsWith('gateway.folderUnsafe'));
  });

  it('fields of a later version do no harm', async () => {
    fs.writeFileSync(pointerFile, JSON.stringify({ ...pointer, novelty: { a: 1 } }));
    assert.deepEqual(await readPointerFile(pointerFile), pointer);
  });

  it('a wrong key is refused', async () => {
    fs.writeFileSync(pointer.personKeyFile, 'f'.repeat(64));
    await assert.rejects(connect(), failsWith('gateway.unauthenticated'));
  });

  it('ends when it is aborted', async () => {
    const abort = AbortSignal.abort(new Error('enough'));
    await assert.rejects(connectGateway({ pointerFile, client: 'window', clock, log }, abort), /enough/);
  });

  describe('is no way for web pages', () => {
    it('S9 a gateway has a unix socket and nothing else: a browser has no address to call', async function () {
      if (process.platform !== 'linux') notRun(this, 'open ports are read from /proc');
      const socket = path.join(folder, 'own', 'gateway.sock');
      const child = SupportProcess.start('gatewayProcess.ts', [socket]);
      try {
        assert.equal(await child.next(), 'ready');
        const proc = `/proc/${child.pid}`;
        const own = new Set(fs.readdirSync(`${proc}/fd`).map((fd) => fs.readlinkSync(`${proc}/fd/${fd}`)));
        const rowsOf = (protocol: string): string[][] => {
          const file = `${proc}/net/${protocol}`;
          if (!fs.existsSync(file)) return []; // a kernel without IPv6
          const rows = fs.readFileSync(file, 'utf8').trim().split('\n').slice(1);
          return rows.map((row) => row.trim().split(/\s+/));
        };
        const ports = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap(rowsOf).filter((cells) => own.has(`socket:[${cells[9]}]`));
        assert.deepEqual(ports, []);
        // The same way of looking sees what is there: a unix socket that accepts connections (flag 10000).
        assert.ok(rowsOf('unix').some((cells) => cells[3] === '00010000' && own.has(`socket:[${cells[6]}]`)));
        assert.ok(fs.lstatSync(socket).isSocket());
      } finally {
        await child.end();
      }
    });

    for (const [name, options] of [
      ['a GET', { method: 'GET', path: '/' }],
      [
        'a POST with a request as its body',
        { method: 'POST', path: '/rpc', headers: { 'content-type': 'text/plain' } },
      ],
      ['a WebSocket', { headers: { connection: 'Upgrade', upgrade: 'websocket', origin: 'http://evil.example' } }],
    ] as const) {
      it(`S9 ${name} over the socket is closed without an answer`, async () => {
        const body = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params: { protocol: 1, client: 'x', personKey: PERSON_KEY } })}\n`;
        const outcome = await new Promise<string>((resolve) => {
          const request = http.request({ socketPath: pointer.socket, ...options }, ({ statusCode }) =>
            resolve(`answered ${statusCode}`),
          );
          request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
          request.end('method' in options && options.method === 'POST' ? body : undefined);
        });
        assert.match(outcome, /^(ECONNRESET|EPIPE)$/);
        assert.equal(world.authenticator.attempts, 0);
      });
    }
  });
});

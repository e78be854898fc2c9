// Runs alone: it floods a terminal for seconds.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import type { SettledScreen } from '../../../src/core/agents/agentHost';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { eventually } from '../../support/eventually';
import { notRun } from '../../support/notRun';
import { residentBytes } from '../../support/processTree';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { ToldProgram } from '../../support/toldProgram';
import { sizedMs } from '../../support/trials';

const PATH = process.env.PATH ?? '';
const MIB = 1024 * 1024;

describe('flow of output', function () {
  this.timeout(90_000);
  let server: TmuxTestServer;
  let host: TmuxAgentHost;
  let screens: SettledScreen[];
  const programs: ToldProgram[] = [];

  before(function () {
    requireTmux(this);
  });
  beforeEach(async () => {
    server = new TmuxTestServer();
    host = server.host();
    screens = [];
    host.onDidSettleScreen((screen) => screens.push(screen));
    await host.start();
  });
  afterEach(() => {
    for (const program of programs.splice(0)) program.dispose();
    server?.dispose();
  });

  const launch = (agentId: string, argv: readonly string[]) =>
    host.launch({ agentId: agentId as AgentId, generation: 1, folder: '/', argv, env: { PATH } });
  const launchTold = async (agentId: string): Promise<ToldProgram> => {
    const program = new ToldProgram(join(server.folder, 'programs'), agentId);
    programs.push(program);
    await launch(agentId, program.argv);
    return program;
  };
  const block = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  it('is known by how long it has rested when a screen is read', async () => {
    const calm = await launchTold('calm');
    const read = (): Promise<SettledScreen> => host.capture('calm' as AgentId);
    calm.tell('print one');
    const printedMs = performance.now();
    await eventually('it has rested', async () => ((await read()).quietMs ?? 0) >= 200);
    assert.ok(performance.now() - printedMs >= 200, 'not before 200 ms have passed');
    calm.tell('print two');
    const toldMs = performance.now();
    const screen = await eventually('it is shown', async () => {
      const shown = await read();
      return shown.text.includes('two') ? shown : undefined;
    });
    assert.ok((screen.quietMs ?? Infinity) <= performance.now() - toldMs, 'counted from the newest output');
  });

  it('S17 of one flood neither fills the server while we do not read nor hides the others afterwards', async function () {
    if (process.platform !== 'linux') notRun(this, 'reads the memory of the server in /proc');
    const serverPid = server.serverPid() ?? -1;
    const calm = await launchTold('calm');
    await launch('flood', ['yes', 'x'.repeat(78)]);
    await eventually('it floods', () => screens.some(({ agentId }) => agentId === 'flood'));
    // Counted from a server that is full of what it keeps anyway (its history): else a slow machine counts that, too.
    const sizes: number[] = [];
    const beforeBytes = await eventually(
      'the server keeps its size while we read',
      () => {
        sizes.push(residentBytes(serverPid));
        const [earlier = 0, last = 0] = [sizes.at(-5), sizes.at(-1)];
        return last - earlier < MIB / 4 ? last : undefined;
      },
      { timeoutMs: 20_000, everyMs: 100 },
    );
    block(sizedMs(3_000, 6_000, 20_000));
    const grownMib = (residentBytes(serverPid) - beforeBytes) / MIB;
    assert.ok(grownMib < 10, `the server grew by ${grownMib.toFixed(1)} MiB while nobody read`);
    screens = [];
    calm.tell('print still here');
    await eventually('the calm one is seen', () => screens.some(({ text }) => text.includes('still here')));
    await eventually('the flood is seen again', () => screens.some(({ agentId }) => agentId === 'flood'));
    assert.equal(host.status.kind, 'ready');
  });

  it('is mirrored whole: every byte after the picture, once, in order', async () => {
    const seen = { data: '' };
    const told = await launchTold('counter');
    host.mirror('counter' as AgentId, { onData: (data) => (seen.data += data), onSize: () => {}, onEnd: () => {} });
    for (let i = 0; i < 200; i++) told.tell(`print <${i} é漢>`);
    await eventually('the last line', () => seen.data.includes('<199 é漢>'));
    const numbers = [...seen.data.matchAll(/<(\d+) é漢>/g)].map((match) => Number(match[1]));
    assert.deepEqual(numbers, Array.from({ length: 200 }, (_, i) => i).slice(-numbers.length));
    assert.doesNotMatch(seen.data, /\ufffd/);
  });

  it('never resizes an agent because somebody mirrors or watches it', async () => {
    await host.launch({
      agentId: 'sized' as AgentId,
      generation: 1,
      folder: '/',
      argv: ['/bin/cat'],
      env: { PATH },
      columns: 133,
      rows: 37,
    });
    host.mirror('sized' as AgentId, { onData: () => {}, onSize: () => {}, onEnd: () => {} });
    await host.capture('sized' as AgentId);
    assert.equal(
      server.tmux('display-message', '-p', '-t', '=sized:', '#{pane_width}x#{pane_height}').stdout.trim(),
      '133x37',
    );
  });

  it('beyond 64 agents is streamed for mirrors only, and the others are still noticed', async () => {
    const [mirrored, silent] = [await launchTold('mirrored'), await launchTold('silent')];
    await Promise.all(Array.from({ length: 66 }, (_, i) => launch(`many-${i}`, ['/bin/cat'])));
    const seen = { data: '' };
    const mirror = host.mirror('mirrored' as AgentId, {
      onData: (data) => (seen.data += data),
      onSize: () => {},
      onEnd: () => {},
    });
    mirrored.tell('print to the mirror');
    await eventually('the mirror shows it', () => seen.data.includes('to the mirror'));
    screens = [];
    silent.tell('print noticed');
    await eventually(
      'the unwatched one is read',
      () => screens.some(({ agentId, text }) => agentId === 'silent' && text.includes('noticed')),
      { timeoutMs: 4_000 },
    );
    mirror.dispose();
    await Promise.all(Array.from({ length: 10 }, (_, i) => host.discard(`many-${i}` as AgentId)));
    screens = [];
    silent.tell('print streamed again');
    await eventually('streams again', () => screens.some(({ text }) => text.includes('streamed again')), {
      timeoutMs: 4_000,
    });
  });
});

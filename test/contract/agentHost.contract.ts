import assert from 'node:assert/strict';
import type { AgentId } from '../../src/core/agents/agent';
import type {
  AgentExit,
  AgentHost,
  AgentKey,
  LaunchSpec,
  OscSequence,
  SettledScreen,
} from '../../src/core/agents/agentHost';
import { TmuxError, type TmuxErrorCode } from '../../src/core/tmux/tmuxErrors';
import { eventually } from '../support/eventually';

/** What the contract needs of the world around a host. */
export interface AgentHostHarness {
  readonly host: AgentHost;
  /** A program that lives until told otherwise. */
  spec(agentId: AgentId, changes?: Partial<LaunchSpec>): LaunchSpec;
  /** The program prints a line. */
  print(agentId: AgentId, line: string): Promise<void>;
  /** The program writes an OSC, ended by BEL or by ST. */
  osc(agentId: AgentId, code: number, text: string, end: 'BEL' | 'ST'): Promise<void>;
  /** A person looks at the scroll-back. */
  enterCopyMode(agentId: AgentId): Promise<void>;
  /** Content of a file in the folder of the agent's launch; undefined when there is none. */
  launchFile(agentId: AgentId, generation: number, path: string): Promise<string | undefined>;
  /** The program ends by itself. */
  exit(agentId: AgentId, code: number): Promise<void>;
  /** The program is killed from outside. */
  kill(agentId: AgentId): Promise<void>;
  /** What reached the program through its terminal so far; Enter counts as \n. */
  inputOf(agentId: AgentId): Promise<string>;
  /** A person attaches; the process id of the terminal's client. */
  attach(agentId: AgentId): Promise<number>;
  dispose(): Promise<void>;
}

const a = 'agent-a' as AgentId;
const b = 'agent-b' as AgentId;

/** The behaviour every AgentHost has. Run on the fake and on tmux. */
export function describeAgentHost(name: string, createHarness: () => Promise<AgentHostHarness>): void {
  describe(`AgentHost contract: ${name}`, () => {
    let harness: AgentHostHarness;
    let host: AgentHost;
    let exits: AgentExit[];
    let screens: SettledScreen[];

    beforeEach(async () => {
      harness = await createHarness();
      host = harness.host;
      exits = [];
      screens = [];
      host.onDidExit((exit) => exits.push(exit));
      host.onDidSettleScreen((screen) => screens.push(screen));
    });
    afterEach(() => harness.dispose());

    const launch = async (agentId: AgentId, changes: Partial<LaunchSpec> = {}): Promise<void> => {
      if (host.status.kind === 'stopped') await host.start();
      await host.launch(harness.spec(agentId, changes));
    };
    const rejects = (work: Promise<unknown>, code: TmuxErrorCode): Promise<void> =>
      assert.rejects(work, (error) => TmuxError.is(error, code), code);

    it('is stopped, then ready with a version, and starting again changes nothing', async () => {
      const kinds: string[] = [];
      host.onDidChangeStatus((status) => kinds.push(status.kind));
      assert.equal(host.status.kind, 'stopped');
      await Promise.all([host.start(), host.start()]);
      await host.start();
      assert.deepEqual([kinds, host.status.kind], [['ready'], 'ready']);
      assert.deepEqual(await host.list(), []);
    });

    it('answers nothing before it is started', async () => {
      await rejects(host.list(), 'tmux.serverGone');
      await rejects(host.launch(harness.spec(a)), 'tmux.serverGone');
      await rejects(host.capture(a), 'tmux.serverGone');
      await rejects(host.paste(a, 'x'), 'tmux.serverGone');
      await rejects(host.press(a, ['Enter']), 'tmux.serverGone');
      await rejects(host.discard(a), 'tmux.serverGone');
      await rejects(host.attachedClients(), 'tmux.serverGone');
      assert.equal((await host.probe(a)).kind, 'unknown');
    });

    it('launches, lists and probes', async () => {
      await host.start();
      const identity = await host.launch(harness.spec(a, { generation: 3 }));
      assert.ok(identity.pid > 1 && identity.startTime !== '');
      const [listed, ...others] = await host.list();
      assert.deepEqual(others, []);
      assert.deepEqual(
        [listed?.agentId, listed?.generation, listed?.process, listed?.liveness],
        [a, 3, identity, { kind: 'alive' }],
      );
      assert.deepEqual(await host.probe(a), { kind: 'alive' });
      assert.equal((await host.probe(b)).kind, 'unknown');
    });

    it('refuses a second launch of the same agent and leaves the first alone', async () => {
      await launch(a);
      const before = await host.list();
      await rejects(host.launch(harness.spec(a, { generation: 2 })), 'tmux.alreadyExists');
      const after = await host.list();
      assert.deepEqual(
        after.map(({ generation, process }) => [generation, process]),
        before.map(({ generation, process }) => [generation, process]),
      );
      assert.deepEqual(await host.probe(a), { kind: 'alive' });
    });

    it('launches an agent only once when asked twice at the same time', async () => {
      await host.start();
      const results = await Promise.allSettled([host.launch(harness.spec(a)), host.launch(harness.spec(a))]);
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      assert.equal((await host.list()).length, 1);
    });

    it('refuses what cannot be launched, and nothing is left of it', async () => {
      await host.start();
      for (const changes of [
        { argv: [] },
        { argv: ['a\0b'] },
        { folder: '/\0' },
        { env: { A: '\0' } },
        { agentId: 'Not An Id' as AgentId },
        { files: { '../evil': '' } },
        { files: { '/evil': '' } },
        { files: { 'launch.sh': '' } },
        { files: { 'a/b/c/d/e': '' } },
        { files: { '..': '' } },
      ]) {
        await rejects(host.launch(harness.spec(a, changes)), 'tmux.invalidArgument');
      }
      assert.deepEqual(await host.list(), []);
    });

    it('launches nothing once aborted', async () => {
      await host.start();
      const reason = new Error('changed my mind');
      await assert.rejects(host.launch(harness.spec(a), AbortSignal.abort(reason)), reason);
      assert.deepEqual(await host.list(), []);
    });

    it('tells the end of a process once, with its code, and goes on knowing it', async () => {
      await launch(a, { generation: 4 });
      await harness.exit(a, 7);
      const exit = await eventually('the exit is told', () => exits[0]);
      assert.deepEqual([exit.agentId, exit.generation, exit.cause], [a, 4, { code: 7 }]);
      assert.deepEqual(await host.probe(a), { kind: 'dead', cause: { code: 7 } });
      assert.deepEqual((await host.list())[0]?.liveness, { kind: 'dead', cause: { code: 7 } });
      assert.equal(exits.length, 1);
    });

    it('tells the signal that killed a process', async () => {
      await launch(a);
      await harness.kill(a);
      const exit = await eventually('the exit is told', () => exits[0]);
      assert.deepEqual(exit.cause, { signal: 'SIGKILL' });
    });

    it('lets the screen of an ended agent be read but nothing be typed', async () => {
      await launch(a);
      await harness.print(a, 'last words');
      await eventually('printed', async () => (await host.capture(a)).text.includes('last words'));
      await harness.exit(a, 0);
      await eventually('the exit is told', () => exits[0]);
      assert.match((await host.capture(a)).text, /last words/);
      await rejects(host.paste(a, 'x'), 'tmux.noSuchTarget');
      await rejects(host.press(a, ['Enter']), 'tmux.noSuchTarget');
    });

    it('reads the screen, and tells when it has settled and that there was output', async () => {
      let outputs = 0;
      host.onDidOutput(() => outputs++);
      await launch(a, { generation: 2 });
      await harness.print(a, 'hello é漢 "quoted"   ');
      const settled = await eventually('the screen has settled', () =>
        screens.find((screen) => screen.text.includes('hello')),
      );
      assert.deepEqual(
        [settled.agentId, settled.generation, settled.text.split('\n')[0], settled.isInCopyMode],
        [a, 2, 'hello é漢 "quoted"', false],
      );
      const captured = await host.capture(a);
      assert.deepEqual([captured.text, captured.cursor], [settled.text, settled.cursor]);
      assert.ok(outputs >= 1);
    });

    it('pastes text as it is, control characters removed, and presses keys', async () => {
      await launch(a);
      await host.paste(a, 'say "hi"; #{pid} $(id) ~\x1b[31m\tx');
      await host.press(a, ['Enter']);
      await eventually('received', async () => (await harness.inputOf(a)) === 'say "hi"; #{pid} $(id) ~[31m\tx\n');
      await host.paste(a, '');
      await host.press(a, []);
      await rejects(host.press(a, ['C-c; kill-server' as AgentKey]), 'tmux.invalidArgument');
      await rejects(host.paste(a, 'x'.repeat(64 * 1024 + 1)), 'tmux.inputTooLarge');
    });

    it('tells titles when they change, and reports of state', async () => {
      const oscs: OscSequence[] = [];
      host.onDidOsc((osc) => oscs.push(osc));
      await launch(a, { generation: 2 });
      await harness.osc(a, 0, 'one é漢', 'BEL');
      await eventually('the title is told', () => oscs.length === 1);
      await harness.osc(a, 2, 'one é漢', 'ST');
      await harness.osc(a, 2, 'two', 'ST');
      await harness.osc(a, 7501, 'state=working:app=x', 'ST');
      await eventually('the state is told', () => oscs.some(({ code }) => code === 7501));
      assert.deepEqual(
        oscs.map(({ agentId, generation, code, text }) => [agentId, generation, code, text]),
        [
          [a, 2, 0, 'one é漢'],
          [a, 2, 2, 'two'],
          [a, 2, 7501, 'state=working:app=x'],
        ],
      );
    });

    it('presses keys only into the screen that is expected', async () => {
      await launch(a);
      await harness.print(a, 'Proceed? 1. yes');
      await eventually('printed', async () => (await host.capture(a)).text.includes('Proceed'));
      assert.equal(await host.pressIf(a, ['1', 'Enter'], ({ text }) => text.includes('Delete everything?')), false);
      await harness.print(a, 'more');
      await eventually('printed', async () => (await host.capture(a)).text.includes('more'));
      assert.equal(
        await host.pressIf(a, ['Enter'], ({ agentId, text }) => agentId === a && text.includes('more')),
        true,
      );
      assert.equal(await host.pressIf(a, ['Enter'], ({ text }) => text.includes('Delete'), { guard: 'screen' }), false);
      await eventually('only the second', async () => (await harness.inputOf(a)) === '\n');
      const failure = new Error('no idea');
      await assert.rejects(
        host.pressIf(a, ['Enter'], () => {
          throw failure;
        }),
        failure,
      );
      await rejects(
        host.pressIf(a, ['nonsense' as AgentKey], () => true),
        'tmux.invalidArgument',
      );
      assert.equal(await host.pressIf(a, ['Enter'], ({ text }) => text.includes('more'), { guard: 'screen' }), true);
      await eventually('and this one', async () => (await harness.inputOf(a)) === '\n\n');
      await rejects(
        host.pressIf(b, ['Enter'], () => true),
        'tmux.noSuchTarget',
      );
      assert.equal(await harness.inputOf(a), '\n\n');
    });

    it('leaves copy mode, also when nobody is in it', async () => {
      await launch(a);
      await harness.enterCopyMode(a);
      assert.equal((await host.capture(a)).isInCopyMode, true);
      await host.leaveCopyMode(a);
      await host.leaveCopyMode(a);
      assert.equal((await host.capture(a)).isInCopyMode, false);
      await harness.enterCopyMode(a);
      assert.equal(await host.pressIf(a, ['Enter'], ({ isInCopyMode }) => isInCopyMode), true);
      await eventually('the key reached the program', async () => (await harness.inputOf(a)) === '\n');
      await rejects(host.leaveCopyMode(b), 'tmux.noSuchTarget');
      await harness.exit(a, 0);
      await eventually('the exit is told', () => exits[0]);
      await rejects(host.leaveCopyMode(a), 'tmux.noSuchTarget');
    });

    it('gives a launch its files in a folder that is known before, until the end of the process', async () => {
      await launch(a, { generation: 3, files: { 'settings.json': '{"é":1}\n', 'home/.x/deep': 'x' } });
      assert.match(host.launchFolder(a, 3), /^\/.*\/launch\/agent-a\.3$/);
      assert.equal(await harness.launchFile(a, 3, 'settings.json'), '{"é":1}\n');
      assert.equal(await harness.launchFile(a, 3, 'home/.x/deep'), 'x');
      await harness.exit(a, 0);
      await eventually(
        'the files are gone',
        async () => (await harness.launchFile(a, 3, 'settings.json')) === undefined,
      );
      assert.throws(() => host.launchFolder('../evil' as AgentId, 1));
    });

    it('does nothing for agents that are not there', async () => {
      await host.start();
      await rejects(host.capture(a), 'tmux.noSuchTarget');
      await rejects(host.paste(a, 'x'), 'tmux.noSuchTarget');
      await rejects(host.press(a, ['Enter']), 'tmux.noSuchTarget');
      await host.discard(a);
      let ended = 0;
      host.mirror(a, { onData: () => {}, onSize: () => {}, onEnd: () => ended++ });
      await eventually('the mirror has ended', () => ended === 1);
    });

    it('discards a terminal, also twice, and then launches the next generation', async () => {
      let changes = 0;
      host.onDidChangeHosted(() => changes++);
      await launch(a);
      assert.ok(changes >= 1, 'told that a terminal appeared');
      await launch(b);
      await harness.exit(a, 0);
      await eventually('the exit is told', () => exits[0]);
      changes = 0;
      await host.discard(a);
      await host.discard(a);
      assert.ok(changes >= 1, 'told that a terminal vanished');
      assert.deepEqual(
        (await host.list()).map(({ agentId }) => agentId),
        [b],
      );
      await host.launch(harness.spec(a, { generation: 2 }));
      assert.deepEqual(await host.probe(a), { kind: 'alive' });
      assert.deepEqual(
        exits.map(({ agentId, generation }) => [agentId, generation]),
        [[a, 1]],
      );
    });

    it('mirrors the screen and what follows, until the terminal is gone', async () => {
      await launch(a, { columns: 90, rows: 20 });
      await harness.print(a, 'before');
      await eventually('printed', async () => (await host.capture(a)).text.includes('before'));
      const seen = { data: '', size: '', ends: 0 };
      const other = { data: '' };
      const sink = {
        onData: (data: string) => void (seen.data += data),
        onSize: (columns: number, rows: number) => void (seen.size = `${columns}x${rows}`),
        onEnd: () => void seen.ends++,
      };
      host.mirror(a, sink);
      const stopped = host.mirror(a, { onData: (data) => (other.data += data), onSize: () => {}, onEnd: () => {} });
      await eventually('the picture', () => seen.data.includes('before') && other.data.includes('before'));
      stopped.dispose();
      await harness.print(a, 'after');
      await eventually('what follows', () => seen.data.includes('after'));
      assert.deepEqual([seen.size, seen.ends, other.data.includes('after')], ['90x20', 0, false]);
      await host.discard(a);
      await eventually('the end', () => seen.ends === 1);
    });

    it('says how to attach, and who is attached', async () => {
      await launch(a);
      const { program, args } = host.attachCommand(a);
      assert.match(program, /^\//);
      assert.equal(args.at(-1), `=${a}:`);
      assert.deepEqual([...(await host.attachedClients())], []);
      const pid = await harness.attach(a);
      await eventually('the client is seen', async () => (await host.attachedClients()).get(pid) === a);
    });

    it('leaves running agents alone when it stops, and finds them again', async () => {
      await host.start();
      const identity = await host.launch(harness.spec(a, { generation: 5 }));
      await host.stop();
      assert.equal(host.status.kind, 'stopped');
      await rejects(host.list(), 'tmux.serverGone');
      await host.start();
      assert.deepEqual(
        (await host.list()).map((found) => [found.agentId, found.generation, found.process, found.liveness.kind]),
        [[a, 5, identity, 'alive']],
      );
      await harness.exit(a, 3);
      assert.deepEqual((await eventually('the exit is told', () => exits[0])).cause, { code: 3 });
    });

    it('is silent after dispose', async () => {
      await launch(a);
      let facts = 0;
      host.onDidChangeStatus(() => facts++);
      host.onDidChangeHosted(() => facts++);
      host.dispose();
      await harness.exit(a, 0);
      await rejects(host.list(), 'tmux.serverGone');
      assert.deepEqual([facts, exits], [0, []]);
    });
  });
}

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { workspaceId, workspaceNames } from '../../../src/core/node/localWorkspace';
import { buildBundles } from '../../support/bundles';
import { endLeftovers } from '../../support/endLeftovers';
import { eventually } from '../../support/eventually';
import { HookingProgram } from '../../support/hookingProgram';
import { notRun } from '../../support/notRun';
import { type ProgramEnd, runProgram } from '../../support/runProgram';
import { requireTmux } from '../../support/tmuxServer';
import { trialSize } from '../../support/trials';

/** Where a secret may be: `tokens/` and `keys/` of the data folder, in files that nobody else can read. */
const SECRET_FILE = /\/(tokens\/[a-z0-9-]+\.\d+\.jwt|keys\/(signing\.json|person\.key))$/;

/** Runs a program whose crashes leave an image of its memory, as far as the system allows: what it starts would, too. */
const WITH_CORES = ['/bin/sh', '-c', 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', 'with-cores'];

describe('The secrets of an engine with a running agent', function () {
  this.timeout(120_000);
  let root: string;
  let workspace: string;
  let storage: string;
  /** What the runtime writes of the engine's memory when it is told to, as it does when it crashes. */
  let dumps: string;
  let dataFolder: string;
  let socketName: string;
  let env: NodeJS.ProcessEnv;
  let program: HookingProgram;
  let host: ChildProcess | undefined;
  /** Everything that the host has printed. */
  let said = '';

  before(function () {
    requireTmux(this);
    if (process.platform !== 'linux') notRun(this, 'the arguments of other processes are read in /proc');
  });
  beforeEach(async () => {
    root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'secret-')));
    [workspace, storage, dumps] = [path.join(root, 'ws'), path.join(root, 'st'), path.join(root, 'dumps')];
    for (const folder of [workspace, dumps]) fs.mkdirSync(folder);
    env = { ...process.env, XDG_RUNTIME_DIR: root, TMUX_TMPDIR: root };
    ({ dataFolder, socketName } = workspaceNames(await workspaceId(workspace), { storageFolder: storage, env }));
    program = new HookingProgram(root);
    said = '';
  });
  afterEach(async () => {
    host?.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 300)); // what it was just starting comes up, and is ended, too
    try {
      execFileSync('tmux', ['-L', socketName, 'kill-server'], { env, stdio: 'ignore' });
    } catch {
      // none was started
    }
    program.dispose();
    endLeftovers(root);
    fs.rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  const startHost = async (): Promise<void> => {
    const { stdout, stderr } = (host = spawn(
      process.execPath,
      [
        ...['--report-on-signal', '--report-signal=SIGWINCH', '--heapsnapshot-signal=SIGUSR2'],
        ...[path.join(await buildBundles(), 'host.js'), '--workspace', workspace, '--storage', storage],
      ],
      { cwd: dumps, env, stdio: ['ignore', 'pipe', 'pipe'] },
    ));
    stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    await new Promise((resolve) => {
      if (stdout) createInterface({ input: stdout }).on('line', (line) => resolve((said += line)));
    });
    assert.match(said, /"status":"ready"/);
  };
  const orc = (...args: readonly string[]): Promise<ProgramEnd> =>
    runProgram(path.join(storage, 'bin', 'orc'), args, {
      cwd: workspace,
      env: { XDG_RUNTIME_DIR: root, TMUX_TMPDIR: root },
    });
  const tokenFiles = (): readonly string[] =>
    fs.readdirSync(path.join(dataFolder, 'tokens')).map((name) => path.join(dataFolder, 'tokens', name));
  const spooled = (): readonly string[] => fs.readdirSync(path.join(dataFolder, 'spool'));
  const ended = (count: number): Promise<unknown> =>
    eventually(`${count} hooks have ended`, () => program.ended().length >= count, { timeoutMs: 30_000 });

  /** The parts of every secret that give it away: a token's payload and signature, keys as they are kept. */
  function secrets(): readonly string[] {
    const tokens = tokenFiles().map((file) => fs.readFileSync(file, 'utf8').trim());
    const parts = tokens.flatMap((token) => [token, ...token.split('.').slice(1)]);
    const { keys } = JSON.parse(fs.readFileSync(path.join(dataFolder, 'keys', 'signing.json'), 'utf8')) as {
      keys: { secret: string }[];
    }; // the engine's own
    const person = fs.readFileSync(path.join(dataFolder, 'keys', 'person.key'), 'utf8').trim();
    return [...parts, ...keys.map(({ secret }) => secret), person];
  }

  const needles = new Set<string>();
  const leaksIn = (text: string, where: string): readonly string[] =>
    [...needles].some((needle) => text.includes(needle)) ? [where] : [];

  /** Every process of this user that can be read, now. */
  function processLeaks(): readonly string[] {
    return fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) =>
        ['cmdline', 'environ'].flatMap((name) => {
          try {
            return leaksIn(fs.readFileSync(`/proc/${pid}/${name}`, 'latin1'), `${name} of ${pid}`);
          } catch {
            return []; // gone, or of somebody else
          }
        }),
      );
  }

  /** A report as of a crash, which is quick; with `CORE_TRIALS` also a picture of the whole heap (a second of the engine). */
  async function dumpEngine(): Promise<void> {
    const kinds = [['SIGWINCH', /^report\..*\.json$/], ['SIGUSR2', /\.heapsnapshot$/]] as const; // prettier-ignore
    for (const [signal, name] of trialSize === 'smoke' ? kinds.slice(0, 1) : kinds) {
      const known = new Set(fs.readdirSync(dumps));
      host?.kill(signal);
      const isWhole = (file: string): boolean => /\}\s*$/.test(fs.readFileSync(path.join(dumps, file), 'latin1'));
      await eventually(
        `a file for ${signal}`,
        () => fs.readdirSync(dumps).some((file) => !known.has(file) && name.test(file) && isWhole(file)),
        { timeoutMs: 60_000, everyMs: 100 },
      );
    }
  }

  /** Of every running `orc hook`: how large an image of its memory may be that the system keeps after a crash. */
  function coreLimitsOfHooks(): readonly string[] {
    return fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const isHook = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('.js\0hook\0');
          if (!isHook || !fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(root)) return [];
          const [, limit = ''] =
            /^Max core file size +(\S+)/m.exec(fs.readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? [];
          return [limit];
        } catch {
          return []; // gone, or of somebody else
        }
      });
  }

  /** Every file that the engine, tmux and the agents have written, but those that are there to hold a secret. */
  function fileLeaks(): { readonly leaks: readonly string[]; readonly looked: readonly string[] } {
    const files = fs
      .readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.join(parentPath, name));
    const looked = files.filter((file) => !SECRET_FILE.test(file));
    for (const file of files.filter((each) => SECRET_FILE.test(each)))
      assert.equal(fs.statSync(file).mode & 0o777, 0o600, file);
    return { looked, leaks: looked.flatMap((file) => leaksIn(fs.readFileSync(file, 'latin1'), file)) };
  }

  /** Addresses on which the engine could be called over a network. */
  function openPorts(): readonly string[] {
    const proc = `/proc/${host?.pid ?? 0}`;
    const own = new Set(fs.readdirSync(`${proc}/fd`).map((fd) => fs.readlinkSync(`${proc}/fd/${fd}`)));
    return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((protocol) => {
      const file = `${proc}/net/${protocol}`;
      const rows = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').slice(1) : []; // none: a kernel without IPv6
      return rows.filter((row) => own.has(`socket:[${row.trim().split(/\s+/)[9]}]`)).map((row) => `${protocol} ${row}`);
    });
  }

  it('S9 S10 S19 are in their own 0600 files and nowhere else: arguments, environments, logs, store, spool, answers, reports of a crash, ports', async () => {
    await startHost();
    const { code, stderr } = await orc('start', 'command', '--name', 'worker', '--', ...WITH_CORES, ...program.argv);
    assert.equal(code, 0, stderr);
    assert.equal(tokenFiles().length, 1);
    for (const secret of secrets()) needles.add(secret);
    assert.ok(
      [...needles].every((needle) => needle.length >= 40),
      'long enough to be found by no chance',
    );

    program.fire('Stop', { text: 'a hook' });
    program.fire('Slow', { text: 'has read its token and waits' }, 1.5);
    const leaks: string[] = [];
    const coreLimits: string[] = [];
    let hooksSeen = 0;
    while (program.ended().length < 2) {
      leaks.push(...processLeaks());
      coreLimits.push(...coreLimitsOfHooks());
      hooksSeen += execFileSync('ps', ['-e', '-o', 'args='], { encoding: 'utf8' }).includes('hook Slow') ? 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(hooksSeen > 0, 'a hook was looked at while it ran');
    assert.deepEqual(leaks, []);
    assert.deepEqual([...new Set(coreLimits)], ['0'], 'a hook that crashes leaves no image of its memory');
    await dumpEngine();
    assert.deepEqual(openPorts(), []);

    const tmux = (...args: readonly string[]): string =>
      execFileSync('tmux', ['-L', socketName, ...args], { env, encoding: 'utf8' });
    for (const args of [
      ['show-environment', '-g'],
      ['show-environment', '-t', '=worker:'],
      ['show-options', '-g'],
      ['list-buffers'],
    ])
      assert.deepEqual(leaksIn(tmux(...args), `tmux ${args.join(' ')}`), []);
    for (const args of [
      ['why', 'worker'],
      ['why', 'worker', '--json'],
      ['doctor', 'command'],
      ['status', '--json'],
      ['list', '--json'],
      ['screen', 'worker'],
    ]) {
      const { stdout, stderr: complaint } = await orc(...args);
      assert.notEqual(stdout + complaint, '', args.join(' '));
      assert.deepEqual(leaksIn(stdout + complaint, `orc ${args.join(' ')}`), []);
    }

    // A refused token is logged, a killed engine leaves hooks in the spool, the next one issues other tokens.
    const [file = ''] = tokenFiles();
    const good = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, good.slice(0, -4) + 'AAAA', { mode: 0o600 });
    needles.add(good.slice(0, -4));
    program.fire('Refused');
    await ended(3);
    await eventually('the engine has read the spool', () => spooled().length === 0, { timeoutMs: 15_000 });
    fs.writeFileSync(file, good, { mode: 0o600 });
    host?.kill('SIGKILL');
    await eventually('it is gone', () => host?.exitCode !== null || host.signalCode !== null);
    program.fire('Spooled', { text: 'waits for the next engine' });
    await ended(4);
    assert.equal(spooled().length, 1);
    assert.deepEqual(fileLeaks().leaks, []);

    await startHost();
    await eventually('another token', () => fs.readFileSync(file, 'utf8').trim() !== good.trim());
    for (const secret of secrets()) needles.add(secret);
    program.fire('Stop');
    await ended(5);
    const { leaks: left, looked } = fileLeaks();
    assert.deepEqual([...left, ...processLeaks(), ...leaksIn(said, 'what the host said')], []);
    const kinds = [/host\.log$/, /gateway\.json$/, /\.(sqlite|db)/, /dumps\/report/, ...(trialSize === 'smoke' ? [] : [/\.heapsnapshot$/])]; // prettier-ignore
    for (const kind of kinds)
      assert.ok(
        looked.some((one) => kind.test(one)),
        `${String(kind)} in ${looked.join('\n')}`,
      );
    assert.match(fs.readFileSync(path.join(dataFolder, 'host.log'), 'utf8'), /a token was refused/);
  });
});

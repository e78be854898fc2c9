import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MINIMUM_TMUX } from '../../../src/core/tmux/tmuxVersion';
import { notRun } from '../../support/notRun';

interface Programs {
  installLine(
    names: readonly string[],
    machine: { which: (program: string) => string | undefined; platform?: string; isRoot?: boolean },
  ): string;
}
interface Headers {
  headersProblem(machine: {
    prefix: string;
    cache: string;
    isNpmTold: (name: string) => boolean;
    isReachable: () => Promise<boolean>;
  }): Promise<string | undefined>;
}
// Scripts run before anything is installed, so they are plain JavaScript.
const load = (file: string): Promise<unknown> => import(pathToFileURL(path.resolve('scripts/lib', file)).href);

const LAST_LINE = /(?:^|\n)0 passed, 1 failed, 0 skipped\n$/;
const EVERYTHING = ['tmux', 'chromium', 'g++', 'python3', 'sqlite3', 'headers'];

describe('the install line', () => {
  const having =
    (...programs: string[]) =>
    (name: string) =>
      programs.includes(name) ? `/usr/bin/${name}` : undefined;
  const lineWith = async (...programs: string[]): Promise<string> => {
    const { installLine } = (await load('programs.mjs')) as Programs;
    return installLine(EVERYTHING, { which: having('sudo', ...programs), platform: 'linux', isRoot: false });
  };

  it("is that of the system's package manager, with the names that packages have there", async () => {
    const major = process.versions.node.split('.')[0];
    assert.match(
      await lineWith('apt-get'),
      /^Install with: sudo apt-get install -y tmux chromium\S* g\+\+ make python3 sqlite3 libnode-dev$/,
    );
    for (const [manager, line] of [
      ['dnf', 'dnf install -y tmux chromium gcc-c++ make python3 sqlite nodejs-devel'],
      ['pacman', 'pacman -S --needed tmux chromium gcc make python sqlite nodejs'],
      ['zypper', `zypper install tmux chromium gcc-c++ make python3 sqlite3 nodejs${major}-devel`],
      ['apk', 'apk add tmux chromium g++ make python3 sqlite nodejs-dev'],
    ] as const)
      assert.equal(await lineWith(manager), `Install with: sudo ${line}`);
  });

  it('names Chromium where no browser is found, and another way', async () => {
    const { browserNote } = (await load('install.mjs')) as { browserNote(find: ReturnType<typeof having>): string | undefined }; // prettier-ignore
    assert.equal(browserNote(having('apt-get', 'firefox')), undefined);
    assert.match(browserNote(having('apt-get')) ?? '', /no browser was found.*apt-get install -y chromium.*tunnel/);
  });

  it('is a plain sentence where no package manager is known', async () => {
    assert.match(await lineWith(), /^Install them with the package manager of this system/);
    const { installLine } = (await load('programs.mjs')) as Programs;
    const onMac = { platform: 'darwin', isRoot: false };
    assert.equal(installLine(['tmux', 'sqlite3'], { ...onMac, which: having('brew', 'sudo') }), 'Install with: brew install tmux sqlite'); // prettier-ignore
    assert.match(installLine(['tmux'], { ...onMac, which: having('apt-get') }), /^Install Homebrew from/);
  });

  it('asks for root only where it has to be asked for, and for sudo only where there is one', async () => {
    const { installLine } = (await load('programs.mjs')) as Programs;
    const line = (isRoot: boolean, ...programs: string[]): string =>
      installLine(['tmux'], { which: having('dnf', ...programs), platform: 'linux', isRoot });
    assert.equal(line(true, 'sudo'), 'Install with: dnf install -y tmux');
    assert.equal(line(false), 'Install as root with: dnf install -y tmux');
  });
});

describe("Node's headers", () => {
  it('are missed, with what to do, only when they are nowhere and cannot be fetched', async () => {
    const { headersProblem } = (await load('headers.mjs')) as Headers;
    const folder = mkdtempSync(path.join(tmpdir(), 'headers-'));
    try {
      const nowhere = { prefix: folder, cache: folder, isNpmTold: () => false, isReachable: async () => false };
      assert.match((await headersProblem(nowhere)) ?? '', /^missing: Node's headers\..*Install /);
      assert.equal(await headersProblem({ ...nowhere, isReachable: async () => true }), undefined);
      assert.equal(await headersProblem({ ...nowhere, isNpmTold: (name) => name === 'nodedir' }), undefined);
      mkdirSync(path.join(folder, 'include', 'node'), { recursive: true });
      writeFileSync(path.join(folder, 'include', 'node', 'node.h'), '');
      assert.equal(await headersProblem({ ...nowhere, cache: '/nowhere' }), undefined);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** A copy of the scripts where nothing is installed, and a PATH of its own that has Node and what a test puts there. */
describe('on a machine where something is missing', () => {
  let folder: string;
  let bin: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'scripts-'));
    bin = path.join(folder, 'bin');
    mkdirSync(bin);
    for (const part of ['scripts', '.ci', 'package.json', 'package-lock.json'])
      cpSync(path.resolve(part), path.join(folder, part), { recursive: true });
    mkdirSync(path.join(folder, 'test', 'vscode-web'), { recursive: true });
    writeFileSync(path.join(folder, 'test', 'vscode-web', 'setup.sh'), 'echo SETUP WAS RUN');
    symlinkSync(process.execPath, path.join(bin, 'node'));
    symlinkSync('/usr/bin/env', path.join(bin, 'env'));
    for (const tool of ['bash', 'dirname']) symlinkSync(path.join('/usr/bin', tool), path.join(bin, tool));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (name: string, text: string): void =>
    writeFileSync(path.join(bin, name), `#!${process.execPath}\n${text}`, { mode: 0o755 });

  function run(program: string, args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { cwd: folder, env: { PATH: bin, HOME: folder } });
      const got = { out: '', err: '' };
      child.stdout.setEncoding('utf8').on('data', (text: string) => (got.out += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (got.err += text));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, ...got }));
    });
  }
  const npmTest = (...args: string[]) => run(process.execPath, ['scripts/test.mjs', ...args]);

  it('npm test tells what failed and ends with its counts when npm is missing', async () => {
    const { code, out, err } = await npmTest();
    assert.equal(code, 1);
    assert.match(err, /npm is missing/);
    assert.match(out, LAST_LINE);
  });

  it('npm test tells what failed and ends with its counts when npm fails', async () => {
    put('npm', "process.stderr.write('no such registry\\n'); process.exit(3);");
    const { code, out, err } = await npmTest();
    assert.equal(code, 1);
    assert.match(err, /no such registry[\s\S]*npm ci failed/);
    assert.match(out, LAST_LINE);
  });

  it('the continuous run does so, too, without npm, with a broken one, and with a broken Node', async () => {
    for (const [name, text] of [
      [undefined, ''],
      ['npm', "console.error('broken npm'); process.exit(1);"],
      ['npm', "if (process.argv[2] !== '--version') { console.error('broken npm'); process.exit(1); }"],
    ] as const) {
      if (name) put(name, text);
      const { code, out, err } = await run(path.join(bin, 'bash'), ['.ci/run']);
      assert.equal(code, 1, out + err);
      assert.match(err, name ? /broken npm/ : /npm does not run: .*nodejs\.org/);
      assert.match(out, LAST_LINE);
    }
    rmSync(path.join(bin, 'node'));
    const { code, out, err } = await run(path.join(bin, 'bash'), ['.ci/run']);
    assert.equal(code, 1);
    assert.match(err, /node does not run/);
    assert.match(out, LAST_LINE);
  });

  it('the last line is told once, and is the count of what was run', async () => {
    const text = "import { tellCounts } from './scripts/lib/lastLine.mjs'; tellCounts({ passed: 4, failed: 0, skipped: 2 });"; // prettier-ignore
    const counted = await run(process.execPath, ['--input-type=module', '-e', text]);
    assert.deepEqual([counted.code, counted.out], [0, '4 passed, 0 failed, 2 skipped\n']);
    const early = await run(process.execPath, ['--input-type=module', '-e', "import './scripts/lib/lastLine.mjs';"]);
    assert.deepEqual([early.code, early.out], [1, '0 passed, 1 failed, 0 skipped\n']);
  });

  it('everything that the web VS Code needs is named at once, and its installer is not begun', async function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') notRun(this, 'the web VS Code runs on Linux x64 only');
    put('dnf', "require('node:fs').writeFileSync('DNF WAS RUN', '');");
    put('npm', "console.log('/usr');"); // has been told where Node's headers are: nothing is fetched
    const text = "console.log(await (await import('./scripts/lib/install.mjs')).installWebVscode(['tmux']))";
    const { out } = await run(process.execPath, ['--input-type=module', '-e', text]);
    assert.match(out, /^missing: tmux 3\.3 or newer\. Install (as root )?with: dnf install -y tmux\. missing: a C\+\+ compiler, Python 3\. Install .*dnf install -y gcc-c\+\+ make python3/); // prettier-ignore
    assert.doesNotMatch(out, /SETUP WAS RUN/);
    assert.throws(() => readFileSync(path.join(folder, 'DNF WAS RUN')), { code: 'ENOENT' });
  });

  it('a tmux that is too old is missing, with another way than that of the package manager', async () => {
    put('dnf', '');
    const text = "console.log(await (await import('./scripts/lib/install.mjs')).installPrograms(['tmux']))";
    const problemWith = async (version: string): Promise<string> => {
      put('tmux', `console.log('${version}');`);
      return (await run(process.execPath, ['--input-type=module', '-e', text])).out;
    };
    for (const version of ['tmux 3.3', 'tmux 3.3a', 'tmux 3.10', 'tmux next-3.6', 'tmux 4.0', 'tmux master'])
      assert.equal(await problemWith(version), 'undefined\n', version);
    for (const version of ['tmux 3.2a', 'tmux 2.9', 'tmux', '']) {
      const problem = await problemWith(version);
      assert.match(problem, /^missing: tmux 3\.3 or newer\. Install (as root )?with: dnf install -y tmux/, version);
      assert.ok(problem.includes(`${version} is too old: where the package manager has none newer, `), problem);
      assert.match(problem, /by Homebrew .*or from its source .*PATH.*coreOrchestrator\.tmuxPath/);
    }
  });

  it('the oldest tmux that is used is the one of the product', async () => {
    assert.deepEqual(((await load('programs.mjs')) as { MINIMUM_TMUX: unknown }).MINIMUM_TMUX, MINIMUM_TMUX);
  });

  it('npm test names what is missing beside the tier that needs it', async function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') notRun(this, 'the web VS Code runs on Linux x64 only');
    put('npm', "console.log('/usr');");
    mkdirSync(path.join(folder, 'node_modules'));
    const lock = readFileSync(path.join(folder, 'package-lock.json'));
    writeFileSync(
      path.join(folder, 'node_modules', '.core-installed'),
      createHash('sha256').update(lock).digest('hex'),
    );
    const { code, out } = await npmTest('ui');
    assert.match(out, /tier ui: missing: tmux.*Chromium.*missing: a C\+\+ compiler, Python 3/);
    assert.match(out, /\n0 passed, 0 failed, 1 skipped\n$/);
    assert.equal(code, 0);
  });
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { eventually } from '../support/eventually';

const run = promisify(execFile);
const RULE = /^─{10,}$/;

/** One demo agent in a tmux server of its own. */
class DemoPane {
  readonly #socket = `test-${randomBytes(6).toString('hex')}`;
  readonly logFile: string;
  readonly #agentFile: string;

  constructor(folder: string, agentFile: string) {
    this.logFile = path.join(folder, `${this.#socket}.jsonl`);
    this.#agentFile = agentFile;
  }

  async start(env: Readonly<Record<string, string>> = {}, columns = 80, rows = 24): Promise<void> {
    const words = Object.entries({ ...env, DEMO_LOG: this.logFile, ELECTRON_RUN_AS_NODE: '1' }).map(
      ([key, value]) => `${key}=${value}`,
    );
    await this.tmux(
      'new-session',
      '-d',
      '-x',
      `${columns}`,
      '-y',
      `${rows}`,
      'env',
      ...words,
      process.execPath,
      this.#agentFile,
    );
    await this.tmux('set-option', '-g', 'remain-on-exit', 'on');
  }

  async tmux(...args: readonly string[]): Promise<string> {
    return (await run('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args])).stdout;
  }

  async paste(text: string): Promise<void> {
    const file = `${this.logFile}.paste`;
    writeFileSync(file, text);
    await this.tmux('load-buffer', '-b', 'draft', file);
    await this.tmux('paste-buffer', '-p', '-r', '-d', '-b', 'draft');
  }

  async submit(text: string): Promise<void> {
    await this.paste(text);
    await this.tmux('send-keys', 'Enter');
  }

  async lines(): Promise<string[]> {
    return (await this.tmux('capture-pane', '-p')).split('\n').map((line) => line.trimEnd());
  }

  async state(): Promise<string> {
    return (await this.tmux('display-message', '-p', '#{pane_title}')).trim();
  }

  /** The line above the box, the lines in it and the line below it; undefined while there are no two rules. */
  async footer(): Promise<{ status: string; box: string[]; hint: string } | undefined> {
    const lines = await this.lines();
    const bottom = lines.findLastIndex((line) => RULE.test(line));
    const top = lines.slice(0, bottom).findLastIndex((line) => RULE.test(line));
    if (top < 1) return undefined;
    return { status: lines[top - 1] ?? '', box: lines.slice(top + 1, bottom), hint: lines[bottom + 1] ?? '' };
  }

  async ready(): Promise<void> {
    await eventually('an empty box', async () => (await this.footer())?.box.join('\n') === '›');
  }

  logged(): unknown[] {
    if (!existsSync(this.logFile)) return [];
    const lines = readFileSync(this.logFile, 'utf8').trim().split('\n');
    return lines
      .map((line) => JSON.parse(line) as { text?: string; answer?: string | null })
      .map(({ text, answer }) => text ?? { answer });
  }

  /** tmux built with libutempter can miss a death until its next SIGCHLD, so it is nudged while the status is empty. */
  async exitStatus(): Promise<string> {
    return eventually('the exit status', async () => {
      const [server, isDead, status] = (
        await this.tmux('display-message', '-p', '#{pid} #{pane_dead} #{pane_dead_status}')
      )
        .trim()
        .split(' ');
      if (isDead === '1' && !status) process.kill(Number(server), 'SIGCHLD');
      return isDead === '1' && status ? status : undefined;
    });
  }

  async stop(): Promise<void> {
    const pid = (await this.tmux('display-message', '-p', '#{pane_pid}').catch(() => '')).trim();
    await this.tmux('kill-server').catch(() => '');
    if (/^\d+$/.test(pid)) killIfAlive(Number(pid));
  }
}

function killIfAlive(pid: number): void {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the demo agent in tmux', function () {
  this.timeout(30_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'demo-agent-'));
  const agentFile = path.join(folder, 'demoAgent.js');
  let pane: DemoPane;

  before(() => {
    buildSync({
      entryPoints: ['src/demo/demoAgent.ts'],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: agentFile,
    });
  });
  beforeEach(() => {
    pane = new DemoPane(folder, agentFile);
  });
  afterEach(() => pane.stop());
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('shows an empty box, says what it was told, and rests again', async () => {
    await pane.start();
    await pane.ready();
    assert.equal(await pane.state(), 'demo · idle');
    await pane.submit('hello 日本 — you');
    await eventually('it works', async () =>
      /^• Working \(\d+s · esc to interrupt\)$/.test((await pane.footer())?.status ?? ''),
    );
    assert.equal(await pane.state(), 'demo · working');
    await eventually('it rests', async () => (await pane.state()) === 'demo · idle');
    assert.ok((await pane.lines()).includes('● You said: hello 日本 — you'));
    assert.deepEqual(pane.logged(), ['hello 日本 — you']);
  });

  it('keeps a pasted draft of several lines together and sends it with one Enter', async () => {
    await pane.start();
    await pane.ready();
    await pane.paste('first\nsecond "quoted" $(no)\n\nlast');
    await eventually(
      'the draft is in the box',
      async () => (await pane.footer())?.box.join('|') === '› first|  second "quoted" $(no)||  last',
    );
    assert.deepEqual(pane.logged(), []);
    await pane.tmux('send-keys', 'Enter');
    await eventually('it was sent', () => pane.logged().length > 0);
    assert.deepEqual(pane.logged(), ['first\nsecond "quoted" $(no)\n\nlast']);
  });

  it('takes a 60 KB paste in one piece', async () => {
    await pane.start();
    await pane.ready();
    const text = Array.from({ length: 1000 }, (_, index) => `line ${index} ${'x'.repeat(50)}`).join('\n');
    await pane.submit(text);
    await eventually('it was sent', () => pane.logged().length > 0);
    assert.deepEqual(pane.logged(), [text]);
  });

  it('asks a question, and takes the option that was chosen', async () => {
    await pane.start();
    await pane.ready();
    await pane.submit('ask');
    const footer = await eventually('the question', async () => {
      const now = await pane.footer();
      return now?.hint === '  Enter to select · Esc to cancel' ? now : undefined;
    });
    assert.deepEqual(footer.box, [
      '? Which database should it use?',
      '❯ 1. SQLite',
      '  2. PostgreSQL',
      '  3. Whatever is simplest',
    ]);
    assert.equal(await pane.state(), 'demo · needs input');
    await pane.tmux('send-keys', 'Down');
    await pane.tmux('send-keys', 'Enter');
    await pane.ready();
    assert.deepEqual(pane.logged(), ['ask', { answer: 'PostgreSQL' }]);
  });

  it('asks for permission, ignores a paste while it does, and Esc denies', async () => {
    await pane.start({}, 40, 10);
    await pane.ready();
    await pane.submit('approve');
    await eventually('the dialog', async () => (await pane.footer())?.hint === '  Enter to confirm · Esc to cancel');
    assert.equal(await pane.state(), 'demo · needs approval');
    await pane.paste('yes, do it');
    await pane.tmux('send-keys', 'Escape');
    await pane.ready();
    assert.deepEqual(pane.logged(), ['approve', { answer: null }]);
    assert.ok((await pane.lines()).includes('● Denied.'));
  });

  it('shows an error until the next prompt', async () => {
    await pane.start();
    await pane.ready();
    await pane.submit('fail');
    await eventually('the error', async () => (await pane.footer())?.status === '■ Error: the demo was told to fail');
    assert.equal(await pane.state(), 'demo · error');
    await pane.submit('work 0.1');
    await eventually('it rests', async () => (await pane.state()) === 'demo · idle');
    assert.equal((await pane.footer())?.status, '');
  });

  it('is interrupted by Esc, and then does what was queued', async () => {
    await pane.start();
    await pane.ready();
    await pane.submit('work 600');
    await eventually('it works', async () => (await pane.state()) === 'demo · working');
    await pane.submit('ask');
    await eventually('it is queued', async () => (await pane.footer())?.hint === '  1 queued · esc to interrupt');
    await pane.tmux('send-keys', 'Escape');
    await eventually('it asks', async () => (await pane.state()) === 'demo · needs input');
  });

  it('redraws at every size down to 40×10 without leaving old boxes behind', async () => {
    await pane.start();
    await pane.ready();
    await pane.paste('a draft that stays');
    for (const [columns, rows] of [
      [40, 10],
      [120, 40],
      [40, 10],
    ]) {
      await pane.tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
      await eventually(`one box at ${columns}×${rows}`, async () => {
        const lines = await pane.lines();
        const rules = lines.filter((line) => RULE.test(line));
        return (
          rules.length === 2 &&
          rules.every((line) => line.length === (columns ?? 0) - 1) &&
          lines[(rows ?? 0) - 3] === '› a draft that stays'
        );
      });
    }
  });

  it('prints a flood into the scroll-back, once', async () => {
    await pane.start();
    await pane.ready();
    await pane.submit('flood');
    await eventually('the last line', async () => (await pane.lines()).includes('line 1000 of 1000'));
    const all = (await pane.tmux('capture-pane', '-p', '-S', '-'))
      .split('\n')
      .filter((line) => /^line \d+ of 1000$/.test(line));
    assert.deepEqual(
      all,
      Array.from({ length: 1000 }, (_, index) => `line ${index + 1} of 1000`),
    );
  });

  it('ends with the code it was told, by /exit, and by a second Ctrl-C after a draft was cleared', async () => {
    await pane.start();
    await pane.ready();
    await pane.submit('crash 7');
    assert.equal(await pane.exitStatus(), '7');
    await pane.stop();
    pane = new DemoPane(folder, agentFile);
    await pane.start();
    await pane.ready();
    await pane.submit('work 600');
    await eventually('it works', async () => (await pane.state()) === 'demo · working');
    await pane.submit('/exit');
    assert.equal(await pane.exitStatus(), '0');
    await pane.stop();
    pane = new DemoPane(folder, agentFile);
    await pane.start();
    await pane.ready();
    await pane.paste('draft');
    await eventually('the draft', async () => (await pane.footer())?.box[0] === '› draft');
    await pane.tmux('send-keys', 'C-c');
    await pane.ready();
    await pane.tmux('send-keys', 'C-c');
    await eventually('the hint', async () => (await pane.footer())?.hint === '  ctrl-c again to exit');
    await pane.tmux('send-keys', 'C-c');
    assert.equal(await pane.exitStatus(), '0');
  });

  it('outlives TERM and the loss of its terminal when told to ignore them, and not otherwise', async () => {
    await pane.start();
    await pane.ready();
    await pane.submit('ignore-term');
    await eventually('it says so', async () =>
      (await pane.lines()).some((line) => line.includes('HUP and TERM are ignored')),
    );
    const pid = Number(await pane.tmux('display-message', '-p', '#{pane_pid}'));
    process.kill(pid, 'SIGTERM');
    await pane.submit('work 0.1');
    await eventually('it still answers', async () => (await pane.lines()).includes('● Done.'));
    await pane.tmux('kill-server');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(isAlive(pid), true);
    killIfAlive(pid);
    pane = new DemoPane(folder, agentFile);
    await pane.start();
    await pane.ready();
    const other = Number(await pane.tmux('display-message', '-p', '#{pane_pid}'));
    await pane.tmux('kill-server');
    await eventually('it went with its terminal', () => !isAlive(other));
  });

  it('starts a child that lives on, in a session of its own when asked', async () => {
    await pane.start();
    await pane.ready();
    await pane.submit('child detached');
    const child = await eventually(
      'the child',
      async () => /Child process (\d+) started/.exec((await pane.lines()).join('\n'))?.[1],
    );
    const pid = Number(await pane.tmux('display-message', '-p', '#{pane_pid}'));
    try {
      const { stdout } = await run('ps', ['-o', 'ppid=,pgid=', '-p', child]);
      assert.deepEqual(stdout.trim().split(/\s+/), [`${pid}`, child]);
    } finally {
      killIfAlive(Number(child));
    }
  });

  it('loses what is typed before it is ready', async () => {
    await pane.start({ DEMO_STARTUP_MS: '800' });
    await eventually('it starts', async () => (await pane.lines()).includes('demo agent · starting…'));
    await pane.tmux('send-keys', 'early', 'Enter');
    await pane.ready();
    assert.deepEqual(pane.logged(), []);
  });
});

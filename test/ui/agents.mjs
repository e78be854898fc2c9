// The Agents view of one window as a person sees it, and its agents as the system sees them. For the walks in this folder.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './walk.mjs';

export const CONTAINER = 'coreOrchestrator';
const STATUS_ITEM = 'core-orchestrator.core-orchestrator.agents';
const CHANNEL = 'Core Orchestrator';

/** Options for `it.server`: everything that the product keeps outside the data folder lies in the walk's own folder. */
export const inWalkFolder = (it, more = {}) => ({ XDG_RUNTIME_DIR: it.tmp, ...more });

/** Settings that belong to the machine (what runs, where, how often): VS Code takes them from here, not from the user's file. */
export function setOnMachine(server, settings) {
  const folder = join(server.dataDir, 'data', 'Machine');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings, null, 2));
}

/** The text of a fleet file of demo agents: `{name: first prompt}`, or `{name: {…}}` for anything else. */
export function fleetFile(agents) {
  const entries = Object.entries(agents).map(([name, what]) => ({
    name,
    type: 'demo',
    ...(typeof what === 'string' ? { firstPrompt: what } : what),
  }));
  return JSON.stringify({ agents: entries }, null, 2);
}

/** Started agents, one per tmux session: `{id: {pid, generation, columns, rows, startedAt}}`. `pid` is the pane's process. */
export function runningAgents(it) {
  const format = '#{session_name}\t#{pane_pid}\t#{@core_generation}\t#{window_width}\t#{window_height}\t#{pane_dead}';
  const agents = {};
  for (const line of it.tmux('list-panes', '-a', '-F', format).split('\n')) {
    const [id, pid, generation, columns, rows, isDead] = line.split('\t');
    if (id === '_hub' || isDead === '1') continue;
    assert.equal(agents[id], undefined, `agent ${id} has two terminals`);
    agents[id] = { pid: +pid, generation: +generation, columns: +columns, rows: +rows, startedAt: startTicks(+pid) };
  }
  return agents;
}

/** Start time of a process in clock ticks since boot: with the pid it names one process for ever. Undefined: gone. */
export function startTicks(pid) {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return +stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if (error.code === 'ESRCH' || error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Pids of the processes below `pid`, itself included. */
export function processTree(pid) {
  const tree = [pid];
  for (const parent of tree) tree.push(...childrenOf(parent));
  return tree;
}

function childrenOf(pid) {
  const threads = `/proc/${pid}/task`;
  if (!existsSync(threads)) return [];
  return readdirSync(threads).flatMap((thread) => {
    const file = join(threads, thread, 'children');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number) : [];
  });
}

/** Every process of this machine: `{pid, parent, command}`. */
export function processCensus() {
  const table = execFileSync('ps', ['-e', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return table
    .trim()
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .map(([, pid, parent, command]) => ({ pid: +pid, parent: +parent, command }));
}

export class Agents {
  constructor(window) {
    this.window = window;
    this.page = window.page;
    this.container = window.container(CONTAINER);
  }

  /** Opens the view and waits until the engine of this window stands. */
  async open() {
    await this.window.openViewContainer('Core Orchestrator');
    const content = this.container.locator('.welcome-view-content [role=button], [role=treeitem]');
    await content.filter({ visible: true }).first().waitFor();
    return this;
  }

  /** The row of an agent, in whatever state, or in the state that `words` begins with. */
  row(name, words = '') {
    const text = `Agent ${name}, ${words}`.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return this.window.row(new RegExp(`^${text}`), this.container);
  }

  async is(name, words, timeout = 20_000) {
    await this.row(name, words)
      .waitFor({ timeout })
      .catch(async (error) => {
        throw new Error(`${name} is not "${words}"; rows: ${JSON.stringify(await this.labels())}`, { cause: error });
      });
  }

  /** Waits until the row of an agent says something anywhere. */
  async says(name, pattern, timeoutMs = 20_000) {
    const rows = async () => (await this.labels()).filter((label) => label.startsWith(`Agent ${name},`));
    await eventually(`${name} says ${pattern}`, async () => (await rows()).some((label) => pattern.test(label)), {
      timeoutMs,
    }).catch(async (error) => {
      throw new Error(`${error.message}; row: ${JSON.stringify(await rows())}`, { cause: error });
    });
  }

  async labels() {
    const rows = await this.window.rows(this.container);
    return rows.map((row) => row.label);
  }

  /** Names of the agents under each heading: `{'Needs You': ['Reviewer'], …}`. */
  async groups() {
    const groups = {};
    let heading = '';
    for (const { label, level } of await this.window.rows(this.container)) {
      if (level === 1) groups[(heading = label.replace(/, \d+ agents?$/, ''))] = [];
      else groups[heading].push(/^Agent ([^,]+),/.exec(label)[1]);
    }
    return groups;
  }

  async statusText() {
    return (await this.window.status(STATUS_ITEM).innerText()).trim();
  }

  get statusItem() {
    return this.window.status(STATUS_ITEM);
  }

  async badge() {
    const content = this.window.activity('Core Orchestrator').locator('.badge-content');
    return (await content.count()) > 0 ? (await content.innerText()).trim() : '';
  }

  button(name) {
    return this.container.getByRole('button', { name, exact: true }).first();
  }

  /** A button above the rows. The container has one view, so the view's buttons stand in the container's title. */
  async title(name) {
    const bar = this.page.locator('.part.sidebar .composite.title');
    await bar.hover();
    await bar.getByRole('button', { name }).click();
  }

  /** An item of a row's context menu. */
  async menu(name, item) {
    const found = this.page.locator('.monaco-menu').getByRole('menuitem', { name: item }).first();
    await eventually(`${item} in the menu of ${name}`, async () => {
      // A row that goes to another group just then takes its menu with it, or was right-clicked in its earlier state.
      await this.row(name).click({ button: 'right' });
      try {
        await found.waitFor({ timeout: 3_000 });
        await found.click({ delay: 50, timeout: 3_000 });
      } catch (error) {
        await this.page.keyboard.press('Escape');
        throw error;
      }
      return true;
    });
  }

  /**
   * An item of a row's context menu that asks in a box at the top. VS Code gives the focus back to the row when a menu closes: a box that
   * had it by then closes. As a person does, choose again.
   */
  async menuThatAsks(name, item) {
    const box = this.window.quick.locator('.quick-input-box input');
    await eventually(`${item} for ${name} asks`, async () => {
      await this.menu(name, item);
      await box.waitFor({ timeout: 5_000 });
      await this.page.waitForTimeout(300);
      return box.isVisible();
    });
  }

  /** Attaches from the row's context menu, and waits for the terminal. Once more shows the same terminal. */
  async attach(name) {
    await eventually(`the terminal of ${name}`, async () => {
      await this.menu(name, 'Attach to Agent'); // a row that is drawn anew while its menu is up loses the click
      await this.window.tab(new RegExp(name)).waitFor({ timeout: 8_000 });
      return true;
    });
  }

  /** With its question, in whatever state the agent is. */
  async remove(name, timeout) {
    const question = this.window.dialog().getByRole('button', { name: /Remove Agent$/ });
    // Tried again, it may have been asked already: then nothing else can be clicked.
    if (!(await question.isVisible())) {
      await this.menu(name, 'Remove Agent');
      const again = this.window.quick.locator('input[placeholder^="Its row has just changed"]');
      await this.window.dialog().or(again).first().waitFor({ timeout });
      if (await again.isVisible()) await this.window.pick(name);
    }
    await question.click({ timeout });
    await this.row(name).waitFor({ state: 'detached', timeout });
  }

  async run(title, command) {
    await this.window.run(`Core Orchestrator: ${title}`, { id: `${CONTAINER}.${command}` });
  }

  /** Start Agent… with the demo agent, or another type. */
  async start(name, { type = /^Demo agent/, prompt = '', folder } = {}) {
    await this.run('Start Agent', 'startAgent');
    await this.window.pick(type);
    await this.#step(2);
    await this.window.input(name);
    await this.#step(3);
    await this.window.pick(folder ?? /./);
    await this.#step(4);
    await this.window.input(prompt);
    await this.row(name).waitFor();
  }

  /** Answers VS Code's own dialog for files: it is for the files of the server, and reads a folder while one types. */
  async file(path, { inNewFolder = false } = {}) {
    const { quick } = this.window;
    const ok = quick.getByRole('button', { name: 'OK', exact: true });
    await ok.waitFor();
    await eventually(`${path} is chosen`, async () => {
      const box = quick.locator('.quick-input-box input');
      await box.fill(path, { timeout: 2_000 });
      await this.page.waitForTimeout(300); // it looks for the folder 100 ms after the last letter
      if ((await box.inputValue()) !== path) return false;
      await ok.click({ timeout: 2_000 });
      if (inNewFolder) {
        await quick.getByText(/Would you like to create it/).waitFor({ timeout: 3_000 });
        await ok.click({ timeout: 2_000 });
      }
      await ok.waitFor({ state: 'hidden', timeout: 3_000 });
      return true;
    });
  }

  async #step(number) {
    await this.window.quick.getByText(new RegExp(`\\(${number}/`)).waitFor();
  }

  /** Start Fleet, with approval when it is asked for. */
  async startFleet() {
    await this.run('Start Fleet', 'startFleet');
    const approve = this.window.quick.getByRole('option', { name: /^Approve and Start/ });
    const button = this.window.dialog().getByRole('button', { name: 'Approve and Start' });
    await approve.or(button).first().click();
  }

  async sendPrompt(name, text) {
    await eventually('the input box of Send Prompt', async () => {
      // A row that is drawn anew between press and release of the button swallows the click: as a person, click again.
      await this.#rowAction(name, 'Send Prompt');
      await this.window.quick.getByText(/Send Prompt to/).waitFor({ timeout: 3_000 });
      return true;
    });
    await this.window.input(text);
  }

  /** Gives up soon: the row may move from under the mouse. */
  async #rowAction(name, action) {
    await this.row(name).hover();
    await this.row(name).getByRole('button', { name: action }).click({ timeout: 3_000 });
  }

  /** Opens the review of what an agent asks, from its row. */
  async review(name) {
    await eventually(`the request of ${name}`, async () => {
      // As with a prompt: a row that is drawn anew, here in another group, swallows the click.
      await this.#rowAction(name, 'Review Request');
      const waiting = this.window.notification('waiting until its dialog is drawn');
      await this.window.dialog().or(waiting).first().waitFor({ timeout: 3_000 });
      return true;
    });
    await this.window.dialog().waitFor();
  }

  /** The report of Check Setup as it is rendered, as text. */
  async setupReport() {
    await this.run('Check Setup', 'checkSetup');
    await this.window.tab(/Core Orchestrator Setup/).waitFor();
    return this.rendered(/^\s*Core Orchestrator: Setup[^]*All checks/);
  }

  /** The text of the rendered document that matches. */
  rendered(match) {
    return eventually('the report', async () => {
      const texts = await Promise.all(this.page.frames().map((frame) => frame.evaluate(() => document.body?.innerText).catch(() => ''))); // prettier-ignore
      return texts.find((text) => match.test(text ?? ''));
    });
  }

  /** Terminals of the panel and of the editor area. */
  async terminalCount() {
    return this.page.locator('.terminal-wrapper .xterm').count();
  }

  /** What the window's log says; every line since the start of its server. */
  log() {
    return this.window.outputLog(CHANNEL);
  }

  /** Notifications that are shown, as text. */
  async toasts() {
    const items = this.page.locator('.notifications-toasts .notification-list-item');
    return items.evaluateAll((all) => all.map((one) => one.innerText.replace(/\s+/g, ' ').trim()));
  }

  /** No stack trace and no error of ours has reached the window or its log. */
  async assertClean({ log = true, expected = /^$/ } = {}) {
    assert.deepEqual(
      this.window.errors.map(String).filter((text) => /core-?orchestrator/i.test(text)),
      [],
    );
    const shown = await this.page.locator('.monaco-workbench').innerText();
    assert.doesNotMatch(shown, /^\s+at .*\(.*:\d+:\d+\)/m, 'a stack trace is on the screen');
    const errors = this.log().match(/^.*\[error\].*$/gm) ?? [];
    if (log) assert.deepEqual(errors.filter((line) => !expected.test(line)), [], 'errors in the log'); // prettier-ignore
  }

  /** Also those that come meanwhile. */
  async closeToasts() {
    await eventually('no notification is left', async () => {
      await this.window.run('Notifications: Clear All Notifications', { id: 'notifications.clearAll' });
      return (await this.toasts()).length === 0;
    });
  }
}

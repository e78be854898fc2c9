// Drives one VS Code window (the web workbench) with Playwright. Selectors use ARIA roles and VS Code's own
// stable hooks (ids of view containers and status bar items, data-testid-like class names its smoke tests use).
import { chromium } from 'playwright-core';

export const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/**
 * A window here lives for a minute at most: what V8's optimizing compilers win in it is less than what they cost (a tenth of what
 * opening a window costs).
 */
const NO_OPTIMIZING = '--js-flags=--no-opt --no-maglev';

/** What goes round and round is drawn anew with every step, in software: it stands still. */
const STILL =
  '.codicon-modifier-spin, .codicon-loading, .codicon-tree-item-loading::before, .monaco-progress-container .progress-bit { animation: none !important }';

/** Windows of this context draw nothing that nobody asked for. */
function calm(context) {
  return context.addInitScript((css) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }, STILL);
}

export async function launchBrowser(opts = {}) {
  return chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    ...opts,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      NO_OPTIMIZING,
      ...(opts.args ?? []),
    ],
  });
}

export function workbenchUrl(server, { folder, workspace, payload = [], query = {} } = {}) {
  const u = new URL(server.base + '/');
  if (folder) u.searchParams.set('folder', folder);
  else if (workspace) u.searchParams.set('workspace', workspace);
  else u.searchParams.set('ew', 'true');
  for (const [k, v] of Object.entries(query)) u.searchParams.set(k, v);
  u.searchParams.set('payload', JSON.stringify([['skipWelcome', 'true'], ['skipReleaseNotes', 'true'], ...payload]));
  return u.toString();
}
export const remoteUri = (server, path) => `vscode-remote://${server.authority}${path}`;

/** Opens a window. extension: folder(s) loaded from source; tests: file exporting run(); env: for the extension host. */
export async function openWindow(
  browser,
  server,
  {
    folder,
    workspace,
    extension = [],
    tests,
    env,
    payload = [],
    viewport = { width: 1400, height: 900 },
    colorScheme,
    reducedMotion,
    context,
    secrets = true,
    onConsole,
    onLog,
    onExit,
    wait = true,
  } = {},
) {
  const ctx =
    context ??
    (await browser.newContext({
      viewport,
      colorScheme,
      reducedMotion,
      permissions: ['clipboard-read', 'clipboard-write'],
    }));
  // This build seals SecretStorage into localStorage with a key it asks code-server's front for (POST /mint-key); the bare
  // server has no such route, and secrets would live in memory and die with the window. Answered here they behave as on
  // desktop: they survive a reload. secrets: false tests the in-memory case (a plain `code serve-web`-like host).
  if (secrets && !ctx.hasSecretsKey) {
    ctx.hasSecretsKey = true;
    await ctx.route('**/mint-key', (r) =>
      r.fulfill({ status: 200, contentType: 'application/octet-stream', body: Buffer.alloc(32, 7) }),
    );
  }
  if (!context) await calm(ctx);
  const page = await ctx.newPage();
  const errors = [];
  page.on('pageerror', (e) => errors.push(e));
  if (onConsole) page.on('console', (m) => onConsole(m));
  await page.exposeFunction('codeAutomationLog', (type, args) => onLog?.(type, args));
  await page.exposeFunction('codeAutomationExit', async (code, logs) => {
    await onExit?.(code, logs);
  });
  const p = [...payload, ...[].concat(extension).map((e) => ['extensionDevelopmentPath', remoteUri(server, e)])];
  if (tests) p.push(['extensionTestsPath', remoteUri(server, tests)]);
  if (env) p.push(['extensionEnvironment', JSON.stringify(env)]);
  const before = server.launchedHosts().length;
  await page.goto(workbenchUrl(server, { folder, workspace, payload: p }));
  const wb = new Workbench(page, server, errors, ctx);
  if (wait) {
    await wb.ready();
    wb.hostPid = await wb.nextHost(before);
  }
  return wb;
}

export class Workbench {
  constructor(page, server, errors, ctx) {
    Object.assign(this, { page, server, errors, ctx });
  }

  /** The workbench is up and its extension host answers. */
  async ready(timeout = 60_000) {
    await this.page.waitForSelector('.monaco-workbench', { timeout });
    if (this.server.driver) {
      await this.page.waitForFunction(() => 'driver' in globalThis, undefined, { timeout });
      await this.page.evaluate(() => globalThis.driver.whenWorkbenchRestored());
    }
    await this.page.locator('[id="status.host"]').waitFor({ timeout }); // the remote connection is up
    return this;
  }
  /** The pid of the extension host launched after the first `before` ones. */
  async nextHost(before, timeout = 30_000) {
    for (const end = Date.now() + timeout; Date.now() < end;) {
      const l = this.server.launchedHosts();
      if (l.length > before) return l.at(-1);
      await this.page.waitForTimeout(50);
    }
    throw new Error('no extension host was launched');
  }
  async screenshot(path, opts) {
    await this.page.screenshot({ path, animations: 'disabled', ...opts });
    return path;
  }

  // ---- command palette and quick input -------------------------------------------------------------------
  get quick() {
    return this.page.locator('.quick-input-widget');
  }
  async openPalette(text = '>') {
    const box = this.quick.locator('.quick-input-box input');
    for (let i = 0; i < 6; i++) {
      // F1 is lost while an editor or webview is taking the focus
      if (!(await box.isVisible())) await this.page.keyboard.press('F1');
      try {
        await box.waitFor({ state: 'visible', timeout: 2_000 });
        await box.fill(text, { timeout: 1_000 });
        await this.page.waitForTimeout(50);
        if ((await box.isVisible()) && (await box.inputValue()) === text) return;
      } catch {
        await this.page.keyboard.press('Escape');
      }
    }
    throw new Error('the command palette did not open');
  }
  /** Rows of the open quick pick: [{label, description}] */
  async quickRows() {
    const rows = this.quick.getByRole('option');
    await rows.first().waitFor({ timeout: 10_000 });
    return rows.evaluateAll((e) => e.map((x) => x.getAttribute('aria-label')));
  }
  /**
   * Runs a command through the palette. By id the row is found by VS Code's own data-quick-input-id, by title by its
   * exact label: never a fuzzy neighbour. `title` is what is typed; the palette filters on the title, not on the id.
   * The palette closes when something else takes the focus, as a window that has just opened does: asked for again then.
   */
  async run(title, { id, timeout = 10_000, attempts = 3 } = {}) {
    await this.openPalette('>' + title);
    const row = id
      ? this.quick.locator(`.monaco-list-row:has([data-quick-input-id="${id}"])`)
      : this.quick.locator(`.monaco-list-row[aria-label^=${JSON.stringify(title)}]`);
    try {
      await row.first().waitFor({ timeout });
      await row.first().click({ timeout: 5_000 });
    } catch (error) {
      if (attempts === 1 || (await this.quick.isVisible())) throw error;
      await this.run(title, { id, timeout, attempts: attempts - 1 });
    }
  }
  /** Is the command offered in the palette now (its when clause and enablement hold)? */
  async paletteHas(title, id) {
    await this.openPalette('>' + title);
    await this.quick.locator('.quick-input-visible-count').waitFor({ state: 'attached' });
    await this.page.waitForTimeout(300);
    const n = await this.quick.locator(`[data-quick-input-id="${id}"]`).count();
    await this.page.keyboard.press('Escape');
    return n > 0;
  }
  async pick(label) {
    const r = this.quick.getByRole('option', { name: label }).first();
    await r.waitFor();
    await r.click();
  }
  async input(text, { enter = true } = {}) {
    const i = this.quick.locator('.quick-input-box input');
    await i.waitFor();
    await i.fill(text);
    if (enter) await this.page.keyboard.press('Enter');
  }
  async inputMessage() {
    return (await this.quick.locator('.quick-input-message').innerText()).trim();
  }

  // ---- side bar, views, trees --------------------------------------------------------------------------------
  /** Activity bar entry by its title (the label also carries the keybinding and the badge's tooltip). */
  activity(title) {
    return this.page
      .locator(`.part.activitybar .action-item:has(> a.action-label[aria-label^=${JSON.stringify(title)}])`)
      .first();
  }
  async openViewContainer(title) {
    const tab = this.activity(title);
    await tab.waitFor();
    if ((await tab.getAttribute('aria-expanded')) !== 'true') await tab.click();
  }
  async badge(title) {
    return (await this.activity(title).locator('.badge-content').innerText()).trim();
  }
  /** A view container's body: contributed containers have the DOM id workbench.view.extension.<containerId>. */
  container(id) {
    return this.page.locator(`[id="workbench.view.extension.${id}"]`);
  }
  /** One view by the name in its header. */
  view(name) {
    return this.page
      .locator('.pane')
      .filter({ has: this.page.locator(`.pane-header[aria-label^=${JSON.stringify(name)}]`) })
      .first();
  }
  async viewAction(name, action) {
    const h = this.view(name).locator('.pane-header');
    await h.hover();
    await h.getByRole('button', { name: action }).first().click();
  }
  welcome(name) {
    return this.view(name).locator('.welcome-view-content');
  }
  row(name, root = this.page) {
    return root.getByRole('treeitem', { name }).first();
  }
  async rows(root = this.page) {
    return root.getByRole('treeitem').evaluateAll((e) =>
      e.map((x) => ({
        label: x.getAttribute('aria-label'),
        level: +x.getAttribute('aria-level'),
        expanded: x.getAttribute('aria-expanded'),
        checked: x.querySelector('[role=checkbox]')?.getAttribute('aria-checked') ?? null,
      })),
    );
  }
  async rowAction(row, action) {
    await row.hover();
    await row.getByRole('button', { name: action }).click();
  }
  async rowMenu(row, item) {
    await row.click({ button: 'right' });
    await this.menu(item);
  }
  /** VS Code's menus live in a shadow root; Playwright's role locators pierce it. */
  async menu(item) {
    const i = this.page.locator('.monaco-menu').getByRole('menuitem', { name: item }).first();
    await i.waitFor();
    await i.click({ delay: 50 });
  }

  // ---- status bar, notifications, dialogs -------------------------------------------------------------------
  /** createStatusBarItem('agents', …) in extension pub.name has the id pub.name.agents */
  status(id) {
    return this.page.locator(`.statusbar-item[id="${id}"]`);
  }
  notification(text) {
    return this.page
      .locator('.notifications-toasts, .notifications-center')
      .locator('.notification-list-item')
      .filter({ hasText: text })
      .first();
  }
  /** Toasts exist only without the smoke test driver; with it, the same items are in the notification center. */
  async showNotifications() {
    if (!(await this.page.locator('.notifications-center.visible').count()))
      await this.run('Notifications: Show Notifications', { id: 'notifications.showList' });
  }
  async notificationAction(text, button) {
    if (this.server.driver) await this.showNotifications();
    const n = this.notification(text);
    await n.waitFor();
    await n.hover();
    await n.getByRole('button', { name: button }).click();
  }
  dialog() {
    return this.page.locator('.monaco-dialog-box');
  }

  // ---- webviews -----------------------------------------------------------------------------------------------
  /** The document of the n-th visible webview: outer iframe (service worker host) > #active-frame. */
  webview(n = 0) {
    return this.page.frameLocator('iframe.webview.ready >> nth=' + n).frameLocator('#active-frame');
  }
  /** The webview whose inner document has this title or matches a selector. */
  async webviewFrame(selector, timeout = 15_000) {
    const end = Date.now() + timeout;
    while (Date.now() < end) {
      for (const f of this.page.frames()) {
        if (!/fake\.html/.test(f.url())) continue;
        if (
          await f
            .locator(selector)
            .count()
            .catch(() => 0)
        )
          return f;
      }
      await this.page.waitForTimeout(100);
    }
    throw new Error('no webview holds ' + selector);
  }

  // ---- editors and terminals ----------------------------------------------------------------------------------
  tab(name) {
    return this.page.locator('.editor-group-container').getByRole('tab', { name }).first();
  }
  async tabs() {
    return this.page.locator('.tabs-container .tab').evaluateAll((e) => e.map((x) => x.getAttribute('aria-label')));
  }
  /** Screen and scrollback of a terminal, from xterm's buffer: VS Code hangs the xterm object on its wrapper element. */
  async terminalText(selector = '.terminal-wrapper.active') {
    return this.page.evaluate((s) => {
      const el = [...document.querySelectorAll(s)].flatMap((e) => [e, ...e.querySelectorAll('*')]).find((e) => e.xterm);
      if (!el) throw new Error('no terminal at ' + s);
      const b = el.xterm.buffer.active,
        lines = [];
      for (let i = 0; i < b.length; i++) lines.push(b.getLine(i).translateToString(true));
      return lines.join('\n').trimEnd();
    }, selector);
  }
  async waitTerminal(re, { selector, timeout = 15_000 } = {}) {
    const end = Date.now() + timeout;
    let last = '';
    while (Date.now() < end) {
      last = await this.terminalText(selector).catch((e) => String(e));
      if (re.test(last)) return last;
      await this.page.waitForTimeout(100);
    }
    throw new Error(`terminal never showed ${re}; last:\n${last}`);
  }
  async typeTerminal(text, selector = '.terminal-wrapper.active') {
    await this.page.evaluate(
      ([s, t]) =>
        [...document.querySelectorAll(s)]
          .flatMap((e) => [e, ...e.querySelectorAll('*')])
          .find((e) => e.xterm)
          .xterm.input(t),
      [selector, text],
    );
  }

  /** Milliseconds VS Code itself measured for an extension's activation (code loading + activate()), by display name. */
  async activationMs(displayName) {
    await this.run('Developer: Show Running Extensions', { id: 'workbench.action.showRuntimeExtensions' });
    const list = this.page.locator('.runtime-extensions-editor .monaco-list');
    const row = list.locator('.monaco-list-row').filter({ hasText: displayName }).first();
    await list.hover();
    for (let turns = 0; turns < 40 && !(await row.count()); turns += 1) {
      await this.page.mouse.wheel(0, 200); // only visible rows exist, slowest extensions first
      await this.page.waitForTimeout(50);
    }
    await row.waitFor();
    return +/Activation: (\d+)ms/.exec(await row.innerText())[1];
  }
  /** Lines of an output channel, read from its log file on the server. */
  outputLog(name) {
    const l = this.server.logs(new RegExp(esc(name) + '\\.log$'));
    return Object.values(l).join('\n');
  }
  /** Developer: Reload Window. (page.reload() is a crash of the window: the editor and view state of the last minute is lost.) */
  async reload() {
    const n = this.page.waitForNavigation({ timeout: 30_000 });
    await this.run('Developer: Reload Window', { id: 'workbench.action.reloadWindow' });
    await n;
    await this.ready();
  }
  async close() {
    await this.page.close();
  }
}
const esc = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

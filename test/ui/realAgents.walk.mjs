// The real programs in the window, against the scripted model of test/agents: prompts, approvals, rules, the doctor, a reboot.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { require as requireTypeScript } from 'tsx/cjs/api';
import { Agents, inWalkFolder, isAlive, setOnMachine } from './agents.mjs';
import { eventually, walk } from './walk.mjs';

const { CLI_FOLDER, CliHome, INSTALL_COMMAND, TYPE_IDS, installedVersion } = requireTypeScript(
  '../agents/cliSetup.ts',
  import.meta.url,
);
const { ModelServer } = requireTypeScript('../agents/modelServer.ts', import.meta.url);

/** The first is started by the dialog, the others by a fleet file. */
const NAMES = { codex: 'Builder', gemini: 'Reviewer', claude: 'Planner', opencode: 'Tester' };
/** Four programs start side by side. */
const READY_MS = 120_000;
const firstPrompt = (cli) => `Say hello to ${cli}. [[reply: Hello.]][[tokens: 1000 20]]`;
/** In the first prompt of each before the reboot, and in no other's. */
const earlierWords = (cli) => (cli === 'codex' ? 'the word heliotrope' : `Say hello to ${cli}`);

await walk('Real agents', async (it) => {
  const all = Object.keys(NAMES);
  const clis = all.filter((cli) => installedVersion(cli));
  for (const cli of all)
    if (!clis.includes(cli)) it.notRun(`${cli} in the window`, `${cli} is not installed (${INSTALL_COMMAND})`);
  if (!['codex', 'gemini'].every((cli) => clis.includes(cli))) return;

  const model = await ModelServer.start();
  it.defer(() => model.stop());
  const home = new CliHome();
  it.defer(() => home.dispose());
  it.defer(() => agentProcesses(home).forEach(endProcess));
  const setups = Object.fromEntries(clis.map((cli) => [cli, home.setUp(cli, { serverUrl: model.url, retries: 1 })]));
  home.write('.codex/config.toml', codexConfig(setups.codex.args));
  home.write('project/.vscode/agents.json', fleetOf(clis.filter((cli) => cli !== 'codex'), setups)); // prettier-ignore

  const dataDir = join(it.tmp, 'data');
  // As on a person's machine: the programs and keys are known to the login shell.
  const path = `export PATH=${CLI_FOLDER}${delimiter}$PATH SCRIPTED_KEY=none\n`;
  for (const file of ['.profile', '.zprofile']) home.write(file, path);
  const env = Object.fromEntries(Object.entries(setups.codex.env).filter(([name]) => name !== 'SCRIPTED_KEY'));
  let server = await it.server({ dataDir, env: inWalkFolder(it, env) });
  const rule = { type: 'codex', tool: 'Bash', pattern: 'touch allowed-\\w+' };
  setOnMachine(server, {
    'coreOrchestrator.approvals.allow': [rule],
  });
  let window = await it.open(server, { folder: home.workspace });
  let agents = await new Agents(window).open();
  const hasFile = (name) => existsSync(join(home.workspace, name));
  const isAsked = (text) => model.turnsWith(text).length > 0;

  const document = async () =>
    (await window.page.locator('.editor-instance .view-lines').innerText()).replace(/\u00a0/g, ' ');

  await it.step('Start Agent starts Codex with a first prompt; the row tells how it arrived, then rests', async () => {
    const prompt = 'Remember the word heliotrope. [[slow: 2]][[reply: Noted.]][[tokens: 1200 30]]';
    await agents.start(NAMES.codex, { type: /^Codex/, prompt });
    await agents.says(NAMES.codex, /working.*acknowledged by hook/, READY_MS);
    await agents.is(NAMES.codex, 'idle', READY_MS);
    assert.ok(isAsked(prompt), 'the model got it as it was given');
  });

  await it.step('a fleet of the others starts, each with its first prompt', async () => {
    await agents.startFleet();
    await agents.is(NAMES.gemini, 'idle', READY_MS);
    await eventually('it has its prompt', () => isAsked(firstPrompt('gemini')), { timeoutMs: READY_MS });
    await agents.says(NAMES.gemini, /idle.*acknowledged by hook/, READY_MS);
  });

  await it.step(
    'S24 a rule answers what it names, which is logged; the rest is in the row and, completely, in the review',
    async () => {
      const command = 'touch made-by-codex';
      await agents.sendPrompt(
        NAMES.codex,
        `Make both. [[sudo: touch allowed-one]][[sudo: ${command}]][[reply: Made.]]`,
      );
      await agents.says(NAMES.codex, new RegExp(`needs approval.*asks: .*${command}`), READY_MS);
      assert.ok(hasFile('allowed-one') && !hasFile('made-by-codex'));
      assert.match(agents.log(), /nobody was asked .*allowed by the rule codex \/ Bash.*touch allowed-one/);
      await it.shot(window, 'codex-asks');
      await agents.review(NAMES.codex);
      assert.match(await window.dialog().innerText(), new RegExp(command));
      await it.shot(window, 'codex-review');
      await window.dialog().getByRole('button', { name: 'Approve', exact: true }).click();
      await eventually('the command ran', () => hasFile('made-by-codex'), { timeoutMs: READY_MS });
      await agents.is(NAMES.codex, 'idle', READY_MS);
    },
  );

  await it.step('what Gemini asks is allowed from the menu of its row', async () => {
    await agents.sendPrompt(NAMES.gemini, 'Make it. [[bash: touch made-by-gemini]][[reply: Made.]]');
    await agents.says(NAMES.gemini, /needs approval.*asks: .*touch made-by-gemini/, READY_MS);
    await agents.menu(NAMES.gemini, 'Approve Request…');
    await window.dialog().getByRole('button', { name: 'Approve', exact: true }).click();
    await eventually('the command ran', () => hasFile('made-by-gemini'), { timeoutMs: READY_MS });
    await agents.is(NAMES.gemini, 'idle', READY_MS);
    await agents.closeToasts();
  });

  await it.step('Explain Agent State, the usage in the tooltip, and the doctor speak of the real program', async () => {
    await agents.menu(NAMES.codex, 'Explain Agent State');
    await window.tab(/State of/).waitFor();
    await eventually('the evidence', async () => /Evidence, the deciding piece first/.test(await document()));
    await it.shot(window, 'explain');
    const tooltip = window.page.locator('.monaco-hover:visible').filter({ hasText: 'Why it says so' });
    await eventually('the tooltip', async () => {
      await window.page.mouse.move(700, 400); // a row that is drawn anew under the mouse shows none
      await agents.row(NAMES.codex).hover();
      return tooltip.waitFor({ timeout: 3_000 }).then(() => true);
    });
    assert.match(
      (await tooltip.innerText()).replace(/\u00a0/g, ' '),
      /Usage: [1-9][\d,]* in, .* covers this conversation/,
    );
    await it.shot(window, 'usage');
    await agents.run('Run Doctor', 'doctor');
    await window.pick(/^Codex/);
    await window.tab(/Doctor/).waitFor({ timeout: READY_MS });
    assert.ok((await agents.rendered(/^\s*Core Orchestrator: Doctor/)).includes(installedVersion('codex')));
    await it.shot(window, 'doctor');
  });

  const later = 'And then this. [[reply: That, too.]]';
  await it.step('after a reboot Resume Fleet brings back the conversations and says what was lost', async () => {
    for (const cli of clis.slice(2)) await agents.is(NAMES[cli], 'idle', READY_MS);
    await agents.sendPrompt(NAMES.gemini, 'Work on. [[slow: 100]]');
    await agents.is(NAMES.gemini, 'working');
    await agents.sendPrompt(NAMES.gemini, later); // stays in the program's own queue
    await agents.says(NAMES.gemini, /acknowledged by screen/, READY_MS);
    await window.close();
    await server.stop();
    it.tmux('kill-server');
    for (const pid of agentProcesses(home)) endProcess(pid);
    server = await it.server({ dataDir, vsix: undefined, driver: false, env: inWalkFolder(it, env) });
    window = await it.open(server, { folder: home.workspace });
    agents = await new Agents(window).open();
    await window.notification('ended while VS Code was away').waitFor();
    assert.doesNotMatch((await agents.toasts()).join('\n'), /[(:] ?failed/);
    await it.shot(window, 'after-reboot');
    await window.notificationAction('ended while VS Code was away', 'Resume Fleet');
    await window.notification('may not have arrived').waitFor({ timeout: READY_MS });
    await it.shot(window, 'brought-back');
    assert.match(
      (await agents.toasts()).join('\n'),
      /back.*conversation.*(Interrupted in an answer: Reviewer|Its last answer was interrupted)/,
    );
  });

  await it.step('R7 what may have arrived is sent again only when it is picked', async () => {
    await window.notificationAction('may not have arrived', 'Send Again…');
    await window.quick.getByRole('checkbox', { checked: false }).first().waitFor();
    await it.shot(window, 'send-again');
    await window.quick.locator('.quick-input-list').getByText('And then this').click();
    await window.quick.getByRole('button', { name: 'OK' }).click();
    const { conversation } = await model.request(
      'the prompt',
      (one) => one.conversation.message.trim() === later,
      READY_MS,
    );
    assert.match(conversation.userTexts.join('\n'), /Say hello to gemini/);
    await agents.is(NAMES.gemini, 'idle', READY_MS);
  });

  await it.step('all are back in their own conversations, Codex by its restart policy', async () => {
    for (const cli of clis) {
      await agents.is(NAMES[cli], 'idle', READY_MS);
      const question = `Which words were they, ${cli}? [[reply: Those.]]`;
      await agents.sendPrompt(NAMES[cli], question);
      const { conversation } = await model.request(
        `the question of ${cli}`,
        (one) => one.conversation.message.trim() === question,
        READY_MS,
      );
      const said = conversation.userTexts.join('\n');
      assert.deepEqual(
        clis.filter((one) => said.includes(earlierWords(one))),
        [cli],
        said,
      );
      await agents.is(NAMES[cli], 'idle', READY_MS);
    }
  });

  await it.step('R17 Stop All leaves no process of theirs', async () => {
    await agents.run('Stop All Agents', 'stopAll');
    await window.dialog().getByRole('button', { name: 'Stop All' }).click();
    await eventually('all rows say so', async () => Object.keys(await agents.groups()).join() === 'Ended', {
      timeoutMs: READY_MS,
    });
    await eventually('no process is left', () => agentProcesses(home).length === 0);
    await it.shot(window, 'stopped');
    await agents.assertClean();
  });
});

function fleetOf(clis, setups) {
  const agents = clis.map((cli) => ({
    ...{ name: NAMES[cli], type: TYPE_IDS[cli], args: setups[cli].args, env: setups[cli].env },
    ...{ firstPrompt: firstPrompt(cli), restartPolicy: 'never' },
  }));
  return JSON.stringify({ agents }, null, 2);
}

function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // it ended with another one
  }
}

/** What the tests give Codex by its arguments, as the configuration of a person. */
function codexConfig(args) {
  const settings = args.filter((_, index) => args[index - 1] === '-c');
  return ['approval_policy="on-request"', 'sandbox_mode="read-only"', ...settings].join('\n') + '\n';
}

/** Living processes that agents of this home consist of. */
function agentProcesses(home) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        const isOurs = environment.includes(`HOME=${home.folder}`);
        return isOurs && environment.some((one) => one.startsWith('CORE_ORCHESTRATOR_AGENT=')) && isAlive(pid);
      } catch {
        return false; // gone, or a process of somebody else
      }
    });
}

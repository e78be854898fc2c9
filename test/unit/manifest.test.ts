import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import manifest from '../../package.json';
import { Lifecycle } from '../../src/core/agents/agentState';
import { contextValue } from '../../src/vscode/agents/agentText';
import { AgentError } from '../../src/core/agents/agentErrors';
import { COMMAND_TITLES } from '../../src/vscode/commandTitles';
import { errorMessages, messageFor, messageForCode } from '../../src/vscode/errorMessages';
import {
  AGENTS_VIEW_ID,
  CommandId,
  CONTAINER_ID,
  EXTENSION_ID,
  FLEET_FILE,
  PROMPT_LANGUAGE_ID,
  REPORT_LANGUAGE_ID,
  SettingKey,
  TERMINAL_PROFILE_ID,
  WALKTHROUGH_ID,
  WelcomeState,
} from '../../src/vscode/manifest';
import { WindowError } from '../../src/vscode/windowErrors';
import { anAgentView, aRequest } from '../support/fakeEngine';

const root = path.join(__dirname, '..', '..');
const { contributes } = manifest;

interface MenuItem {
  readonly command?: string;
  readonly submenu?: string;
  readonly when?: string;
  readonly group?: string;
}
const menus = contributes.menus as Readonly<Record<string, readonly MenuItem[]>>; // the JSON type has one key per menu
const commands = new Map(
  contributes.commands.map((command) => [
    command.command,
    command as { title: string; category: string; icon?: string; enablement?: string },
  ]),
);
const configuration = contributes.configuration.flatMap(
  (group) => Object.entries(group.properties) as [string, Record<string, unknown>][],
);

describe('package.json and manifest.ts', () => {
  it('name the same commands', () => {
    assert.deepEqual([...commands.keys()].sort(), [...Object.values(CommandId)].sort());
  });

  it('call commands the same, but for the ellipsis: questions of a command have its title', () => {
    for (const [id, { title }] of commands) assert.equal(COMMAND_TITLES[id as CommandId], title.replace(/…$/, ''));
  });

  it('name the same view, container, terminal profile, walkthrough and extension', () => {
    assert.equal(`${manifest.publisher}.${manifest.name}`, EXTENSION_ID);
    assert.deepEqual(
      contributes.viewsContainers.activitybar.map(({ id }) => id),
      [CONTAINER_ID],
    );
    assert.deepEqual(
      contributes.views[CONTAINER_ID].map(({ id }) => id),
      [AGENTS_VIEW_ID],
    );
    assert.deepEqual(
      contributes.terminal.profiles.map(({ id }) => id),
      [TERMINAL_PROFILE_ID],
    );
    assert.deepEqual(
      contributes.walkthroughs.map(({ id }) => id),
      [WALKTHROUGH_ID],
    );
    assert.deepEqual(
      contributes.languages.map(({ id }) => id),
      [REPORT_LANGUAGE_ID, PROMPT_LANGUAGE_ID],
    );
    assert.equal(contributes.configurationDefaults[`[${REPORT_LANGUAGE_ID}]`]['editor.wordWrap'], 'on');
    assert.deepEqual(
      contributes.jsonValidation.map(({ fileMatch }) => fileMatch),
      [`/${FLEET_FILE}`],
    );
  });

  it('name the same settings', () => {
    assert.deepEqual(
      configuration.map(([key]) => key).sort(),
      Object.values(SettingKey)
        .map((key) => `coreOrchestrator.${key}`)
        .sort(),
    );
  });

  it('have a welcome text for every state, and only for those', () => {
    const named = contributes.viewsWelcome.flatMap(({ when }) =>
      [...when.matchAll(/coreOrchestrator\.welcome == (\w+)/g)].map(([, state]) => state),
    );
    assert.deepEqual([...named].sort(), [...Object.values(WelcomeState)].sort());
  });
});

describe('welcome texts', () => {
  it('have no Markdown but links, which is all that such a view shows', () => {
    for (const { contents } of contributes.viewsWelcome) assert.doesNotMatch(contents, /`|\*\*/);
  });

  it('link to commands that exist', () => {
    const builtIn = /^(workbench\.|vscode\.openFolder)/;
    for (const { contents } of contributes.viewsWelcome) {
      for (const [, id] of contents.matchAll(/\(command:([\w.]+)/g))
        assert.ok(commands.has(id ?? '') || builtIn.test(id ?? ''), id);
    }
  });
});

describe('commands in package.json', () => {
  it('have the category, a title in Title Case that begins with a verb, and an ellipsis only at the end', () => {
    const small = new Set(['a', 'as', 'by', 'in', 'to', 'the', 'of', 'from', 'with']);
    for (const [id, { title, category }] of commands) {
      assert.equal(category, 'Core Orchestrator', id);
      for (const word of title.replace(/…$/, '').split(/[ -]/))
        assert.ok(/^[A-Z]/.test(word) || small.has(word), `${id}: ${word}`);
      assert.equal(title.slice(0, -1).includes('…'), false, id);
    }
    assert.equal(new Set([...commands.values()].map(({ title }) => title)).size, commands.size);
  });

  it('have a codicon wherever a toolbar or a row shows them', () => {
    const items = [...(menus['view/title'] ?? []), ...(menus['view/item/context'] ?? [])];
    for (const { command, group } of items) {
      if (command && /^(navigation|inline)/.test(group ?? ''))
        assert.match(commands.get(command)?.icon ?? '', /^\$\([a-z-]+\)$/, command);
    }
  });

  it('stand in menus only when they exist, and so do submenus', () => {
    const submenus = new Set(contributes.submenus.map(({ id }) => id));
    for (const [menu, items] of Object.entries(menus)) {
      for (const { command, submenu } of items)
        assert.ok(command ? commands.has(command) : submenus.has(submenu ?? ''), `${menu}: ${command ?? submenu}`);
    }
    for (const id of submenus) assert.ok((menus[id] ?? []).length > 0, id);
  });

  it('crowd neither the title of the view nor a row', () => {
    const titleIcons = (menus['view/title'] ?? []).filter(({ group }) => group?.startsWith('navigation'));
    assert.ok(titleIcons.length <= 3);
    const slots = (menus['view/item/context'] ?? [])
      .filter(({ group }) => group?.startsWith('inline'))
      .map(({ group }) => group);
    assert.ok(new Set(slots).size <= 3);
    const groups = new Set((menus['view/item/context'] ?? []).map(({ group }) => group?.split('@')[0]));
    assert.deepEqual([...groups].sort(), [
      '1_open',
      '1_request',
      '2_message',
      '3_state',
      '4_edit',
      'inline',
      'z_danger',
    ]);
  });

  it('that act are offered only where they reach the agents', () => {
    const acting = [
      ...['startAgent', 'startAgentAgain', 'stopAgent', 'restartAgent', 'pauseAgent', 'resumeAgent', 'stopAll'],
      ...['releaseQuarantine', 'sendPrompt', 'renameAgent', 'removeAgent', 'startFleet', 'showHistory'],
      ...['queuePrompt', 'writePrompt', 'sendWrittenPrompt', 'sendSelection', 'showReceipts', 'cancelQueuedPrompt'],
      ...['resendPrompt', 'reviewRequest', 'approveRequest', 'denyRequest', 'denyRequestWithReason'],
      ...['resumeConversation', 'resumeFleet', 'explainState', 'doctor', 'searchRecords', 'exportData', 'importData'],
      ...['backup', 'checkIntegrity', 'compact'],
    ].map((name) => `coreOrchestrator.${name}`);
    const owned = [...commands].filter(([, { enablement }]) => enablement?.startsWith('coreOrchestrator.canAct'));
    assert.deepEqual(owned.map(([id]) => id).sort(), acting.sort());
    for (const { command, when } of menus['view/title'] ?? [])
      if (acting.includes(command ?? '')) assert.match(when ?? '', /&& coreOrchestrator\.canAct\b/, command);
  });

  it('restore also where the store keeps this window from working; a window that follows says who manages', () => {
    const { enablement } = commands.get('coreOrchestrator.restore') ?? {};
    assert.equal(enablement, 'coreOrchestrator.canRestore || coreOrchestrator.canAct');
  });

  it('start, restart and stop an agent that waits for its restart, too', () => {
    const waiting = contextValue(anAgentView({ lifecycle: 'backoff' }), true);
    for (const name of ['startAgentAgain', 'restartAgent', 'stopAgent'] as const) {
      const items = (menus['view/item/context'] ?? []).filter(({ command }) => command === `coreOrchestrator.${name}`);
      const patterns = items.map(({ when }) => new RegExp(/viewItem =~ \/(.*)\//.exec(when ?? '')?.[1] ?? '^$'));
      assert.ok(patterns.length > 0 && patterns.every((pattern) => pattern.test(waiting)), name);
    }
    for (const name of ['startAgentAgain', 'restartAgent', 'stopAll'])
      assert.match(commands.get(`coreOrchestrator.${name}`)?.enablement ?? '', /hasBackoffAgents/, name);
  });

  it('that are about one row are not offered for several', () => {
    const one: readonly CommandId[] = [
      CommandId.ShowHistory, CommandId.ExplainState, CommandId.ShowReceipts, CommandId.CancelQueuedPrompt, CommandId.ResendPrompt,
      CommandId.ReviewRequest, CommandId.ApproveRequest, CommandId.DenyRequest, CommandId.DenyRequestWithReason, CommandId.RenameAgent,
    ]; // prettier-ignore
    for (const { command, when, group } of menus['view/item/context'] ?? [])
      if (one.includes(command as CommandId) && !group?.startsWith('inline'))
        assert.match(when ?? '', /!listMultiSelection/, command);
  });

  it('have few keys, none of them in a place where a key means something else', () => {
    assert.deepEqual(
      contributes.keybindings.map(({ command, key }) => [command, key]),
      [
        ['coreOrchestrator.goToNextWaitingAgent', 'alt+q'], // free in VS Code 1.139, and no letter of its menus
        ['coreOrchestrator.sendWrittenPrompt', 'ctrl+enter'],
      ],
    );
    for (const { command, when } of contributes.keybindings) assert.ok(commands.has(command) && when !== '', command);
  });

  it('S24 allow nothing from a key or a row alone', () => {
    const inline = (menus['view/item/context'] ?? []).filter(({ group }) => group?.startsWith('inline'));
    const bound = contributes.keybindings.map(({ command }) => command);
    const all = [...inline.map(({ command }) => command), ...bound];
    assert.equal(all.includes('coreOrchestrator.approveRequest'), false);
    assert.match(commands.get('coreOrchestrator.approveRequest')?.title ?? '', /…$/);
  });

  it('each have a handler', () => {
    const sources = sourcesBelow(path.join(root, 'src', 'vscode'))
      .filter((file) => !['commandTitles.ts', 'consentGate.ts'].includes(path.basename(file)))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    for (const name of Object.keys(CommandId)) assert.match(sources, new RegExp(`\\[CommandId\\.${name}\\]: `), name);
    for (const name of Object.keys(CommandId)) {
      const handlers = [
        ...sources.matchAll(
          new RegExp(
            `\\[CommandId\\.${name}\\]: (?!AgentCommand|PlainCommand|PromptCommand|DoctorCommand|\\(\\) => Promise<AgentId|\\(row\\?)`,
            'g',
          ),
        ),
      ];
      assert.equal(handlers.length, 1, `${name} has ${handlers.length} handlers`);
    }
  });
});

describe('when clauses', () => {
  /** Keys that VS Code itself sets. */
  const platformKeys = new Set([
    ...['view', 'viewItem', 'isWorkspaceTrusted', 'listMultiSelection'],
    ...['editorHasSelection', 'editorTextFocus', 'editorLangId', 'resourceLangId'],
  ]);

  it('use only keys that somebody sets', () => {
    const contextSource = readFileSync(path.join(root, 'src/vscode/window/workspaceFacts.ts'), 'utf8');
    const welcome = contributes.viewsWelcome.map(({ when }) => when);
    const enablement = [...commands.values()].map((command) => command.enablement ?? '');
    const clauses = [
      ...welcome,
      ...enablement,
      ...Object.values(menus).flatMap((items) => items.map(({ when }) => when ?? '')),
      ...contributes.keybindings.map(({ when }) => when),
    ];
    for (const clause of clauses) {
      for (const key of keysOf(clause)) {
        const isSetting = key.startsWith('config.') && configuration.some(([name]) => `config.${name}` === key);
        assert.ok(platformKeys.has(key) || isSetting || contextSource.includes(`'${key}'`), `${key} in: ${clause}`);
      }
    }
  });

  it('use every key that is set, once it decides something', () => {
    const contextSource = readFileSync(path.join(root, 'src/vscode/window/workspaceFacts.ts'), 'utf8');
    const set = [...contextSource.matchAll(/'(coreOrchestrator\.\w+)'/g)].map(([, key]) => key ?? '');
    const manifestText = JSON.stringify(contributes);
    assert.ok(set.length > 10);
    assert.deepEqual(
      set.filter((key) => !manifestText.includes(key)),
      [],
    );
  });

  it('offer nothing where it cannot be done or does nothing', () => {
    const reachable = 'coreOrchestrator.welcome != windows && coreOrchestrator.welcome != virtualWorkspace';
    const enablement = (name: string) => commands.get(`coreOrchestrator.${name}`)?.enablement;
    assert.equal(enablement('createFleetFile'), `isWorkspaceTrusted && ${reachable}`); // it writes
    assert.equal(enablement('tryAgain'), reachable);
    const goTo = (menus['view/title'] ?? []).find(({ command }) => command === 'coreOrchestrator.goToAgent');
    assert.match(goTo?.when ?? '', /&& coreOrchestrator\.hasAgents$/);
  });

  it('let an agent in quarantine be stopped from its row', () => {
    const row = contextValue(anAgentView({ lifecycle: 'quarantined' }), true);
    const offered = (menus['view/item/context'] ?? [])
      .filter(({ when }) => new RegExp(/viewItem =~ \/(.*)\//.exec(when ?? '')?.[1] ?? '$^').test(row))
      .map(({ command }) => command);
    assert.ok(offered.includes('coreOrchestrator.stopAgent') && offered.includes('coreOrchestrator.releaseQuarantine'));
  });

  it('of rows use only tokens that rows have', () => {
    const views = Object.values(Lifecycle).flatMap((lifecycle) => [
      anAgentView({ lifecycle }),
      anAgentView({ lifecycle, activity: 'awaiting_input', isManagedElsewhere: true }),
      anAgentView({ lifecycle, request: aRequest(), queuedPromptCount: 1, isResumable: true }),
    ]);
    const tokens = new Set(views.flatMap((view) => contextValue(view, true).split(' ')));
    for (const { when } of menus['view/item/context'] ?? []) {
      const pattern = /viewItem =~ \/(.*)\//.exec(when ?? '')?.[1] ?? '';
      const words = pattern.replaceAll('\\b', ' ').match(/\w+/g) ?? [];
      assert.ok(words.length > 0, when);
      assert.deepEqual(
        words.filter((word) => !tokens.has(word)),
        [],
        when,
      );
    }
  });
});

describe('settings in package.json', () => {
  it('have a default, a Markdown description, a scope and an order', () => {
    for (const [key, property] of configuration) {
      for (const field of ['default', 'markdownDescription', 'scope', 'order'])
        assert.notEqual(property[field], undefined, `${key}.${field}`);
      if (property.enum)
        assert.equal((property.markdownEnumDescriptions as unknown[]).length, (property.enum as unknown[]).length, key);
      if (property.type === 'number' || property.type === 'integer')
        assert.ok('minimum' in property && 'maximum' in property, key);
      assert.notEqual(property.type, 'object', `${key}: one setting per value`);
    }
  });

  it('S1 that decide what runs cannot come from an untrusted workspace', () => {
    const restricted = new Set(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations);
    const harmless = new Set(
      ['agents.groupBy', 'notifications', 'terminal.location'].map((key) => `coreOrchestrator.${key}`),
    );
    for (const [key, { scope }] of configuration) {
      assert.equal(restricted.has(key), !harmless.has(key), key);
      if (!harmless.has(key))
        assert.ok(scope === 'machine' || scope === 'machine-overridable', `${key}: ${String(scope)}`);
    }
    assert.equal(manifest.capabilities.untrustedWorkspaces.supported, 'limited');
    assert.equal(manifest.capabilities.virtualWorkspaces.supported, 'limited', 'else our welcome text is never seen');
  });

  it('S1 that name a program cannot come from a workspace at all', () => {
    const naming = configuration.filter(([key]) => /path|command|program|shell|executable/i.test(key));
    assert.deepEqual(
      naming.map(([key, { scope }]) => [key, scope]),
      [['coreOrchestrator.tmuxPath', 'machine']],
    );
  });

  it('S1 that bring programs of agents cannot come from a workspace at all', () => {
    assert.equal(configuration.find(([key]) => key === 'coreOrchestrator.agentTypes')?.[1].scope, 'machine');
  });

  it('S24 that answer for a person cannot come from a workspace at all', () => {
    assert.equal(configuration.find(([key]) => key === 'coreOrchestrator.approvals.allow')?.[1].scope, 'machine');
  });

  it('S22 that let other extensions act cannot come from a workspace at all', () => {
    assert.equal(configuration.find(([key]) => key === 'coreOrchestrator.api.allowWrite')?.[1].scope, 'machine');
  });
});

describe('links', () => {
  /** Handlers of links into the window (vscode://…), and schemes of our own whose documents a link could open. */
  const ACTS_ON_LINKS =
    /registerUriHandler|\bUriHandler\b|asExternalUri|registerTerminalLinkProvider|registerFileSystemProvider|registerCustomEditorProvider|registerExternalUriOpener/;

  it('S22 cannot act: nothing handles one, and no link wakes the extension', () => {
    assert.match('vscode.window.registerUriHandler(this)', ACTS_ON_LINKS);
    const folder = path.join(root, 'src');
    const sources = readdirSync(folder, { recursive: true }).map(String).filter((file) => /\.tsx?$/.test(file)); // prettier-ignore
    assert.ok(sources.length > 100, 'sources were found');
    assert.deepEqual(
      sources.filter((file) => ACTS_ON_LINKS.test(readFileSync(path.join(folder, file), 'utf8'))),
      [],
    );
    const { activationEvents } = manifest as { activationEvents?: readonly string[] };
    assert.deepEqual((activationEvents ?? []).filter((event) => /^on(Uri|FileSystem|OpenExternalUri|CustomEditor)|^\*$/.test(event)), []); // prettier-ignore
    for (const point of ['uriHandlers', 'resourceLabelFormatters', 'customEditors']) assert.ok(!(point in contributes), point); // prettier-ignore
  });
});

describe('files that package.json names', () => {
  it('exist', () => {
    const { walkthroughs, viewsContainers, views, jsonValidation } = contributes;
    const media = walkthroughs.flatMap(({ icon, steps }) => [
      icon,
      ...steps.map(({ media: file }) => file.markdown ?? file.svg),
    ]);
    const icons = [...viewsContainers.activitybar, ...views[CONTAINER_ID]].map(({ icon }) => icon);
    const files = [
      manifest.icon,
      ...icons,
      ...media,
      ...jsonValidation.map(({ url }) => url),
      'core-orchestrator.d.ts',
    ];
    assert.deepEqual(
      files.filter((file) => !file || !existsSync(path.join(root, file))),
      [],
    );
  });

  it('activate at nothing but the end of startup', () =>
    assert.deepEqual(manifest.activationEvents, ['onStartupFinished']));
});

describe('error messages', () => {
  it('exist for every code of the core and the window', () => {
    const codes = sourcesBelow(path.join(root, 'src'))
      .filter((file) => file.endsWith('Errors.ts'))
      .flatMap(codesOf);
    assert.ok(codes.length > 40, `${codes.length} codes found`);
    assert.deepEqual(
      codes.filter((code) => !Object.hasOwn(errorMessages, code)),
      [],
    );
    const known = new Set([...codes, 'bug']);
    assert.deepEqual(
      Object.keys(errorMessages).filter((code) => !known.has(code)),
      [],
    );
  });

  it('are sentences, with buttons whose commands exist', () => {
    const builtIn = new Set(['workbench.trust.manage', 'vscode.openFolder']);
    for (const [code, { text, buttons }] of Object.entries(errorMessages)) {
      assert.match(text, /^[A-Z"t].*\.$/, code);
      for (const { command } of buttons)
        assert.ok(commands.has(command) || builtIn.has(command), `${code}: ${command}`);
    }
  });

  it('say what to do next, by a button or in words', () => {
    const nothingToDo = new Set(['agent.superseded', 'gateway.canceled']); // what the person asked for last has happened
    const said =
      /\b(Adjust|Answer|Attach|Choose|Close|Correct|Do it|Filter|Finish|Free|Give|Go on|Install|Look at|Make it|Open|Release|Reload|Resume|Send|Set|Shorten|Start|Stop|Trust|Try|Update)\b|\b(try|tried|started) again\b|[:;] look at|: start it again|trust this workspace|The Agents view shows|The setting .* allows it|select some, or open a file/;
    const silent = Object.entries(errorMessages).filter(
      ([code, { text, buttons }]) => buttons.length === 0 && !said.test(text) && !nothingToDo.has(code),
    );
    assert.deepEqual(
      silent.map(([code]) => code),
      [],
    );
  });

  it('have buttons for the agent that a failure is about, and none where it is about no agent', () => {
    const refused = messageFor(new AgentError('agent.cannotResume', 'it has no conversation', { agentId: 'builder' }));
    assert.match(refused?.text ?? '', /in a new conversation\. \(it has no conversation\)$/);
    assert.deepEqual(
      refused?.buttons.map(({ title, command, args }) => [title, command, args]),
      [['Start Agent Again', 'coreOrchestrator.startAgentAgain', ['builder']]],
    );
    assert.deepEqual(messageFor(new AgentError('agent.cannotResume', 'x'))?.buttons, []);
  });

  it('say nothing about cancellations and nothing secret about bugs', () => {
    const cancelled = new AbortController();
    cancelled.abort();
    assert.equal(messageFor(cancelled.signal.reason), undefined);
    assert.equal(messageFor(new TypeError('token=abc')), errorMessages.bug);
    assert.equal(messageForCode('no.such'), errorMessages.bug);
    assert.equal(
      messageFor(new WindowError('window.terminalFailed', 'exit 1'))?.text,
      'The terminal could not be opened. Try again; Check Setup says whether tmux can be reached. (exit 1)',
    );
  });
});

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map((file) => path.join(folder, String(file)))
    .filter((file) => file.endsWith('.ts'));
}

/** The members of `export type XErrorCode = 'a.b' | …`. */
function codesOf(file: string): string[] {
  const source = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const declaration = /export type \w*ErrorCode =([^;]*);/.exec(source)?.[1] ?? '';
  return [...declaration.matchAll(/'([a-z]+\.\w+)'/g)].map(([, code]) => code ?? '');
}

/** The context keys of a clause: what stands on the left of an operator or alone. */
function keysOf(clause: string): string[] {
  return clause
    .split(/&&|\|\|/)
    .map(
      (part) =>
        part
          .trim()
          .replace(/^[!(]+/, '')
          .split(/\s*(?:==|!=|=~)\s*/)[0]
          ?.replace(/\)+$/, '') ?? '',
    )
    .filter((key) => key !== '');
}

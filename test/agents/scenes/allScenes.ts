import type { Cli } from '../cliSetup';
import { commonScenes } from './commonScenes';
import { everydayScenes, laterScenes } from './everydayScenes';
import { hotfixScenes } from './hotfixScenes';
import { imitationScenes } from './imitationScenes';
import { mergeScenes } from './mergeScenes';
import { endScenes, freshScene, loopScene, overlayScene, signedOutScene } from './ownScenes';
import { releaseScenes } from './releaseScenes';
import { reviewScenes } from './reviewScenes';
import { type Dialect, DRAFT, IDLE, type Scene, SHELL_MODE, SIGN_IN, WORKING_HIDDEN } from './scene';
import { afterWeekScenes, weekScenes } from './weekScenes';

const WRITE = '[[write: {workspace}/made.txt alpha\nbeta\ngamma]]';

const CLAUDE: Dialect = {
  ready: /^❯(\s|$)[^]*─{20}/m,
  working: /esc to interrupt/,
  permission: /Do you want to|Would you like to proceed/,
  question: /Enter to select/,
  clear: ['C-c'],
  leaveMenu: ['Escape'],
  webTool: '[[tool: WebFetch {"url":"https://example.com/page","prompt":"What is there?"}]]',
  writeTool: WRITE,
  editTool: '[[tool: Edit {"file_path":"{workspace}/made.txt","old_string":"beta","new_string":"gamma"}]]',
};

const CODEX: Dialect = {
  ready: /^› [^]*scripted-model/m,
  working: /esc to interrupt/,
  permission: /Press enter to confirm|enter to submit|Would you like to/i,
  question: /enter to submit|Press enter/i,
  clear: ['C-c'],
  leaveMenu: ['Escape'],
  queueKey: 'Tab',
  questionMode: ['BTab'],
  // It has no tool for files with this model.
  writeTool: "[[sudo: printf 'alpha\\nbeta\\n' > made.txt]]",
  editTool: '[[sudo: sed -i s/two/zwei/ notes.txt]]',
};

const GEMINI: Dialect = {
  ready: /Type your message/,
  working: /esc to cancel/,
  permission: /Allow execution|Apply this change|Allow |Do you want to proceed/,
  question: /Which colour[^]*Green/,
  clear: ['C-c'],
  leaveMenu: ['Escape'],
  webTool: '[[tool: web_fetch {"prompt":"What is at https://example.com/page ?"}]]',
  writeTool: WRITE,
  editTool:
    '[[tool: replace {"file_path":"{workspace}/notes.txt","instruction":"Translate","old_string":"two","new_string":"zwei"}]]',
};

const OPENCODE: Dialect = {
  ready: /Ask anything|┃[^]*Build/,
  working: /esc (again to )?interrupt/,
  permission: /Permission required/,
  question: /esc dismiss/,
  nextOptionKey: 'Right',
  clear: ['C-u'],
  leaveMenu: ['Escape'],
  webTool: '[[tool: webfetch {"url":"https://example.com/page","format":"text"}]]',
  writeTool: WRITE,
  editTool: '[[tool: edit {"filePath":"{workspace}/notes.txt","oldString":"two","newString":"zwei"}]]',
};

export const DIALECTS: Readonly<Record<Cli, Dialect>> = {
  claude: CLAUDE,
  codex: CODEX,
  gemini: GEMINI,
  opencode: OPENCODE,
};

/** Every scene of a program. */
export const SCENES: Readonly<Record<Cli, readonly Scene[]>> = {
  claude: [
    ...commonScenes(CLAUDE),
    ...imitationScenes(),
    ...everydayScenes('claude', CLAUDE, [
      { name: 'day-overlay-memory', open: '/memory' },
      { name: 'day-overlay-hooks', open: '/hooks' },
      { name: 'day-overlay-effort', open: '/effort' },
      { name: 'day-overlay-export', open: '/export' },
      { name: 'day-context-printed', open: '/context', leave: [], expected: IDLE },
    ]),
    overlayScene([
      { name: 'overlay-transcript', open: ['C-o'], leave: ['C-o'] },
      { name: 'overlay-history-search', open: ['C-r'] },
      { name: 'overlay-model', open: '/model' },
      { name: 'overlay-config', open: '/config', leave: ['Escape', 'Escape'] },
      { name: 'overlay-help', open: '/help' },
      { name: 'overlay-status', open: '/status' },
      { name: 'overlay-permissions', open: '/permissions' },
      { name: 'overlay-resume', open: '/resume' },
      { name: 'overlay-theme', open: '/theme' },
      { name: 'overlay-rewind', open: '/rewind' },
      { name: 'mode-edits', open: ['BTab'], leave: [], expected: IDLE },
      { name: 'mode-plan', open: ['BTab'], leave: [], expected: IDLE },
    ]),
    ...laterScenes([
      { name: 'later-overlay-plugin', open: '/plugin', leave: ['Escape', 'Escape'] },
      { name: 'later-overlay-mcp', open: '/mcp' },
      { name: 'later-overlay-tasks', open: '/tasks' },
      { name: 'later-overlay-output-style', open: '/output-style' },
    ]),
    ...afterWeekScenes('claude'),
    ...weekScenes('claude', CLAUDE, [
      { name: 'week-overlay-agents', open: '/agents' },
      { name: 'week-overlay-skills', open: '/skills' },
      { name: 'week-overlay-stats', open: '/stats' },
      { name: 'week-overlay-add-dir', open: '/add-dir' },
      { name: 'week-overlay-usage', open: '/usage' },
    ]),
    ...releaseScenes('claude', CLAUDE, [
      { name: 'release-overlay-diff', open: '/diff' },
      { name: 'release-overlay-sandbox', open: '/sandbox' },
      { name: 'release-overlay-doctor', open: '/doctor' },
      {
        name: 'release-overlay-help-moved',
        open: ['/', 'h', 'e', 'l', 'p', 'Enter', 'Right'],
        leave: ['Escape', 'C-c'],
      },
      { name: 'release-overlay-keybindings-in-editor', open: '/keybindings', leave: [':', 'q', 'Enter'] },
    ]),
    ...hotfixScenes(CLAUDE, 415, [
      { name: 'hotfix-color-printed', open: '/color', leave: [], expected: IDLE },
      { name: 'hotfix-release-notes-printed', open: '/release-notes', leave: [], expected: IDLE },
      { name: 'hotfix-unknown-command-printed', open: '/privacy-settings', leave: [], expected: IDLE },
      { name: 'hotfix-ide-printed', open: '/ide', leave: [], expected: IDLE },
    ]),
    ...reviewScenes('claude', CLAUDE, [
      { name: 'review-overlay-feedback', open: '/feedback' },
      { name: 'review-overlay-mobile', open: '/mobile' },
      {
        name: 'review-overlay-permissions-moved',
        open: ['/', 'p', 'e', 'r', 'm', 'Enter', 'Right'],
        leave: ['Escape', 'Escape'],
      },
      { name: 'review-overlay-fast', open: '/fast' },
      { name: 'review-version-printed', open: '/version', leave: [], expected: IDLE },
    ]),
    ...mergeScenes('claude', CLAUDE, [
      {
        name: 'merge-overlay-config-searched',
        open: ['/', 'c', 'o', 'n', 'f', 'i', 'g', 'Enter', 'v', 'i', 'm'],
        leave: ['Escape', 'Escape', 'Escape'],
      },
      { name: 'merge-rename-printed', open: '/rename merge-77', leave: [], expected: IDLE },
      { name: 'merge-overlay-model-moved', open: ['/', 'm', 'o', 'd', 'e', 'l', 'Enter', 'Down'] },
    ]),
    backgroundScene('[[tool: Bash {"command":"sleep 20","run_in_background":true,"description":"Sleep"}]]'),
    planScene(),
    overlayScene([{ name: 'sign-in', open: '/login', leave: ['Escape'], expected: SIGN_IN }], 'signed-out'),
    freshScene([['Enter'], ['Up', 'Enter'], ['Enter'], ['Enter']]),
    ...endScenes('/exit', ['C-c', 'C-d']),
  ],
  codex: [
    ...commonScenes(CODEX),
    ...imitationScenes(),
    ...everydayScenes('codex', CODEX, [
      { name: 'day-overlay-review', open: '/review' },
      { name: 'day-overlay-skills', open: '/skills' },
      { name: 'day-overlay-statusline', open: '/statusline' },
      { name: 'day-overlay-personality', open: '/personality' },
      { name: 'day-mcp-printed', open: '/mcp', leave: [], expected: IDLE },
    ]),
    overlayScene([
      { name: 'overlay-history-search', open: ['C-r'], leave: ['Escape', 'C-u'] },
      { name: 'overlay-find', open: ['F3'] },
      { name: 'overlay-transcript', open: ['Escape', 'Escape'], leave: ['Escape', 'Escape'] },
      { name: 'overlay-model', open: '/model' },
      { name: 'overlay-permissions', open: '/permissions' },
      { name: 'overlay-resume', open: '/resume' },
      { name: 'overlay-warnings', open: ['F2'] },
      { name: 'overlay-experimental', open: '/experimental' },
      { name: 'overlay-theme', open: '/theme' },
      { name: 'status-printed', open: '/status', leave: [], expected: IDLE },
      { name: 'diff-shown', open: '/diff', leave: ['q'] },
      { name: 'mode-plan', open: ['BTab'], leave: ['BTab'], expected: IDLE },
    ]),
    ...laterScenes([
      { name: 'later-overlay-keymap', open: '/keymap' },
      { name: 'later-overlay-feedback', open: '/feedback' },
      { name: 'later-overlay-rename', open: '/rename' },
    ]),
    ...afterWeekScenes('codex'),
    ...weekScenes('codex', CODEX, [
      { name: 'week-overlay-hooks', open: '/hooks' },
      { name: 'week-overlay-title', open: '/title' },
      { name: 'week-overlay-plugins', open: '/plugins' },
      { name: 'week-ps-printed', open: '/ps', leave: [], expected: IDLE },
      { name: 'week-config-printed', open: '/debug-config', leave: [], expected: IDLE },
    ]),
    ...releaseScenes('codex', CODEX, [
      { name: 'release-overlay-memories', open: '/memories' },
      { name: 'release-overlay-config', open: '/config' },
      { name: 'release-overlay-pets', open: '/pets' },
      { name: 'release-overlay-copy', open: '/copy' },
      { name: 'release-pwd-printed', open: '/pwd', leave: [], expected: IDLE },
    ]),
    ...hotfixScenes(CODEX, 415, [
      { name: 'hotfix-overlay-import', open: '/import' },
      { name: 'hotfix-overlay-agents', open: '/agents' },
      { name: 'hotfix-overlay-warnings', open: '/warnings' },
      { name: 'hotfix-overlay-tui', open: '/tui' },
      { name: 'hotfix-overlay-archive', open: '/archive' },
    ]),
    ...reviewScenes('codex', CODEX, [
      {
        name: 'review-overlay-model-effort',
        open: ['/', 'm', 'o', 'd', 'e', 'l', 'Enter', 'Enter'],
        leave: ['Escape', 'Escape'],
      },
      { name: 'review-overlay-review-commit', open: ['/', 'r', 'e', 'v', 'i', 'e', 'w', 'Enter', 'Down', 'Down'] },
      { name: 'review-overlay-theme-moved', open: ['/', 't', 'h', 'e', 'm', 'e', 'Enter', 'Down'] },
      { name: 'review-rollout-printed', open: '/rollout', leave: [], expected: IDLE },
      { name: 'review-overlay-permissions-moved', open: ['/', 'p', 'e', 'r', 'm', 'Enter', 'Down'] },
    ]),
    ...mergeScenes('codex', CODEX, [
      { name: 'merge-profile-refused', open: '/permissions merge', leave: [], expected: IDLE },
      { name: 'merge-overlay-skills-moved', open: ['/', 's', 'k', 'i', 'l', 'l', 's', 'Enter', 'Down'] },
      {
        name: 'merge-overlay-statusline-moved',
        open: ['/', 's', 't', 'a', 't', 'u', 's', 'l', 'i', 'n', 'e', 'Enter', 'Down', 'Down'],
      },
    ]),
    signedOutScene(),
    freshScene([['Enter'], ['Enter']]),
    ...endScenes('/quit', []),
  ],
  gemini: [
    ...commonScenes(GEMINI),
    ...imitationScenes(),
    ...everydayScenes('gemini', GEMINI, [
      { name: 'day-about-printed', open: '/about', leave: [], expected: IDLE },
      { name: 'day-tools-printed', open: '/tools', leave: [], expected: IDLE },
      { name: 'day-mcp-printed', open: '/mcp list', leave: [], expected: IDLE },
      { name: 'day-overlay-rewind', open: '/rewind' },
      { name: 'day-overlay-agents', open: '/agents config', leave: ['Escape', 'C-c'] },
    ]),
    overlayScene([
      { name: 'overlay-history-search', open: ['C-r'], leave: ['Escape', 'C-c'] },
      { name: 'overlay-model', open: '/model' },
      { name: 'overlay-settings', open: '/settings' },
      { name: 'overlay-theme', open: '/theme' },
      { name: 'overlay-auth', open: '/auth' },
      { name: 'overlay-editor', open: '/editor' },
      { name: 'overlay-permissions', open: '/permissions' },
      { name: 'overlay-resume', open: '/resume' },
      { name: 'help-printed', open: '/help', leave: [], expected: IDLE },
      { name: 'stats-printed', open: '/stats', leave: [], expected: IDLE },
      { name: 'mode-edits', open: ['BTab'], leave: [], expected: IDLE },
      { name: 'mode-plan', open: ['BTab'], leave: ['BTab'], expected: IDLE },
      { name: 'shell-mode', open: ['!'], leave: ['Escape'], expected: SHELL_MODE },
    ]),
    ...afterWeekScenes('gemini'),
    ...weekScenes('gemini', GEMINI, [
      { name: 'week-overlay-privacy', open: '/privacy' },
      { name: 'week-overlay-footer', open: '/footer' },
      { name: 'week-memory-printed', open: '/memory show', leave: [], expected: IDLE },
      { name: 'week-extensions-printed', open: '/extensions list', leave: [], expected: IDLE },
      { name: 'week-policies-printed', open: '/policies list', leave: [], expected: IDLE },
    ]),
    ...releaseScenes('gemini', GEMINI, [
      { name: 'release-overlay-settings-opened', open: '/settings', leave: ['Down', 'Down', 'Down'] },
      { name: 'release-overlay-settings-moved', open: [] },
      { name: 'release-shortcuts-shown', open: '/shortcuts', leave: ['Escape'], expected: IDLE },
      { name: 'release-skills-printed', open: '/skills list', leave: [], expected: IDLE },
      { name: 'release-overlay-hooks', open: '/hooks list' },
      { name: 'release-model-stats-printed', open: '/stats model', leave: [], expected: IDLE },
    ]),
    ...hotfixScenes(GEMINI, 415, [
      { name: 'hotfix-directory-printed', open: '/directory show', leave: [], expected: IDLE },
      { name: 'hotfix-chats-printed', open: '/chat list', leave: [], expected: IDLE },
      { name: 'hotfix-vim-mode', open: '/vim', leave: [], expected: IDLE },
      { name: 'hotfix-overlay-editor-moved', open: ['/', 'e', 'd', 'i', 't', 'o', 'r', 'Enter', 'Down'] },
    ]),
    ...reviewScenes('gemini', GEMINI, [
      { name: 'review-overlay-theme-moved', open: ['/', 't', 'h', 'e', 'm', 'e', 'Enter', 'Down', 'Down'] },
      { name: 'review-overlay-model-moved', open: ['/', 'm', 'o', 'd', 'e', 'l', 'Enter', 'Down'] },
      { name: 'review-tool-stats-printed', open: '/stats tools', leave: [], expected: IDLE },
      { name: 'review-tools-described-printed', open: '/tools desc', leave: [], expected: IDLE },
      {
        name: 'review-overlay-settings-searched',
        open: ['/', 's', 'e', 't', 't', 'i', 'n', 'g', 's', 'Enter', 'v', 'i', 'm'],
      },
    ]),
    ...mergeScenes('gemini', GEMINI, [
      { name: 'merge-overlay-model-opened', open: '/model' },
      { name: 'merge-chats-printed', open: '/chat list', leave: [], expected: IDLE },
      { name: 'merge-vim-insert', open: '/vim', leave: ['Escape'], expected: IDLE },
      { name: 'merge-vim-normal', open: [], leave: ['i'], expected: { ...IDLE, alsoRightBox: ['hidden'] } },
      { name: 'merge-vim-insert-again', open: [], leave: [], expected: IDLE },
    ]),
    loopScene(),
    signedOutScene(),
    freshScene([['Enter'], ['Enter'], ['Enter']]),
    ...endScenes('/quit', ['C-c', 'C-d']),
  ],
  opencode: [
    ...commonScenes(OPENCODE),
    ...imitationScenes(),
    ...everydayScenes('opencode', OPENCODE, [
      { name: 'day-overlay-mcps', open: '/mcps' },
      { name: 'day-overlay-skills', open: '/skills' },
      { name: 'day-overlay-connect', open: '/connect' },
      { name: 'day-overlay-models', open: '/models' },
      { name: 'day-new-conversation', open: '/new', leave: [], expected: IDLE },
    ]),
    overlayScene([
      { name: 'overlay-commands', open: ['C-p'] },
      { name: 'overlay-model', open: ['C-x', 'm'] },
      { name: 'overlay-sessions', open: ['C-x', 'l'] },
      { name: 'overlay-theme', open: ['C-x', 't'] },
      { name: 'overlay-agents', open: ['C-x', 'a'] },
      { name: 'overlay-status', open: ['C-x', 's'] },
      { name: 'overlay-timeline', open: ['C-x', 'g'] },
      { name: 'overlay-help', open: '/help' },
      { name: 'overlay-rename', open: '/rename' },
      { name: 'overlay-export', open: '/export' },
      { name: 'mode-plan', open: ['Tab'], leave: ['Tab'], expected: IDLE },
      { name: 'sidebar-toggled', open: ['C-x', 'b'], leave: ['C-x', 'b'], expected: IDLE },
      { name: 'leader-pressed', open: ['C-x'], leave: ['Escape'], expected: IDLE },
    ]),
    ...afterWeekScenes('opencode'),
    ...weekScenes('opencode', OPENCODE, [
      { name: 'week-overlay-commands-filtered', open: ['C-p', 's', 'e', 's'] },
      { name: 'week-overlay-theme-moved', open: ['C-x', 't', 'Down', 'Down'] },
      { name: 'week-overlay-fork', open: '/fork' },
      { name: 'week-overlay-variants', open: '/variants' },
      { name: 'week-overlay-sessions-named', open: ['C-x', 'l', 'C-r'], leave: ['Escape', 'Escape'] },
    ]),
    ...releaseScenes('opencode', OPENCODE, [
      { name: 'release-overlay-no-command', open: ['C-p', 'z', 'z', 'z', 'z'] },
      { name: 'release-overlay-session-asked', open: ['C-x', 'l', 'C-d'], leave: ['Escape', 'Escape'] },
      { name: 'release-overlay-agents-moved', open: ['C-x', 'a', 'Down'] },
      { name: 'release-overlay-timeline-chosen', open: ['C-x', 'g', 'Enter'], leave: ['Escape', 'Escape'] },
      { name: 'release-undone', open: '/undo', leave: ['C-u'], expected: DRAFT },
    ]),
    ...hotfixScenes(OPENCODE, 401, [
      { name: 'hotfix-overlay-themes', open: '/themes' },
      { name: 'hotfix-overlay-stash', open: ['C-p', 's', 't', 'a', 's', 'h'] },
      { name: 'hotfix-own-command', open: '!head -2 notes.txt', leave: [], expected: IDLE },
      { name: 'hotfix-thinking-toggled', open: '/thinking', leave: [], expected: IDLE },
    ]),
    ...reviewScenes('opencode', OPENCODE, [
      { name: 'review-overlay-commands-moved', open: ['C-p', 'Down', 'Down', 'Down'] },
      { name: 'review-overlay-models-searched', open: ['C-x', 'm', 's', 'c', 'r'] },
      { name: 'review-overlay-theme-searched', open: ['C-x', 't', 'n', 'o', 'r', 'd'] },
      { name: 'review-timestamps-toggled', open: '/timestamps', leave: [], expected: IDLE },
      { name: 'review-overlay-help-by-palette', open: ['C-p', 'h', 'e', 'l', 'p', 'Enter'] },
    ]),
    ...endScenes('/exit', []),
  ],
};

/** A command goes on in the background after the turn. */
function backgroundScene(call: string): Scene {
  return {
    name: 'background',
    async play(director) {
      await director.ready();
      await director.ask(`In the background. ${call}[[reply: It runs.]]`);
      await director.pause(1500);
      const { lines } = await director.terminal.look();
      if (CLAUDE.permission.test(lines.join('\n'))) await director.keys('Enter');
      await director.finished();
      await director.take('finished-with-background-task', IDLE);
      await director.type('A draft beside it');
      await director.take('draft-with-background-task', DRAFT);
    },
  };
}

/** Plans before it acts, and asks whether the plan is good. */
function planScene(): Scene {
  return {
    name: 'plan',
    async play(director) {
      await director.ready();
      await director.keys('BTab', 'BTab');
      await director.ask('Plan. [[tool: ExitPlanMode {"plan":"# Plan\\n\\n1. Look\\n2. Act"}]]');
      await director.pause(2500);
      await director.take('permission-plan', { activity: 'awaiting_approval', box: 'hidden', isDialog: true });
      await director.keys('Escape');
      await director.finished();
      await director.take('denied-plan', IDLE);
      await director.ask('Stream. [[slow: 6]]');
      await director.pause(2000);
      await director.keys('C-o');
      await director.pause(700);
      await director.snap('working-in-transcript', WORKING_HIDDEN);
    },
  };
}

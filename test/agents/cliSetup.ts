import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context } from 'mocha';
import { notRun } from '../support/notRun';

const ALL = ['claude', 'codex', 'gemini', 'opencode'] as const;
export type Cli = (typeof ALL)[number];

/**
 * The real programs that tests start, by the command's name. A file with the line `// Once for each: …` at its top is run
 * in several processes, each of which finds its one in the environment.
 */
export const CLIS: readonly Cli[] = ALL.filter((cli) => !process.env.CORE_ONLY || cli === process.env.CORE_ONLY);

/** The built-in agent type of each. */
export const TYPE_IDS: Readonly<Record<Cli, string>> = {
  claude: 'claude-code',
  codex: 'codex',
  gemini: 'gemini',
  opencode: 'opencode',
};

const PACKAGES: Readonly<Record<Cli, string>> = {
  claude: '@anthropic-ai/claude-code',
  codex: '@openai/codex',
  gemini: '@google/gemini-cli',
  opencode: 'opencode-ai',
};

/** From the root, as README.md here says; not `npm ci`, which refuses where a registry lacks the programs for another platform. */
export const INSTALL_COMMAND =
  'cd test/agents && npm install --no-save --ignore-scripts && npm rebuild @anthropic-ai/claude-code opencode-ai';
const INSTALLED = join(__dirname, 'node_modules');
/** To be put at the front of the PATH. */
export const CLI_FOLDER = join(INSTALLED, '.bin');
const CLAUDE_KEY = 'sk-ant-test-0123456789abcdefghijklmnopqrstuv';

/** Version of the installed package; undefined when it is not installed. */
export function installedVersion(cli: Cli): string | undefined {
  const file = join(INSTALLED, PACKAGES[cli], 'package.json');
  if (!existsSync(join(CLI_FOLDER, cli)) || !existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version; // every package has one
}

/** Skips the running test visibly when the program is not installed. */
export function requireCli(context: Context, cli: Cli): void {
  if (!installedVersion(cli)) notRun(context, `${cli} is not installed (${INSTALL_COMMAND})`);
}

export interface CliSetupOptions {
  /** Of the scripted model. */
  readonly serverUrl: string;
  /** `ask`: before it acts (default). `edits`: it may change files. `all`: it never asks. */
  readonly permission?: 'ask' | 'edits' | 'all';
  /** As after its installation: nothing was answered yet, no folder is trusted. */
  readonly isFresh?: boolean;
  /** The person has said before that the workspace folder is trusted (claude). Default true. */
  readonly isTrusted?: boolean;
  /** Nobody has signed in, and no key is given. Not for claude, which asks a server of its own first. */
  readonly isSignedOut?: boolean;
  /** How often a failed request is tried again, where that can be set (codex). Default 1. */
  readonly retries?: number;
  /** It asks the person whether to go on when its tries are used up, where that is a setting (gemini). Default false. */
  readonly asksAfterTries?: boolean;
  /** What else the person has set, where that is a file of JSON (claude, gemini, opencode). */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** What a test adds to a launch so that the program runs isolated: no login, no network, nothing of the person's own. */
export interface CliSetup {
  readonly cli: Cli;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** What the product's own manifest adds already; needed when the program is started without the product. */
  readonly bareArgs: readonly string[];
}

/** What lies in the workspace folder of a new home. */
export const PROJECT_FILES = { 'notes.txt': 'one\ntwo\nthree\n' } as const;

/** A home and a workspace folder (a git repository) for programs of one test. */
export class CliHome {
  // Not under the system's folder for temporary files: codex puts no helper programs there.
  readonly folder = mkdtempSync(join(existsSync('/var/tmp') ? '/var/tmp' : INSTALLED, 'agent-home-'));
  readonly workspace = join(this.folder, 'project');

  constructor() {
    mkdirSync(this.workspace);
    execFileSync('git', ['init', '-q', this.workspace]);
    for (const [name, content] of Object.entries(PROJECT_FILES)) this.write(`project/${name}`, content);
  }

  /** Writes the program's configuration into the home; tells the rest. */
  setUp(cli: Cli, options: CliSetupOptions): CliSetup {
    const { env, args } = SETUPS[cli](this, {
      permission: 'ask',
      isFresh: false,
      isTrusted: true,
      isSignedOut: false,
      retries: 1,
      asksAfterTries: false,
      settings: {},
      ...options,
    });
    return {
      cli,
      args,
      bareArgs: cli === 'codex' ? ['--no-daemon'] : [],
      env: { HOME: this.folder, ...xdgFolders(this.folder), ...env },
    };
  }

  /** Everything that a launch would need is set in the home, as a person would set it; tells the environment. */
  setUpForPerson(cli: Cli, options: CliSetupOptions): CliSetup['env'] {
    const { env, args } = this.setUp(cli, options);
    if (cli === 'codex') this.write('.codex/config.toml', tomlOf(args));
    return env;
  }

  write(name: string, content: string): void {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

/** The settings of codex's arguments (`-c name=value`) as its file of settings. */
function tomlOf(args: readonly string[]): string {
  return args.filter((_, index) => args[index - 1] === '-c').join('\n') + '\n';
}

function xdgFolders(home: string): Readonly<Record<string, string>> {
  return {
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local/share'),
    XDG_STATE_HOME: join(home, '.local/state'),
    XDG_CACHE_HOME: join(home, '.cache'),
  };
}

type SetUp = (home: CliHome, options: Required<CliSetupOptions>) => Pick<CliSetup, 'args' | 'env'>;

const SETUPS: Readonly<Record<Cli, SetUp>> = {
  claude(home, { serverUrl, permission, isFresh, isTrusted, settings }) {
    // The very first dialogs need a network: they are taken as answered.
    if (isFresh) home.write('.claude.json', JSON.stringify({ hasCompletedOnboarding: true, theme: 'dark' }));
    if (!isFresh) {
      const state = {
        hasCompletedOnboarding: true,
        lastOnboardingVersion: '99.0.0',
        theme: 'dark',
        bypassPermissionsModeAccepted: true,
        customApiKeyResponses: { approved: [CLAUDE_KEY.slice(-20)], rejected: [] },
        projects: {
          ...(isTrusted && {
            [home.workspace]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true },
          }),
        },
        ...settings,
      };
      home.write('.claude.json', JSON.stringify(state));
      if (permission === 'all')
        home.write('.claude/settings.json', JSON.stringify({ skipDangerousModePermissionPrompt: true }));
    }
    return {
      args: { ask: [], edits: ['--permission-mode', 'acceptEdits'], all: ['--dangerously-skip-permissions'] }[
        permission
      ],
      env: {
        ANTHROPIC_BASE_URL: serverUrl,
        ANTHROPIC_API_KEY: CLAUDE_KEY,
        DISABLE_AUTOUPDATER: '1',
        DISABLE_TELEMETRY: '1',
        DISABLE_ERROR_REPORTING: '1',
        DISABLE_INSTALLATION_CHECKS: '1',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        // It refuses to skip permissions as root unless it is told that it runs in a sandbox.
        ...(permission === 'all' && process.getuid?.() === 0 && { IS_SANDBOX: '1' }),
      },
    };
  },

  codex(home, { serverUrl, permission, isFresh, isSignedOut, retries }) {
    mkdirSync(join(home.folder, '.codex'), { recursive: true });
    if (isSignedOut) return { args: [], env: {} };
    const provider = `{name="Scripted",base_url="${serverUrl}/v1",wire_api="responses",env_key="SCRIPTED_KEY",request_max_retries=${retries},stream_max_retries=${retries},stream_idle_timeout_ms=60000}`;
    const settings = [
      'model_provider="scripted"',
      `model_providers.scripted=${provider}`,
      'model="scripted-model"',
      'check_for_update_on_startup=false',
      'analytics.enabled=false',
      'feedback.enabled=false',
      ...(isFresh ? [] : [`projects={${JSON.stringify(home.workspace)}={trust_level="trusted"}}`]),
    ];
    const mode = {
      ask: ['-a', 'on-request', '-s', 'read-only'],
      edits: ['-a', 'on-request', '-s', 'workspace-write'],
      all: ['--dangerously-bypass-approvals-and-sandbox'],
    }[permission];
    return {
      args: [...settings.flatMap((setting) => ['-c', setting]), ...mode],
      env: { SCRIPTED_KEY: 'none' },
    };
  },

  gemini(home, { serverUrl, permission, isFresh, isSignedOut, asksAfterTries, settings: more }) {
    if (isSignedOut) return { args: ['--skip-trust'], env: { GEMINI_TELEMETRY_ENABLED: 'false' } };
    const settings = {
      general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
      privacy: { usageStatisticsEnabled: false },
      telemetry: { enabled: false },
      security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: true } },
      ui: { hideTips: true, hideBanner: true, ...(asksAfterTries && { errorVerbosity: 'full' }) },
      ide: { enabled: false, hasSeenNudge: true },
      model: { name: 'gemini-2.5-pro' },
      ...more,
    };
    if (!isFresh) home.write('.gemini/settings.json', JSON.stringify(settings));
    const mode = { ask: [], edits: ['--approval-mode', 'auto_edit'], all: ['--approval-mode', 'yolo'] }[permission];
    return {
      args: [...(isFresh ? [] : ['--skip-trust']), '-m', 'gemini-2.5-pro', ...mode],
      env: { GEMINI_API_KEY: 'none', GOOGLE_GEMINI_BASE_URL: serverUrl, GEMINI_TELEMETRY_ENABLED: 'false' },
    };
  },

  opencode(home, { serverUrl, permission, settings }) {
    const model = {
      name: 'Scripted Model',
      tool_call: true,
      reasoning: true,
      limit: { context: 200_000, output: 8192 },
      cost: { input: 1, output: 2 },
    };
    const provider = {
      npm: '@ai-sdk/openai-compatible',
      name: 'Scripted',
      options: { baseURL: `${serverUrl}/v1`, apiKey: 'none' },
      models: { 'scripted-model': model },
    };
    const permissions = {
      ask: { bash: 'ask', edit: 'ask', webfetch: 'ask' },
      edits: { bash: 'ask', edit: 'allow' },
      all: { '*': 'allow' },
    }[permission];
    // In a file, because a launch has its own use for OPENCODE_CONFIG_CONTENT.
    const config = {
      autoupdate: false,
      share: 'disabled',
      provider: { scripted: provider },
      model: 'scripted/scripted-model',
      small_model: 'scripted/scripted-model',
      enabled_providers: ['scripted'],
      permission: permissions,
      ...settings,
    };
    home.write('.config/opencode/opencode.json', JSON.stringify(config));
    pretendPluginIsInstalled(home);
    // At each start it unpacks some 20 MB of libraries into the folder for temporary files; one that is killed leaves them there.
    mkdirSync(join(home.folder, 'tmp'), { recursive: true });
    return {
      args: [],
      env: {
        TMPDIR: join(home.folder, 'tmp'),
        BUN_JSC_useFTLJIT: '0', // its last stage of compiling costs a short run more than it brings
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      },
    };
  },
};

/**
 * In a new home opencode installs the package that plugins are typed with (60 MB, some 15 s of a processor), though nothing here
 * needs it. It leaves a folder alone whose lock file names it.
 */
function pretendPluginIsInstalled(home: CliHome): void {
  const dependencies = { '@opencode-ai/plugin': installedVersion('opencode') };
  home.write('.config/opencode/package.json', JSON.stringify({ dependencies }));
  home.write(
    '.config/opencode/package-lock.json',
    JSON.stringify({ lockfileVersion: 3, packages: { '': { dependencies } } }),
  );
  mkdirSync(join(home.folder, '.config/opencode/node_modules'), { recursive: true });
}

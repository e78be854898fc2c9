// How the desktop VS Code is started for the suite in the extension host.
import { join, resolve } from 'node:path';

/** Variables of the suite that VS Code passes on to its extension host. */
const PASSED_ON = [
  'CORE_ROOT',
  'CORE_RESULTS',
  'CORE_NOT_RUN',
  'CORE_TRIALS',
  'CORE_TEST_GREP',
  'CORE_TEST_REPORT',
  'CORE_DRAWN_ROWS',
];

/**
 * Options of @vscode/test-electron's `runTests`. `extensions`: folders, ours first; `profile`: a folder of its own.
 * Each folder becomes an `--extensionDevelopmentPath`, and those are loaded in spite of `--disable-extensions`.
 */
export function desktopOptions({ extensions, suite, profile, env }) {
  const { CORE_ORCHESTRATOR_VSCODE: where, CORE_ORCHESTRATOR_VSCODE_VERSION: version = 'stable' } = env;
  const passedOn = Object.fromEntries(PASSED_ON.filter((name) => env[name]).map((name) => [name, env[name]]));
  return {
    ...(where === 'desktop' ? { version } : { vscodeExecutablePath: where }),
    extensionDevelopmentPath: extensions.map((folder) => resolve(folder)),
    extensionTestsPath: resolve(suite),
    extensionTestsEnv: { ...passedOn, TMUX_TMPDIR: profile, XDG_RUNTIME_DIR: profile },
    launchArgs: [
      profile,
      '--user-data-dir',
      join(profile, 'data'),
      '--extensions-dir',
      join(profile, 'extensions'),
      '--disable-workspace-trust',
      '--disable-extensions',
    ],
  };
}

// The suite in the extension host of a desktop VS Code, through @vscode/test-electron:
//   CORE_ORCHESTRATOR_VSCODE=desktop|/path/to/executable node scripts/lib/desktopSuite.mjs out/test/extension/index.js
// `desktop` downloads the newest stable VS Code (CORE_ORCHESTRATOR_VSCODE_VERSION: another one).
import './nodeVersion.mjs';
import { runTests } from '@vscode/test-electron';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { root } from './project.mjs';
import { endTmuxServers } from './tmuxServers.mjs';

const where = process.env.CORE_ORCHESTRATOR_VSCODE;
const profile = mkdtempSync(join(tmpdir(), 'core-desk-'));
const names = ['CORE_ROOT', 'CORE_RESULTS', 'CORE_NOT_RUN', 'CORE_TRIALS', 'CORE_TEST_GREP'];
const env = Object.fromEntries(names.filter((name) => process.env[name]).map((name) => [name, process.env[name]]));
let code = 1;
try {
  code = await runTests({
    ...(where === 'desktop'
      ? { version: process.env.CORE_ORCHESTRATOR_VSCODE_VERSION ?? 'stable' }
      : { vscodeExecutablePath: where }),
    extensionDevelopmentPath: root,
    extensionTestsPath: resolve(process.argv[2]),
    extensionTestsEnv: { ...env, TMUX_TMPDIR: profile, XDG_RUNTIME_DIR: profile },
    launchArgs: [
      profile,
      '--user-data-dir',
      join(profile, 'data'),
      '--extensions-dir',
      join(profile, 'extensions'),
      '--disable-workspace-trust',
      '--disable-extensions',
    ],
  });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
} finally {
  endTmuxServers(profile);
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
process.exit(code);

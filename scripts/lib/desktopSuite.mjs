// The suite in the extension host of a desktop VS Code, through @vscode/test-electron:
//   CORE_ORCHESTRATOR_VSCODE=desktop|/path/to/executable node scripts/lib/desktopSuite.mjs out/test/extension/index.js EXTENSION…
// `desktop` downloads the newest stable VS Code (CORE_ORCHESTRATOR_VSCODE_VERSION: another one). EXTENSION: folders, ours first.
import './nodeVersion.mjs';
import { runTests } from '@vscode/test-electron';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { desktopOptions } from './desktopOptions.mjs';
import { endTmuxServers } from './tmuxServers.mjs';

const [suite, ...extensions] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'core-desk-'));
let code = 1;
try {
  code = await runTests(desktopOptions({ extensions, suite, profile, env: process.env }));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
} finally {
  endTmuxServers(profile);
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
process.exit(code);

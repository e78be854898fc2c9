// Type-checks each world with its own settings: what is shared without anything, `orc`, the plugins, the demo agent, core and host without VS Code and DOM, then VS Code's side, then all with the tests.
import './lib/nodeVersion.mjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNode, tool } from './lib/project.mjs';

const worlds = [
  'src/shared',
  'src/cli',
  'src/plugins',
  'src/demo',
  'src/core',
  'src/host',
  'src/vscode',
  'src/webview',
  '.',
];
let failed = 0;
for (const world of worlds.filter((folder) => existsSync(join(root, folder, 'tsconfig.json')))) {
  if ((await runNode(tool.tsc, ['-p', world])) !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);

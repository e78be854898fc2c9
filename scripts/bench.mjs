// npm run bench [-- --json FILE] [NAME…]: installs what is missing, builds the package, and measures (bench/run.ts).
import './lib/nodeVersion.mjs';
import { installPackages, installWebVscode } from './lib/install.mjs';
import { fail, run, runNode } from './lib/project.mjs';

await installPackages();
const problem = await installWebVscode(['tmux', 'chromium']);
if (problem) process.stdout.write(`${problem}\n`);
if ((await runNode('scripts/package.mjs', ['--no-check'], { isQuiet: true })) !== 0)
  fail('npm run package failed (see above)');
process.exit(await run(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...process.argv.slice(2)]));

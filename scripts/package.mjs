// npm run package [-- --accept | --no-check]: one universal .vsix in dist/. --accept takes its present files as the right ones.
import './lib/nodeVersion.mjs';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { installPackages } from './lib/install.mjs';
import { pageReadme } from './lib/pageReadme.mjs';
import { checkPackage, writeGolden } from './lib/packaging.mjs';
import { fail, root, tool, vsixPath } from './lib/project.mjs';

await installPackages();
const args = [
  'package',
  '--no-dependencies',
  '--allow-missing-repository',
  '--no-rewrite-relative-links',
  '--readme-path',
  'out/page/README.md',
  '--out',
  vsixPath,
];
mkdirSync(join(root, 'dist'), { recursive: true });
mkdirSync(join(root, 'out', 'page'), { recursive: true });
writeFileSync(join(root, 'out', 'page', 'README.md'), pageReadme(readFileSync(join(root, 'README.md'), 'utf8')));
// vsce runs vscode:prepublish, which empties dist/ and builds it for production.
const { status, stdout, stderr } = spawnSync(process.execPath, [tool.vsce, ...args], { cwd: root, encoding: 'utf8' });
const output = stdout + stderr;
if (status !== 0) fail(`${output}\nvsce package failed`);
// npm prints its own warnings about the user's configuration; only vsce's are about the package.
const warnings = output.split('\n').filter((line) => /^\s*WARNING/i.test(line));
if (warnings.length > 0) fail(`${output}\nvsce package warned`);
process.stdout.write(`${vsixPath}\n`);
if (process.argv.includes('--accept')) writeGolden(vsixPath);
if (!process.argv.includes('--no-check')) {
  const problems = (await checkPackage(vsixPath)).filter((check) => check.problem);
  for (const { title, problem } of problems) process.stdout.write(`✘ ${title}: ${problem}\n`);
  process.exit(problems.length === 0 ? 0 : 1);
}

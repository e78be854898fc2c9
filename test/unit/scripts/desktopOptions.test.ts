import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface Options {
  readonly version?: string;
  readonly vscodeExecutablePath?: string;
  readonly extensionDevelopmentPath: readonly string[];
  readonly extensionTestsEnv: Readonly<Record<string, string>>;
  readonly launchArgs: readonly string[];
}
interface Script {
  desktopOptions(from: object): Options;
}
interface Tiers {
  suiteExtensions(): readonly string[];
}
// Scripts are plain JavaScript.
const load = (file: string): Promise<unknown> => import(pathToFileURL(path.resolve('scripts/lib', file)).href);

describe('the suite in a desktop VS Code', () => {
  it('has the same extensions as in the web one: ours first, and the one that calls our API', async () => {
    const { desktopOptions } = (await load('desktopOptions.mjs')) as Script;
    const { suiteExtensions } = (await load('tiers.mjs')) as Tiers;
    const extensions = suiteExtensions();
    assert.deepEqual(extensions, ['.', path.join('test', 'extension', 'fixtures', 'api-user')]);
    const options = desktopOptions({ extensions, suite: 'x.js', profile: '/p', env: {} });
    assert.deepEqual(options.extensionDevelopmentPath, extensions.map((folder) => path.resolve(folder))); // prettier-ignore
    for (const folder of options.extensionDevelopmentPath) assert.ok(existsSync(path.join(folder, 'package.json')));
  });

  it('gets what the suite reads from the environment, a private profile, and nothing else', async () => {
    const { desktopOptions } = (await load('desktopOptions.mjs')) as Script;
    const env = { CORE_RESULTS: 'r', CORE_TRIALS: 'ci', CORE_DRAWN_ROWS: 'd', CORE_ORCHESTRATOR_VSCODE: 'desktop', X: 'x' }; // prettier-ignore
    const { extensionTestsEnv, version, vscodeExecutablePath, launchArgs } = desktopOptions({
      ...{ extensions: ['.'], suite: 'x.js', profile: '/p', env },
    });
    assert.deepEqual(extensionTestsEnv, {
      CORE_RESULTS: 'r',
      CORE_TRIALS: 'ci',
      CORE_DRAWN_ROWS: 'd',
      TMUX_TMPDIR: '/p',
      XDG_RUNTIME_DIR: '/p',
    });
    assert.deepEqual([version, vscodeExecutablePath, launchArgs[0]], ['stable', undefined, '/p']);
  });

  it('is that of a path, when one is given', async () => {
    const { desktopOptions } = (await load('desktopOptions.mjs')) as Script;
    const options = desktopOptions({
      ...{ extensions: ['.'], suite: 'x.js', profile: '/p', env: { CORE_ORCHESTRATOR_VSCODE: '/opt/code' } },
    });
    assert.deepEqual([options.version, options.vscodeExecutablePath], [undefined, '/opt/code']);
  });
});

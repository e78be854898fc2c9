import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

interface Manifest {
  readonly engines: { readonly vscode: string };
  readonly extensionKind: readonly string[];
  readonly icon: string;
  readonly main: string;
  readonly activationEvents?: readonly string[];
  readonly enabledApiProposals?: unknown;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}
interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly resolved?: string;
        readonly hasInstallScript?: boolean;
        readonly version?: string;
        readonly dev?: boolean;
      }
    >
  >;
}
const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T; // our own files; a wrong shape fails the test
const manifest = read<Manifest>('package.json');
const locks = {
  '.': read<Lock>('package-lock.json'),
  'test/agents': read<Lock>('test/agents/package-lock.json'),
  'test/vscode-web': read<Lock>('test/vscode-web/package-lock.json'),
};

/** What is shipped, or bundled into what is shipped. A new one is a decision: see docs/adr. */
const RUNTIME_PACKAGES = ['jsonc-parser', 'jsonwebtoken', 'node-pty', 'sql.js'];

describe('package.json', () => {
  it('has exactly the runtime packages that were decided on', () => {
    assert.deepEqual(Object.keys(manifest.dependencies).sort(), RUNTIME_PACKAGES);
  });

  it('names every package with one exact version', () => {
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^(npm:[\w-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    assert.deepEqual(loose, []);
  });

  it('is typed against the oldest VS Code that it runs in', () => {
    const [major, minor] = manifest.engines.vscode.replace('^', '').split('.');
    assert.ok(manifest.devDependencies['@types/vscode']?.startsWith(`${major}.${minor}.`));
  });

  it('runs where the workspace is, without proposed API, and is not activated by everything', () => {
    assert.deepEqual(manifest.extensionKind, ['workspace']);
    assert.equal(manifest.enabledApiProposals, undefined);
    assert.ok(!manifest.activationEvents?.includes('*'));
  });

  it('names files that exist', () => {
    assert.ok(existsSync(manifest.icon));
    for (const script of ['start', 'test', 'verify', 'bench', 'package', 'typecheck']) {
      assert.ok(existsSync((manifest.scripts[script] ?? '').replace('node ', '')), script);
    }
  });
});

for (const [folder, lock] of Object.entries(locks)) {
  describe(`package-lock.json of ${folder}`, () => {
    it('records no download addresses', () => {
      assert.deepEqual(
        Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined),
        [],
      );
    });
  });
}

describe('install scripts', () => {
  it('belong to packages that are known to have one, and none but esbuild’s is run', () => {
    const withScript = Object.entries(locks['.'].packages)
      .filter(([, entry]) => entry.hasInstallScript)
      .map(([path]) => path.replace(/.*node_modules\//, ''));
    assert.deepEqual([...new Set(withScript)].sort(), ['@vscode/vsce-sign', 'esbuild', 'keytar', 'node-pty']);
    assert.match(readFileSync('scripts/lib/install.mjs', 'utf8'), /'ci', '--ignore-scripts'/);
  });
});
